// Due times and upload ticks on simulated time.
#include "collect/schedule.h"

#include "base/err.h"
#include "collect/upload_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS PS_NS_PER_MS

static PsMono at_ms(int64_t ms) {
    return (PsMono){1000 * PS_NS_PER_S + ms * MS};
}

static void cycles_never_drift(void **state) {
    (void)state;
    PsScheduleEntry entries[] = {{.interval_ns = 10 * MS}};
    PsSchedule schedule = {.base = at_ms(0), .entries = entries, .count = 1};
    uint32_t entry;
    uint64_t cycle;
    for (int64_t i = 0; i < 100000; i++) {
        // Always taken three milliseconds late, which must not add up.
        assert_int_equal(ps_schedule_next(&schedule).ns, at_ms(10 * i).ns);
        assert_false(ps_schedule_take(&schedule, at_ms(10 * i - 1), &entry, &cycle));
        assert_true(ps_schedule_take(&schedule, at_ms(10 * i + 3), &entry, &cycle));
        assert_int_equal(cycle, i);
    }
    assert_int_equal(entries[0].late, 0);
}

static void missed_cycles_are_counted_not_piled_up(void **state) {
    (void)state;
    PsScheduleEntry entries[] = {{.interval_ns = 100 * MS}};
    PsSchedule schedule = {.base = at_ms(0), .entries = entries, .count = 1};
    uint32_t entry;
    uint64_t cycle;
    assert_true(ps_schedule_take(&schedule, at_ms(0), &entry, &cycle));
    assert_true(ps_schedule_take(&schedule, at_ms(450), &entry, &cycle));
    assert_int_equal(cycle, 4);
    assert_int_equal(entries[0].late, 3);
    assert_false(ps_schedule_take(&schedule, at_ms(450), &entry, &cycle));
    assert_int_equal(ps_schedule_next(&schedule).ns, at_ms(500).ns);
}

static void the_longest_due_comes_first(void **state) {
    (void)state;
    PsScheduleEntry entries[] = {
        {.interval_ns = 300 * MS, .next_cycle = 1},
        {.interval_ns = 100 * MS, .next_cycle = 2},
    };
    PsSchedule schedule = {.base = at_ms(0), .entries = entries, .count = 2};
    uint32_t entry;
    uint64_t cycle;
    assert_true(ps_schedule_take(&schedule, at_ms(300), &entry, &cycle));
    assert_int_equal(entry, 1);
    assert_true(ps_schedule_take(&schedule, at_ms(300), &entry, &cycle));
    assert_int_equal(entry, 0);
    assert_int_equal(cycle, 1);
}

static void an_empty_schedule_never_comes_due(void **state) {
    (void)state;
    PsSchedule schedule = {.base = at_ms(0)};
    uint32_t entry;
    uint64_t cycle;
    assert_false(ps_schedule_take(&schedule, at_ms(1), &entry, &cycle));
    assert_int_equal(ps_schedule_next(&schedule).ns, INT64_MAX);
}

static PsUploadClock clock_of(int64_t polling_ms, int64_t upload_ms, uint32_t channels) {
    PsUploadClock clock;
    ps_upload_clock_init(&clock, polling_ms * MS, upload_ms * MS, 5000 * MS, channels);
    ps_upload_clock_start(&clock, at_ms(0), at_ms(0));
    return clock;
}

static void an_upload_waits_for_all_channels(void **state) {
    (void)state;
    PsUploadClock clock = clock_of(1000, 1000, 2);
    assert_false(ps_upload_clock_due(&clock, at_ms(1)));
    ps_upload_clock_report(&clock, 0, 0);
    assert_false(ps_upload_clock_due(&clock, at_ms(20)));
    ps_upload_clock_report(&clock, 1, 0);
    assert_true(ps_upload_clock_due(&clock, at_ms(30)));
    ps_upload_clock_done(&clock, at_ms(30));
    assert_false(ps_upload_clock_due(&clock, at_ms(31)));
    // Nothing to wake for before the reports of cycle 1 are overdue.
    assert_int_equal(ps_upload_clock_next(&clock, at_ms(31)).ns, at_ms(1500).ns);
    ps_upload_clock_deinit(&clock);
}

static void a_slow_channel_is_waited_for_half_an_interval(void **state) {
    (void)state;
    PsUploadClock clock = clock_of(1000, 1000, 2);
    ps_upload_clock_report(&clock, 0, 0);
    assert_false(ps_upload_clock_due(&clock, at_ms(499)));
    assert_true(ps_upload_clock_due(&clock, at_ms(500)));
    ps_upload_clock_deinit(&clock);
    clock = clock_of(60000, 60000, 2);
    ps_upload_clock_report(&clock, 0, 0);
    assert_false(ps_upload_clock_due(&clock, at_ms(999)));
    assert_true(ps_upload_clock_due(&clock, at_ms(1000)));
    ps_upload_clock_deinit(&clock);
}

static void without_any_news_it_waits_until_all_is_stale(void **state) {
    (void)state;
    PsUploadClock clock = clock_of(1000, 1000, 1);
    assert_false(ps_upload_clock_due(&clock, at_ms(4999)));
    assert_int_equal(ps_upload_clock_next(&clock, at_ms(600)).ns, at_ms(5000).ns);
    assert_true(ps_upload_clock_due(&clock, at_ms(5000)));
    ps_upload_clock_done(&clock, at_ms(5000));
    assert_int_equal(clock.tick, 6); // the ticks missed are skipped
    ps_upload_clock_deinit(&clock);
}

static void a_late_report_is_uploaded_at_once(void **state) {
    (void)state;
    PsUploadClock clock = clock_of(1000, 1000, 1);
    assert_false(ps_upload_clock_due(&clock, at_ms(1200)));
    ps_upload_clock_report(&clock, 0, 0);
    assert_true(ps_upload_clock_due(&clock, at_ms(1200)));
    ps_upload_clock_deinit(&clock);
}

static void uploads_are_never_more_frequent_than_polls(void **state) {
    (void)state;
    PsUploadClock clock = clock_of(1000, 100, 1);
    ps_upload_clock_report(&clock, 0, 0);
    ps_upload_clock_done(&clock, at_ms(10));
    assert_false(ps_upload_clock_due(&clock, at_ms(999)));
    ps_upload_clock_report(&clock, 0, 1);
    assert_true(ps_upload_clock_due(&clock, at_ms(1001)));
    ps_upload_clock_deinit(&clock);
}

static void a_slower_upload_takes_the_newest_cycle(void **state) {
    (void)state;
    PsUploadClock clock = clock_of(3000, 10000, 1);
    ps_upload_clock_report(&clock, 0, 0);
    ps_upload_clock_done(&clock, at_ms(10));
    for (uint64_t cycle = 1; cycle <= 3; cycle++) {
        ps_upload_clock_report(&clock, 0, cycle);
        assert_false(ps_upload_clock_due(&clock, at_ms((int64_t)cycle * 3000 + 10)));
    }
    // Cycle 3 (due at 9 s) is in, so the tick itself is what to wake for.
    assert_int_equal(ps_upload_clock_next(&clock, at_ms(9010)).ns, at_ms(10000).ns);
    assert_true(ps_upload_clock_due(&clock, at_ms(10000)));
    ps_upload_clock_deinit(&clock);
}

static void a_changed_configuration_keeps_the_ticks(void **state) {
    (void)state;
    PsUploadClock before = clock_of(1000, 1000, 2);
    ps_upload_clock_report(&before, 0, 4);
    ps_upload_clock_report(&before, 1, 4);
    ps_upload_clock_done(&before, at_ms(4010));
    PsUploadClock same = clock_of(1000, 1000, 2); // the second channel is another one now
    ps_upload_clock_follow(&same, &before, at_ms(4500));
    ps_upload_clock_carry(&same, 0, &before, 0);
    ps_upload_clock_report(&same, 0, 5);
    assert_int_equal(ps_upload_clock_next(&same, at_ms(5010)).ns, at_ms(5500).ns);
    ps_upload_clock_report(&same, 1, 5);
    assert_true(ps_upload_clock_due(&same, at_ms(5010)));
    PsUploadClock slower = clock_of(3000, 3000, 1);
    ps_upload_clock_follow(&slower, &before, at_ms(4500));
    ps_upload_clock_carry(&slower, 0, &before, 0); // other cycles: nothing is carried
    ps_upload_clock_report(&slower, 0, 1);
    assert_false(ps_upload_clock_due(&slower, at_ms(5999)));
    ps_upload_clock_report(&slower, 0, 2);
    assert_true(ps_upload_clock_due(&slower, at_ms(6000)));
    ps_upload_clock_deinit(&before);
    ps_upload_clock_deinit(&same);
    ps_upload_clock_deinit(&slower);
}

static void a_late_beginner_takes_the_newest_tick_first(void **state) {
    (void)state;
    PsUploadClock clock;
    ps_upload_clock_init(&clock, 1000 * MS, 1000 * MS, 5000 * MS, 1);
    ps_upload_clock_start(&clock, at_ms(0), at_ms(100500));
    ps_upload_clock_report(&clock, 0, 100);
    assert_true(ps_upload_clock_due(&clock, at_ms(100510)));
    ps_upload_clock_done(&clock, at_ms(100510));
    assert_int_equal(ps_upload_clock_next(&clock, at_ms(100520)).ns, at_ms(101500).ns);
    ps_upload_clock_deinit(&clock);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cycles_never_drift),
        cmocka_unit_test(missed_cycles_are_counted_not_piled_up),
        cmocka_unit_test(the_longest_due_comes_first),
        cmocka_unit_test(an_empty_schedule_never_comes_due),
        cmocka_unit_test(an_upload_waits_for_all_channels),
        cmocka_unit_test(a_slow_channel_is_waited_for_half_an_interval),
        cmocka_unit_test(without_any_news_it_waits_until_all_is_stale),
        cmocka_unit_test(a_late_report_is_uploaded_at_once),
        cmocka_unit_test(uploads_are_never_more_frequent_than_polls),
        cmocka_unit_test(a_slower_upload_takes_the_newest_cycle),
        cmocka_unit_test(a_changed_configuration_keeps_the_ticks),
        cmocka_unit_test(a_late_beginner_takes_the_newest_tick_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
