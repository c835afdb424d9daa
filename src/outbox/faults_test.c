// A disk that fails at each of its operations in turn, in every way: nothing that was accepted is
// lost when it works again, nothing comes twice, the books add up.
#include "outbox/outbox_test_rig.h"
#include "outbox/test_vfs.h"

#include "base/err.h"
#include "base/log.h"
#include "outbox/dead.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS 40
#define LETTERS 3

static TestFault fault; // for the messages of a failure
static long step;
static bool lasting;

#define expect(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fail_msg("%s; fault %s at %ld%s", #condition, test_vfs_fault_name(fault), step,        \
                     lasting ? " and behind" : "");                                                \
        }                                                                                          \
    } while (0)

static bool is_at_rest(Bench *bench) {
    PsOutboxStats stats = ps_outbox_stats(bench->outbox);
    return stats.store_failing || (stats.rows_stored >= ROWS / 2 && stats.memory_rows > 0);
}

static bool is_stored(Bench *bench) {
    return ps_outbox_stats(bench->outbox).rows_stored == ROWS;
}

static void put_letters(Bench *bench) {
    for (int i = 0; i < LETTERS; i++) {
        PsDeadLetter letter = {.collected = {i},
                               .died = {i},
                               .form = 1,
                               .reason = "KeyError",
                               .input = "input",
                               .input_len = 5};
        expect(ps_outbox_dead_put(bench->outbox, &letter) == PS_OK);
    }
}

// Takes up to `most` rows that may go at the moment and acknowledges them.
static int64_t take(Bench *bench, int64_t from, int64_t most) {
    int64_t next = from;
    const PsOutboxRow *row;
    while (next < from + most && (row = ps_outbox_next(bench->outbox, false)) != NULL) {
        expect(row->collected.ns == next * 1000);
        ps_outbox_acknowledged(bench->outbox, row->id);
        next++;
    }
    return next;
}

static void expect_all(Bench *bench, int64_t taken) {
    const PsLedger *book = ps_outbox_ledger(bench->outbox, 0);
    expect(!ps_outbox_stats(bench->outbox).store_failing);
    expect(ps_outbox_check(bench->outbox));
    expect(book->accepted == ROWS + LETTERS);
    expect(book->delivered == (uint64_t)taken);
    expect(book->waiting == (uint64_t)(ROWS - taken));
    expect(book->dead == LETTERS);
    while (taken < ROWS) {
        const PsOutboxRow *row = next_within(bench);
        expect(row != NULL && row->collected.ns == taken * 1000);
        ps_outbox_acknowledged(bench->outbox, row->id);
        taken++;
    }
    expect(next_within(bench) == NULL);
}

static Bench new_life(void) {
    Bench bench = {.setup = {.max_loss_s = 0,
                             .catch_recording = 100000,
                             .warning_recording = 2000,
                             .dead_max = 100,
                             .dead_max_bytes = 100000}};
    bench_folder(&bench);
    return bench;
}

// One life, with the fault while it opens, accepts, commits, fetches and acknowledges. The disk
// works again before the end; what is asked then is the next life. Returns the operations seen.
static long live_with_fault(void) {
    Bench bench = new_life();
    test_vfs_arm(fault, step, lasting);
    bench_open(&bench);
    accept_numbers(&bench, 0, ROWS / 2);
    put_letters(&bench);
    (void)run_until_ms(&bench, is_at_rest, 100);
    int64_t taken = take(&bench, 0, 10);
    accept_numbers(&bench, ROWS / 2, ROWS / 2);
    (void)run_until_ms(&bench, is_at_rest, 100);
    taken = take(&bench, taken, 5);
    long seen = test_vfs_clear();
    bench_reopen(&bench);
    expect_all(&bench, taken);
    bench_deinit(&bench);
    return seen;
}

// One life that ends, and the next that begins, with the fault. What was committed before is there.
static long end_and_begin_with_fault(void) {
    Bench bench = new_life();
    bench_open(&bench);
    put_letters(&bench);
    accept_numbers(&bench, 0, ROWS);
    expect(run_until_ms(&bench, is_stored, 5000));
    test_vfs_arm(fault, step, lasting);
    bench_close(&bench);
    bench_open(&bench);
    (void)run_until_ms(&bench, is_at_rest, 20);
    long seen = test_vfs_clear();
    bench_reopen(&bench);
    expect_all(&bench, 0);
    bench_deinit(&bench);
    return seen;
}

static bool is_sound(Bench *bench) {
    return !ps_outbox_stats(bench->outbox).store_failing;
}

// The database holds a backlog and cannot be opened; what comes meanwhile is sent from memory. When
// it can, both are one, in order.
static void a_database_that_comes_late_is_merged(void **state) {
    Bench bench;
    bench_init(&bench, 0);
    bench.setup.dead_max = 100;
    bench.setup.dead_max_bytes = 100000;
    bench_reopen(&bench);
    put_letters(&bench);
    accept_numbers(&bench, 0, 1500);
    bench_reopen(&bench);
    expect_numbers(&bench, 0, 5);
    bench_close(&bench);
    test_vfs_arm(TEST_FAULT_OPEN, 1, true);
    bench_open(&bench);
    assert_false(is_sound(&bench));
    expect_books(&bench, 0, 0, 0);
    accept_numbers(&bench, 1500, 100);
    expect_numbers(&bench, 1500, 10); // at once, though max_loss_s is 0
    put_letters(&bench);
    expect_books(&bench, 100 + LETTERS, 10, 90);
    assert_false(run_until_ms(&bench, is_sound, 1500)); // it has tried again meanwhile
    assert_true(test_vfs_clear() > 2);
    assert_true(run_until_ms(&bench, is_sound, 15000));
    expect_books(&bench, 1600 + 2 * LETTERS, 15, 1585);
    expect_numbers(&bench, 5, 700);
    bench_reopen(&bench);
    expect_books(&bench, 1600 + 2 * LETTERS, 715, 885);
    assert_int_equal(ps_outbox_ledger(bench.outbox, 0)->dead, 2 * LETTERS);
    expect_numbers(&bench, 705, 795);
    expect_numbers(&bench, 1510, 90);
    bench_deinit(&bench);
}

static bool has_said(const char *id) {
    static char lines[1024 * 1024]; // more than the log keeps
    (void)ps_log_copy(0, lines, sizeof lines);
    return strstr(lines, id) != NULL;
}

static bool has_said_slow(Bench *bench) {
    return has_said("OUTBOX-SLOW:");
}

static bool has_said_end(Bench *bench) {
    return has_said("OUTBOX-SLOW-END:");
}

// Who looks for the reason why nothing moves finds it.
static void a_disk_that_does_not_answer_is_told(void **state) {
    Bench bench;
    bench_init(&bench, 0);
    test_vfs_hold(true);
    accept_numbers(&bench, 0, 10);
    bool said = run_until_ms(&bench, has_said_slow, 10000);
    const PsOutboxRow *next = ps_outbox_next(bench.outbox, false);
    test_vfs_hold(false);
    assert_true(said && next == NULL);
    assert_false(has_said_end(&bench));
    expect_numbers(&bench, 0, 10);
    accept_numbers(&bench, 10, 1); // written in no time
    assert_true(run_until_ms(&bench, has_said_end, 5000));
    bench_deinit(&bench);
}

static void fail_at_each(long (*life)(void)) {
    for (int kind = 0; kind < TEST_FAULT_COUNT; kind++) {
        for (int lasts = 0; lasts <= 1; lasts++) {
            fault = (TestFault)kind;
            lasting = lasts == 1;
            step = 1;
            while (step < 1000 && life() >= step) { // until a life has fewer operations
                step++;
            }
            print_message("%s%s: %ld operations\n", test_vfs_fault_name(fault),
                          lasting ? " and all behind" : "", step - 1);
            assert_true(step > 2); // there were such operations
        }
    }
}

static void faults_at_work(void **state) {
    fail_at_each(live_with_fault);
}

static void faults_at_the_end_and_the_beginning(void **state) {
    fail_at_each(end_and_begin_with_fault);
}

int main(void) {
    ps_log_set_fd(-1);
    test_vfs_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_at_work),
        cmocka_unit_test(faults_at_the_end_and_the_beginning),
        cmocka_unit_test(a_disk_that_does_not_answer_is_told),
        cmocka_unit_test(a_database_that_comes_late_is_merged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
