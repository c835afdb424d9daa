//! Making room in the database: rows of one definition that go without having been in memory.
//! Blocks on the disk; one thread at a time (the store thread).
#pragma once

#include "outbox/db.h"

typedef enum PsShedKind {
    PS_SHED_OLDEST, ///< the first `look` rows go
    PS_SHED_THIN,   ///< every second one of the first `look` rows goes
} PsShedKind;

/// What is to go, and what went.
typedef struct PsDbShed {
    PsShedKind kind;
    PsDropReason reason;
    PsOutboxClass class;
    int64_t number;       ///< of the definition's name
    PsRowKey from;        ///< only rows at or above it: those below are in memory
    uint64_t look;        ///< so many rows are looked at, from the oldest
    bool odd;             ///< thinning: the first row looked at goes, too
    const uint64_t *kept; ///< ids that are in memory although at or above `from`
    size_t kept_count;
    PsGap went;          ///< filled by the store
    uint64_t went_bytes; ///< the same: topics and payloads
} PsDbShed;

/// Inside the transaction of a batch, after its books: adds to the dropped count what goes.
PsErr ps_shed_db_apply(PsDb *db, PsDbShed *shed);
