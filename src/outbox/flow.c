// Traffic between the queues and the store: when to write, what to fetch, what its answers mean.
// Main thread; nothing here waits.
//
// One write is under way at a time; what comes meanwhile goes with the next (group commit).
#include "outbox/outbox_private.h"

#include "base/log.h"

#define LOW_ROWS 300                          // fetch more below this
#define EARLY_ROWS 500                        // write before the time when so many are fresh
#define EARLY_BYTES ((size_t)4 * 1024 * 1024) // or so much
#define DELETES_MOST ((size_t)4096)           // at once on a disk that was full
#define DELETE_DELAY_NS (500 * PS_NS_PER_MS)  // an acknowledged row may stay on disk so long
#define RETRY_NS (1 * PS_NS_PER_S)
#define SLOW_NS (5 * PS_NS_PER_S)     // a write that takes longer is worth a line in the log
#define SLOW_END_NS (1 * PS_NS_PER_S) // and one that takes no longer ends it
#define CHECK_NS (10 * PS_NS_PER_S)   // the books, while there is traffic with the store

// ---- asking the store

static PsMono long_ago(PsMono now, int64_t ns) {
    return ps_mono_add_ns(now, -ns);
}

void ps_outbox_put_write(PsOutbox *outbox, PsStoreCommand *command) {
    outbox->write = command;
    outbox->write_since = ps_mono_now();
    if (outbox->era.dirty) {
        command->era = outbox->era.record;
        command->batch.era = &command->era;
        outbox->era.dirty = false;
    }
    outbox->commands++;
    ps_store_put(outbox->store, command);
}

PsStoreCommand *ps_outbox_next_batch(PsOutbox *outbox, PsMono until, bool books_alone) {
    const PsCramped *cramped = &outbox->cramped;
    return cramped->on && !ps_pending_is_empty(&outbox->pending)
               ? ps_pending_portion(&outbox->pending, &outbox->ledgers, cramped->deletes,
                                    cramped->bytes)
               : ps_pending_batch(&outbox->pending, &outbox->ledgers, until, books_alone);
}

static bool wants_all(const PsOutbox *outbox) {
    const PsPending *pending = &outbox->pending;
    return pending->rows + pending->dead.count >= EARLY_ROWS ||
           pending->bytes + pending->dead.bytes >= EARLY_BYTES;
}

// Writes what is old enough, or everything. True when nothing is left that a fetch must wait for.
static bool flush(PsOutbox *outbox, PsMono now, bool all) {
    if (outbox->write != NULL || outbox->detached || ps_era_blocks(outbox) ||
        (outbox->failing && now.ns < outbox->retry_at.ns)) {
        return false;
    }
    const PsPending *pending = &outbox->pending;
    bool deletes_due =
        pending->delete_count > 0 && ps_mono_diff_ns(now, pending->delete_since) >= DELETE_DELAY_NS;
    bool everything = all || wants_all(outbox);
    PsMono until = everything ? now : long_ago(now, outbox->hold_ns);
    bool rows_due = pending->first != NULL && pending->first->accepted.ns <= until.ns;
    bool dead_due = pending->dead.first != NULL && pending->dead.first->since.ns <= until.ns;
    // When all has gone out from memory, the counts show whether the disk works again.
    bool probe = outbox->failing && ps_pending_is_empty(pending);
    if (everything || rows_due || deletes_due || dead_due || probe || outbox->ledgers.names_dirty) {
        // With what is due goes what is half due, or a backlog would be a commit for each message.
        PsMono with = everything ? now : long_ago(now, outbox->hold_ns / 2);
        PsStoreCommand *command = ps_outbox_next_batch(outbox, with, probe);
        if (command != NULL) {
            ps_outbox_put_write(outbox, command);
        } else {
            outbox->retry_at = ps_mono_add_ns(now, RETRY_NS);
        }
    }
    return everything;
}

// In the order of the store's commands the write stands before the fetch. A disk that takes nothing
// is read all the same: what it has not taken is in memory.
static bool may_fetch(PsOutbox *outbox, PsMono now) {
    bool reads = outbox->failing && !outbox->detached && now.ns >= outbox->fetch_at.ns;
    return flush(outbox, now, true) || (reads && !ps_era_blocks(outbox));
}

static void fetch_where_needed(PsOutbox *outbox, PsMono now) {
    for (int class = 0; class < PS_OUTBOX_CLASS_COUNT; class ++) {
        PsQueue *queue = &outbox->queues[class];
        if (!ps_queue_wants_fetch(queue, LOW_ROWS)) {
            continue;
        }
        if (outbox->failing) {
            ps_queue_unspill(queue);
        }
        if (!ps_queue_wants_fetch(queue, LOW_ROWS) || !may_fetch(outbox, now) ||
            ps_retention_blocks(outbox, (PsOutboxClass) class)) {
            continue;
        }
        PsRowKey from = ps_queue_fetch_begin(queue);
        outbox->commands++;
        ps_store_put(outbox->store,
                     ps_store_fetch_new((PsOutboxClass) class, from, PS_OUTBOX_MEMORY_ROWS,
                                        PS_OUTBOX_MEMORY_BYTES));
    }
}

static void fetch_dead_where_asked(PsOutbox *outbox, PsMono now) {
    // What has just changed is to be seen, if the disk takes it.
    if (ps_dead_wants_fetch(&outbox->dead) && (outbox->failing || flush(outbox, now, true))) {
        ps_dead_fetch_begin(outbox);
    }
}

static int64_t next_due_ns(const PsOutbox *outbox) {
    const PsPending *pending = &outbox->pending;
    int64_t due = INT64_MAX;
    if (outbox->detached) {
        return outbox->commands > 0 ? due : outbox->retry_at.ns;
    }
    if (ps_era_blocks(outbox)) {
        return due; // an answer comes first
    }
    if (pending->first != NULL) {
        due = pending->first->accepted.ns + outbox->hold_ns;
    }
    if (pending->dead.first != NULL && pending->dead.first->since.ns + outbox->hold_ns < due) {
        due = pending->dead.first->since.ns + outbox->hold_ns;
    }
    if (outbox->ledgers.names_dirty) {
        due = outbox->retry_at.ns; // not in the future unless the disk refuses
    }
    if (pending->delete_count > 0 && pending->delete_since.ns + DELETE_DELAY_NS < due) {
        due = pending->delete_since.ns + DELETE_DELAY_NS;
    }
    for (int class = 0; class < PS_OUTBOX_CLASS_COUNT; class ++) {
        if (outbox->failing && ps_queue_wants_fetch(&outbox->queues[class], LOW_ROWS)) {
            due = due < outbox->fetch_at.ns ? due : outbox->fetch_at.ns;
        }
    }
    bool probe = outbox->failing && ps_pending_is_empty(pending);
    return outbox->failing && (probe || due < outbox->retry_at.ns) ? outbox->retry_at.ns : due;
}

static void on_timer(uv_timer_t *timer) {
    ps_outbox_work(timer->data);
}

// While a write is under way its answer comes first, or somebody has to be told that it does not.
static int64_t next_look_ns(const PsOutbox *outbox) {
    if (outbox->write == NULL) {
        return next_due_ns(outbox);
    }
    return outbox->slow ? INT64_MAX : outbox->write_since.ns + SLOW_NS;
}

static void arm(PsOutbox *outbox, PsMono now) {
    int64_t due = next_look_ns(outbox);
    if (due == INT64_MAX) {
        return; // the answer comes back here
    }
    uint64_t ms = (uint64_t)ps_mono_poll_ms(now, (PsMono){due});
    if (uv_is_active((uv_handle_t *)&outbox->timer) && uv_timer_get_due_in(&outbox->timer) <= ms) {
        return;
    }
    uv_update_time(outbox->setup.loop);
    uv_timer_start(&outbox->timer, on_timer, ms, 0);
}

static void look_at_write(PsOutbox *outbox, PsMono now) {
    if (outbox->write == NULL || outbox->slow ||
        ps_mono_diff_ns(now, outbox->write_since) < SLOW_NS) {
        return;
    }
    outbox->slow = true;
    PS_LOGW(
        "OUTBOX-SLOW",
        "outbox: the disk of %s has not answered for %d s; messages are kept in memory%s; check "
        "the disk, and what else writes to it",
        outbox->path, (int)(SLOW_NS / PS_NS_PER_S),
        outbox->setup.max_loss_s > 0
            ? ""
            : " and, as max_loss_s is 0, scripts wait and nothing new is sent until it does");
}

void ps_outbox_work(PsOutbox *outbox) {
    PsMono now = ps_mono_now();
    look_at_write(outbox, now);
    (void)ps_outbox_attach_begin(outbox, now);
    ps_era_look(outbox);
    (void)ps_era_shift_begin(outbox);
    ps_retention_begin(outbox);
    (void)flush(outbox, now, false);
    fetch_where_needed(outbox, now);
    fetch_dead_where_asked(outbox, now);
    if (now.ns >= outbox->check_at.ns) {
        outbox->check_at = ps_mono_add_ns(now, CHECK_NS);
        (void)ps_outbox_check(outbox);
        ps_damage_look(outbox, now);
    }
    arm(outbox, now);
}

void ps_outbox_accepted(PsOutbox *outbox) {
    PsMono now = ps_mono_now();
    if (wants_all(outbox)) {
        (void)flush(outbox, now, true);
    }
    arm(outbox, now);
}

void ps_outbox_fetch(PsOutbox *outbox) {
    fetch_where_needed(outbox, ps_mono_now());
}

// ---- leaving the queue

void ps_outbox_forget(PsOutbox *outbox, PsRow *row) {
    ps_queue_take(&outbox->queues[row->pub.class], row);
    if (row->state == PS_ROW_FRESH) {
        ps_pending_remove(&outbox->pending, row);
        if (outbox->setup.max_loss_s == 0) {
            // Somebody may wait for it to be settled, and no answer of the store need follow.
            ps_wake_send(&outbox->wake);
        }
    } else {
        ps_pending_delete(&outbox->pending, row->pub.id, ps_mono_now());
    }
    ps_row_unref(row);
}

// ---- answers of the store

static void set_failing(PsOutbox *outbox, PsErr result, PsMono now) {
    if (result == PS_ERR_CORRUPT) {
        ps_outbox_detach(outbox, true); // which says what comes of it
        return;
    }
    if (outbox->detached) {
        return; // an answer that was still on its way
    }
    bool failing = result != PS_OK;
    if (failing) {
        outbox->retry_at = ps_mono_add_ns(now, RETRY_NS);
    }
    if (failing && !outbox->failing) {
        PS_LOGE("OUTBOX-DISK",
                "outbox: %s cannot be written (%s); messages are kept in memory and tried again; "
                "%s",
                outbox->path, ps_err_name(result),
                result == PS_ERR_FULL ? "make room on the disk" : "check the disk");
    } else if (!failing && outbox->failing) {
        PS_LOGI("OUTBOX-DISK-OK", "outbox: %s can be written again", outbox->path);
    }
    outbox->failing = failing;
    outbox->cramped.on &= failing;
}

static size_t between(size_t least, size_t value, size_t most) {
    return value < least ? least : value > most ? most : value;
}

// A full disk may take deletions, and then rows little by little. It counts as failing until it has
// taken everything.
static bool note_full(PsOutbox *outbox, const PsStoreCommand *command, PsMono now) {
    PsCramped *cramped = &outbox->cramped;
    bool fits = command->result == PS_OK;
    if (!cramped->on && command->result == PS_ERR_FULL) {
        *cramped = (PsCramped){true, DELETES_MOST, EARLY_BYTES};
    }
    if (!cramped->on) {
        return false;
    }
    bool deletes = command->batch.delete_count > 0;
    size_t *portion = deletes ? &cramped->deletes : &cramped->bytes;
    *portion = between(1, fits ? *portion * 2 : *portion / 4, deletes ? DELETES_MOST : EARLY_BYTES);
    cramped->on = command->result == PS_ERR_FULL || (fits && command->partial);
    if (cramped->on && fits) {
        outbox->retry_at = now;
    }
    return cramped->on && fits;
}

static void write_done(PsOutbox *outbox, PsStoreCommand *command, PsMono now) {
    outbox->write = NULL;
    if (outbox->slow && ps_mono_diff_ns(now, outbox->write_since) <= SLOW_END_NS) {
        outbox->slow = false;
        PS_LOGI("OUTBOX-SLOW-END", "outbox: the disk of %s answers in time again", outbox->path);
    }
    if (!note_full(outbox, command, now)) {
        set_failing(outbox, command->result, now);
    }
    if (command->result != PS_OK) {
        outbox->era.dirty |= command->batch.era != NULL;
        ps_pending_undo(&outbox->pending, &outbox->ledgers, command, now);
        return;
    }
    ps_pending_names_done(&outbox->ledgers, &command->batch, true);
    outbox->transactions++;
    outbox->rows_stored += command->batch.row_count;
    for (size_t i = 0; i < command->batch.row_count; i++) {
        PsRow *row = command->batch.rows[i];
        ps_queue_stored(&outbox->queues[row->pub.class], row);
        ps_row_unref(row);
    }
    if (command->batch.shed != NULL) {
        ps_retention_end(outbox, command);
    }
    ps_outbox_note_space(outbox, command->room);
    ps_outbox_enforce(outbox);
}

// Numbers to indexes; rows acknowledged while the fetch was under way, and those that cannot be
// sent, are left out.
static void keep_known(PsOutbox *outbox, PsDbFetched *fetched, PsMono now) {
    size_t kept = 0;
    for (size_t i = 0; i < fetched->count; i++) {
        PsRow *row = fetched->rows[i];
        size_t index = ps_ledgers_number(&outbox->ledgers, fetched->numbers[i]);
        if (index == outbox->ledgers.count ||
            ps_pending_is_deleted(&outbox->pending, row->pub.id)) {
            ps_row_unref(row);
            continue;
        }
        row->pub.message = index;
        if (!ps_outbox_take_stored(outbox, row, now)) {
            ps_row_unref(row);
            continue;
        }
        fetched->rows[kept++] = row;
    }
    fetched->count = kept;
}

static void fetch_done(PsOutbox *outbox, PsStoreCommand *command, PsMono now) {
    PsDbFetched *fetched = &command->fetched;
    bool failed = command->result != PS_OK;
    if (failed) {
        set_failing(outbox, command->result, now);
        outbox->fetch_at = ps_mono_add_ns(now, RETRY_NS);
        fetched->count = 0;
    } else if (outbox->pending.rows == 0 && outbox->pending.delete_count == 0) {
        set_failing(outbox, PS_OK, now); // nothing is left that a write could fail with
    }
    keep_known(outbox, fetched, now);
    ps_damage_fetched(outbox, command, now);
    ps_queue_fetch_end(&outbox->queues[command->class], fetched->rows, fetched->count,
                       fetched->complete, failed);
    ps_outbox_enforce(outbox);
}

void ps_outbox_take_answer(PsOutbox *outbox, PsStoreCommand *command) {
    PsMono now = ps_mono_now();
    outbox->commands--;
    if (!outbox->detached || command->kind == PS_STORE_ATTACH) {
        outbox->disk_bytes = command->written_bytes;
        outbox->disk = command->disk;
    }
    if (command->kind == PS_STORE_ATTACH) {
        ps_outbox_attach_end(outbox, command, now);
    } else if (command->kind == PS_STORE_SHIFT) {
        set_failing(outbox, command->result, now);
        ps_era_shift_end(outbox, command);
    } else if (command->kind == PS_STORE_WRITE) {
        write_done(outbox, command, now);
    } else if (command->kind == PS_STORE_FETCH_DEAD) {
        if (command->result == PS_ERR_CORRUPT) {
            ps_outbox_detach(outbox, true);
        }
        ps_dead_fetch_end(outbox, command);
    } else {
        fetch_done(outbox, command, now);
    }
    ps_store_command_free(command);
}
