// Another configuration while the outbox runs. Main thread; nothing here waits for the disk.
//
// The ledger's rows are put into the order of the new names, and everything that refers to them by
// their places is translated. The database refers to them by numbers, which stay; it is told new
// names and changed ones in the next transaction, before anything that needs them. After a crash it
// therefore has all of the old names or all of the new ones.
#include "outbox/outbox_private.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

// ---- names

static bool is_given_up(const PsOutboxRename *renames, const bool *holds, size_t count,
                        const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (holds[i] && strcmp(renames[i].from, name) == 0) {
            return true;
        }
    }
    return false;
}

// Which renames can be done: there is such a row, and none of the new name that keeps it. One that
// cannot be done keeps its own name, which may stand in the way of another.
static void choose(const PsLedgers *ledgers, const PsOutboxRename *renames, size_t count,
                   bool *ret_holds) {
    for (size_t i = 0; i < count; i++) {
        ret_holds[i] = strcmp(renames[i].from, renames[i].to) != 0 &&
                       ps_ledgers_find(ledgers, renames[i].from) < ledgers->count;
    }
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < count; i++) {
            if (ret_holds[i] && ps_ledgers_find(ledgers, renames[i].to) < ledgers->count &&
                !is_given_up(renames, ret_holds, count, renames[i].to)) {
                ret_holds[i] = false;
                again = true;
            }
        }
    }
}

static void rename_rows(PsLedgers *ledgers, const PsOutboxRename *renames, size_t count) {
    bool *holds = ps_alloc_array(count, sizeof *holds);
    size_t *rows = ps_alloc_array(count, sizeof *rows);
    choose(ledgers, renames, count, holds);
    for (size_t i = 0; i < count; i++) { // before any has another name
        rows[i] = ps_ledgers_find(ledgers, renames[i].from);
    }
    for (size_t i = 0; i < count; i++) {
        if (holds[i]) {
            ps_ledgers_rename(ledgers, rows[i], renames[i].to);
        }
    }
    free(holds);
    free(rows);
}

// ---- places

// The rows of the setup's names first, in their order, then all others as they stood. Gives the new
// places by the old ones, those of new names behind the others.
static size_t *reorder(PsLedgers *ledgers, const PsOutboxSetup *setup) {
    for (size_t i = 0; i < setup->name_count; i++) {
        (void)ps_ledgers_name(ledgers, setup->names[i]);
    }
    size_t count = ledgers->count;
    size_t *to_new = ps_alloc_array(count, sizeof *to_new);
    memset(to_new, 0xff, count * sizeof *to_new);
    for (size_t i = 0; i < setup->name_count; i++) {
        size_t before = ps_ledgers_find(ledgers, setup->names[i]);
        PS_ASSERT(to_new[before] == SIZE_MAX); // no name twice
        to_new[before] = i;
    }
    PsLedgerEntry *entries = ps_alloc_array(count, sizeof *entries);
    size_t next = setup->name_count;
    for (size_t i = 0; i < count; i++) {
        to_new[i] = to_new[i] != SIZE_MAX ? to_new[i] : next++;
        entries[to_new[i]] = ledgers->entries[i];
    }
    free(ledgers->entries);
    ledgers->entries = entries;
    return to_new;
}

static void translate_rows(PsOutbox *outbox, const size_t *to_new) {
    for (int class = 0; class < PS_OUTBOX_CLASS_COUNT; class ++) {
        for (int place = 0; place < PS_PLACE_COUNT; place++) {
            PsRow *row = outbox->queues[class].lists[place].first;
            for (; row != NULL; row = row->next) {
                row->pub.message = to_new[row->pub.message];
            }
        }
    }
    for (PsPack *pack = outbox->packs; pack != NULL; pack = pack->next) {
        pack->pub.message = to_new[pack->pub.message];
    }
    for (PsShedRequest *request = outbox->sheds; request != NULL; request = request->next) {
        request->message = to_new[request->message];
    }
    ps_gap_apply(outbox, to_new);
}

// ---- rules

static bool same_topic(const char *a, const char *b) {
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

// What the server does not take is not tried again because something else was changed.
static void take_gap_topics(PsOutbox *outbox, const PsOutboxRule *old_rules, size_t old_count,
                            const size_t *to_new) {
    for (size_t i = 0; i < old_count; i++) {
        PsLedgerEntry *entry = &outbox->ledgers.entries[to_new[i]];
        const char *topic = ps_outbox_rule(outbox, to_new[i])->gap_topic;
        entry->tells_gaps =
            same_topic(topic, old_rules[i].gap_topic) ? entry->tells_gaps : topic != NULL;
    }
}

static void tell_gaps_of_others(PsOutbox *outbox, size_t old_count, const size_t *to_new) {
    for (size_t i = old_count; i < outbox->ledgers.count; i++) {
        outbox->ledgers.entries[to_new[i]].tells_gaps =
            ps_outbox_rule(outbox, to_new[i])->gap_topic != NULL;
    }
}

static void free_rules(PsOutboxRule *rules, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free((char *)(uintptr_t)rules[i].gap_topic);
    }
    free(rules);
}

static void count_shares(PsOutbox *outbox) {
    for (const PsRow *row = outbox->pending.first; row != NULL; row = row->fresh_next) {
        if (row->pub.message < outbox->setup.name_count) {
            outbox->shares[row->pub.message].rows++;
            outbox->shares[row->pub.message].bytes += row->bytes;
        }
    }
}

void ps_outbox_apply(PsOutbox *outbox, const PsOutboxSetup *setup, const PsOutboxRename *renames,
                     size_t rename_count) {
    PsOutboxRule *old_rules = outbox->rules;
    size_t old_count = outbox->setup.name_count;
    rename_rows(&outbox->ledgers, renames, rename_count);
    size_t *to_new = reorder(&outbox->ledgers, setup);
    translate_rows(outbox, to_new);
    free(outbox->shares);
    ps_outbox_take_setup(outbox, setup);
    count_shares(outbox);
    take_gap_topics(outbox, old_rules, old_count, to_new);
    tell_gaps_of_others(outbox, old_count, to_new);
    free_rules(old_rules, old_count);
    if (!outbox->detached) {
        ps_ledgers_number_new(&outbox->ledgers);
    }
    ps_dead_apply(outbox, to_new);
    free(to_new);
    ps_outbox_enforce(outbox);
    ps_outbox_work(outbox);
}
