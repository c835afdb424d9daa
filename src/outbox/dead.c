// Dead letters on the main thread: which there are, how much they take, and who waits to see them.
// Changes go to the store with the batches of pending.c; nothing here waits for the disk.
#include "outbox/dead.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "outbox/outbox_private.h"

#include <stdlib.h>
#include <string.h>

#define STUCK_CHANGES 20000 // refuse when the disk has failed for so long
#define STUCK_BYTES ((size_t)32 * 1024 * 1024)

typedef struct PsDeadRequest {
    PsDeadRequest *next;
    PsDeadQuery query;
    PsDeadFetched *fetched;
    void *ctx;
} PsDeadRequest;

// ---- which there are

static size_t item_bytes(const PsDeadItem *item) {
    return ps_dead_bytes(item->reason_len, item->input_len);
}

static void add_item(PsDead *dead, PsDeadItem item) {
    if (dead->end == dead->capacity && dead->first > dead->capacity / 2) {
        memmove(dead->items, dead->items + dead->first,
                (dead->end - dead->first) * sizeof *dead->items);
        dead->end -= dead->first;
        dead->first = 0;
    }
    if (dead->end == dead->capacity) {
        dead->capacity = dead->capacity > 0 ? dead->capacity * 2 : 64;
        dead->items = ps_grow_array(dead->items, dead->capacity, sizeof *dead->items);
    }
    dead->items[dead->end++] = item;
    dead->bytes += item_bytes(&item);
}

static PsDeadItem *find_item(const PsDead *dead, uint64_t id) {
    size_t low = dead->first;
    size_t high = dead->end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (dead->items[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < dead->end && dead->items[low].id == id ? &dead->items[low] : NULL;
}

static void remove_item(PsDead *dead, PsDeadItem *item) {
    dead->bytes -= item_bytes(item);
    size_t at = (size_t)(item - dead->items);
    if (at == dead->first) {
        dead->first++;
        return;
    }
    memmove(item, item + 1, (dead->end - at - 1) * sizeof *item);
    dead->end--;
}

// ---- what the store is to do

static void put_op(PsOutbox *outbox, PsDeadOp *op) {
    op->since = ps_mono_now();
    ps_dead_ops_put(&outbox->pending.dead, op);
}

static void put_removal(PsOutbox *outbox, uint64_t id) {
    PsDeadLetter letter = {.id = id};
    put_op(outbox, ps_dead_op_new(PS_DEAD_REMOVE, &letter));
}

// ---- together with the database

typedef struct Changes {
    uint64_t *put;
    size_t put_count;
    uint64_t *removed;
    size_t removed_count;
} Changes;

static int by_id(const void *a, const void *b) {
    const uint64_t *left = a;
    const uint64_t *right = b;
    return *left < *right ? -1 : *left > *right ? 1 : 0;
}

static bool is_among(const uint64_t *ids, size_t count, uint64_t id) {
    return count > 0 && bsearch(&id, ids, count, sizeof *ids, by_id) != NULL;
}

// What the database does not have yet. Letters that were put before their names had numbers get
// them now.
static Changes pending_changes(PsOutbox *outbox) {
    PsDeadOps *ops = &outbox->pending.dead;
    Changes changes = {.put = ps_alloc_array(ops->count, sizeof(uint64_t)),
                       .removed = ps_alloc_array(ops->count, sizeof(uint64_t))};
    for (PsDeadOp *op = ops->first; op != NULL; op = op->next) {
        if (op->kind == PS_DEAD_PUT) {
            op->number = outbox->ledgers.entries[op->letter.message].number;
            changes.put[changes.put_count++] = op->letter.id;
        } else if (op->kind == PS_DEAD_REMOVE) {
            changes.removed[changes.removed_count++] = op->letter.id;
        }
    }
    qsort(changes.put, changes.put_count, sizeof(uint64_t), by_id);
    qsort(changes.removed, changes.removed_count, sizeof(uint64_t), by_id);
    return changes;
}

static void add_counted(PsOutbox *outbox, PsDeadItem item) {
    add_item(&outbox->dead, item);
    outbox->ledgers.entries[item.message].book.dead++;
    if (item.id >= outbox->dead.next_id) {
        outbox->dead.next_id = item.id + 1;
    }
}

static void take_stored(PsOutbox *outbox, const PsDeadStored *letter, size_t message) {
    if (!letter->damaged) {
        add_counted(outbox, (PsDeadItem){letter->id, message, letter->collected, letter->reason_len,
                                         letter->input_len});
        return;
    }
    put_removal(outbox, letter->id);
    if (!outbox->attached_once) { // or it is missing, and counted for that
        ps_ledgers_lose(&outbox->ledgers, message, ps_gap_one(letter->collected));
    }
    ps_damage_note(outbox, "dead letter", message, letter->collected);
}

// Those of the database and those that only memory has, by rising id.
static void merge_items(PsOutbox *outbox, const PsContents *contents, const size_t *indexes,
                        const PsDead *old, const Changes *changes) {
    size_t next = old->first;
    for (size_t i = 0; i <= contents->letter_count; i++) {
        const PsDeadStored *letter = i < contents->letter_count ? &contents->letters[i] : NULL;
        for (; next < old->end && (letter == NULL || old->items[next].id <= letter->id); next++) {
            if (is_among(changes->put, changes->put_count, old->items[next].id)) {
                add_counted(outbox, old->items[next]);
            }
        }
        if (letter != NULL && !is_among(changes->removed, changes->removed_count, letter->id) &&
            !is_among(changes->put, changes->put_count, letter->id)) {
            size_t name = ps_ledgers_number(&contents->ledgers, letter->number);
            take_stored(outbox, letter, indexes[name]);
        }
    }
}

void ps_dead_attach(PsOutbox *outbox, const PsContents *contents, const size_t *indexes) {
    PsDead old = outbox->dead;
    outbox->dead.items = NULL;
    outbox->dead.first = outbox->dead.end = outbox->dead.capacity = 0;
    outbox->dead.bytes = 0;
    Changes changes = pending_changes(outbox);
    size_t count = outbox->ledgers.count;
    uint64_t *before = ps_alloc_array(count, sizeof *before);
    for (size_t i = 0; i < count; i++) {
        before[i] = outbox->ledgers.entries[i].book.dead;
        outbox->ledgers.entries[i].book.dead = 0;
    }
    merge_items(outbox, contents, indexes, &old, &changes);
    for (size_t i = 0; i < count; i++) {
        uint64_t dead = outbox->ledgers.entries[i].book.dead;
        if (outbox->attached_once && dead < before[i]) {
            ps_ledgers_lose(&outbox->ledgers, i, ps_gap_some(before[i] - dead));
        }
    }
    free(before);
    free(changes.put);
    free(changes.removed);
    free(old.items);
}

void ps_dead_deinit(PsDead *dead) {
    PS_ASSERT(dead->requests == NULL);
    ps_dead_schemas_free(dead->schemas);
    free(dead->items);
    *dead = (PsDead){0};
}

// ---- changes

static const PsDeadSchema *share_schema(PsDead *dead, const PsDeadLetter *letter) {
    for (PsDeadSchema *schema = dead->schemas; schema != NULL; schema = schema->next) {
        if (schema->len == letter->schema_len &&
            memcmp(schema->bytes, letter->schema, schema->len) == 0) {
            return schema;
        }
    }
    PsDeadSchema *schema = ps_alloc(sizeof *schema + letter->schema_len);
    schema->hash = ps_dead_schema_hash(letter->schema, letter->schema_len);
    schema->len = letter->schema_len;
    memcpy(schema->bytes, letter->schema, letter->schema_len);
    schema->next = dead->schemas;
    dead->schemas = schema;
    return schema;
}

static void enforce(PsOutbox *outbox) {
    PsDead *dead = &outbox->dead;
    const PsOutboxSetup *setup = &outbox->setup;
    while (dead->end - dead->first > setup->dead_max || dead->bytes > setup->dead_max_bytes) {
        PsDeadItem oldest = dead->items[dead->first];
        if (dead->dropping++ == 0) {
            PS_LOGW("DEAD-RETENTION",
                    "outbox: full with %llu dead letters; the oldest are dropped from now on, the "
                    "first is of '%s'; correct the script and run 'penstock outbox replay', or "
                    "raise dead_max or dead_max_mb",
                    (unsigned long long)(dead->end - dead->first),
                    outbox->ledgers.entries[oldest.message].book.name);
        }
        ps_ledgers_drop_dead(&outbox->ledgers, oldest.message, PS_DROP_DEAD, oldest.collected);
        remove_item(dead, &dead->items[dead->first]);
        put_removal(outbox, oldest.id);
    }
}

static void note_room(PsOutbox *outbox) {
    PsDead *dead = &outbox->dead;
    const PsOutboxSetup *setup = &outbox->setup;
    if (dead->dropping > 0 && dead->end - dead->first < setup->dead_max - setup->dead_max / 10 &&
        dead->bytes < setup->dead_max_bytes - setup->dead_max_bytes / 10) {
        PS_LOGI("DEAD-RETENTION-END", "outbox: room for dead letters again; %llu were dropped",
                (unsigned long long)dead->dropping);
        dead->dropping = 0;
    }
}

void ps_dead_apply(PsOutbox *outbox, const size_t *to_new) {
    PsDead *dead = &outbox->dead;
    for (size_t i = dead->first; i < dead->end; i++) {
        dead->items[i].message = to_new[dead->items[i].message];
    }
    for (PsDeadOp *op = outbox->pending.dead.first; op != NULL; op = op->next) {
        if (op->kind == PS_DEAD_PUT) {
            op->letter.message = to_new[op->letter.message];
        }
    }
    for (PsDeadRequest *request = dead->requests; request != NULL; request = request->next) {
        if (request->query.message != PS_DEAD_ANY) {
            request->query.message = to_new[request->query.message];
        }
    }
    enforce(outbox);
    note_room(outbox);
}

// A share of its own: letters that the disk does not take refuse no messages.
static bool is_stuck(const PsOutbox *outbox) {
    const PsDeadOps *ops = &outbox->pending.dead;
    return ops->count >= STUCK_CHANGES || ops->bytes >= STUCK_BYTES;
}

// A letter with its id, among those that are kept; its op is the caller's.
static PsErr new_letter(PsOutbox *outbox, const PsDeadLetter *letter, PsDeadOp **ret_op) {
    PS_ASSERT(letter->message < outbox->setup.name_count);
    PsDead *dead = &outbox->dead;
    PsDeadOp *op = ps_dead_op_new(PS_DEAD_PUT, letter);
    bool too_big = op->bytes > outbox->setup.dead_max_bytes;
    if (too_big || is_stuck(outbox)) {
        free(op);
        return too_big ? PS_ERR_TOO_BIG : PS_ERR_FULL;
    }
    op->letter.id = dead->next_id++;
    op->number = outbox->ledgers.entries[letter->message].number;
    op->schema = letter->schema != NULL ? share_schema(dead, letter) : NULL;
    op->letter.schema = NULL; // the op's own is the one that lasts
    add_item(dead, (PsDeadItem){op->letter.id, letter->message, letter->collected,
                                strlen(op->letter.reason), letter->input_len});
    *ret_op = op;
    return PS_OK;
}

PsErr ps_dead_put_message(PsOutbox *outbox, const PsOutboxRow *row, const char *reason) {
    PS_AUTO_BUF PsBuf input = {0};
    ps_buf_put(&input, row->topic, strlen(row->topic) + 1);
    ps_buf_put(&input, row->payload, row->len);
    PsDeadLetter letter = {.message = row->message,
                           .collected = row->collected,
                           .died = ps_wall_now(),
                           .form = PS_DEAD_FORM_MESSAGE,
                           .qos = row->qos,
                           .reason = reason,
                           .input = input.data,
                           .input_len = input.len};
    PsDeadOp *op = NULL;
    PsErr err = new_letter(outbox, &letter, &op);
    if (err == PS_OK) {
        // In front of all, and due since ever: a batch that deletes the message has it.
        PsDeadOps one = {0};
        ps_dead_ops_put(&one, op);
        ps_dead_ops_put_back(&outbox->pending.dead, &one);
    }
    return err;
}

PsErr ps_outbox_dead_put(PsOutbox *outbox, const PsDeadLetter *letter) {
    PsDeadOp *op = NULL;
    PsErr err = new_letter(outbox, letter, &op);
    if (err != PS_OK) {
        ps_ledgers_refuse(&outbox->ledgers, letter->message,
                          err == PS_ERR_TOO_BIG ? PS_DROP_DEAD : PS_DROP_STORAGE,
                          letter->collected);
        return err;
    }
    ps_ledgers_die(&outbox->ledgers, letter->message);
    put_op(outbox, op);
    enforce(outbox);
    ps_outbox_accepted(outbox);
    return PS_OK;
}

bool ps_outbox_dead_is_kept(const PsOutbox *outbox, uint64_t id) {
    return find_item(&outbox->dead, id) != NULL;
}

void ps_outbox_dead_failed(PsOutbox *outbox, uint64_t id, const char *reason) {
    PsDeadItem *item = find_item(&outbox->dead, id);
    if (item == NULL) {
        return;
    }
    PsDeadLetter letter = {.id = id, .died = ps_wall_now(), .reason = reason};
    PsDeadOp *op = ps_dead_op_new(PS_DEAD_FAILED, &letter);
    outbox->dead.bytes -= item_bytes(item);
    item->reason_len = strlen(op->letter.reason);
    outbox->dead.bytes += item_bytes(item);
    put_op(outbox, op);
    enforce(outbox);
    ps_outbox_accepted(outbox);
}

void ps_outbox_dead_resolved(PsOutbox *outbox, uint64_t id) {
    PsDeadItem *item = find_item(&outbox->dead, id);
    if (item == NULL) {
        return;
    }
    ps_ledgers_revive(&outbox->ledgers, item->message);
    remove_item(&outbox->dead, item);
    put_removal(outbox, id);
    note_room(outbox);
    ps_outbox_accepted(outbox);
}

uint64_t ps_outbox_dead_next_id(const PsOutbox *outbox) {
    return outbox->dead.next_id;
}

// ---- fetching

void ps_outbox_dead_fetch(PsOutbox *outbox, const PsDeadQuery *query, PsDeadFetched *fetched,
                          void *ctx) {
    PS_ASSERT(query->limit >= 1 && query->limit <= PS_DEAD_FETCH_MAX);
    PS_ASSERT(query->message == PS_DEAD_ANY || query->message < outbox->ledgers.count);
    PsDeadRequest *request = ps_alloc(sizeof *request);
    *request = (PsDeadRequest){.query = *query, .fetched = fetched, .ctx = ctx};
    PsDeadRequest **last = &outbox->dead.requests;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = request;
    ps_outbox_work(outbox);
}

bool ps_dead_wants_fetch(const PsDead *dead) {
    return dead->requests != NULL && !dead->fetching;
}

void ps_dead_fetch_begin(PsOutbox *outbox) {
    const PsDeadQuery *query = &outbox->dead.requests->query;
    PsStoreCommand *command = ps_alloc(sizeof *command);
    command->kind = PS_STORE_FETCH_DEAD;
    command->query = *query;
    command->name =
        query->message != PS_DEAD_ANY ? outbox->ledgers.entries[query->message].number : 0;
    outbox->dead.fetching = true;
    outbox->commands++;
    ps_store_put(outbox->store, command);
}

static void answer(PsDead *dead, PsErr result, const PsDeadLetter *letters, size_t count) {
    PsDeadRequest *request = dead->requests;
    dead->requests = request->next; // first: the answer may ask again
    request->fetched(result, letters, count, request->ctx);
    free(request);
}

static void drop_damaged(PsOutbox *outbox, PsDeadItem *item) {
    PsDeadItem gone = *item;
    remove_item(&outbox->dead, item);
    put_removal(outbox, gone.id);
    ps_ledgers_drop_dead(&outbox->ledgers, gone.message, PS_DROP_DAMAGED, gone.collected);
    ps_damage_note(outbox, "dead letter", gone.message, gone.collected);
}

void ps_dead_fetch_end(PsOutbox *outbox, PsStoreCommand *command) {
    PsDead *dead = &outbox->dead;
    dead->fetching = false;
    if (outbox->closing) {
        answer(dead, PS_ERR_CANCELLED, NULL, 0);
        return;
    }
    const PsDeadOps *found = &command->found.letters;
    PsDeadLetter *letters = ps_alloc_array(found->count + 1, sizeof *letters);
    size_t count = 0;
    size_t damaged = 0;
    for (const PsDeadOp *op = found->first; op != NULL; op = op->next) {
        PsDeadItem *item = find_item(dead, op->letter.id);
        if (item != NULL && op->damaged) {
            drop_damaged(outbox, item);
            damaged++;
        } else if (item != NULL) { // it may have gone meanwhile
            letters[count] = op->letter;
            letters[count++].message = item->message;
        }
    }
    // None would mean that there are no more: asked again when the damaged ones are gone.
    bool again = count == 0 && damaged > 0;
    if (!again || outbox->failing) {
        answer(dead, again ? PS_ERR_IO : command->result, letters, count);
    }
    free(letters);
}

void ps_dead_cancel(PsOutbox *outbox) {
    while (outbox->dead.requests != NULL) {
        answer(&outbox->dead, PS_ERR_CANCELLED, NULL, 0);
    }
}
