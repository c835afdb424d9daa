// Clocks that are set late, by steps, or not at all.
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define S(seconds) ((int64_t)(seconds) * PS_NS_PER_S)
#define TODAY 1800000000 // in 2027
#define DAY 86400

static bool look(PsClockEra *era, int64_t wall_s, int64_t boot_s, int64_t *ret_moved_s) {
    PsWall before = {0};
    int64_t moved = 0;
    bool set = ps_clock_look(era, (PsWall){S(wall_s)}, (PsMono){S(boot_s)}, &before, &moved);
    *ret_moved_s = moved / PS_NS_PER_S;
    if (set) {
        assert_true(before.ns + moved == S(wall_s));
    }
    return set;
}

static void a_clock_that_starts_in_1970_is_set_once(void **state) {
    PsClockEra era = ps_clock_begin((PsWall){S(20)}, (PsMono){S(10)});
    int64_t moved = 0;
    assert_false(look(&era, 120, 110, &moved));
    assert_false(look(&era, 500000, 120, &moved)); // still no time that can be
    assert_true(look(&era, TODAY, 1010, &moved));
    assert_true(moved == TODAY - 1020);
    assert_false(look(&era, TODAY + 5, 1015, &moved));
    assert_false(look(&era, TODAY + 10 * DAY, 1020, &moved)); // a person's business
}

static void a_clock_that_stood_still_meanwhile_is_set_once(void **state) {
    PsClockEra era = ps_clock_begin((PsWall){S(TODAY)}, (PsMono){S(10)});
    int64_t moved = 0;
    assert_false(look(&era, TODAY + 100, 110, &moved));
    assert_false(look(&era, TODAY + 200 + DAY / 2, 210, &moved)); // small steps are let be
    assert_true(look(&era, TODAY + 300 + DAY / 2 + 9 * DAY, 310, &moved));
    assert_true(moved == 9 * DAY);
    PsClockEra fast = ps_clock_begin((PsWall){S(TODAY)}, (PsMono){S(10)});
    assert_true(look(&fast, TODAY - 40 * DAY, 10, &moved));
    assert_true(moved == -40 * DAY);
}

static void a_clock_that_goes_back_to_1970_says_nothing(void **state) {
    PsClockEra era = ps_clock_begin((PsWall){S(TODAY)}, (PsMono){S(10)});
    int64_t moved = 0;
    assert_false(look(&era, 5, 20, &moved));
    assert_false(look(&era, TODAY + 20, 30, &moved));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_starts_in_1970_is_set_once),
        cmocka_unit_test(a_clock_that_stood_still_meanwhile_is_set_once),
        cmocka_unit_test(a_clock_that_goes_back_to_1970_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
