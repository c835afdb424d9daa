//! Scratch folders: one for each worker life, inside one folder of this penstock-script, inside the
//! folder it was given. What a former penstock-script left is removed at start. penstock-script
//! only; these calls read and write directories.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct PsScratch {
    char *folder; ///< of this penstock-script, absolute; NULL: there are no scratch folders
    int lock;     ///< held while it lives, so that nobody removes it
} PsScratch;

/// Makes `parent` when missing. On failure a line on standard error says why, and workers get none.
void ps_scratch_open(PsScratch *scratch, const char *parent);
/// Removes everything.
void ps_scratch_close(PsScratch *scratch);
/// A new empty folder, its path the caller's to free; NULL when there is none.
char *ps_scratch_add(const PsScratch *scratch, uint32_t slot, uint32_t generation);
/// Removes the folder with all that is in it, and frees the path. Accepts NULL.
void ps_scratch_remove(char *path);
/// When the folder changed last; a fresh one returns the same until something is written to it.
int64_t ps_scratch_changed_ns(const char *path);
/// Does it hold more than `limit` bytes, or more files or levels than can be looked through in
/// passing? Files that process `pid` has removed but still holds open count.
bool ps_scratch_is_over(const char *path, pid_t pid, uint64_t limit);
