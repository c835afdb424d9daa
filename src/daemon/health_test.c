// What counts as worse after a change. Pure.
#include "daemon/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void worse(const char *before, const char *now, const char *expected) {
    json_t *a = json_loads(before, 0, NULL);
    json_t *b = json_loads(now, 0, NULL);
    PS_AUTO_BUF PsBuf what = {0};
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(ps_health_is_worse(a, b, &what), expected != NULL);
    if (expected != NULL) {
        assert_string_equal((const char *)what.data, expected);
    }
    json_decref(a);
    json_decref(b);
}

#define WELL                                                                                       \
    "{\"cloud\": true, \"answering\": [\"A\", \"B\"], \"away\": [\"C\"], \"held\": [\"x\"]}"

static void the_same_and_better_are_not_worse(void **state) {
    worse(WELL, WELL, NULL);
    worse(WELL,
          "{\"cloud\": true, \"answering\": [\"A\", \"B\", \"C\"], \"away\": [], \"held\": []}",
          NULL);
    worse("{\"cloud\": false, \"answering\": [], \"away\": [\"A\"], \"held\": []}", WELL,
          "the script of 'x' is held");
}

static void what_is_new_or_gone_is_not_compared(void **state) {
    // A is not configured any more; D is new and never answered.
    worse(WELL,
          "{\"cloud\": true, \"answering\": [\"B\"], \"away\": [\"C\", \"D\"], \"held\": [\"x\"]}",
          NULL);
}

static void everything_that_is_worse_is_named(void **state) {
    worse(WELL,
          "{\"cloud\": false, \"answering\": [\"B\"], \"away\": [\"A\", \"C\"], \"held\": [\"x\", "
          "\"y\"]}",
          "the cloud connection is gone, device 'A' does not answer any more, the script of 'y' is "
          "held");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_and_better_are_not_worse),
        cmocka_unit_test(what_is_new_or_gone_is_not_compared),
        cmocka_unit_test(everything_that_is_worse_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
