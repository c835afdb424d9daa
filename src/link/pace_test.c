// Rates and window on simulated time.
#include "link/pace.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define MS(n) ((n) * PS_NS_PER_MS)

static const PsMono begin = {1000 * PS_NS_PER_S};

static PsMono at_ms(int64_t ms) {
    return ps_mono_add_ns(begin, MS(ms));
}

// Sends whenever it may, as the delivery does: it waits until ps_pace_next.
static size_t send_for_ms(PsPace *pace, size_t bytes, int64_t from_ms, int64_t ms,
                          size_t *ret_busiest_second) {
    size_t in_second[64] = {0};
    size_t sent = 0;
    PsMono now = at_ms(from_ms);
    PsMono end = at_ms(from_ms + ms);
    while (now.ns < end.ns) {
        while (ps_pace_may_send(pace, 0, now)) {
            ps_pace_sent(pace, bytes);
            sent++;
            in_second[ps_mono_diff_ns(now, begin) / PS_NS_PER_S]++;
        }
        PsMono next = ps_pace_next(pace, now);
        assert_true(next.ns > now.ns);
        now = ps_mono_add_ns(next, 1); // timers are never early
    }
    *ret_busiest_second = 0;
    for (size_t i = 0; i < PS_COUNT(in_second); i++) {
        *ret_busiest_second =
            in_second[i] > *ret_busiest_second ? in_second[i] : *ret_busiest_second;
    }
    return sent;
}

static void publishes_keep_their_rate(void **state) {
    PsPace pace;
    ps_pace_init(&pace, (PsLinkPace){.publishes_per_s = 80}, 100, begin);
    size_t busiest;
    assert_in_range(send_for_ms(&pace, 200, 0, 30000, &busiest), 2400, 2410);
    assert_true(busiest <= 90); // AWS IoT: 100
    // After a pause no more than the burst is made up for.
    assert_in_range(send_for_ms(&pace, 200, 40000, 1000, &busiest), 80, 90);
}

static void bytes_keep_their_rate(void **state) {
    PsPace pace;
    ps_pace_init(&pace, (PsLinkPace){.bytes_per_s = 448 * 1024}, 100, begin);
    size_t busiest;
    size_t sent = send_for_ms(&pace, 128 * 1024, 0, 30000, &busiest);
    assert_in_range(sent * 128, 448 * 30 - 128, 448 * 30 + 2 * 128);
}

static void without_limits_only_the_window_counts(void **state) {
    PsPace pace;
    ps_pace_init(&pace, (PsLinkPace){0}, 20, begin);
    for (size_t i = 0; i < 20; i++) {
        assert_true(ps_pace_may_send(&pace, i, begin));
        ps_pace_sent(&pace, 1000000);
    }
    assert_false(ps_pace_may_send(&pace, 20, begin));
    assert_true(ps_pace_next(&pace, begin).ns == begin.ns);
}

// A day at one message a second, drained: the promise of under 19 minutes.
static void a_day_drains_in_under_nineteen_minutes(void **state) {
    PsPace pace;
    PsCloud aws = {.type = PS_CLOUD_AWS_IOT, .publish_rate = PS_UNSET, .publish_kib = PS_UNSET};
    ps_pace_init(&pace, ps_link_pace(&aws), 92, begin);
    PsMono now = begin;
    for (size_t waiting = 86400; waiting > 0;) {
        while (waiting > 0 && ps_pace_may_send(&pace, 0, now)) {
            ps_pace_sent(&pace, 200);
            waiting--;
        }
        // Timers have milliseconds, and the day goes on meanwhile.
        PsMono next = ps_mono_add_ns(ps_pace_next(&pace, now), MS(1));
        waiting += (size_t)(next.ns / PS_NS_PER_S - now.ns / PS_NS_PER_S);
        now = next;
    }
    double minutes = (double)ps_mono_diff_ns(now, begin) / PS_NS_PER_S / 60;
    print_message("drained in %.1f minutes\n", minutes);
    assert_true(minutes < 19);
}

static void acknowledge(PsPace *pace, size_t count, int64_t took_ns) {
    for (size_t i = 0; i < count; i++) {
        ps_pace_acknowledged(pace, took_ns);
    }
}

static void slow_acknowledgements_make_the_window_smaller(void **state) {
    PsPace pace;
    ps_pace_init(&pace, (PsLinkPace){0}, 100, begin);
    acknowledge(&pace, 1000, MS(50));
    assert_int_equal(pace.window, 100);
    acknowledge(&pace, 100, MS(900));
    assert_int_equal(pace.window, 75);
    acknowledge(&pace, 500, MS(900));
    assert_in_range(pace.window, 4, 10);
    assert_false(ps_pace_may_send(&pace, 10, begin));
    acknowledge(&pace, 30, MS(50)); // well again
    size_t before = pace.window;
    acknowledge(&pace, 6000, MS(50));
    assert_true(pace.window > before + 50);
    ps_pace_restart(&pace, begin);
    assert_int_equal(pace.window, 100);
}

static void a_long_way_is_not_slow(void **state) {
    PsPace pace;
    ps_pace_init(&pace, (PsLinkPace){0}, 100, begin);
    acknowledge(&pace, 3000, MS(700)); // satellite
    assert_int_equal(pace.window, 100);
    ps_pace_init(&pace, (PsLinkPace){0}, 1, begin);
    acknowledge(&pace, 10, MS(1));
    acknowledge(&pace, 100, MS(5000));
    assert_int_equal(pace.window, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(publishes_keep_their_rate),
        cmocka_unit_test(bytes_keep_their_rate),
        cmocka_unit_test(without_limits_only_the_window_counts),
        cmocka_unit_test(a_day_drains_in_under_nineteen_minutes),
        cmocka_unit_test(slow_acknowledgements_make_the_window_smaller),
        cmocka_unit_test(a_long_way_is_not_slow),
    };
    return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
