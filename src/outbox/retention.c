// What makes room: when the outbox has more than it may, which messages go, and how.
// Main thread; nothing here waits for the disk.
//
// A row in memory goes at once. Where rows must go that only the database has, a request is queued;
// it runs as part of a write, one at a time, while no fetch of its class is under way, so that a
// row is either in memory or in the database for as long as it takes. Meanwhile the class may
// exceed its limit by OVERSHOOT rows; beyond that the oldest in memory goes, whosever it is.
#include "outbox/outbox_private.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>

#define OVERSHOOT_ROWS 10000
#define OVERSHOOT_BYTES ((uint64_t)16 * 1024 * 1024)
#define THIN_LEAST 8 // of fewer, the oldest goes
// What the outbox may hold even while the disk has less free space than it shall keep: so much, or
// this part of a small disk, where rows take up to twice their bytes.
#define SPACE_LEAST_BYTES ((uint64_t)4 * 1024 * 1024)
#define SPACE_LEAST_PART 4

static const char *const class_names[PS_OUTBOX_CLASS_COUNT] = {
    [PS_OUTBOX_POINT] = "catch_recording",
    [PS_OUTBOX_ALARM] = "warning_recording",
};

static const PsOutboxRule plain_rule = {.class = PS_OUTBOX_POINT};

const PsOutboxRule *ps_outbox_rule(const PsOutbox *outbox, size_t message) {
    bool has = outbox->rules != NULL && message < outbox->setup.name_count;
    return has ? &outbox->rules[message] : &plain_rule;
}

void ps_outbox_drop_row(PsOutbox *outbox, PsRow *row, PsDropReason reason) {
    PsGap what = ps_gap_one(row->pub.collected);
    ps_ledgers_drop(&outbox->ledgers, row->pub.message, reason, &what);
    ps_outbox_forget(outbox, row);
}

// ---- how much is too much

static uint64_t total_bytes(const PsOutbox *outbox) {
    uint64_t bytes = 0;
    for (int class = 0; class < PS_OUTBOX_CLASS_COUNT; class ++) {
        bytes += ps_queue_total_bytes(&outbox->queues[class]);
    }
    return bytes;
}

static uint64_t most_bytes(const PsOutbox *outbox) {
    uint64_t most = outbox->setup.max_bytes;
    bool less = outbox->low_space && (most == 0 || outbox->space_bytes < most);
    return less ? outbox->space_bytes : most;
}

// Alarms do not go for values: bytes are taken from them only when nothing else is left.
static bool gives_bytes(const PsOutbox *outbox, PsOutboxClass class) {
    return class == PS_OUTBOX_POINT || ps_queue_total(&outbox->queues[PS_OUTBOX_POINT]) == 0;
}

typedef struct Excess {
    uint64_t rows; // 0: nothing is too much
    PsDropReason reason;
    bool overshoot;
} Excess;

static Excess excess_of(const PsOutbox *outbox, PsOutboxClass class) {
    const PsQueue *queue = &outbox->queues[class];
    // What is under way is on its way out: it takes no room from what waits.
    uint64_t rows = ps_queue_total(queue) - queue->lists[PS_PLACE_IN_FLIGHT].count;
    uint64_t most = outbox->keep_rows[class];
    if (rows > most) {
        return (Excess){.rows = rows - most,
                        .reason = PS_DROP_RETENTION,
                        .overshoot = rows - most > OVERSHOOT_ROWS};
    }
    uint64_t bytes = total_bytes(outbox);
    uint64_t room = most_bytes(outbox);
    if (room == 0 || bytes <= room || rows == 0 || !gives_bytes(outbox, class)) {
        return (Excess){0};
    }
    uint64_t row_bytes = ps_queue_total_bytes(queue) / ps_queue_total(queue) + 1;
    return (Excess){.rows = (bytes - room) / row_bytes + 1,
                    .reason = outbox->low_space ? PS_DROP_SPACE : PS_DROP_SIZE,
                    .overshoot = bytes - room > OVERSHOOT_BYTES};
}

void ps_outbox_note_space(PsOutbox *outbox, PsRoom room) {
    uint64_t floor = outbox->setup.keep_free_bytes;
    bool low = room.free_bytes < floor + (outbox->low_space ? floor / 10 : 0);
    if (low && !outbox->low_space) {
        uint64_t bytes = total_bytes(outbox);
        uint64_t part = room.size_bytes / SPACE_LEAST_PART;
        uint64_t least = part < SPACE_LEAST_BYTES ? part : SPACE_LEAST_BYTES;
        outbox->space_bytes = bytes > least ? bytes : least;
        PS_LOGW("OUTBOX-SPACE",
                "outbox: the disk of %s has %llu MB left; the outbox does not grow until it has "
                "more than %llu MB (outbox_free_mb); make room on the disk",
                outbox->path, (unsigned long long)(room.free_bytes / 1000000),
                (unsigned long long)(floor / 1000000));
    } else if (!low && outbox->low_space) {
        PS_LOGI("OUTBOX-SPACE-OK", "outbox: the disk of %s has room again", outbox->path);
    }
    outbox->low_space = low;
}

// ---- whose message goes

// The definition of a class with most waiting.
static size_t heaviest(const PsOutbox *outbox, PsOutboxClass class, size_t *ret_active) {
    size_t found = 0;
    uint64_t most = 0;
    *ret_active = 0;
    for (size_t i = 0; i < outbox->ledgers.count; i++) {
        uint64_t waiting = outbox->ledgers.entries[i].book.waiting;
        if (waiting == 0 || ps_outbox_rule(outbox, i)->class != class) {
            continue;
        }
        (*ret_active)++;
        if (waiting > most) {
            most = waiting;
            found = i;
        }
    }
    return found;
}

// The owner of the oldest message, unless it has less than its equal part: then a definition that
// floods the queue gives, not the one that happens to be older.
static size_t who_gives(const PsOutbox *outbox, PsOutboxClass class, size_t owner) {
    size_t active = 0;
    size_t heavy = heaviest(outbox, class, &active);
    uint64_t total = ps_queue_total(&outbox->queues[class]);
    bool light = active > 1 && outbox->ledgers.entries[owner].book.waiting < total / active;
    return light ? heavy : owner;
}

// The oldest that may go. Live rows only when nothing else waits.
static PsRow *oldest_of(const PsQueue *queue) {
    PsRow *waiting = queue->lists[PS_PLACE_WAITING].first;
    return waiting != NULL || queue->disk_only > 0 ? waiting : queue->lists[PS_PLACE_LIVE].first;
}

static PsRow *first_of(const PsQueue *queue, size_t message) {
    PsRow *row = queue->lists[PS_PLACE_WAITING].first;
    while (row != NULL && row->pub.message != message) {
        row = row->next;
    }
    return row;
}

// ---- requests

static bool has_request(const PsOutbox *outbox, PsOutboxClass class) {
    const PsShedRequest *request = outbox->sheds;
    while (request != NULL && (request->class != class || request->reason == PS_DROP_CLEARED)) {
        request = request->next;
    }
    return request != NULL;
}

static void put_request(PsOutbox *outbox, const PsShedRequest *content) {
    PsShedRequest *request = ps_alloc(sizeof *request);
    *request = *content;
    PsShedRequest **last = &outbox->sheds;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = request;
}

bool ps_retention_blocks(const PsOutbox *outbox, PsOutboxClass class) {
    return outbox->write != NULL && outbox->write->batch.shed != NULL &&
           outbox->write->shed.class == class;
}

static void finish_request(PsOutbox *outbox) {
    PsShedRequest *request = outbox->sheds;
    if (request->reason == PS_DROP_CLEARED && request->class + 1 < PS_OUTBOX_CLASS_COUNT) {
        request->class ++; // a definition may have rows of both after its type was changed
        ps_retention_begin(outbox);
        return;
    }
    outbox->sheds = request->next;
    PsRow *oldest = oldest_of(&outbox->queues[request->class]);
    if (request->went == 0 && request->reason != PS_DROP_CLEARED && oldest != NULL) {
        ps_outbox_drop_row(outbox, oldest, request->reason); // or it would be asked for ever again
    }
    if (request->cleared != NULL) {
        request->cleared(PS_OK, request->went, request->ctx);
    }
    free(request);
    ps_retention_begin(outbox);
}

// What of it is in memory goes at once; returns how many more rows are to be looked at.
static uint64_t shed_memory(PsOutbox *outbox, PsShedRequest *request, bool *ret_odd) {
    PsQueue *queue = &outbox->queues[request->class];
    uint64_t look = request->look;
    bool take = request->kind == PS_SHED_OLDEST;
    for (PsRow *row = queue->lists[PS_PLACE_WAITING].first; row != NULL && look > 0;) {
        PsRow *next = row->next;
        if (row->pub.message == request->message) {
            if (take) {
                ps_outbox_drop_row(outbox, row, request->reason);
                request->went++;
            }
            take = request->kind == PS_SHED_OLDEST || !take;
            look--;
        }
        row = next;
    }
    *ret_odd = take;
    return look;
}

// Rows that wait to be stored go from memory, too, when all of them shall go.
static void shed_fresh(PsOutbox *outbox, PsShedRequest *request) {
    static const PsRowPlace places[] = {PS_PLACE_LIVE, PS_PLACE_SPILLING};
    for (size_t i = 0; i < PS_COUNT(places); i++) {
        PsRowList *list = &outbox->queues[request->class].lists[places[i]];
        for (PsRow *row = list->first; row != NULL;) {
            PsRow *next = row->next;
            if (row->pub.message == request->message && row->state != PS_ROW_STORING) {
                ps_outbox_drop_row(outbox, row, request->reason);
                request->went++;
            }
            row = next;
        }
    }
}

static uint64_t *ids_in_memory(const PsQueue *queue, size_t *ret_count) {
    static const PsRowPlace places[] = {PS_PLACE_IN_FLIGHT, PS_PLACE_LIVE};
    size_t most = queue->lists[PS_PLACE_IN_FLIGHT].count + queue->lists[PS_PLACE_LIVE].count;
    uint64_t *ids = ps_alloc_array(most + 1, sizeof *ids);
    size_t count = 0;
    for (size_t i = 0; i < PS_COUNT(places); i++) {
        for (const PsRow *row = queue->lists[places[i]].first; row != NULL; row = row->next) {
            ids[count++] = row->pub.id;
        }
    }
    *ret_count = count;
    return ids;
}

static void shed_database(PsOutbox *outbox, const PsShedRequest *request, uint64_t look, bool odd) {
    const PsQueue *queue = &outbox->queues[request->class];
    PsStoreCommand *command =
        ps_pending_batch(&outbox->pending, &outbox->ledgers, ps_mono_now(), true);
    if (command == NULL) {
        command = ps_alloc(sizeof *command);
        command->kind = PS_STORE_WRITE;
    }
    command->kept = ids_in_memory(queue, &command->shed.kept_count);
    command->shed = (PsDbShed){.kind = request->kind,
                               .reason = request->reason,
                               .class = request->class,
                               .number = outbox->ledgers.entries[request->message].number,
                               .from = queue->boundary,
                               .look = look,
                               .odd = odd,
                               .kept = command->kept,
                               .kept_count = command->shed.kept_count};
    command->batch.shed = &command->shed;
    ps_outbox_put_write(outbox, command);
}

static void plan_look(const PsOutbox *outbox, PsShedRequest *request) {
    if (request->kind == PS_SHED_THIN) {
        request->look = outbox->ledgers.entries[request->message].book.waiting / 2;
    } else if (request->reason != PS_DROP_CLEARED) {
        request->look = excess_of(outbox, request->class).rows;
    }
}

void ps_retention_begin(PsOutbox *outbox) {
    PsShedRequest *request = outbox->sheds;
    if (request == NULL || outbox->write != NULL || outbox->failing || outbox->closing ||
        ps_era_blocks(outbox)) {
        return;
    }
    PsQueue *queue = &outbox->queues[request->class];
    if (queue->fetching) {
        return;
    }
    plan_look(outbox, request);
    bool odd = false;
    uint64_t look = shed_memory(outbox, request, &odd);
    if (request->reason == PS_DROP_CLEARED) {
        shed_fresh(outbox, request);
    }
    bool more = queue->disk_only > 0 || queue->lists[PS_PLACE_SPILLING].count > 0;
    if (look > 0 && more) {
        shed_database(outbox, request, look, odd);
    } else {
        finish_request(outbox);
    }
}

void ps_retention_end(PsOutbox *outbox, const PsStoreCommand *command) {
    const PsDbShed *shed = &command->shed;
    PsShedRequest *request = outbox->sheds;
    PsQueue *queue = &outbox->queues[shed->class];
    PS_ASSERT(request != NULL && request->class == shed->class);
    if (shed->went.count > 0) {
        ps_queue_forget_stored(queue, shed->went.count, shed->went_bytes);
        ps_ledgers_drop(&outbox->ledgers, request->message, shed->reason, &shed->went);
    }
    request->went += shed->went.count;
    finish_request(outbox);
}

void ps_retention_cancel(PsOutbox *outbox) {
    while (outbox->sheds != NULL) {
        PsShedRequest *request = outbox->sheds;
        outbox->sheds = request->next;
        if (request->cleared != NULL) {
            request->cleared(PS_ERR_CANCELLED, request->went, request->ctx);
        }
        free(request);
    }
}

void ps_outbox_clear(PsOutbox *outbox, size_t message, PsOutboxCleared *cleared, void *ctx) {
    PS_ASSERT(message < outbox->ledgers.count);
    put_request(outbox, &(PsShedRequest){.message = message,
                                         .kind = PS_SHED_OLDEST,
                                         .reason = PS_DROP_CLEARED,
                                         .look = UINT64_MAX,
                                         .cleared = cleared,
                                         .ctx = ctx});
    ps_outbox_work(outbox);
}

// ---- making room

static void note_drop(PsOutbox *outbox, PsOutboxClass class, PsDropReason reason, size_t message) {
    if (outbox->dropping[class]++ > 0) {
        return;
    }
    const char *name = outbox->ledgers.entries[message].book.name;
    bool thins = reason == PS_DROP_THINNED;
    PS_LOGW("OUTBOX-RETENTION",
            "outbox: full with %llu messages, %llu MB (limit: %s); %s from now on, first of '%s'; "
            "restore the cloud connection or raise the limit",
            (unsigned long long)ps_queue_total(&outbox->queues[class]),
            (unsigned long long)(total_bytes(outbox) / 1000000),
            outbox->low_space                                                   ? "outbox_free_mb"
            : ps_queue_total(&outbox->queues[class]) > outbox->keep_rows[class] ? class_names[class]
                                                                                : "outbox_max_mb",
            thins ? "every second one of the older half goes" : "the oldest are dropped", name);
}

static void note_room(PsOutbox *outbox, PsOutboxClass class) {
    uint64_t most = outbox->keep_rows[class];
    uint64_t room = most_bytes(outbox);
    if (outbox->dropping[class] > 0 && !outbox->low_space && outbox->sheds == NULL &&
        ps_queue_total(&outbox->queues[class]) < most - most / 10 &&
        (room == 0 || total_bytes(outbox) < room - room / 10)) {
        PS_LOGI("OUTBOX-RETENTION-END", "outbox: room again (%s); see dropped in 'penstock status'",
                class_names[class]);
        outbox->dropping[class] = 0;
    }
}

// One that is in memory, or NULL after a request. *ret_again: the request is done already.
static PsRow *next_victim(PsOutbox *outbox, PsOutboxClass class, const Excess *excess,
                          bool *ret_again) {
    PsQueue *queue = &outbox->queues[class];
    PsRow *oldest = oldest_of(queue);
    if (oldest == NULL || excess->overshoot || outbox->failing) {
        return oldest;
    }
    if (has_request(outbox, class)) {
        return NULL;
    }
    size_t giver = who_gives(outbox, class, oldest->pub.message);
    bool thin = ps_outbox_rule(outbox, giver)->thin_out &&
                outbox->ledgers.entries[giver].book.waiting >= THIN_LEAST;
    PsRow *row = thin ? NULL : first_of(queue, giver);
    if (row != NULL) {
        return row;
    }
    PsDropReason reason = thin ? PS_DROP_THINNED : excess->reason;
    note_drop(outbox, class, reason, giver);
    put_request(outbox, &(PsShedRequest){.class = class,
                                         .message = giver,
                                         .kind = thin ? PS_SHED_THIN : PS_SHED_OLDEST,
                                         .reason = reason});
    ps_retention_begin(outbox);
    *ret_again = !has_request(outbox, class);
    return NULL;
}

static void enforce(PsOutbox *outbox, PsOutboxClass class) {
    for (;;) {
        Excess excess = excess_of(outbox, class);
        bool again = false;
        PsRow *victim = excess.rows > 0 ? next_victim(outbox, class, &excess, &again) : NULL;
        if (victim != NULL) {
            note_drop(outbox, class, excess.reason, victim->pub.message);
            ps_outbox_drop_row(outbox, victim, excess.reason);
        } else if (!again) {
            break;
        }
    }
    note_room(outbox, class);
}

// Rows in flight are left alone.
void ps_outbox_enforce(PsOutbox *outbox) {
    if (outbox->closing) {
        return; // the next start sees to it
    }
    for (int class = 0; class < PS_OUTBOX_CLASS_COUNT; class ++) {
        enforce(outbox, (PsOutboxClass) class);
    }
}
