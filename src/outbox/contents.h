//! What the database held when it was opened: taken over by the main thread (attach.c), which goes
//! on from there. Blocks on the disk; the opener's thread or the store's.
#pragma once

#include "outbox/dead_db.h"
#include "outbox/era_db.h"
#include "outbox/sum_db.h"

typedef struct PsContents {
    PsLedgers ledgers; ///< numbers, stored counts, waiting rows
    PsDbStock stock[PS_OUTBOX_CLASS_COUNT];
    uint64_t next_id;
    PsDamagedRows damaged; ///< not among those that wait
    PsEraRecord era;
    PsDeadStored *letters; ///< by rising id
    size_t letter_count;
    size_t letter_capacity;
} PsContents;

void ps_contents_deinit(PsContents *contents);

/// Rows that memory holds, too, or that are acknowledged: they are not counted.
typedef struct PsHeldRows {
    const uint64_t *ids;
    size_t count;
} PsHeldRows;

/// Opens `path` and loads it. `ret_contents` comes with entries for the names of the configuration,
/// which get numbers. A damaged file is recovered (recover.h); `damaged` says that damage has been
/// seen already. As ps_db_open, but for PS_ERR_CORRUPT, which does not come.
PsErr ps_contents_open(const char *path, bool damaged, PsHeldRows held, PsDb **ret_db,
                       PsContents *ret_contents, PsDiag *diag);
