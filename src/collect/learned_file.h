//! What devices have taught, as a file: JSON with one object for each endpoint. Times of the next
//! tries are wall clock there, since monotonic ones mean nothing in another run. Pure; any thread.
#pragma once

#include "base/err.h"
#include "drivers/learned.h"

/// Endpoints and holes of a file; what is more is not written.
#define PS_LEARNED_FILE_ENDPOINTS_MAX 10000U
#define PS_LEARNED_FILE_HOLES_MAX 65536U
#define PS_LEARNED_FILE_BYTES_MAX ((size_t)16 * 1024 * 1024)

/// Of one endpoint.
typedef struct PsLearnedEntry {
    char *endpoint; ///< "ModbusTCP 127.0.0.1:502"
    PsLearned *learned;
} PsLearnedEntry;

void ps_learned_entries_free(PsLearnedEntry *entries, uint32_t count);

/// Endpoints that have taught nothing are left out. Freed with free().
char *ps_learned_file_write(const PsLearnedEntry *entries, uint32_t count, PsMono now, PsWall wall);

/// All or nothing; whatever is unknown or out of range is PS_ERR_CORRUPT with its place. No hole is
/// to be tried in the first minute, and none later than its longest pause, whatever the clock says.
PsErr ps_learned_file_read(const void *bytes, size_t len, PsMono now, PsWall wall,
                           PsLearnedEntry **ret_entries, uint32_t *ret_count, PsDiag *diag);
