// The recorder: readings in, curves out, bounded whatever comes.
#include "live/trend.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define START (INT64_C(1700000000) * PS_NS_PER_S)

static PsWall at(double seconds) {
    return (PsWall){START + ps_seconds_to_ns(seconds)};
}

static size_t copy(const PsTrendSeries *series, PsTrendPoint **ret_points) {
    size_t count = ps_trend_series_copy(series, (PsWall){0}, NULL, 0);
    *ret_points = calloc(count + 1, sizeof **ret_points);
    assert_int_equal(ps_trend_series_copy(series, (PsWall){0}, *ret_points, count), count);
    return count;
}

static void every_reading_of_an_hour(void **state) {
    (void)state;
    PsTrendSeries series = {0};
    for (int i = 0; i < 5000; i++) {
        ps_trend_series_put(&series, at(i), i);
    }
    PsTrendPoint *points;
    size_t count = copy(&series, &points);
    assert_in_range(count, 3600, 3602);
    assert_int_equal(series.step_ns, PS_TREND_STEP_NS);
    assert_true(points[count - 1].value == 4999);
    for (size_t i = 1; i < count; i++) {
        assert_true(points[i].value == points[i - 1].value + 1);
    }
    size_t last_minute = ps_trend_series_copy(&series, at(4940), NULL, 0);
    assert_int_equal(last_minute, 60);
    free(points);
    ps_trend_series_deinit(&series);
}

// Twenty readings a second for two hours, one peak each way of a single reading: both are there.
static void peaks_survive_thinning(void **state) {
    (void)state;
    PsTrendSeries series = {0};
    for (int i = 0; i < 20 * 7200; i++) {
        double value = i == 20 * 5000 + 7 ? 1000 : i == 20 * 6000 + 3 ? -1000 : i % 10;
        ps_trend_series_put(&series, at(i / 20.0), value);
        assert_in_range(series.capacity, 0, PS_TREND_POINTS_MAX);
    }
    PsTrendPoint *points;
    size_t count = copy(&series, &points);
    assert_in_range(count, 1000, PS_TREND_POINTS_MAX + 3);
    double largest = 0;
    double smallest = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, points[i].value);
        smallest = fmin(smallest, points[i].value);
        assert_true(i == 0 || points[i].time.ns >= points[i - 1].time.ns);
    }
    assert_true(largest == 1000 && smallest == -1000);
    assert_true(points[0].time.ns <= at(3610).ns);
    assert_true(series.step_ns > PS_TREND_STEP_NS && series.step_ns <= 4 * PS_TREND_STEP_NS);
    free(points);
    ps_trend_series_deinit(&series);
}

static void gaps_are_told_once(void **state) {
    (void)state;
    PsTrendSeries series = {0};
    ps_trend_series_put(&series, at(0), 1);
    for (int i = 1; i < 100; i++) {
        ps_trend_series_put(&series, at(i), NAN);
    }
    ps_trend_series_put(&series, at(100), 2);
    ps_trend_series_put(&series, at(100.1), NAN);
    ps_trend_series_put(&series, at(100.2), 3);
    PsTrendPoint *points;
    size_t count = copy(&series, &points);
    assert_int_equal(count, 5);
    assert_true(points[0].value == 1 && isnan(points[1].value) && points[2].value == 2);
    assert_true(isnan(points[3].value) && points[4].value == 3);
    free(points);
    ps_trend_series_deinit(&series);
}

// The worst there is: a gap, a smallest and a largest in every step.
static void bounded_with_gaps_everywhere(void **state) {
    (void)state;
    PsTrendSeries series = {0};
    for (int i = 0; i < 10 * 7200; i++) {
        ps_trend_series_put(&series, at(i / 10.0), i % 5 == 0 ? NAN : i % 7);
        assert_in_range(series.count, 0, PS_TREND_POINTS_MAX);
    }
    ps_trend_series_deinit(&series);
}

static void the_clock_is_set_back(void **state) {
    (void)state;
    PsTrendSeries series = {0};
    ps_trend_series_put(&series, at(500), 1);
    ps_trend_series_put(&series, at(499.5), 2); // two channels, nearly at once
    assert_int_equal(ps_trend_series_copy(&series, (PsWall){0}, NULL, 0), 2);
    ps_trend_series_put(&series, at(100), 3);
    PsTrendPoint *points;
    assert_int_equal(copy(&series, &points), 1);
    assert_true(points[0].value == 3);
    free(points);
    ps_trend_series_deinit(&series);
}

static void asked_recorded_forgotten(void **state) {
    (void)state;
    PsTrend *trend = ps_trend_new(1000);
    ps_trend_put(trend, 5, ps_value_int(1), true, at(0)); // nobody has asked
    const PsTrendSeries *series = ps_trend_ask(trend, 5, (PsMono){0});
    assert_int_equal(ps_trend_series_copy(series, (PsWall){0}, NULL, 0), 0);
    ps_trend_put(trend, 5, ps_value_int(1), true, at(0));
    ps_trend_put(trend, 5, ps_value_text("x", 1), true, at(1));
    ps_trend_put(trend, 5, ps_value_bool(true), true, at(2));
    assert_int_equal(ps_trend_series_copy(series, (PsWall){0}, NULL, 0), 3);
    ps_trend_expire(trend, (PsMono){PS_TREND_KEPT_S * PS_NS_PER_S});
    assert_true(ps_trend_wants(trend, 5));
    ps_trend_expire(trend, (PsMono){PS_TREND_KEPT_S * PS_NS_PER_S + 1});
    assert_false(ps_trend_wants(trend, 5));
    assert_int_equal(ps_trend_count(trend), 0);
    for (uint32_t i = 0; i < 300; i++) {
        (void)ps_trend_ask(trend, i, (PsMono){i});
    }
    assert_int_equal(ps_trend_count(trend), PS_TREND_SERIES_MAX);
    assert_false(ps_trend_wants(trend, 99)); // the one asked for longest ago makes room
    assert_true(ps_trend_wants(trend, 100));
    ps_trend_free(trend);
}

static void another_configuration(void **state) {
    (void)state;
    PsVariable before[] = {{.device_name = "A", .name = "x"}, {.device_name = "A", .name = "y"}};
    PsVariable after[] = {{.device_name = "B", .name = "x"},
                          {.device_name = "A", .name = "y"},
                          {.device_name = "A", .name = "z"}};
    PsConfig former = {.variables = before, .variable_count = 2};
    PsConfig config = {.variables = after, .variable_count = 3};
    PsNameIndex *index = ps_name_index_new(&config);
    PsTrend *trend = ps_trend_new(2);
    (void)ps_trend_ask(trend, 0, (PsMono){0});
    (void)ps_trend_ask(trend, 1, (PsMono){0});
    ps_trend_put(trend, 1, ps_value_float(7), true, at(0));
    ps_trend_apply(trend, &former, &config, index);
    assert_int_equal(ps_trend_count(trend), 1);
    assert_false(ps_trend_wants(trend, 0));
    const PsTrendSeries *series = ps_trend_ask(trend, 1, (PsMono){0});
    assert_int_equal(ps_trend_series_copy(series, (PsWall){0}, NULL, 0), 1);
    ps_trend_free(trend);
    ps_name_index_free(index);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reading_of_an_hour), cmocka_unit_test(peaks_survive_thinning),
        cmocka_unit_test(gaps_are_told_once),       cmocka_unit_test(bounded_with_gaps_everywhere),
        cmocka_unit_test(the_clock_is_set_back),    cmocka_unit_test(asked_recorded_forgotten),
        cmocka_unit_test(another_configuration),
    };
    return cmocka_run_group_tests_name("live/trend", tests, NULL, NULL);
}
