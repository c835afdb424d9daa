// Which samples a group with `every_sample` makes of what its channels report, on simulated time.
#include "collect/sampling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS PS_NS_PER_MS
#define WALL (1700000000 * PS_NS_PER_S)

static PsMono at_ms(int64_t ms) {
    return (PsMono){1000 * PS_NS_PER_S + ms * MS};
}

static PsWall wall_ms(int64_t ms) {
    return (PsWall){WALL + ms * MS};
}

// Every 100 ms, values are good for a second.
static PsSampling sampling_of(uint32_t channels) {
    PsSampling sampling;
    ps_sampling_init(&sampling, 100 * MS, 1000 * MS, channels);
    ps_sampling_start(&sampling, at_ms(0), at_ms(0));
    return sampling;
}

static void report(PsSampling *sampling, uint32_t slot, uint64_t cycle, int64_t read_ms) {
    ps_sampling_report(sampling, slot, cycle, true, at_ms(read_ms), wall_ms(read_ms));
}

static void expect_sample(PsSampling *sampling, int64_t now_ms, int64_t stamp_ms) {
    assert_true(ps_sampling_due(sampling, at_ms(now_ms)));
    PsWall stamp = ps_sampling_done(sampling, at_ms(now_ms), wall_ms(now_ms));
    assert_int_equal(stamp.ns, wall_ms(stamp_ms).ns);
}

static void each_cycle_makes_one_sample(void **state) {
    (void)state;
    PsSampling sampling = sampling_of(1);
    for (uint64_t cycle = 0; cycle < 50; cycle++) {
        int64_t now = (int64_t)cycle * 100 + 3;
        assert_false(ps_sampling_due(&sampling, at_ms(now)));
        report(&sampling, 0, cycle, now);
        expect_sample(&sampling, now, now);
        assert_false(ps_sampling_pending(&sampling));
    }
    ps_sampling_deinit(&sampling);
}

// All of a second's reports come in one turn of the loop, long after they were read.
static void a_late_main_thread_passes_over_nothing(void **state) {
    (void)state;
    PsSampling sampling = sampling_of(1);
    for (uint64_t cycle = 0; cycle < 9; cycle++) {
        assert_false(ps_sampling_is_ahead(&sampling, 0));
        report(&sampling, 0, cycle, (int64_t)cycle * 100 + 2);
        assert_int_equal(ps_sampling_read(&sampling, at_ms(900)).ns,
                         at_ms((int64_t)cycle * 100 + 2).ns);
        expect_sample(&sampling, 900, (int64_t)cycle * 100 + 2);
    }
    ps_sampling_deinit(&sampling);
}

static void a_sample_waits_for_all_channels(void **state) {
    (void)state;
    PsSampling sampling = sampling_of(2);
    report(&sampling, 0, 0, 1);
    assert_false(ps_sampling_due(&sampling, at_ms(1)));
    assert_int_equal(ps_sampling_next(&sampling, at_ms(1)).ns, at_ms(50).ns);
    report(&sampling, 1, 0, 20);
    expect_sample(&sampling, 20, 20);
    report(&sampling, 1, 1, 101); // the other one is silent: half an interval
    assert_false(ps_sampling_due(&sampling, at_ms(149)));
    expect_sample(&sampling, 150, 101);
    ps_sampling_deinit(&sampling);
}

// The values of a report that came too late for its sample are in the next one, or in one of their
// own before they are replaced.
static void what_came_late_is_not_replaced_unsampled(void **state) {
    (void)state;
    PsSampling sampling = sampling_of(2);
    report(&sampling, 0, 0, 1);
    expect_sample(&sampling, 50, 1);
    report(&sampling, 1, 0, 80);
    assert_false(ps_sampling_due(&sampling, at_ms(80)));
    report(&sampling, 0, 1, 101);
    assert_true(ps_sampling_is_ahead(&sampling, 1));
    PsWall stamp =
        ps_sampling_done(&sampling, at_ms(110), wall_ms(110)); // before the next is applied
    assert_int_equal(stamp.ns, wall_ms(101).ns);
    assert_false(ps_sampling_is_ahead(&sampling, 0));
    report(&sampling, 1, 1, 110);
    expect_sample(&sampling, 110, 110); // and the cycle is complete: in step again
    report(&sampling, 0, 2, 201);
    report(&sampling, 1, 2, 202);
    expect_sample(&sampling, 202, 202);
    ps_sampling_deinit(&sampling);
}

static void skipped_cycles_are_not_waited_for(void **state) {
    (void)state;
    PsSampling sampling = sampling_of(1);
    report(&sampling, 0, 0, 350); // the device took that long
    expect_sample(&sampling, 350, 350);
    report(&sampling, 0, 4, 750);
    expect_sample(&sampling, 750, 750);
    assert_false(ps_sampling_due(&sampling, at_ms(760)));
    ps_sampling_deinit(&sampling);
}

static void silence_makes_one_sample_that_says_so(void **state) {
    (void)state;
    PsSampling sampling = sampling_of(1);
    report(&sampling, 0, 0, 1);
    expect_sample(&sampling, 1, 1);
    assert_false(ps_sampling_due(&sampling, at_ms(1099)));
    expect_sample(&sampling, 1100, 1100);
    assert_false(ps_sampling_due(&sampling, at_ms(1150)));
    ps_sampling_deinit(&sampling);
}

static void two_samples_never_bear_the_same_time(void **state) {
    (void)state;
    PsSampling sampling = sampling_of(2);
    report(&sampling, 0, 0, 49);
    expect_sample(&sampling, 50, 49);
    report(&sampling, 1, 0, 48); // read before, reported after
    PsWall stamp = ps_sampling_done(&sampling, at_ms(60), wall_ms(60));
    assert_int_equal(stamp.ns, wall_ms(50).ns);
    // A clock that was set back by an hour tells the time that it is.
    ps_sampling_report(&sampling, 0, 1, true, at_ms(101), wall_ms(101 - 3600000));
    ps_sampling_report(&sampling, 1, 1, true, at_ms(102), wall_ms(102 - 3600000));
    expect_sample(&sampling, 102, 102 - 3600000);
    ps_sampling_deinit(&sampling);
}

static void another_configuration_goes_on_where_it_was(void **state) {
    (void)state;
    PsSampling before = sampling_of(2);
    report(&before, 0, 0, 1);
    report(&before, 1, 0, 2);
    expect_sample(&before, 2, 2);
    report(&before, 1, 1, 101); // in no sample yet
    PsSampling after;
    ps_sampling_init(&after, 100 * MS, 1000 * MS, 1); // channel 0 is gone
    ps_sampling_start(&after, at_ms(0), at_ms(110));
    ps_sampling_follow(&after, &before, at_ms(110));
    ps_sampling_carry(&after, 0, &before, 1);
    expect_sample(&after, 110, 101);
    assert_false(ps_sampling_due(&after, at_ms(200)));
    report(&after, 0, 2, 201);
    expect_sample(&after, 201, 201);

    PsSampling slower;
    ps_sampling_init(&slower, 300 * MS, 1000 * MS, 1);
    ps_sampling_start(&slower, at_ms(0), at_ms(210));
    ps_sampling_follow(&slower, &after, at_ms(210));
    ps_sampling_carry(&slower, 0, &after, 0);
    // A cycle of the former interval, still under way, is a sample of its own.
    ps_sampling_report(&slower, 0, 2, false, at_ms(205), wall_ms(205));
    assert_true(ps_sampling_is_ahead(&slower, 0));
    assert_int_equal(ps_sampling_done(&slower, at_ms(301), wall_ms(301)).ns, wall_ms(205).ns);
    report(&slower, 0, 1, 301);
    expect_sample(&slower, 301, 301);
    ps_sampling_deinit(&before);
    ps_sampling_deinit(&after);
    ps_sampling_deinit(&slower);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cycle_makes_one_sample),
        cmocka_unit_test(a_late_main_thread_passes_over_nothing),
        cmocka_unit_test(a_sample_waits_for_all_channels),
        cmocka_unit_test(what_came_late_is_not_replaced_unsampled),
        cmocka_unit_test(skipped_cycles_are_not_waited_for),
        cmocka_unit_test(silence_makes_one_sample_that_says_so),
        cmocka_unit_test(two_samples_never_bear_the_same_time),
        cmocka_unit_test(another_configuration_goes_on_where_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
