// Rows collected before the clock was set: in order, and corrected when it is.
#include "outbox/outbox_test_rig.h"

#include "base/err.h"
#include "base/log.h"
#include "outbox/dead.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S(seconds) ((int64_t)(seconds) * PS_NS_PER_S)
#define TODAY INT64_C(1800000000) // in 2027

typedef struct Clock {
    int64_t wall_s;
    int64_t boot_s;
    PsOutboxClock clock;
} Clock;

static PsWall read_wall(void *ctx) {
    return (PsWall){S(((Clock *)ctx)->wall_s)};
}

static PsMono read_boot(void *ctx) {
    return (PsMono){S(((Clock *)ctx)->boot_s)};
}

static void go_on(Clock *clock, int64_t seconds) {
    clock->wall_s += seconds;
    clock->boot_s += seconds;
}

static void boot(Clock *clock, const char *id, int64_t wall_s) {
    clock->boot_s = 10;
    clock->wall_s = wall_s;
    clock->clock = (PsOutboxClock){read_wall, read_boot, id, clock};
}

static void open_with(Bench *bench, Clock *clock) {
    *bench = (Bench){.setup = {.max_loss_s = 0,
                               .catch_recording = 100000,
                               .warning_recording = 2000,
                               .dead_max = 100,
                               .dead_max_bytes = 100000,
                               .clock = &clock->clock}};
    bench->rules[RIG_ALARMS].class = PS_OUTBOX_ALARM;
    bench_folder(bench);
    bench_open(bench);
}

// `count` messages, a second apart, stamped by the clock as it is.
static void collect(Bench *bench, Clock *clock, int count) {
    for (int i = 0; i < count; i++) {
        accept_one(bench, RIG_DATA, S(clock->wall_s), "value");
        go_on(clock, 1);
    }
}

static void expect_stamps(Bench *bench, int64_t first_s, int count) {
    for (int i = 0; i < count; i++) {
        const PsOutboxRow *row = next_within(bench);
        assert_non_null(row);
        if (row->collected.ns != S(first_s + i)) {
            fail_msg("row %d has %lld s, not %lld", i, (long long)(row->collected.ns / S(1)),
                     (long long)first_s + i);
        }
        ps_outbox_acknowledged(bench->outbox, row->id);
    }
}

// Until nothing is under way.
static void settle(Bench *bench) {
    assert_false(run_until_ms(bench, never, 60));
}

static void stamps_in_memory_and_on_disk_move_once(void **state) {
    static const int counts[] = {5, 2500}; // all in memory; most in the database only
    for (size_t i = 0; i < PS_COUNT(counts); i++) {
        Clock clock;
        Bench bench;
        boot(&clock, "one", 100); // in 1970
        open_with(&bench, &clock);
        collect(&bench, &clock, counts[i]);
        settle(&bench);
        collect(&bench, &clock, 3); // not stored when the clock is set
        clock.wall_s = TODAY;
        collect(&bench, &clock, 4);
        // Collected before, handed in behind: a script was slow.
        accept_one(&bench, RIG_DATA, S(100), "late");
        settle(&bench);
        int64_t first = TODAY - counts[i] - 3;
        assert_true(ps_outbox_check(bench.outbox));
        bench_reopen(&bench);
        expect_stamps(&bench, first, 1);
        expect_stamps(&bench, first, 1); // the late one
        expect_stamps(&bench, first + 1, counts[i] + 2);
        expect_stamps(&bench, TODAY, 4);
        assert_null(next_within(&bench));
        collect(&bench, &clock, 1);
        expect_stamps(&bench, clock.wall_s - 1, 1);
        bench_deinit(&bench);
    }
}

static void a_backlog_of_better_times_goes_first_again(void **state) {
    Clock clock;
    Bench bench;
    boot(&clock, "one", TODAY - 5000);
    open_with(&bench, &clock);
    collect(&bench, &clock, 1500);
    bench_close(&bench);
    boot(&clock, "two", 50);
    bench_open(&bench);
    collect(&bench, &clock, 10);
    settle(&bench);
    expect_stamps(&bench, 50, 2); // nobody knows better yet
    clock.wall_s = TODAY;
    collect(&bench, &clock, 1);
    settle(&bench);
    expect_stamps(&bench, TODAY - 5000, 1500);
    expect_stamps(&bench, TODAY - 8, 8);
    expect_stamps(&bench, TODAY, 1);
    bench_deinit(&bench);
}

static void the_clock_is_set_while_the_gateway_is_down(void **state) {
    Clock clock;
    Bench bench;
    boot(&clock, "one", 100);
    open_with(&bench, &clock);
    collect(&bench, &clock, 20);
    bench_reopen(&bench); // the same boot
    collect(&bench, &clock, 20);
    bench_close(&bench);
    go_on(&clock, 1000);
    clock.wall_s = TODAY;
    bench_open(&bench);
    settle(&bench);
    expect_stamps(&bench, TODAY - 1040, 40);
    bench_deinit(&bench);
}

// What an earlier boot collected never gets a right time; it stays in order, and first.
static void earlier_boots_without_a_clock_go_first(void **state) {
    Clock clock;
    Bench bench;
    boot(&clock, "one", 1000);
    open_with(&bench, &clock);
    collect(&bench, &clock, 10);
    bench_close(&bench);
    boot(&clock, "two", 500); // which shows an earlier time than the boot before
    bench_open(&bench);
    collect(&bench, &clock, 10);
    settle(&bench);
    bench_close(&bench);
    boot(&clock, "three", 505);
    bench_open(&bench);
    collect(&bench, &clock, 10);
    clock.wall_s = TODAY;
    collect(&bench, &clock, 1);
    settle(&bench);
    int64_t last = INT64_MIN;
    uint64_t last_id = 0;
    for (int i = 0; i < 31; i++) {
        const PsOutboxRow *row = next_within(&bench);
        assert_non_null(row);
        assert_true(row->collected.ns > last && row->id > last_id);
        last = row->collected.ns;
        last_id = row->id;
        assert_true((row->collected.ns > S(TODAY) - S(100)) == (i >= 20));
        ps_outbox_acknowledged(bench.outbox, row->id);
    }
    assert_true(last == S(TODAY));
    bench_deinit(&bench);
}

static void a_clock_that_lagged_for_days_is_corrected_and_small_steps_are_not(void **state) {
    Clock clock;
    Bench bench;
    boot(&clock, "one", TODAY - 10 * 86400);
    open_with(&bench, &clock);
    collect(&bench, &clock, 3);
    clock.wall_s += 600;
    collect(&bench, &clock, 3);
    settle(&bench);
    clock.wall_s += 9 * 86400;
    collect(&bench, &clock, 1);
    settle(&bench);
    expect_stamps(&bench, TODAY - 86400, 3);
    expect_stamps(&bench, TODAY - 86400 + 603, 4);
    bench_deinit(&bench);
}

static int64_t letter_collected;

static void on_letter(PsErr result, const PsDeadLetter *letters, size_t count, void *ctx) {
    assert_int_equal(result, PS_OK);
    assert_int_equal(count, 1);
    letter_collected = letters[0].collected.ns;
}

static bool has_letter(Bench *bench) {
    return letter_collected != 0;
}

static void dead_letters_move_with_them(void **state) {
    Clock clock;
    Bench bench;
    boot(&clock, "one", 100);
    open_with(&bench, &clock);
    PsDeadLetter letter = {.collected = {S(100)},
                           .died = {S(100)},
                           .form = 1,
                           .reason = "E",
                           .input = "i",
                           .input_len = 1};
    assert_int_equal(ps_outbox_dead_put(bench.outbox, &letter), PS_OK);
    bench_reopen(&bench);
    go_on(&clock, 50);
    clock.wall_s = TODAY;
    collect(&bench, &clock, 1);
    settle(&bench);
    letter_collected = 0;
    ps_outbox_dead_fetch(
        bench.outbox,
        &(PsDeadQuery){.message = PS_DEAD_ANY, .after_collected = {INT64_MIN}, .limit = 10},
        on_letter, &bench);
    assert_true(run_until_ms(&bench, has_letter, 5000));
    assert_true(letter_collected == S(TODAY - 50));
    bench_deinit(&bench);
}

int main(void) {
    ps_log_set_fd(-1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stamps_in_memory_and_on_disk_move_once),
        cmocka_unit_test(a_backlog_of_better_times_goes_first_again),
        cmocka_unit_test(the_clock_is_set_while_the_gateway_is_down),
        cmocka_unit_test(earlier_boots_without_a_clock_go_first),
        cmocka_unit_test(a_clock_that_lagged_for_days_is_corrected_and_small_steps_are_not),
        cmocka_unit_test(dead_letters_move_with_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
