//! Stamps of a clock that was not set, in the database. Blocks on the disk; one thread at a time
//! (the opener, then the store thread).
#pragma once

#include "base/clock.h"
#include "base/err.h"

#define PS_BOOT_ID_SIZE 40

struct PsDb;

/// Since when the clock has run in this boot, and the first ids that were given meanwhile. One such
/// record is kept: of the newest boot.
typedef struct PsEraRecord {
    char boot[PS_BOOT_ID_SIZE]; ///< "" when there is none
    PsClockEra clock;
    uint64_t first_message;
    uint64_t first_letter;
} PsEraRecord;

/// What is to be done to stamps, in a transaction of its own.
typedef struct PsEraShift {
    PsEraRecord record; ///< kept from then on
    bool push_down;     ///< rows of earlier boots go before this one
    bool move;          ///< ids from the record's first to before `end_`, stamps in [from, before]
    uint64_t end_message;
    uint64_t end_letter;
    PsWall from;
    PsWall before;
    int64_t moved_ns;
    int64_t pushed_ns; ///< filled: how far earlier rows went back
    uint64_t messages; ///< filled: rows moved
    uint64_t letters;
} PsEraShift;

PsErr ps_era_db_load(struct PsDb *db, PsEraRecord *ret_record);
/// Inside the transaction of a batch.
PsErr ps_era_db_write(struct PsDb *db, const PsEraRecord *record);
PsErr ps_era_db_shift(struct PsDb *db, PsEraShift *shift);
