// What people type for a time or a length of time.
#include "cli/when.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void lengths(void **state) {
    long long seconds = -1;
    assert_true(cli_length_parse("90s", &seconds) && seconds == 90);
    assert_true(cli_length_parse("30m", &seconds) && seconds == 1800);
    assert_true(cli_length_parse("2h", &seconds) && seconds == 7200);
    assert_true(cli_length_parse("7d", &seconds) && seconds == 604800);
    static const char *const wrong[] = {"",    "h",  "2",    "2 h",   "-2h",
                                        "2hh", "2w", "1e3s", "9999d", "99999999999999999s"};
    for (size_t i = 0; i < PS_COUNT(wrong); i++) {
        assert_false(cli_length_parse(wrong[i], &seconds));
    }
}

static void expect(const char *text, int64_t begins, int64_t ends) {
    PsWall now = {2000000000 * PS_NS_PER_S};
    PsWall time;
    assert_true(cli_when_parse(text, now, false, &time));
    assert_int_equal(time.ns / PS_NS_PER_S, begins);
    assert_true(cli_when_parse(text, now, true, &time));
    assert_int_equal(time.ns / PS_NS_PER_S, ends);
}

static void moments(void **state) {
    setenv("TZ", "UTC", 1);
    tzset();
    expect("2026-01-31", 1769817600, 1769904000);
    expect("2026-01-31 17:30", 1769880600, 1769880660);
    expect("2026-01-31T17:30:05", 1769880605, 1769880606);
    expect("2h", 2000000000 - 7200, 2000000000 - 7200);
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    expect("2026-03-29", 1774738800, 1774738800 + 23 * 3600); // the day summer time begins
    PsWall time;
    static const char *const wrong[] = {"",           "yesterday", "2026-01-31 ",
                                        "2026-13-01", "17:30",     "2026-01-31 17:30:05.5",
                                        "1901-01-01"};
    for (size_t i = 0; i < PS_COUNT(wrong); i++) {
        assert_false(cli_when_parse(wrong[i], (PsWall){0}, false, &time));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(lengths), cmocka_unit_test(moments)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
