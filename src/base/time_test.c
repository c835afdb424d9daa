// Tests of stamps, conversions and poll timeouts.
#include "base/time.h"

#include "base/err.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void set_zone(const char *zone) {
    assert_int_equal(setenv("TZ", zone, 1), 0);
    tzset();
}

static void test_stamp_format(void **state) {
    char out[PS_STAMP_SIZE];
    set_zone("UTC0");
    // 1769860800 = 2026-01-31 12:00:00 UTC
    ps_wall_format((PsWall){INT64_C(1769860800) * PS_NS_PER_S + 123 * PS_NS_PER_MS}, out,
                   sizeof out);
    assert_string_equal(out, "2026-01-31 12:00:00,123");
    ps_wall_format((PsWall){INT64_C(1769860800) * PS_NS_PER_S + 999999999}, out, sizeof out);
    assert_string_equal(out, "2026-01-31 12:00:00,999"); // cut, never rounded into the next second
    set_zone("XYZ-2");
    ps_wall_format((PsWall){INT64_C(1769860800) * PS_NS_PER_S}, out, sizeof out);
    assert_string_equal(out, "2026-01-31 14:00:00,000");
}

static void test_stamp_before_1970(void **state) {
    char out[PS_STAMP_SIZE];
    set_zone("UTC0");
    ps_wall_format((PsWall){-1 * PS_NS_PER_MS}, out, sizeof out);
    assert_string_equal(out, "1969-12-31 23:59:59,999");
}

static void test_stamp_of_any_number_fits(void **state) {
    char out[PS_STAMP_SIZE];
    ps_wall_format((PsWall){INT64_MAX}, out, sizeof out);
    assert_int_equal(out[4], '-');
    ps_wall_format((PsWall){INT64_MIN}, out, sizeof out);
    assert_int_equal(out[4], '-');
}

static void test_seconds_round_to_the_nearest_nanosecond(void **state) {
    assert_true(ps_seconds_to_ns(0.01) == 10 * PS_NS_PER_MS);
    assert_true(ps_seconds_to_ns(0.1) == 100 * PS_NS_PER_MS);
    assert_true(ps_seconds_to_ns(86400) == 86400 * PS_NS_PER_S);
    assert_true(ps_seconds_to_ns(-0.1) == -100 * PS_NS_PER_MS);
    assert_true(ps_wall_seconds((PsWall){INT64_C(1500) * PS_NS_PER_MS}) == 1.5);
}

static void test_poll_timeout_rounds_up_and_is_never_negative(void **state) {
    const struct {
        int64_t left_ns;
        int ms;
    } rows[] = {
        {0, 0},
        {-1, 0},
        {INT64_MIN / 2, 0},
        {1, 1},
        {PS_NS_PER_MS, 1},
        {PS_NS_PER_MS + 1, 2},
        {10 * PS_NS_PER_S, 10000},
        {INT64_MAX / 2, INT_MAX},
    };
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PsMono now = {1000};
        assert_int_equal(ps_mono_poll_ms(now, ps_mono_add_ns(now, rows[i].left_ns)), rows[i].ms);
    }
}

// "Never" as a deadline is the largest number; it must not wrap around.
static void test_poll_timeout_at_the_ends_of_time(void **state) {
    assert_int_equal(ps_mono_poll_ms((PsMono){0}, (PsMono){INT64_MAX}), INT_MAX);
    assert_int_equal(ps_mono_poll_ms((PsMono){INT64_MAX}, (PsMono){0}), 0);
    assert_int_equal(ps_mono_poll_ms((PsMono){INT64_MAX}, (PsMono){INT64_MIN}), 0);
}

static void test_clocks_move_forward(void **state) {
    PsMono before = ps_mono_now();
    PsMono after = ps_mono_now();
    assert_true(ps_mono_diff_ns(after, before) >= 0);
    assert_true(ps_wall_now().ns > INT64_C(1600000000) * PS_NS_PER_S);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stamp_format),
        cmocka_unit_test(test_stamp_before_1970),
        cmocka_unit_test(test_stamp_of_any_number_fits),
        cmocka_unit_test(test_seconds_round_to_the_nearest_nanosecond),
        cmocka_unit_test(test_poll_timeout_rounds_up_and_is_never_negative),
        cmocka_unit_test(test_poll_timeout_at_the_ends_of_time),
        cmocka_unit_test(test_clocks_move_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
