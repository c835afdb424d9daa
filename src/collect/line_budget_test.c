// What silent devices may cost, on a made-up clock. Pure.
#include "collect/line_budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static PsMono ms(int64_t value) {
    return (PsMono){value * PS_NS_PER_MS};
}

// A device that is dead for good, tried whenever it may be: what it takes of the time.
static double share_of(int64_t try_ms, int64_t hours) {
    PsLineBudget budget;
    ps_line_budget_fill(&budget, ms(0));
    PsMono now = ms(0);
    int64_t taken = 0;
    while (now.ns < ms(hours * 3600 * 1000).ns) {
        PsMono next = ps_line_budget_free_at(&budget);
        now = next.ns > now.ns ? next : now;
        now = ps_mono_add_ns(now, try_ms * PS_NS_PER_MS);
        taken += try_ms;
        ps_line_budget_pay(&budget, now, try_ms * PS_NS_PER_MS);
    }
    return (double)taken / ((double)now.ns / 1e6);
}

static void a_dead_device_takes_a_twentieth(void **state) {
    static const int64_t tries_ms[] = {1, 20, 125, 1000, 60000};
    for (size_t i = 0; i < sizeof tries_ms / sizeof tries_ms[0]; i++) {
        double share = share_of(tries_ms[i], 20);
        assert_true(share < 0.0505 && share > 0.04);
    }
}

static void the_first_try_is_free_and_the_next_soon(void **state) {
    PsLineBudget budget;
    ps_line_budget_fill(&budget, ms(0));
    ps_line_budget_pay(&budget, ms(5000), 1000 * PS_NS_PER_MS);
    assert_int_equal(ps_line_budget_free_at(&budget).ns, ms(5000).ns);
    ps_line_budget_pay(&budget, ms(5100), 100 * PS_NS_PER_MS);
    assert_int_equal(ps_line_budget_free_at(&budget).ns, ms(5100 + 1900).ns);
}

static void many_at_once_are_paid_for_as_one(void **state) {
    PsLineBudget budget;
    ps_line_budget_fill(&budget, ms(0));
    for (int64_t i = 1; i <= 8; i++) {
        ps_line_budget_pay(&budget, ms(1000 * i), 1000 * PS_NS_PER_MS);
    }
    assert_int_equal(ps_line_budget_free_at(&budget).ns, ms(8000 + 20000).ns);
}

static void nothing_is_saved_beyond_a_second(void **state) {
    PsLineBudget budget;
    ps_line_budget_fill(&budget, ms(0));
    PsMono later = ms(1000 * 3600);
    ps_line_budget_pay(&budget, later, 1500 * PS_NS_PER_MS);
    assert_int_equal(ps_line_budget_free_at(&budget).ns, ps_mono_add_ns(later, ms(10000).ns).ns);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_device_takes_a_twentieth),
        cmocka_unit_test(the_first_try_is_free_and_the_next_soon),
        cmocka_unit_test(many_at_once_are_paid_for_as_one),
        cmocka_unit_test(nothing_is_saved_beyond_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
