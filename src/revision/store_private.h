//! What the files of the store share. Inside src/revision only.
#pragma once

#include "revision/store.h"

#include <limits.h>

#define PS_REVISION_META "meta.json"
#define PS_REVISION_NEW "new"           ///< folder of the revision that is being written
#define PS_REVISION_MARKER "installing" ///< file: the number of the one that is being installed

struct PsRevisionStore {
    char folder[PATH_MAX - 320]; ///< with room for what is in it
    char config_folder[PATH_MAX];
    const PsRevisionGate *gate;
    PsRevision *items; ///< ascending
    size_t count;
    bool unfinished;
};

/// Before and after each step that changes the disk.
PsErr ps_revision_before(const PsRevisionStore *store, const char *what, PsDiag *diag);
void ps_revision_after(const PsRevisionStore *store, const char *what);

/// "FOLDER/folder/name" into `out` (PATH_MAX bytes); `name` may be "".
void ps_revision_path(const PsRevisionStore *store, const char *folder, const char *name,
                      char *out);
/// What a number is called as a folder.
void ps_revision_folder(uint32_t number, char out[static 16]);
/// Removes one folder of the store, the facts first: without them the rest is rubbish.
void ps_revision_remove_folder(const PsRevisionStore *store, const char *folder);
/// fsync, where the file system does that for folders.
void ps_revision_sync(const char *folder);
/// NULL when there is none or it is damaged.
json_t *ps_revision_read_json(const char *path);
/// Keeps it in order among the others.
void ps_revision_take(PsRevisionStore *store, const PsRevision *revision);
/// Gives the new folder its number.
PsErr ps_revision_take_number(const PsRevisionStore *store, uint32_t number, PsDiag *diag);

/// The configuration folder: makes what is to change durable beside what is there, and keeps what
/// somebody edited. `ret_any`: something is to change. On an error nothing is left behind.
PsErr ps_revision_stage(const PsRevisionStore *store, uint32_t number, const PsRevisionEntry *entry,
                        bool *ret_any, PsDiag *diag);
void ps_revision_unstage(const PsRevisionStore *store, const PsContent *content);
/// What was staged takes its names, as far as possible.
PsErr ps_revision_commit(const PsRevisionStore *store, const PsContent *content, PsDiag *diag);
/// Marks the installation of a number as decided; takes the mark away again.
PsErr ps_revision_mark(const PsRevisionStore *store, uint32_t number, PsDiag *diag);
void ps_revision_unmark(const PsRevisionStore *store);
/// At the start: completes or removes what a sudden end left.
void ps_revision_recover(PsRevisionStore *store);
