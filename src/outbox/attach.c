// The outbox and its database come together: at the start, when a disk that refused everything can
// be used after all, and after damage was seen at work. Main thread; nothing here waits.
//
// Without a database the outbox is detached: it goes on in memory and asks the store from time to
// time to open the file. What the store then finds is merged with what memory holds. After damage
// memory is the truth: its books and its rows are written again.
#include "outbox/outbox_private.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>

#define RETRY_NS (1 * PS_NS_PER_S)
#define RETRY_MOST_NS (10 * PS_NS_PER_S)

// ---- without a database

void ps_outbox_detach(PsOutbox *outbox, bool damaged) {
    if (!outbox->detached) {
        outbox->attach_retry_ns = RETRY_NS;
        outbox->retry_at = ps_mono_now();
    }
    outbox->detached = true;
    outbox->damaged = outbox->damaged || damaged;
    outbox->failing = true;
}

// Everything of which the database may have a row that is not its own alone.
static void put_held(const PsOutbox *outbox, PsStoreCommand *command) {
    size_t most = outbox->pending.delete_count;
    for (int class = 0; class < PS_OUTBOX_CLASS_COUNT; class ++) {
        most += ps_queue_memory_rows(&outbox->queues[class]);
    }
    command->held = ps_alloc_array(most, sizeof *command->held);
    for (size_t i = 0; i < outbox->pending.delete_count; i++) {
        command->held[command->held_count++] = outbox->pending.deletes[i];
    }
    for (int class = 0; class < PS_OUTBOX_CLASS_COUNT; class ++) {
        for (int place = 0; place < PS_PLACE_COUNT; place++) {
            const PsRow *row = outbox->queues[class].lists[place].first;
            for (; row != NULL; row = row->next) {
                command->held[command->held_count++] = row->pub.id;
            }
        }
    }
}

bool ps_outbox_attach_begin(PsOutbox *outbox, PsMono now) {
    if (!outbox->detached || outbox->commands > 0 || now.ns < outbox->retry_at.ns) {
        return false;
    }
    PsStoreCommand *command = ps_alloc(sizeof *command);
    command->kind = PS_STORE_ATTACH;
    command->damaged = outbox->damaged;
    for (size_t i = 0; i < outbox->ledgers.count; i++) {
        const PsLedgerEntry *entry = &outbox->ledgers.entries[i];
        ps_ledgers_name(&command->contents.ledgers,
                        entry->stored_name != NULL ? entry->stored_name : entry->book.name);
    }
    if (outbox->attached_once) {
        put_held(outbox, command);
    }
    outbox->commands++;
    ps_store_put(outbox->store, command);
    return true;
}

// ---- merging

static uint64_t dropped_in_all(const PsLedger *book) {
    uint64_t sum = 0;
    for (size_t reason = 0; reason < PS_DROP_COUNT; reason++) {
        sum += book->dropped[reason];
    }
    return sum;
}

// What nobody has been told yet. After damage memory knows, also of what has been told.
static void merge_gaps(PsLedgerEntry *entry, const PsLedgerEntry *stored, bool again) {
    for (size_t reason = 0; reason < PS_DROP_COUNT; reason++) {
        PsGap *gap = &entry->gaps[reason];
        const PsGap *more = &stored->gaps[reason];
        if (!again && more->count > 0) {
            gap->first =
                gap->count == 0 || more->first.ns < gap->first.ns ? more->first : gap->first;
            gap->last = gap->count == 0 || more->last.ns > gap->last.ns ? more->last : gap->last;
            gap->dirty = gap->count > 0;
            gap->count += more->count;
        }
        gap->dirty |= again;
    }
}

// A definition that was renamed while the database was away, to a name that the database knows as
// well: it is that one, and what the database has by the former name stays apart.
static void settle_renames(PsLedgers *ledgers, const PsLedgers *stored) {
    for (size_t i = 0; i < ledgers->count; i++) {
        PsLedgerEntry *entry = &ledgers->entries[i];
        bool taken = entry->stored_name != NULL &&
                     ps_ledgers_find(stored, entry->book.name) < stored->count &&
                     ps_ledgers_find_stored(ledgers, entry->book.name) == ledgers->count;
        if (taken) {
            ps_ledgers_set_stored(ledgers, i, entry->book.name);
        }
    }
}

// Gives each name the database knows its entry; stored counts are added to those of a run that
// could not read them before.
static void merge_names(PsOutbox *outbox, const PsLedgers *stored, size_t *indexes) {
    settle_renames(&outbox->ledgers, stored);
    for (size_t i = 0; i < outbox->ledgers.count; i++) {
        outbox->ledgers.entries[i].number = 0;
    }
    for (size_t i = 0; i < stored->count; i++) {
        size_t before = outbox->ledgers.count;
        indexes[i] = ps_ledgers_find_stored(&outbox->ledgers, stored->entries[i].book.name);
        bool is_new = indexes[i] == before;
        if (is_new) {
            (void)ps_ledgers_name(&outbox->ledgers, stored->entries[i].book.name);
        }
        PsLedgerEntry *entry = &outbox->ledgers.entries[indexes[i]];
        entry->number = stored->entries[i].number;
        entry->dirty =
            outbox->attached_once || entry->book.delivered > 0 || dropped_in_all(&entry->book) > 0;
        if (!outbox->attached_once || is_new) {
            entry->book.delivered += stored->entries[i].book.delivered;
            for (size_t reason = 0; reason < PS_DROP_COUNT; reason++) {
                entry->book.dropped[reason] += stored->entries[i].book.dropped[reason];
            }
        }
        merge_gaps(entry, &stored->entries[i], outbox->attached_once && !is_new);
    }
    ps_ledgers_number_new(&outbox->ledgers);
}

// Rows in memory that were stored are not, any more.
static void write_again(PsOutbox *outbox) {
    for (int class = 0; class < PS_OUTBOX_CLASS_COUNT; class ++) {
        for (int place = 0; place < PS_PLACE_COUNT; place++) {
            PsRow *row = outbox->queues[class].lists[place].last;
            for (; row != NULL; row = row->previous) {
                if (row->state == PS_ROW_STORED) {
                    ps_pending_add_again(&outbox->pending, row);
                }
            }
        }
    }
}

// Waiting is what memory and the database have. Less than before damage: it is lost.
static void count_waiting(PsOutbox *outbox, const PsContents *contents, const size_t *indexes) {
    size_t count = outbox->ledgers.count;
    PsLedgerEntry *entries = outbox->ledgers.entries;
    uint64_t *before = ps_alloc_array(count, sizeof *before);
    for (size_t i = 0; i < count; i++) {
        before[i] = entries[i].book.waiting;
        entries[i].book.waiting = 0;
    }
    for (size_t i = 0; i < contents->ledgers.count; i++) {
        entries[indexes[i]].book.waiting = contents->ledgers.entries[i].book.waiting;
    }
    for (int class = 0; class < PS_OUTBOX_CLASS_COUNT; class ++) {
        for (int place = 0; place < PS_PLACE_COUNT; place++) {
            const PsRow *row = outbox->queues[class].lists[place].first;
            for (; row != NULL; row = row->next) {
                entries[row->pub.message].book.waiting++;
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        const PsLedger *book = &entries[i].book;
        if (outbox->attached_once && book->waiting < before[i]) {
            ps_ledgers_lose(&outbox->ledgers, i, ps_gap_some(before[i] - book->waiting));
        }
    }
    free(before);
}

void ps_outbox_attach(PsOutbox *outbox, const PsContents *contents) {
    size_t *indexes = ps_alloc_array(contents->ledgers.count, sizeof *indexes);
    merge_names(outbox, &contents->ledgers, indexes);
    write_again(outbox);
    count_waiting(outbox, contents, indexes);
    ps_damage_attach(outbox, contents, indexes);
    ps_dead_attach(outbox, contents, indexes);
    free(indexes);
    for (size_t i = 0; i < outbox->ledgers.count; i++) {
        PsLedger *book = &outbox->ledgers.entries[i].book;
        book->accepted = book->delivered + book->waiting + book->dead + dropped_in_all(book);
    }
    for (int class = 0; class < PS_OUTBOX_CLASS_COUNT; class ++) {
        const PsDbStock *stock = &contents->stock[class];
        ps_queue_attach(&outbox->queues[class], stock->rows, stock->bytes);
    }
    if (contents->next_id > outbox->next_id) {
        outbox->next_id = contents->next_id;
    }
    ps_era_attach(outbox, contents);
    outbox->attached_once = true;
    outbox->detached = false;
    outbox->damaged = false;
    outbox->failing = false;
}

void ps_outbox_attach_end(PsOutbox *outbox, PsStoreCommand *command, PsMono now) {
    if (command->result != PS_OK) {
        PS_LOGD("OUTBOX-AWAY", "outbox: %s: %s", command->diag.object, command->diag.text);
        outbox->retry_at = ps_mono_add_ns(now, outbox->attach_retry_ns);
        outbox->attach_retry_ns *= outbox->attach_retry_ns < RETRY_MOST_NS ? 2 : 1;
        return;
    }
    bool first = !outbox->attached_once;
    ps_outbox_attach(outbox, &command->contents);
    if (first) {
        PS_LOGI("OUTBOX-DISK-OK",
                "outbox: %s can be used now; what is in memory is written, %llu messages in all "
                "wait",
                outbox->path, (unsigned long long)ps_outbox_stats(outbox).waiting);
    }
}
