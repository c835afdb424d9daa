// Equality and display of values.
#include "tags/value.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_shown(PsValue value, const char *expected) {
    char out[64];
    ps_value_format(value, out, sizeof out);
    assert_string_equal(out, expected);
}

static void values_are_shown_for_people(void **state) {
    (void)state;
    assert_shown(ps_value_none(), "");
    assert_shown(ps_value_bool(true), "true");
    assert_shown(ps_value_int(INT64_MIN), "-9223372036854775808");
    assert_shown(ps_value_uint(UINT64_MAX), "18446744073709551615");
    assert_shown(ps_value_float(12.3), "12.3");
    assert_shown(ps_value_float(0), "0.0");
    assert_shown(ps_value_float(-40), "-40.0");
    assert_shown(ps_value_float(0.1 + 0.2), "0.30000000000000004");
    assert_shown(ps_value_float(1e300), "1e+300");
    assert_shown(ps_value_text("ab\x01\xFF\xC3\xA4", 6), "ab??\xC3\xA4");
    assert_shown(ps_value_text("\xC2\x9B", 2), "??");
}

static void a_cut_text_never_ends_inside_a_character(void **state) {
    (void)state;
    char out[4];
    ps_value_format(ps_value_text("ab\xC3\xA4", 4), out, sizeof out);
    assert_string_equal(out, "ab");
}

static void equality_is_kind_and_content(void **state) {
    (void)state;
    assert_true(ps_value_equal(ps_value_none(), ps_value_none()));
    assert_false(ps_value_equal(ps_value_int(1), ps_value_bool(true)));
    assert_false(ps_value_equal(ps_value_int(1), ps_value_int(2)));
    assert_true(ps_value_equal(ps_value_float(NAN), ps_value_float(NAN)));
    assert_false(ps_value_equal(ps_value_float(NAN), ps_value_float(1)));
    assert_true(ps_value_equal(ps_value_text("abc", 2), ps_value_text("abd", 2)));
    assert_false(ps_value_equal(ps_value_text("abc", 3), ps_value_text("abd", 3)));
    assert_true(ps_value_equal(ps_value_text(NULL, 0), ps_value_text("", 0)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_shown_for_people),
        cmocka_unit_test(a_cut_text_never_ends_inside_a_character),
        cmocka_unit_test(equality_is_kind_and_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
