// The outbox on the main loop: what comes in, what goes out, and when the store is asked to write.
// Nothing here waits for the disk, except open and close.
#include "outbox/outbox.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "outbox/outbox_private.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_NAME "outbox.db"
#define STUCK_ROWS 20000 // refuse when the disk has failed for so long
#define STUCK_BYTES ((size_t)32 * 1024 * 1024)
#define LIVE_ROWS 200
#define FAILURES_MOST 12 // in a row; by then a full disk was asked for a single row

static void on_wake(PsWake *wake) {
    PsOutbox *outbox = wake->data;
    PsStoreCommand *command;
    while ((command = ps_store_take(outbox->store)) != NULL) {
        ps_outbox_take_answer(outbox, command);
    }
    ps_outbox_work(outbox);
    if (outbox->setup.on_ready != NULL) {
        outbox->setup.on_ready(outbox->setup.ctx);
    }
}

static void wake_main(void *ctx) {
    ps_wake_send(&((PsOutbox *)ctx)->wake);
}

// ---- open and close

// What a person should look at before anything runs. Everything else is the disk's fault, and a
// gateway that collects and sends is worth more than one that waits for its disk.
static bool is_refusal(const PsOutbox *outbox, PsErr err) {
    const char *folder = outbox->setup.folder;
    bool denied = access(folder, R_OK | W_OK | X_OK) != 0 ||
                  (access(outbox->path, F_OK) == 0 && access(outbox->path, R_OK | W_OK) != 0);
    return err == PS_ERR_BUSY || err == PS_ERR_UNSUPPORTED ||
           (err == PS_ERR_DENIED && denied && !ps_dir_is_read_only(folder));
}

static void run_detached(PsOutbox *outbox, const PsDiag *why) {
    // Far from the ids of a database that has not been seen yet.
    outbox->next_id = (uint64_t)ps_db_spare_id();
    outbox->dead.next_id = outbox->next_id;
    ps_outbox_detach(outbox, false);
    ps_era_begin(outbox);
    outbox->retry_at = ps_mono_add_ns(ps_mono_now(), PS_NS_PER_S);
    PS_LOGE("OUTBOX-DISK",
            "outbox: %s %s; messages are kept in memory only, are lost when the gateway ends, and "
            "nothing stored before is sent until the disk can be used",
            why->object, why->text);
}

static PsErr open_files(PsOutbox *outbox, PsDiag *diag) {
    PsDiag why = {0};
    PsErr err = ps_dir_make(outbox->setup.folder, 0700, &why);
    if (err != PS_OK && !ps_dir_is_read_only(outbox->setup.folder)) {
        return ps_fail(err, diag, why.object, why.field, "%s", why.text);
    }
    PsDb *db = NULL;
    PsContents contents = {0};
    for (size_t i = 0; i < outbox->setup.name_count; i++) {
        size_t index = ps_ledgers_name(&outbox->ledgers, outbox->setup.names[i]);
        outbox->ledgers.entries[index].tells_gaps = outbox->rules[i].gap_topic != NULL;
        ps_ledgers_name(&contents.ledgers, outbox->setup.names[i]);
    }
    outbox->dead.next_id = 1;
    if (err == PS_OK) {
        err = ps_contents_open(outbox->path, false, (PsHeldRows){0}, &db, &contents, &why);
    }
    if (err == PS_OK) {
        ps_era_begin(outbox);
        ps_outbox_attach(outbox, &contents);
        outbox->disk = *ps_db_disk_use(db);
        outbox->disk_bytes = ps_db_written_bytes(db);
    } else if (!is_refusal(outbox, err)) {
        run_detached(outbox, &why);
        err = PS_OK;
    }
    ps_contents_deinit(&contents);
    if (err == PS_OK) {
        err = ps_store_start(db, outbox->path, wake_main, outbox, &outbox->store);
        if (err != PS_OK) {
            ps_db_close(db);
            (void)ps_fail(err, &why, outbox->path, NULL, "no thread for the outbox");
        }
    }
    if (err != PS_OK && diag != NULL) {
        *diag = why;
    }
    return err;
}

static void free_parts(PsOutbox *outbox) {
    for (int class = 0; class < PS_OUTBOX_CLASS_COUNT; class ++) {
        ps_queue_deinit(&outbox->queues[class]);
    }
    ps_dead_deinit(&outbox->dead);
    ps_pending_deinit(&outbox->pending);
    ps_ledgers_deinit(&outbox->ledgers);
    for (size_t i = 0; i < outbox->setup.name_count; i++) {
        free((char *)(uintptr_t)outbox->rules[i].gap_topic);
    }
    free(outbox->rules);
    free(outbox->shares);
    free(outbox->path);
    outbox->path = NULL;
}

static void handle_closed(PsOutbox *outbox) {
    if (--outbox->open_handles == 0) {
        free(outbox);
    }
}

static void on_timer_closed(uv_handle_t *handle) {
    handle_closed(handle->data);
}

static void on_wake_closed(PsWake *wake) {
    handle_closed(wake->data);
}

static void close_handles(PsOutbox *outbox) {
    ps_wake_close(&outbox->wake, on_wake_closed);
    uv_close((uv_handle_t *)&outbox->timer, on_timer_closed);
}

static void copy_rules(PsOutbox *outbox, const PsOutboxSetup *setup) {
    outbox->rules = ps_alloc_array(setup->name_count, sizeof *outbox->rules);
    outbox->tells_gaps = false;
    for (size_t i = 0; setup->rules != NULL && i < setup->name_count; i++) {
        const char *topic = setup->rules[i].gap_topic;
        outbox->rules[i] = setup->rules[i];
        outbox->rules[i].gap_topic = topic != NULL ? ps_strdup(topic) : NULL;
        outbox->tells_gaps |= topic != NULL;
    }
}

void ps_outbox_take_setup(PsOutbox *outbox, const PsOutboxSetup *setup) {
    outbox->setup.max_loss_s = setup->max_loss_s;
    outbox->setup.max_bytes = setup->max_bytes;
    outbox->setup.keep_free_bytes = setup->keep_free_bytes;
    outbox->setup.dead_max = setup->dead_max;
    outbox->setup.dead_max_bytes = setup->dead_max_bytes;
    outbox->setup.limits = setup->limits;
    outbox->setup.name_count = setup->name_count;
    outbox->keep_rows[PS_OUTBOX_POINT] = setup->catch_recording;
    outbox->keep_rows[PS_OUTBOX_ALARM] = setup->warning_recording;
    // Half the promised time, so that the commit is done before the whole has passed.
    outbox->hold_ns = setup->max_loss_s * PS_NS_PER_S / 2;
    outbox->shares = ps_alloc_array(setup->name_count, sizeof *outbox->shares);
    outbox->pending.shares = outbox->shares;
    outbox->pending.share_count = setup->name_count;
    copy_rules(outbox, setup);
}

PsErr ps_outbox_open(const PsOutboxSetup *setup, PsOutbox **ret_outbox, PsDiag *diag) {
    PsOutbox *outbox = ps_alloc(sizeof *outbox);
    outbox->setup = *setup;
    ps_outbox_take_setup(outbox, setup);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", setup->folder, FILE_NAME);
    outbox->path = ps_strdup(path);
    outbox->timer.data = outbox;
    if (ps_wake_init(&outbox->wake, setup->loop, on_wake, outbox) != PS_OK) {
        free_parts(outbox);
        free(outbox);
        return ps_fail(PS_ERR_IO, diag, "outbox", NULL,
                       "no descriptor left; raise the limit of open files");
    }
    uv_timer_init(setup->loop, &outbox->timer);
    outbox->open_handles = 2;
    PsErr err = open_files(outbox, diag);
    if (err != PS_OK) {
        free_parts(outbox);
        close_handles(outbox);
        return err;
    }
    ps_outbox_work(outbox);
    *ret_outbox = outbox;
    return PS_OK;
}

static void wait_for_answers(PsOutbox *outbox) {
    while (outbox->commands > 0) {
        PsMono deadline = ps_mono_add_ns(ps_mono_now(), PS_NS_PER_S);
        PsStoreCommand *command = ps_store_wait(outbox->store, deadline);
        if (command != NULL) {
            ps_outbox_take_answer(outbox, command);
        }
    }
}

// A full disk takes it little by little, or not at all.
static void write_rest(PsOutbox *outbox) {
    int failures = 0;
    bool more = !outbox->detached;
    while (more && failures < FAILURES_MOST) {
        uint64_t before = outbox->transactions;
        PsStoreCommand *last = ps_outbox_next_batch(outbox, ps_mono_now(), true);
        if (last == NULL) {
            break;
        }
        ps_outbox_put_write(outbox, last);
        wait_for_answers(outbox);
        failures = outbox->transactions > before ? 0 : failures + 1;
        more = outbox->cramped.on;
    }
}

void ps_outbox_close(PsOutbox *outbox) {
    if (outbox == NULL) {
        return;
    }
    outbox->closing = true;
    wait_for_answers(outbox);
    ps_dead_cancel(outbox);
    ps_retention_cancel(outbox);
    ps_outbox_link_lost(outbox);      // nothing stays in flight
    outbox->retry_at = ps_mono_now(); // the last chance
    if (ps_outbox_attach_begin(outbox, outbox->retry_at)) {
        wait_for_answers(outbox);
    }
    if (ps_era_shift_begin(outbox)) {
        wait_for_answers(outbox);
    }
    write_rest(outbox);
    if (outbox->pending.rows > 0 || outbox->pending.dead.count > 0) {
        PS_LOGE("OUTBOX-LOST",
                "outbox: %zu messages and %zu changes of dead letters could not be written to %s "
                "before the end",
                outbox->pending.rows, outbox->pending.dead.count, outbox->path);
    }
    ps_store_stop(outbox->store);
    while (outbox->pending.first != NULL) {
        ps_pending_remove(&outbox->pending, outbox->pending.first);
    }
    free_parts(outbox);
    close_handles(outbox);
}

// ---- in

// Memory for what is not stored yet is used up. A definition that has not had its part of it still
// gets that, so that a script which publishes without end is refused before the others are; with
// all parts given out, memory holds twice the limits.
static bool is_stuck(const PsOutbox *outbox, size_t message) {
    const PsPending *pending = &outbox->pending;
    if (pending->rows < STUCK_ROWS && pending->bytes < STUCK_BYTES) {
        return false;
    }
    const PsShare *share = &outbox->shares[message];
    size_t parts = outbox->setup.name_count;
    return share->rows >= STUCK_ROWS / parts || share->bytes >= STUCK_BYTES / parts;
}

static PsErr fail_stuck(const PsOutbox *outbox, const char *name, PsDiag *diag) {
    if (outbox->failing) {
        return ps_fail(PS_ERR_FULL, diag, name, NULL,
                       "cannot be kept: the disk takes nothing and memory is used up; check the "
                       "disk of %s",
                       outbox->path);
    }
    return ps_fail(PS_ERR_FULL, diag, name, NULL,
                   "cannot be kept: its messages come faster than the disk takes them; publish "
                   "less often, or more in one message");
}

// Live rows are few: more of them than the cloud takes at once are a backlog.
static bool goes_live(const PsOutbox *outbox, const PsQueue *queue, size_t message) {
    return outbox->connected && outbox->rules[message].live_first &&
           queue->lists[PS_PLACE_LIVE].count < LIVE_ROWS;
}

PsErr ps_outbox_accept(PsOutbox *outbox, const PsOutboxMessage *message, PsDiag *diag) {
    PS_ASSERT(message->message < outbox->setup.name_count);
    PsOutboxClass class = outbox->rules[message->message].class;
    const char *name = outbox->ledgers.entries[message->message].book.name;
    ps_era_look(outbox);
    (void)ps_era_shift_begin(outbox);
    PsDropReason reason = PS_DROP_STORAGE;
    PsErr err = ps_admit(&outbox->setup.limits, name, message, &reason, diag);
    if (err == PS_OK && is_stuck(outbox, message->message)) {
        err = fail_stuck(outbox, name, diag);
    }
    PsOutboxRow content = {.id = outbox->next_id,
                           .message = message->message,
                           .collected = ps_era_correct(outbox, message->collected),
                           .topic = message->topic,
                           .qos = message->qos,
                           .class = class,
                           .payload = message->payload,
                           .len = message->len};
    PsRow *row = err == PS_OK ? ps_row_new(&content) : NULL;
    if (err == PS_OK && row == NULL) {
        err = ps_fail(PS_ERR_NO_MEMORY, diag, name, NULL, "cannot be kept: no memory");
    }
    if (err != PS_OK) {
        ps_ledgers_refuse(&outbox->ledgers, message->message, reason, message->collected);
        return err;
    }
    outbox->next_id++;
    row->accepted = ps_mono_now();
    ps_ledgers_accept(&outbox->ledgers, message->message);
    ps_pending_add(&outbox->pending, row);
    PsQueue *queue = &outbox->queues[class];
    if (goes_live(outbox, queue, message->message)) {
        ps_queue_put_live(queue, row);
    } else {
        ps_queue_put(queue, row);
        (void)ps_queue_trim(queue, PS_OUTBOX_MEMORY_ROWS, PS_OUTBOX_MEMORY_BYTES);
    }
    ps_outbox_enforce(outbox);
    ps_outbox_accepted(outbox);
    return PS_OK;
}

uint64_t ps_outbox_mark(const PsOutbox *outbox) {
    return outbox->next_id;
}

// Ids rise in the order of accepting, and rows are written in that order, too.
bool ps_outbox_is_settled(const PsOutbox *outbox, uint64_t mark) {
    if (outbox->setup.max_loss_s > 0 || outbox->failing) {
        return true;
    }
    const PsPending *pending = &outbox->pending;
    const PsStoreCommand *write = outbox->write;
    if (write != NULL && write->batch.row_count > 0 && write->batch.rows[0]->pub.id < mark) {
        return false;
    }
    return pending->first == NULL || pending->first->pub.id >= mark;
}

// ---- what it looks like

size_t ps_outbox_ledger_count(const PsOutbox *outbox) {
    return outbox->ledgers.count;
}

const PsLedger *ps_outbox_ledger(const PsOutbox *outbox, size_t index) {
    return &outbox->ledgers.entries[index].book;
}

bool ps_outbox_check(PsOutbox *outbox) {
    uint64_t booked = 0;
    uint64_t held = 0;
    const char *wrong = NULL;
    for (size_t i = 0; i < outbox->ledgers.count; i++) {
        const PsLedger *book = &outbox->ledgers.entries[i].book;
        booked += book->waiting;
        wrong = ps_ledger_adds_up(book) ? wrong : book->name;
    }
    for (int class = 0; class < PS_OUTBOX_CLASS_COUNT; class ++) {
        held += ps_queue_total(&outbox->queues[class]);
    }
    bool sound = wrong == NULL && booked == held;
    if (!sound && !outbox->books_wrong) {
        PS_LOGE("OUTBOX-BOOKS",
                "outbox: the books do not add up%s%s: %llu messages are booked as waiting, %llu "
                "wait; this is a fault of the gateway, please report it with this log",
                wrong != NULL ? " for " : "", wrong != NULL ? wrong : "",
                (unsigned long long)booked, (unsigned long long)held);
    }
    outbox->books_wrong = !sound;
    return sound;
}

PsOutboxStats ps_outbox_stats(const PsOutbox *outbox) {
    PsOutboxStats stats = {.transactions = outbox->transactions,
                           .rows_stored = outbox->rows_stored,
                           .disk_bytes = outbox->disk_bytes,
                           .disk = outbox->disk,
                           .store_failing = outbox->failing,
                           .low_space = outbox->low_space};
    for (int class = 0; class < PS_OUTBOX_CLASS_COUNT; class ++) {
        const PsQueue *queue = &outbox->queues[class];
        stats.waiting += ps_queue_total(queue);
        stats.waiting_bytes += ps_queue_total_bytes(queue);
        stats.in_flight += queue->lists[PS_PLACE_IN_FLIGHT].count;
        stats.memory_rows += ps_queue_memory_rows(queue);
        stats.memory_bytes += ps_queue_memory_bytes(queue);
    }
    return stats;
}
