// The ring keeps the newest, oldest first.
#include "live/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void keeps_the_newest(void **state) {
    (void)state;
    PsHistory history = {0};
    for (int i = 0; i < PS_HISTORY_POINTS + 30; i++) {
        double values[PS_HISTORY_KINDS] = {[PS_HISTORY_WAITING] = i};
        ps_history_put(&history, values);
    }
    assert_int_equal(history.count, PS_HISTORY_POINTS);
    assert_true(ps_history_at(&history, PS_HISTORY_WAITING, 0) == 30);
    assert_true(ps_history_at(&history, PS_HISTORY_WAITING, PS_HISTORY_POINTS - 1) ==
                PS_HISTORY_POINTS + 29);
    assert_string_equal(ps_history_name(PS_HISTORY_WAITING), "waiting");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_the_newest)};
    return cmocka_run_group_tests_name("live/history", tests, NULL, NULL);
}
