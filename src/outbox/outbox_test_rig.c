// The fixture of the outbox's unit tests. Test code; one thread besides the store's own.
#include "outbox/outbox_test_rig.h"

#include "base/err.h"
#include "outbox/dead.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const names[RIG_NAMES] = {"data", "alarms", "more"};

static void on_ready(void *ctx) {
    Bench *bench = ctx;
    bench->ready++;
    if (bench->watch != NULL) {
        bench->watch(bench);
    }
}

static void on_timer(uv_timer_t *timer) {
    ((Bench *)timer->data)->timed_out = true;
}

void bench_open(Bench *bench) {
    uv_loop_init(&bench->loop);
    uv_timer_init(&bench->loop, &bench->timer);
    bench->timer.data = bench;
    bench->setup.loop = &bench->loop;
    bench->setup.folder = bench->folder;
    if (bench->setup.names == NULL) {
        bench->setup.names = names;
        bench->setup.name_count = PS_COUNT(names);
        bench->setup.rules = bench->rules;
        bench->rules[RIG_ALARMS].class = PS_OUTBOX_ALARM;
    }
    bench->setup.on_ready = on_ready;
    bench->setup.ctx = bench;
    PsDiag diag = {0};
    if (ps_outbox_open(&bench->setup, &bench->outbox, &diag) != PS_OK) {
        print_error("%s\n", diag.text);
        fail();
    }
}

void bench_folder(Bench *bench) {
    snprintf(bench->folder, sizeof bench->folder, "/tmp/ps-outbox-test-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
}

void bench_init(Bench *bench, int max_loss_s) {
    *bench = (Bench){.setup = {.max_loss_s = max_loss_s,
                               .catch_recording = 100000,
                               .warning_recording = 2000,
                               .dead_max = 1000,
                               .dead_max_bytes = 1000000,
                               .limits = {131072, 256, 7}}};
    bench_folder(bench);
    bench_open(bench);
}

void bench_close(Bench *bench) {
    ps_outbox_close(bench->outbox);
    uv_close((uv_handle_t *)&bench->timer, NULL);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&bench->loop), 0);
}

void bench_reopen(Bench *bench) {
    bench_close(bench);
    bench_open(bench);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where) {
    return remove(path);
}

void bench_deinit(Bench *bench) {
    bench_close(bench);
    assert_int_equal(nftw(bench->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

bool run_until_ms(Bench *bench, Condition *reached, uint64_t ms) {
    bench->timed_out = false;
    // Repeating: UV_RUN_ONCE runs timers before it waits, and would then wait for ever.
    uv_timer_start(&bench->timer, on_timer, ms, 10);
    while (!reached(bench) && !bench->timed_out) {
        uv_run(&bench->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&bench->timer);
    return reached(bench);
}

bool never(Bench *bench) {
    return false;
}

void accept_one(Bench *bench, size_t message, int64_t collected, const char *payload) {
    PsOutboxMessage content = {.message = message,
                               .collected = {collected},
                               .topic = "plant/data",
                               .qos = 1,
                               .payload = payload,
                               .len = strlen(payload)};
    PsDiag diag = {0};
    assert_int_equal(ps_outbox_accept(bench->outbox, &content, &diag), PS_OK);
}

void accept_numbers(Bench *bench, int64_t first, int64_t count) {
    for (int64_t i = first; i < first + count; i++) {
        char text[32];
        snprintf(text, sizeof text, "%lld", (long long)i);
        accept_one(bench, 0, i * 1000, text);
    }
}

const PsOutboxRow *next_within(Bench *bench) {
    for (int tries = 0; tries < 200; tries++) {
        const PsOutboxRow *row = ps_outbox_next(bench->outbox, false);
        if (row != NULL || ps_outbox_stats(bench->outbox).waiting == 0) {
            return row;
        }
        run_until_ms(bench, never, 10);
    }
    return NULL;
}

void expect_numbers(Bench *bench, int64_t first, int64_t count) {
    for (int64_t i = first; i < first + count; i++) {
        const PsOutboxRow *row = next_within(bench);
        assert_non_null(row);
        assert_true(row->collected.ns == i * 1000);
        char text[32];
        snprintf(text, sizeof text, "%lld", (long long)i);
        assert_int_equal(row->len, strlen(text));
        assert_memory_equal(row->payload, text, row->len);
        ps_outbox_acknowledged(bench->outbox, row->id);
    }
}

void expect_books(Bench *bench, uint64_t accepted, uint64_t delivered, uint64_t waiting) {
    const PsLedger *book = ps_outbox_ledger(bench->outbox, 0);
    assert_string_equal(book->name, "data");
    assert_true(ps_outbox_check(bench->outbox));
    assert_true(book->accepted == accepted);
    assert_true(book->delivered == delivered);
    assert_true(book->waiting == waiting);
}

const PsLedger *bench_book(const Bench *bench, const char *name) {
    for (size_t i = 0; i < ps_outbox_ledger_count(bench->outbox); i++) {
        const PsLedger *book = ps_outbox_ledger(bench->outbox, i);
        if (strcmp(book->name, name) == 0) {
            return book;
        }
    }
    return NULL;
}

void bench_put_letter(Bench *bench, size_t message) {
    PsDeadLetter letter = {
        .message = message, .form = 1, .reason = "KeyError", .input = "x", .input_len = 1};
    assert_int_equal(ps_outbox_dead_put(bench->outbox, &letter), PS_OK);
}
