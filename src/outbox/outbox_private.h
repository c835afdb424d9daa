//! The outbox's parts, shared by outbox.c (the public calls), flow.c (traffic with the store) and
//! dead.c (dead letters).
//! Main thread.
#pragma once

#include "base/wake.h"
#include "outbox/dead.h"
#include "outbox/ledger.h"
#include "outbox/outbox.h"
#include "outbox/pending.h"
#include "outbox/queue.h"
#include "outbox/store.h"

#define PS_OUTBOX_MEMORY_ROWS 1000 // of each class
#define PS_OUTBOX_MEMORY_BYTES ((size_t)8 * 1024 * 1024)

typedef struct PsDeadItem {
    uint64_t id;
    size_t message;
    size_t reason_len;
    size_t input_len;
} PsDeadItem;

typedef struct PsDeadRequest PsDeadRequest;

/// The dead letters; their changes that the store does not know yet are in PsPending.
typedef struct PsDead {
    PsDeadItem *items; ///< by rising id, from `first` to before `end`
    size_t first;
    size_t end;
    size_t capacity;
    uint64_t bytes;
    uint64_t next_id;
    uint64_t dropping;       ///< letters dropped in this episode
    PsDeadSchema *schemas;   ///< of letters put since open: at most one for each group
    PsDeadRequest *requests; ///< oldest first; the first is with the store while `fetching`
    bool fetching;
} PsDead;

struct PsOutbox {
    PsOutboxSetup setup; // `names` is not used after open
    uint64_t keep_rows[PS_OUTBOX_CLASS_COUNT];
    int64_t hold_ns; // age at which a fresh row is written
    char *path;
    PsWake wake;
    uv_timer_t timer;
    int open_handles;
    PsLedgers ledgers;
    PsQueue queues[PS_OUTBOX_CLASS_COUNT];
    PsPending pending;
    PsShare *shares; // of `pending`, one per message definition
    PsDead dead;
    PsStore *store;
    PsStoreCommand *write; // under way
    size_t commands;       // under way, writes and fetches
    uint64_t next_id;
    uint64_t dropping[PS_OUTBOX_CLASS_COUNT]; // rows dropped in this episode of retention
    bool failing;
    bool closing;
    PsMono retry_at;
    uint64_t transactions;
    uint64_t rows_stored;
    uint64_t disk_bytes;
};

/// Writes what is due, fetches where memory runs low, arms the timer. Call after every change.
void ps_outbox_work(PsOutbox *outbox);
/// The cheap part of it: writes early when very much is fresh, else only arms the timer.
void ps_outbox_accepted(PsOutbox *outbox);
void ps_outbox_fetch(PsOutbox *outbox);
void ps_outbox_put_write(PsOutbox *outbox, PsStoreCommand *command);
/// Books an answer of the store and frees it.
void ps_outbox_take_answer(PsOutbox *outbox, PsStoreCommand *command);
/// Takes a row out for good: list, fresh list, database.
void ps_outbox_forget(PsOutbox *outbox, PsRow *row);
/// Drops the oldest while the class holds more than it may.
void ps_outbox_enforce(PsOutbox *outbox, PsOutboxClass class);

PsErr ps_dead_load(PsOutbox *outbox, PsDb *db);
void ps_dead_deinit(PsDead *dead);
/// Does somebody wait for letters that the store could look for now?
bool ps_dead_wants_fetch(const PsDead *dead);
void ps_dead_fetch_begin(PsOutbox *outbox);
void ps_dead_fetch_end(PsOutbox *outbox, PsStoreCommand *command);
void ps_dead_cancel(PsOutbox *outbox);
