//! Rows out of the database, in the order in which they are to go. Blocks on the disk; the store
//! thread.
#pragma once

#include "outbox/sum_db.h"

typedef struct PsDbFetched {
    PsRow **rows;     ///< room for the limit, the caller's
    int64_t *numbers; ///< of their names; `pub.message` is left 0
    size_t count;
    PsDamagedRows damaged; ///< not among `rows`
    bool complete;         ///< nothing above
} PsDbFetched;

/// Up to `limit` rows of a class at or above `from`, in order, stopping after `limit_bytes`.
PsErr ps_db_fetch(PsDb *db, PsOutboxClass class, PsRowKey from, size_t limit, size_t limit_bytes,
                  PsDbFetched *ret_fetched);
