// Collecting batches for the store and taking them back when it refuses. Pure; main thread.
#include "outbox/pending.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void ps_pending_deinit(PsPending *pending) {
    free(pending->deletes);
    ps_dead_ops_clear(&pending->dead);
    *pending = (PsPending){0};
}

static void count(PsPending *pending, const PsRow *row, bool more) {
    PsShare nobody = {.rows = 1, .bytes = row->bytes};
    // Rows of definitions that no longer exist are written again only, after damage.
    PsShare *share =
        row->pub.message < pending->share_count ? &pending->shares[row->pub.message] : &nobody;
    if (more) {
        pending->rows++;
        pending->bytes += row->bytes;
        share->rows++;
        share->bytes += row->bytes;
    } else {
        pending->rows--;
        pending->bytes -= row->bytes;
        share->rows--;
        share->bytes -= row->bytes;
    }
}

void ps_pending_add(PsPending *pending, PsRow *row) {
    row->state = PS_ROW_FRESH;
    row->fresh_next = NULL;
    row->fresh_previous = pending->last;
    *(pending->last != NULL ? &pending->last->fresh_next : &pending->first) = row;
    pending->last = row;
    count(pending, row, true);
}

void ps_pending_add_again(PsPending *pending, PsRow *row) {
    row->state = PS_ROW_FRESH;
    row->accepted = (PsMono){0};
    row->fresh_previous = NULL;
    row->fresh_next = pending->first;
    *(pending->first != NULL ? &pending->first->fresh_previous : &pending->last) = row;
    pending->first = row;
    count(pending, row, true);
}

void ps_pending_remove(PsPending *pending, PsRow *row) {
    PS_ASSERT(row->state == PS_ROW_FRESH && pending->rows > 0);
    *(row->fresh_previous != NULL ? &row->fresh_previous->fresh_next : &pending->first) =
        row->fresh_next;
    *(row->fresh_next != NULL ? &row->fresh_next->fresh_previous : &pending->last) =
        row->fresh_previous;
    row->fresh_previous = NULL;
    row->fresh_next = NULL;
    count(pending, row, false);
}

void ps_pending_delete(PsPending *pending, uint64_t id, PsMono now) {
    if (pending->delete_count == pending->delete_capacity) {
        pending->delete_capacity = pending->delete_capacity > 0 ? pending->delete_capacity * 2 : 64;
        pending->deletes =
            ps_grow_array(pending->deletes, pending->delete_capacity, sizeof *pending->deletes);
    }
    if (pending->delete_count == 0) {
        pending->delete_since = now;
    }
    pending->deletes[pending->delete_count++] = id;
}

bool ps_pending_is_deleted(const PsPending *pending, uint64_t id) {
    for (size_t i = 0; i < pending->delete_count; i++) {
        if (pending->deletes[i] == id) {
            return true;
        }
    }
    return false;
}

static void batch_rows(PsPending *pending, const PsLedgers *ledgers, PsMono until,
                       PsDbBatch *batch) {
    batch->rows = ps_alloc_array(pending->rows, sizeof(PsRow *));
    batch->numbers = ps_alloc_array(pending->rows, sizeof(int64_t));
    while (pending->first != NULL && pending->first->accepted.ns <= until.ns) {
        PsRow *row = pending->first;
        ps_pending_remove(pending, row);
        row->state = PS_ROW_STORING;
        batch->numbers[batch->row_count] = ledgers->entries[row->pub.message].number;
        batch->rows[batch->row_count++] = ps_row_ref(row);
    }
}

static void batch_books(PsLedgers *ledgers, PsDbBatch *batch) {
    batch->books = ps_alloc_array(ledgers->count, sizeof(PsDbBook));
    for (size_t i = 0; i < ledgers->count; i++) {
        PsLedgerEntry *entry = &ledgers->entries[i];
        if (!entry->dirty) {
            continue;
        }
        entry->dirty = false;
        PsDbBook *book = &batch->books[batch->book_count++];
        *book = (PsDbBook){.number = entry->number, .delivered = entry->book.delivered};
        memcpy(book->dropped, entry->book.dropped, sizeof book->dropped);
        memcpy(book->gaps, entry->gaps, sizeof book->gaps);
        for (size_t reason = 0; reason < PS_DROP_COUNT; reason++) {
            entry->gaps[reason].dirty = false;
        }
    }
}

static void batch_names(PsLedgers *ledgers, PsDbBatch *batch) {
    batch->names = ps_alloc_array(ledgers->count, sizeof *batch->names);
    ledgers->names_dirty = false;
    for (size_t i = 0; i < ledgers->count; i++) {
        PsLedgerEntry *entry = &ledgers->entries[i];
        if (entry->name_dirty) {
            entry->name_dirty = false;
            batch->names[batch->name_count++] =
                (PsDbName){.number = entry->number, .text = ps_strdup(entry->book.name)};
        }
    }
}

static bool has_dirty_book(const PsLedgers *ledgers) {
    for (size_t i = 0; i < ledgers->count; i++) {
        if (ledgers->entries[i].dirty) {
            return true;
        }
    }
    return false;
}

static void batch_deletes(PsPending *pending, size_t most, PsDbBatch *batch) {
    batch->deletes = pending->deletes;
    batch->delete_count = pending->delete_count < most ? pending->delete_count : most;
    size_t rest = pending->delete_count - batch->delete_count;
    pending->delete_capacity = rest;
    pending->deletes = rest > 0 ? ps_alloc_array(rest, sizeof *pending->deletes) : NULL;
    if (rest > 0) {
        memcpy(pending->deletes, batch->deletes + batch->delete_count, rest * sizeof(uint64_t));
    }
    pending->delete_count = rest;
}

static PsStoreCommand *make_batch(PsPending *pending, PsLedgers *ledgers, PsMono until,
                                  size_t most_deletes) {
    PsStoreCommand *command = ps_alloc(sizeof *command);
    command->kind = PS_STORE_WRITE;
    if (ledgers->names_dirty) {
        batch_names(ledgers, &command->batch);
    }
    batch_rows(pending, ledgers, until, &command->batch);
    batch_deletes(pending, most_deletes, &command->batch);
    ps_dead_ops_take(&pending->dead, until, &command->dead);
    command->batch.dead = command->dead.first;
    batch_books(ledgers, &command->batch);
    command->partial = !ps_pending_is_empty(pending);
    return command;
}

PsStoreCommand *ps_pending_batch(PsPending *pending, PsLedgers *ledgers, PsMono until,
                                 bool books_alone) {
    bool rows_due = pending->first != NULL && pending->first->accepted.ns <= until.ns;
    bool dead_due = pending->dead.first != NULL && pending->dead.first->since.ns <= until.ns;
    if (!rows_due && !dead_due && pending->delete_count == 0 && !ledgers->names_dirty &&
        !(books_alone && has_dirty_book(ledgers))) {
        return NULL;
    }
    return make_batch(pending, ledgers, until, SIZE_MAX);
}

bool ps_pending_is_empty(const PsPending *pending) {
    return pending->first == NULL && pending->delete_count == 0 && pending->dead.first == NULL;
}

// Of the same moment are rows that go together anyway; what is due since ever belongs to deletions.
PsStoreCommand *ps_pending_portion(PsPending *pending, PsLedgers *ledgers, size_t deletes,
                                   size_t bytes) {
    if (ps_pending_is_empty(pending)) {
        return NULL;
    }
    PsMono until = {0};
    if (pending->delete_count == 0) {
        until = pending->first != NULL ? pending->first->accepted : pending->dead.first->since;
        size_t sum = 0;
        for (const PsRow *row = pending->first; row != NULL && sum < bytes; row = row->fresh_next) {
            until = row->accepted;
            sum += row->bytes;
        }
    }
    return make_batch(pending, ledgers, until, deletes);
}

void ps_pending_names_done(PsLedgers *ledgers, const PsDbBatch *batch, bool stored) {
    for (size_t i = 0; i < batch->name_count; i++) {
        size_t index = ps_ledgers_number(ledgers, batch->names[i].number);
        if (index < ledgers->count && stored) {
            ps_ledgers_set_stored(ledgers, index, batch->names[i].text);
        } else if (index < ledgers->count) {
            ledgers->entries[index].name_dirty = true;
            ledgers->names_dirty = true;
        }
    }
}

static void undo_book(PsLedgers *ledgers, const PsDbBook *book) {
    size_t index = ps_ledgers_number(ledgers, book->number);
    if (index == ledgers->count) {
        return;
    }
    PsLedgerEntry *entry = &ledgers->entries[index];
    entry->dirty = true;
    for (size_t reason = 0; reason < PS_DROP_COUNT; reason++) {
        entry->gaps[reason].dirty |= book->gaps[reason].dirty;
    }
}

void ps_pending_undo(PsPending *pending, PsLedgers *ledgers, PsStoreCommand *command, PsMono now) {
    PsDbBatch *batch = &command->batch;
    ps_pending_names_done(ledgers, batch, false);
    // Definitions may have got other places meanwhile.
    for (PsDeadOp *op = command->dead.first; op != NULL; op = op->next) {
        if (op->kind == PS_DEAD_PUT) {
            op->letter.message = ps_ledgers_number(ledgers, op->number);
        }
    }
    // Back to the front, newest first, so that the order by age stands.
    ps_dead_ops_put_back(&pending->dead, &command->dead);
    PsPending later = *pending;
    pending->first = NULL;
    pending->last = NULL;
    pending->rows = 0;
    pending->bytes = 0;
    for (size_t i = 0; i < batch->row_count; i++) {
        PsRow *row = batch->rows[i];
        if (row->place != PS_PLACE_NONE) {
            ps_pending_add(pending, row);
        }
        ps_row_unref(row);
    }
    while (later.first != NULL) {
        PsRow *row = later.first;
        ps_pending_remove(&later, row);
        ps_pending_add(pending, row);
    }
    for (size_t i = 0; i < batch->delete_count; i++) {
        ps_pending_delete(pending, batch->deletes[i], now);
    }
    for (size_t i = 0; i < batch->book_count; i++) {
        undo_book(ledgers, &batch->books[i]);
    }
}
