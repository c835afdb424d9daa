//! What the store does not know yet: fresh rows in the order they came, deletions, changed books.
//! Pure; main thread.
#pragma once

#include "outbox/dead_db.h"
#include "outbox/ledger.h"
#include "outbox/store.h"

/// What one message definition has among the fresh rows.
typedef struct PsShare {
    size_t rows;
    size_t bytes;
} PsShare;

typedef struct PsPending {
    PsRow *first; ///< fresh rows, oldest first
    PsRow *last;
    size_t rows;
    size_t bytes;
    PsShare *shares; ///< one per message definition; borrowed, NULL when nobody counts
    size_t share_count;
    uint64_t *deletes; ///< ids of stored rows that are gone
    size_t delete_count;
    size_t delete_capacity;
    PsMono delete_since; ///< when the first of them was put
    PsDeadOps dead;      ///< changes of dead letters, oldest first
} PsPending;

void ps_pending_deinit(PsPending *pending);
/// Borrows the row until it is removed or batched.
void ps_pending_add(PsPending *pending, PsRow *row);
/// The same for a row that was stored, ahead of the others: it is to be written again.
void ps_pending_add_again(PsPending *pending, PsRow *row);
void ps_pending_remove(PsPending *pending, PsRow *row);
void ps_pending_delete(PsPending *pending, uint64_t id, PsMono now);
bool ps_pending_is_deleted(const PsPending *pending, uint64_t id);

/// The batch of what is due: names that changed, rows accepted and dead letters changed at or
/// before `until`, all deletions, all dirty books (then clean). So a dead letter does not go before
/// the rows that were accepted before it was to go. Rows become PS_ROW_STORING and get a reference.
/// NULL when there is nothing but books and `books_alone` is false.
PsStoreCommand *ps_pending_batch(PsPending *pending, PsLedgers *ledgers, PsMono until,
                                 bool books_alone);
bool ps_pending_is_empty(const PsPending *pending);
/// For a disk that is nearly full, which would not take everything at once: up to `deletes`
/// deletions, which make room; when there are none, rows of about `bytes`, oldest first. All dirty
/// books. NULL when there is nothing.
PsStoreCommand *ps_pending_portion(PsPending *pending, PsLedgers *ledgers, size_t deletes,
                                   size_t bytes);
/// What became of the names in a batch.
void ps_pending_names_done(PsLedgers *ledgers, const PsDbBatch *batch, bool stored);
/// The store refused: rows that still wait are fresh again, deletions pending, books dirty. Rows'
/// references are given back.
void ps_pending_undo(PsPending *pending, PsLedgers *ledgers, PsStoreCommand *command, PsMono now);
