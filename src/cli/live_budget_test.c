// Loads of endpoints and the words about them.
#include "cli/live_budget.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void loads_add_up(void **state) {
    LiveCycle cycles[] = {{"slow", 10000, 500}, {"fast", 100, 20}};
    assert_true(live_budget_load(cycles, 2) > 0.249 && live_budget_load(cycles, 2) < 0.251);
    assert_true(live_budget_load(cycles, 0) == 0);
    char text[256] = "";
    assert_false(live_budget_words(cycles, 2, text, sizeof text));
    assert_false(live_budget_words(cycles, 0, text, sizeof text));
    assert_string_equal(text, "");
}

static void too_much_names_the_group_that_takes_most(void **state) {
    LiveCycle cycles[] = {{"slow", 1000, 400}, {"fast", 100, 90}, {"rare", 60000, 800}};
    char text[256];
    assert_true(live_budget_words(cycles, 3, text, sizeof text));
    assert_non_null(strstr(text, "more than the line gives"));
    assert_non_null(strstr(text, "131 %"));
    assert_non_null(strstr(text, "'fast' (90.0 ms every 0.1 s)"));
}

static void little_room_is_said_too(void **state) {
    LiveCycle cycle = {"g", 1000, 900};
    char text[256];
    assert_true(live_budget_words(&cycle, 1, text, sizeof text));
    assert_non_null(strstr(text, "little room"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_add_up),
        cmocka_unit_test(too_much_names_the_group_that_takes_most),
        cmocka_unit_test(little_room_is_said_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
