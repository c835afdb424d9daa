// Ordered lists of rows and the boundary between memory and database. Pure.
#include "outbox/queue.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

PsRow *ps_row_new(const PsOutboxRow *content) {
    size_t topic_len = strlen(content->topic);
    PsRow *row = malloc(sizeof *row + topic_len + 1 + content->len);
    if (row == NULL) {
        return NULL;
    }
    *row = (PsRow){.pub = *content, .bytes = topic_len + content->len};
    atomic_init(&row->refs, 1);
    memcpy(row->data, content->topic, topic_len + 1);
    if (content->len > 0) {
        memcpy(row->data + topic_len + 1, content->payload, content->len);
    }
    row->pub.topic = row->data;
    row->pub.packed = 1;
    row->pub.payload = row->data + topic_len + 1;
    return row;
}

PsRow *ps_row_ref(PsRow *row) {
    atomic_fetch_add(&row->refs, 1);
    return row;
}

void ps_row_unref(PsRow *row) {
    if (row != NULL && atomic_fetch_sub(&row->refs, 1) == 1) {
        free(row);
    }
}

PsRowKey ps_row_key(const PsRow *row) {
    return (PsRowKey){.collected_ns = row->pub.collected.ns, .id = row->pub.id};
}

int ps_row_key_compare(PsRowKey a, PsRowKey b) {
    if (a.collected_ns != b.collected_ns) {
        return a.collected_ns < b.collected_ns ? -1 : 1;
    }
    return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

// ---- lists

// Into order, looking from the end: rows nearly always come in order.
static void list_insert(PsRowList *list, PsRow *row) {
    PsRow *before = list->last;
    while (before != NULL && ps_row_key_compare(ps_row_key(before), ps_row_key(row)) > 0) {
        before = before->previous;
    }
    row->previous = before;
    row->next = before != NULL ? before->next : list->first;
    *(before != NULL ? &before->next : &list->first) = row;
    *(row->next != NULL ? &row->next->previous : &list->last) = row;
    list->count++;
    list->bytes += row->bytes;
}

static void list_remove(PsRowList *list, PsRow *row) {
    *(row->previous != NULL ? &row->previous->next : &list->first) = row->next;
    *(row->next != NULL ? &row->next->previous : &list->last) = row->previous;
    row->previous = NULL;
    row->next = NULL;
    PS_ASSERT(list->count > 0 && list->bytes >= row->bytes);
    list->count--;
    list->bytes -= row->bytes;
}

static void place(PsQueue *queue, PsRow *row, PsRowPlace where) {
    if (row->place != PS_PLACE_NONE) {
        list_remove(&queue->lists[row->place], row);
    }
    row->place = where;
    if (where != PS_PLACE_NONE) {
        list_insert(&queue->lists[where], row);
    }
}

// Out of memory: only the count stays. The row must be stored.
static void leave_memory(PsQueue *queue, PsRow *row) {
    PS_ASSERT(row->state == PS_ROW_STORED);
    place(queue, row, PS_PLACE_NONE);
    queue->disk_only++;
    queue->disk_bytes += row->bytes;
    ps_row_unref(row);
}

static bool is_beyond(const PsQueue *queue, const PsRow *row) {
    return queue->has_boundary && ps_row_key_compare(ps_row_key(row), queue->boundary) >= 0;
}

// Where a row belongs that is not in flight.
static void settle(PsQueue *queue, PsRow *row) {
    if (!is_beyond(queue, row)) {
        place(queue, row, PS_PLACE_WAITING);
    } else if (queue->fetching) {
        place(queue, row, PS_PLACE_LIMBO);
    } else if (row->state == PS_ROW_STORED) {
        leave_memory(queue, row);
    } else {
        place(queue, row, PS_PLACE_SPILLING);
    }
}

// A row that is put back into `from` stands before those still to come.
static void settle_all(PsQueue *queue, PsRowPlace from) {
    for (PsRow *row = queue->lists[from].first; row != NULL;) {
        PsRow *next = row->next;
        settle(queue, row);
        row = next;
    }
}

// ---- life

void ps_queue_init(PsQueue *queue, uint64_t stored_rows, uint64_t stored_bytes) {
    *queue = (PsQueue){.disk_only = stored_rows, .disk_bytes = stored_bytes};
    if (stored_rows > 0) {
        queue->has_boundary = true;
        queue->boundary = (PsRowKey){.collected_ns = INT64_MIN};
    }
}

void ps_queue_deinit(PsQueue *queue) {
    for (size_t i = 0; i < PS_PLACE_COUNT; i++) {
        while (queue->lists[i].first != NULL) {
            PsRow *row = queue->lists[i].first;
            place(queue, row, PS_PLACE_NONE);
            ps_row_unref(row);
        }
    }
}

void ps_queue_put(PsQueue *queue, PsRow *row) {
    settle(queue, row);
}

void ps_queue_put_live(PsQueue *queue, PsRow *row) {
    place(queue, row, PS_PLACE_LIVE);
}

PsRow *ps_queue_head(const PsQueue *queue) {
    PsRow *live = queue->lists[PS_PLACE_LIVE].first;
    return live != NULL ? live : queue->lists[PS_PLACE_WAITING].first;
}

void ps_queue_mark_in_flight(PsQueue *queue, PsRow *row) {
    place(queue, row, PS_PLACE_IN_FLIGHT);
}

static PsRow *find(const PsRowList *list, uint64_t id) {
    PsRow *row = list->first;
    while (row != NULL && row->pub.id != id) {
        row = row->next;
    }
    return row;
}

PsRow *ps_queue_find_in_flight(const PsQueue *queue, uint64_t id) {
    return find(&queue->lists[PS_PLACE_IN_FLIGHT], id);
}

PsRow *ps_queue_find(const PsQueue *queue, uint64_t id) {
    PsRow *row = NULL;
    for (size_t i = 0; row == NULL && i < PS_PLACE_COUNT; i++) {
        row = find(&queue->lists[i], id);
    }
    return row;
}

void ps_queue_put_back(PsQueue *queue, PsRow *row) {
    settle(queue, row);
}

void ps_queue_link_lost(PsQueue *queue) {
    settle_all(queue, PS_PLACE_IN_FLIGHT);
    settle_all(queue, PS_PLACE_LIVE);
}

void ps_queue_take(PsQueue *queue, PsRow *row) {
    place(queue, row, PS_PLACE_NONE);
}

void ps_queue_stored(PsQueue *queue, PsRow *row) {
    row->state = PS_ROW_STORED;
    if (row->place == PS_PLACE_SPILLING) {
        leave_memory(queue, row);
    }
}

bool ps_queue_trim(PsQueue *queue, size_t rows, size_t bytes) {
    PsRowList *waiting = &queue->lists[PS_PLACE_WAITING];
    bool must_store = false;
    while (!queue->fetching && waiting->count > 1 &&
           (waiting->count > rows || waiting->bytes > bytes)) {
        PsRow *newest = waiting->last;
        queue->has_boundary = true;
        queue->boundary = ps_row_key(newest);
        must_store = must_store || newest->state != PS_ROW_STORED;
        settle(queue, newest);
    }
    return must_store;
}

// ---- fetching

bool ps_queue_wants_fetch(const PsQueue *queue, size_t low_rows) {
    bool more = queue->disk_only > 0 || queue->lists[PS_PLACE_SPILLING].count > 0;
    return !queue->fetching && more && queue->lists[PS_PLACE_WAITING].count < low_rows;
}

PsRowKey ps_queue_fetch_begin(PsQueue *queue) {
    PS_ASSERT(!queue->fetching && queue->has_boundary);
    queue->fetching = true;
    return queue->boundary;
}

static bool is_in_memory(const PsQueue *queue, const PsRow *row) {
    static const PsRowPlace places[] = {PS_PLACE_IN_FLIGHT, PS_PLACE_LIVE, PS_PLACE_LIMBO};
    for (size_t i = 0; i < PS_COUNT(places); i++) {
        if (find(&queue->lists[places[i]], row->pub.id) != NULL) {
            return true;
        }
    }
    return false;
}

void ps_queue_fetch_end(PsQueue *queue, PsRow **rows, size_t count, bool complete, bool failed) {
    PS_ASSERT(queue->fetching);
    queue->fetching = false;
    for (size_t i = 0; i < count; i++) {
        PsRow *row = rows[i];
        queue->boundary = ps_row_key(row);
        queue->boundary.id++;
        if (is_in_memory(queue, row)) {
            ps_row_unref(row);
            continue;
        }
        row->state = PS_ROW_STORED;
        ps_queue_forget_stored(queue, 1, row->bytes);
        place(queue, row, PS_PLACE_WAITING);
    }
    if (complete && !failed) {
        queue->disk_only = 0;
        queue->disk_bytes = 0;
        queue->has_boundary = false;
    }
    settle_all(queue, PS_PLACE_SPILLING); // those below the new boundary
    settle_all(queue, PS_PLACE_LIMBO);
}

void ps_queue_unspill(PsQueue *queue) {
    if (!queue->fetching && queue->disk_only == 0) {
        queue->has_boundary = false;
        settle_all(queue, PS_PLACE_SPILLING);
    }
}

void ps_queue_forget_stored(PsQueue *queue, uint64_t rows, uint64_t bytes) {
    queue->disk_only -= queue->disk_only > rows ? rows : queue->disk_only;
    queue->disk_bytes -= queue->disk_bytes > bytes ? bytes : queue->disk_bytes;
}

void ps_queue_sort(PsQueue *queue) {
    PS_ASSERT(!queue->fetching);
    for (size_t i = 0; i < PS_PLACE_COUNT; i++) {
        PsRowList old = queue->lists[i];
        queue->lists[i] = (PsRowList){0};
        for (PsRow *row = old.first; row != NULL;) {
            PsRow *next = row->next;
            list_insert(&queue->lists[i], row);
            row = next;
        }
    }
    if (queue->has_boundary) { // rows below it may be anywhere now
        queue->boundary = (PsRowKey){.collected_ns = INT64_MIN};
        settle_all(queue, PS_PLACE_WAITING);
    }
}

void ps_queue_attach(PsQueue *queue, uint64_t stored_rows, uint64_t stored_bytes) {
    PS_ASSERT(!queue->fetching);
    queue->disk_only = stored_rows;
    queue->disk_bytes = stored_bytes;
    queue->has_boundary = stored_rows > 0;
    queue->boundary = (PsRowKey){.collected_ns = INT64_MIN};
    settle_all(queue, stored_rows > 0 ? PS_PLACE_WAITING : PS_PLACE_SPILLING);
}

uint64_t ps_queue_total(const PsQueue *queue) {
    return queue->disk_only + ps_queue_memory_rows(queue);
}

uint64_t ps_queue_total_bytes(const PsQueue *queue) {
    return queue->disk_bytes + ps_queue_memory_bytes(queue);
}

size_t ps_queue_memory_rows(const PsQueue *queue) {
    size_t count = 0;
    for (size_t i = 0; i < PS_PLACE_COUNT; i++) {
        count += queue->lists[i].count;
    }
    return count;
}

size_t ps_queue_memory_bytes(const PsQueue *queue) {
    size_t bytes = 0;
    for (size_t i = 0; i < PS_PLACE_COUNT; i++) {
        bytes += queue->lists[i].bytes;
    }
    return bytes;
}
