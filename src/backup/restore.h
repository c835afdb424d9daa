//! What restoring a backup would change, and doing it. Reads and writes files; blocks. One thread.
#pragma once

#include "backup/archive.h"
#include "backup/install.h"
#include "backup/set.h"

typedef enum PsChange {
    PS_CHANGE_ADDED,
    PS_CHANGE_CHANGED,
    PS_CHANGE_SAME,
    PS_CHANGE_REMOVED, ///< stays in the former folder only
    PS_CHANGE_KEPT,    ///< a secret that the archive lacks; the folder's own goes on
    PS_CHANGE_ABSENT,  ///< the same, and the folder has none: a person must put it there
} PsChange;

#define PS_CHANGE_COUNT 6

/// "added", "changed", "same", "removed", "kept", "absent". Never NULL.
const char *ps_change_name(PsChange change);

typedef struct PsChangeRow {
    PsChange change;
    char *name; ///< below the folder
} PsChangeRow;

/// A restore that is prepared: the new folder stands beside the old one, checked.
typedef struct PsRestore {
    PsInstall install;
    PsChangeRow *rows;
    size_t count;
    size_t counts[PS_CHANGE_COUNT];
} PsRestore;

/// Writes the files of `archive`, whose sealed part is open or left aside, into a new folder beside
/// `folder` and checks that as `penstock check` does; secrets it lacks come from `folder`. Nothing
/// of `folder` changes. PS_ERR_INVALID with `findings` when the check refuses it; PS_ERR_CORRUPT
/// when a file is not part of the configuration. `ret_restore` is zeroed by the caller and is
/// deinited by it in any case.
PsErr ps_restore_prepare(const PsArchive *archive, const char *folder,
                         PsVariableCheckFor *check_for, PsBackupCheck *also, PsFindings *findings,
                         PsRestore *ret_restore, PsDiag *diag);

/// Would the folder be another one?
bool ps_restore_changes(const PsRestore *restore);

/// ps_install_finish of what was prepared.
PsErr ps_restore_finish(PsRestore *restore, char *ret_former, size_t size, PsDiag *diag);

void ps_restore_deinit(PsRestore *restore);
