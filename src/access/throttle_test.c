// Delays for wrong passwords and the measure of refusals. Times are made up.
#include "access/audit_limit.h"
#include "access/throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static PsMono at(double seconds) {
    return (PsMono){ps_seconds_to_ns(100000 + seconds)};
}

static int fresh(void **state) {
    *state = calloc(1, sizeof(PsThrottle));
    return *state == NULL;
}

static int end(void **state) {
    free(*state);
    return 0;
}

// Wrong passwords, each as soon as it is let through, for so long; how many were let through.
static unsigned guess(PsThrottle *throttle, const char *name, const char *address, double from,
                      double to) {
    unsigned tries = 0;
    for (double when = from; when < to;) {
        int64_t wait_ns = ps_throttle_begin(throttle, name, address, at(when));
        tries += wait_ns == 0;
        when += wait_ns == 0 ? 0.001 : (double)wait_ns / 1e9 + 0.001;
    }
    return tries;
}

static void delays_double_and_end_at_a_bound(void **state) {
    PsThrottle *throttle = *state;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ps_throttle_begin(throttle, "anna", "10.0.0.1", at(0)), 0);
    }
    int64_t wait_ns = ps_throttle_begin(throttle, "anna", "10.0.0.1", at(0));
    assert_true(wait_ns == PS_NS_PER_S); // the name: one more than the four
    assert_true(ps_throttle_begin(throttle, "anna", "10.0.0.1", at(0.5)) == wait_ns / 2);
    assert_int_equal(ps_throttle_begin(throttle, "anna", "10.0.0.1", at(1)), 0);
    assert_true(ps_throttle_begin(throttle, "anna", "10.0.0.1", at(1)) == 2 * PS_NS_PER_S);
    unsigned tries = guess(throttle, "anna", "10.0.0.1", 10, 10 + 86400);
    assert_in_range(tries, 200, 310);
    assert_true(ps_throttle_begin(throttle, "anna", "10.0.0.1", at(90000)) <= 300 * PS_NS_PER_S);
}

static void names_that_are_nobodys_are_alike(void **state) {
    PsThrottle *throttle = *state;
    PsThrottle *other = calloc(1, sizeof *other);
    ps_throttle_good(other, "anna", "10.0.0.9");
    assert_int_equal(guess(throttle, "anna", "10.0.0.1", 0, 3600),
                     guess(other, "anna", "10.0.0.1", 0, 3600));
    free(other);
}

static void one_address_is_held_whatever_names_it_tries(void **state) {
    PsThrottle *throttle = *state;
    char name[16];
    unsigned tries = 0;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "n%d", i);
        tries += ps_throttle_begin(throttle, name, "10.0.0.1", at(0)) == 0;
    }
    assert_int_equal(tries, 6);
}

static void nobody_is_kept_out_by_others(void **state) {
    PsThrottle *throttle = *state;
    char address[32];
    ps_throttle_good(throttle, "anna", "10.0.0.9"); // she was here before
    for (int i = 0; i < 250; i++) {
        snprintf(address, sizeof address, "10.0.1.%d", i);
        (void)guess(throttle, "anna", address, 0, 20);
    }
    assert_true(ps_throttle_name_until(throttle, "anna", at(20)).ns > at(20).ns);
    // From where she was: also after a slip of the finger. From a new place: the first try.
    assert_int_equal(ps_throttle_begin(throttle, "anna", "10.0.0.9", at(20)), 0);
    assert_int_equal(ps_throttle_begin(throttle, "anna", "10.0.0.9", at(20)), 0);
    assert_int_equal(ps_throttle_begin(throttle, "anna", "10.0.0.10", at(20)), 0);
    assert_true(ps_throttle_begin(throttle, "anna", "10.0.0.10", at(20)) > 0);
    assert_true(ps_throttle_begin(throttle, "anna", "10.0.0.10", at(20)) <= 60 * PS_NS_PER_S);
}

static void a_good_one_takes_its_own_failure_back_only(void **state) {
    PsThrottle *throttle = *state;
    char name[24];
    for (int i = 0; i < 50; i++) { // somebody with an account of his own guesses others'
        snprintf(name, sizeof name, "victim%d", i);
        (void)ps_throttle_begin(throttle, name, "10.0.0.1", at(0));
        if (ps_throttle_begin(throttle, "own", "10.0.0.1", at(0)) == 0) {
            ps_throttle_good(throttle, "own", "10.0.0.1");
        }
    }
    assert_true(ps_throttle_begin(throttle, "own", "10.0.0.1", at(0)) > 0);
    assert_true(ps_throttle_begin(throttle, "own", "10.0.0.1", at(4000)) == 0); // forgotten
}

static void what_was_not_judged_does_not_count(void **state) {
    PsThrottle *throttle = *state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(ps_throttle_begin(throttle, "anna", "10.0.0.1", at(0)), 0);
        ps_throttle_take_back(throttle, "anna", "10.0.0.1");
    }
}

static void tables_are_bounded(void **state) {
    PsThrottle *throttle = *state;
    char text[32];
    for (int i = 0; i < 20; i++) {
        (void)ps_throttle_begin(throttle, "anna", "10.0.0.1", at(i));
    }
    for (int i = 0; i < 3 * PS_THROTTLE_ADDRESSES; i++) {
        snprintf(text, sizeof text, "x%d", i);
        assert_int_equal(ps_throttle_begin(throttle, text, text, at(21)), 0);
    }
    assert_int_equal(ps_throttle_begin(throttle, "anna", "10.0.0.1", at(21)), 0); // it was oldest
    for (int i = 0; i < 2 * PS_ACCOUNTS_MAX; i++) {
        snprintf(text, sizeof text, "x%d", i);
        ps_throttle_good(throttle, text, "10.0.0.1");
    }
}

static void addresses_count_by_what_one_machine_has(void **state) {
    static const struct {
        const char *given;
        const char *counted;
    } cases[] = {
        {"192.168.2.7", "192.168.2.7"},
        {"::ffff:192.168.2.7", "192.168.2.7"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
        {"fe80::1%eth0", "fe80::"},
        {"::1", "::1"},
        {"", "-"},
        {"local", "local"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        char out[PS_ADDRESS_SIZE];
        ps_throttle_address(cases[i].given, out);
        assert_string_equal(out, cases[i].counted);
    }
}

static void refusals_are_measured(void **state) {
    PsAuditLimit limit = {.last = at(0)};
    unsigned written = 0;
    for (int i = 0; i < 36000; i++) { // ten a second for an hour
        written += ps_audit_limit_take(&limit, at(i / 10.0));
    }
    assert_in_range(written, 3690, 3710);
    assert_int_equal(limit.left_out, 36000 - written);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(delays_double_and_end_at_a_bound, fresh, end),
        cmocka_unit_test_setup_teardown(names_that_are_nobodys_are_alike, fresh, end),
        cmocka_unit_test_setup_teardown(one_address_is_held_whatever_names_it_tries, fresh, end),
        cmocka_unit_test_setup_teardown(nobody_is_kept_out_by_others, fresh, end),
        cmocka_unit_test_setup_teardown(a_good_one_takes_its_own_failure_back_only, fresh, end),
        cmocka_unit_test_setup_teardown(what_was_not_judged_does_not_count, fresh, end),
        cmocka_unit_test_setup_teardown(tables_are_bounded, fresh, end),
        cmocka_unit_test(addresses_count_by_what_one_machine_has),
        cmocka_unit_test(refusals_are_measured),
    };
    return cmocka_run_group_tests_name("access/throttle", tests, NULL, NULL);
}
