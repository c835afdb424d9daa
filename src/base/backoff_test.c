// Delay arithmetic: growth, cap, jitter range, stable-time rule.
#include "base/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const PsBackoffPolicy policy = {
    .floor_ns = 1 * PS_NS_PER_S,
    .first_ns = 2 * PS_NS_PER_S,
    .cap_ns = 30 * PS_NS_PER_S,
    .stable_ns = 30 * PS_NS_PER_S,
};

static PsMono at(int64_t seconds) {
    return (PsMono){seconds * PS_NS_PER_S};
}

static void grows_to_the_cap(void **state) {
    PsBackoff backoff;
    ps_backoff_init(&backoff, &policy);
    const int64_t expected_s[] = {2, 4, 8, 16, 30, 30};
    for (size_t i = 0; i < sizeof expected_s / sizeof expected_s[0]; i++) {
        int64_t delay = ps_backoff_down(&backoff, at(0), UINT32_MAX);
        assert_true(delay == expected_s[i] * PS_NS_PER_S);
    }
}

static void jitter_spans_floor_to_upper_end(void **state) {
    PsBackoff backoff;
    ps_backoff_init(&backoff, &policy);
    assert_true(ps_backoff_down(&backoff, at(0), 0) == policy.floor_ns);
    int64_t middle = ps_backoff_down(&backoff, at(0), UINT32_MAX / 2);
    assert_true(middle > 2400 * PS_NS_PER_MS && middle < 2600 * PS_NS_PER_MS);
}

static void short_connections_do_not_reset(void **state) {
    PsBackoff backoff;
    ps_backoff_init(&backoff, &policy);
    (void)ps_backoff_down(&backoff, at(0), UINT32_MAX);
    ps_backoff_up(&backoff, at(10));
    int64_t delay = ps_backoff_down(&backoff, at(39), UINT32_MAX);
    assert_true(delay == 4 * PS_NS_PER_S);
}

static void a_stable_connection_resets(void **state) {
    PsBackoff backoff;
    ps_backoff_init(&backoff, &policy);
    (void)ps_backoff_down(&backoff, at(0), UINT32_MAX);
    (void)ps_backoff_down(&backoff, at(0), UINT32_MAX);
    ps_backoff_up(&backoff, at(10));
    ps_backoff_up(&backoff, at(30)); // said twice: the first counts
    assert_true(ps_backoff_down(&backoff, at(40), UINT32_MAX) == 2 * PS_NS_PER_S);
}

static void reset_starts_over(void **state) {
    PsBackoff backoff;
    ps_backoff_init(&backoff, &policy);
    for (int i = 0; i < 100; i++) {
        (void)ps_backoff_down(&backoff, at(i), 7);
    }
    ps_backoff_reset(&backoff);
    assert_true(ps_backoff_down(&backoff, at(0), UINT32_MAX) == 2 * PS_NS_PER_S);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_to_the_cap),
        cmocka_unit_test(jitter_spans_floor_to_upper_end),
        cmocka_unit_test(short_connections_do_not_reset),
        cmocka_unit_test(a_stable_connection_resets),
        cmocka_unit_test(reset_starts_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
