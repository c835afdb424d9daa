//! Opening the database whatever state its file is in. Blocks on the disk; one thread.
//!
//! A damaged file is read into a new one beside it (salvage.h); only when that is complete the
//! damaged one gets another name, FILE.damaged-TIME, and the new one its place. Whatever happens
//! in between, the next start finds one of them. The newest three damaged files are kept.
#pragma once

#include "outbox/db.h"

typedef enum PsRecoverHow {
    PS_RECOVER_IF_DAMAGED, ///< when the checks of ps_db_open, or the write-ahead log, show it
    PS_RECOVER_DAMAGED,    ///< damage has been seen
    PS_RECOVER_NOTHING,    ///< recovery has failed: begin with nothing
} PsRecoverHow;

/// As ps_db_open. What was recovered is said in the log. Damage that cannot be dealt with (no room
/// for the new file) leaves the damaged one in its place and fails as ps_db_open fails for the new.
PsErr ps_recover_open(const char *path, PsRecoverHow how, PsDb **ret_db, PsDiag *diag);
