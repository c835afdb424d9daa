// The boundary between memory and database, against a model that knows every row.
#include "outbox/queue.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static PsRow *make_row(uint64_t id, int64_t collected) {
    PsOutboxRow content = {
        .id = id, .collected = {collected}, .topic = "t", .payload = "1234", .len = 4};
    PsRow *row = ps_row_new(&content);
    assert_non_null(row);
    return row;
}

static void keeps_order_of_collection(void **state) {
    PsQueue queue;
    ps_queue_init(&queue, 0, 0);
    const int64_t times[] = {5, 3, 9, 3, 1};
    for (uint64_t i = 0; i < PS_COUNT(times); i++) {
        ps_queue_put(&queue, make_row(i + 1, times[i]));
    }
    const uint64_t expected[] = {5, 2, 4, 1, 3};
    for (size_t i = 0; i < PS_COUNT(expected); i++) {
        PsRow *row = ps_queue_head(&queue);
        assert_true(row->pub.id == expected[i]);
        ps_queue_mark_in_flight(&queue, row);
    }
    assert_null(ps_queue_head(&queue));
    ps_queue_link_lost(&queue);
    assert_true(ps_queue_head(&queue)->pub.id == 5);
    assert_true(ps_queue_total(&queue) == 5);
    ps_queue_deinit(&queue);
}

static void stored_rows_beyond_the_boundary_leave_memory(void **state) {
    PsQueue queue;
    ps_queue_init(&queue, 0, 0);
    PsRow *rows[4];
    for (uint64_t i = 0; i < 4; i++) {
        rows[i] = make_row(i + 1, (int64_t)i);
        ps_queue_put(&queue, rows[i]);
    }
    ps_queue_stored(&queue, rows[3]);
    assert_true(ps_queue_trim(&queue, 2, SIZE_MAX)); // row 3 must be stored first
    assert_int_equal(queue.disk_only, 1);
    assert_int_equal(queue.lists[PS_PLACE_SPILLING].count, 1);
    ps_queue_stored(&queue, rows[2]);
    assert_int_equal(queue.disk_only, 2);
    assert_int_equal(ps_queue_memory_rows(&queue), 2);
    assert_true(ps_queue_total(&queue) == 4);
    ps_queue_put(&queue, make_row(9, 0)); // older than the boundary: stays in memory
    assert_int_equal(queue.lists[PS_PLACE_WAITING].count, 3);
    ps_queue_deinit(&queue);
}

// ---- a random walk with a pretended database

#define ROWS 4000

typedef struct Model {
    PsQueue queue;
    PsRow *fresh[ROWS]; // by id, in memory and not stored
    bool on_disk[ROWS + 1];
    int64_t collected[ROWS + 1];
    bool alive[ROWS + 1];
    uint64_t next_id;
    unsigned seed;
    bool fetching;
    PsRowKey from;
    uint64_t in_flight[100];
    size_t in_flight_count;
    size_t sent;
} Model;

static unsigned pick(Model *model, unsigned below) {
    model->seed = model->seed * 1103515245U + 12345U;
    return (model->seed >> 16) % below;
}

static void model_put(Model *model) {
    if (model->next_id > ROWS) {
        return;
    }
    uint64_t id = model->next_id++;
    int64_t late = pick(model, 10) == 0 ? (int64_t)pick(model, 300) : 0;
    model->collected[id] = (int64_t)id * 2 - late;
    model->alive[id] = true;
    model->fresh[id - 1] = make_row(id, model->collected[id]);
    ps_queue_put(&model->queue, ps_row_ref(model->fresh[id - 1]));
}

// What the outbox does before each fetch and now and then: everything fresh is committed.
static void model_store(Model *model) {
    for (uint64_t id = 1; id < model->next_id; id++) {
        PsRow *row = model->fresh[id - 1];
        if (row == NULL) {
            continue;
        }
        if (model->alive[id]) {
            model->on_disk[id] = true;
            ps_queue_stored(&model->queue, row);
        }
        ps_row_unref(row);
        model->fresh[id - 1] = NULL;
    }
}

static bool is_oldest(Model *model, const PsRow *row) {
    for (uint64_t id = 1; id < model->next_id; id++) {
        bool flying = false;
        for (size_t i = 0; i < model->in_flight_count; i++) {
            flying = flying || model->in_flight[i] == id;
        }
        PsRowKey key = {model->collected[id], id};
        if (model->alive[id] && !flying && ps_row_key_compare(key, ps_row_key(row)) < 0) {
            return false;
        }
    }
    return true;
}

static void model_send(Model *model) {
    PsRow *row = ps_queue_head(&model->queue);
    if (row == NULL || model->in_flight_count == PS_COUNT(model->in_flight)) {
        return;
    }
    assert_true(model->alive[row->pub.id]);
    assert_true(is_oldest(model, row));
    ps_queue_mark_in_flight(&model->queue, row);
    model->in_flight[model->in_flight_count++] = row->pub.id;
}

static void model_acknowledge(Model *model) {
    if (model->in_flight_count == 0) {
        return;
    }
    size_t index = pick(model, (unsigned)model->in_flight_count);
    uint64_t id = model->in_flight[index];
    model->in_flight[index] = model->in_flight[--model->in_flight_count];
    PsRow *row = ps_queue_find_in_flight(&model->queue, id);
    assert_non_null(row);
    ps_queue_take(&model->queue, row);
    ps_row_unref(row);
    model->alive[id] = false;
    model->on_disk[id] = false;
    model->sent++;
}

static void model_fetch_begin(Model *model) {
    if (!model->fetching && ps_queue_wants_fetch(&model->queue, 20)) {
        model_store(model);
        if (model->queue.has_boundary) {
            model->from = ps_queue_fetch_begin(&model->queue);
            model->fetching = true;
        }
    }
}

static int by_key(const void *a, const void *b) {
    return ps_row_key_compare(ps_row_key(*(PsRow *const *)a), ps_row_key(*(PsRow *const *)b));
}

static void model_fetch_end(Model *model) {
    if (!model->fetching) {
        return;
    }
    model->fetching = false;
    PS_AUTO_FREE PsRow **rows = ps_alloc_array(ROWS, sizeof(PsRow *));
    size_t found = 0;
    for (uint64_t id = 1; id < model->next_id; id++) {
        PsRowKey key = {model->collected[id], id};
        if (model->on_disk[id] && ps_row_key_compare(key, model->from) >= 0) {
            rows[found++] = make_row(id, model->collected[id]);
        }
    }
    qsort(rows, found, sizeof(PsRow *), by_key);
    size_t kept = found < 40 ? found : 40;
    for (size_t i = kept; i < found; i++) {
        ps_row_unref(rows[i]);
    }
    bool failed = pick(model, 8) == 0;
    for (size_t i = 0; failed && i < kept; i++) {
        ps_row_unref(rows[i]);
    }
    ps_queue_fetch_end(&model->queue, rows, failed ? 0 : kept, kept == found, failed);
}

static void model_lose(Model *model) {
    ps_queue_link_lost(&model->queue);
    model->in_flight_count = 0;
}

static void model_check(Model *model) {
    uint64_t alive = 0;
    for (uint64_t id = 1; id < model->next_id; id++) {
        alive += model->alive[id] ? 1 : 0;
    }
    assert_true(ps_queue_total(&model->queue) == alive);
}

static void walk(unsigned seed, unsigned send_weight) {
    Model *model = ps_alloc(sizeof *model);
    model->seed = seed;
    model->next_id = 1;
    ps_queue_init(&model->queue, 0, 0);
    for (size_t step = 0; step < 20000; step++) {
        unsigned dice = pick(model, 100);
        if (dice < 30) {
            model_put(model);
            ps_queue_trim(&model->queue, 60, SIZE_MAX);
        } else if (dice < 30 + send_weight) {
            model_send(model);
        } else if (dice < 30 + 2 * send_weight) {
            model_acknowledge(model);
        } else if (dice < 92) {
            model_fetch_begin(model);
        } else if (dice < 96) {
            model_fetch_end(model);
        } else if (dice < 98) {
            model_store(model);
        } else if (dice == 98) {
            model_lose(model);
            ps_queue_trim(&model->queue, 60, SIZE_MAX);
        }
        if (step % 64 == 0) {
            model_check(model);
        }
    }
    model_store(model);
    for (size_t rest = 0; ps_queue_total(&model->queue) > 0 && rest < 50000; rest++) {
        model_fetch_end(model);
        model_send(model);
        model_acknowledge(model);
        model_fetch_begin(model);
    }
    model_check(model);
    assert_true(ps_queue_total(&model->queue) == 0);
    assert_true(model->sent == model->next_id - 1); // each exactly once
    ps_queue_deinit(&model->queue);
    free(model);
}

static void random_walks_lose_and_repeat_nothing(void **state) {
    for (unsigned seed = 1; seed <= 6; seed++) {
        walk(seed, 20 + seed);
        walk(seed + 100, 5);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_order_of_collection),
        cmocka_unit_test(stored_rows_beyond_the_boundary_leave_memory),
        cmocka_unit_test(random_walks_lose_and_repeat_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
