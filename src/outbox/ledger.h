//! The books of all message definitions, and the check at the entrance. Pure; main thread.
#pragma once

#include "outbox/outbox.h"

/// Messages that were dropped and of which nobody has been told yet: a gap record.
typedef struct PsGap {
    uint64_t count; ///< 0: none, and the rest means nothing
    PsWall first;   ///< collection times, the earliest and the latest; none is known
    PsWall last;    ///< when `last` is before `first`
    bool dirty;
} PsGap;

/// One definition with what the database needs to know.
typedef struct PsLedgerEntry {
    PsLedger book;
    PsGap gaps[PS_DROP_COUNT];
    bool tells_gaps;   ///< otherwise `gaps` stays empty
    int64_t number;    ///< key in the database, 0: none yet
    bool dirty;        ///< changed since it was last handed to the store
    char *stored_name; ///< what the database calls it; NULL: as the book does
    bool name_dirty;   ///< the database does not know the name, or not as this one's
} PsLedgerEntry;

typedef struct PsLedgers {
    PsLedgerEntry *entries;
    size_t count;
    bool names_dirty; ///< some `name_dirty` with a number is to be handed to the store
} PsLedgers;

void ps_ledgers_deinit(PsLedgers *ledgers);
/// Finds the name or adds it with zero counts; the index.
size_t ps_ledgers_name(PsLedgers *ledgers, const char *name);
/// Index of the database's number, or `count` when unknown.
size_t ps_ledgers_number(const PsLedgers *ledgers, int64_t number);
/// Index of the name as the book has it, or `count`.
size_t ps_ledgers_find(const PsLedgers *ledgers, const char *name);
/// Index of what the database calls by the name, or `count`.
size_t ps_ledgers_find_stored(const PsLedgers *ledgers, const char *name);
/// No other entry may have the name.
void ps_ledgers_rename(PsLedgers *ledgers, size_t index, const char *name);
/// The database calls it by `name` now.
void ps_ledgers_set_stored(PsLedgers *ledgers, size_t index, const char *name);
/// Gives numbers to entries that have none: the database takes them from here.
void ps_ledgers_number_new(PsLedgers *ledgers);

void ps_ledgers_accept(PsLedgers *ledgers, size_t index);
void ps_ledgers_deliver(PsLedgers *ledgers, size_t index);
/// Waiting ones go; `what` says how many and of when.
void ps_ledgers_drop(PsLedgers *ledgers, size_t index, PsDropReason reason, const PsGap *what);
/// One that never got in.
void ps_ledgers_refuse(PsLedgers *ledgers, size_t index, PsDropReason reason, PsWall collected);
/// One message, for the functions above.
PsGap ps_gap_one(PsWall collected);
/// So many of which nobody knows when they were collected.
PsGap ps_gap_some(uint64_t count);
/// Found to be gone or damaged, and in none of the other counts any more.
void ps_ledgers_lose(PsLedgers *ledgers, size_t index, PsGap what);
/// The receiver has been told of `told`.
void ps_ledgers_told(PsLedgers *ledgers, size_t index, PsDropReason reason, const PsGap *told);
/// A waiting one is set aside as a dead letter.
void ps_ledgers_quarantine(PsLedgers *ledgers, size_t index);

/// A dead letter came in, was run again with success, or went for newer ones or damaged.
void ps_ledgers_die(PsLedgers *ledgers, size_t index);
void ps_ledgers_revive(PsLedgers *ledgers, size_t index);
void ps_ledgers_drop_dead(PsLedgers *ledgers, size_t index, PsDropReason reason, PsWall collected);

/// PS_OK, or why the message cannot be taken, with *ret_reason set and a diagnosis.
PsErr ps_admit(const PsOutboxLimits *limits, const char *name, const PsOutboxMessage *message,
               PsDropReason *ret_reason, PsDiag *diag);
