// Tests of error names and diagnoses.
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_every_class_has_its_own_name(void **state) {
    for (int err = PS_OK; err <= PS_ERR_INTERNAL; err++) {
        const char *name = ps_err_name((PsErr)err);
        assert_non_null(name);
        assert_string_not_equal(name, "unknown");
        for (int other = PS_OK; other < err; other++) {
            assert_string_not_equal(name, ps_err_name((PsErr)other));
        }
    }
    assert_string_equal(ps_err_name((PsErr)(PS_ERR_INTERNAL + 1)), "unknown");
    assert_string_equal(ps_err_name(PS_ERR_NOT_FOUND), "not-found");
}

static void test_fail_fills_and_returns(void **state) {
    PsDiag diag;
    PsErr err =
        ps_fail(PS_ERR_RANGE, &diag, "device 'Boiler'", "port", "is %d; give 1 to %d", 0, 65535);
    assert_int_equal(err, PS_ERR_RANGE);
    char text[640];
    ps_diag_format(&diag, text, sizeof text);
    assert_string_equal(text, "device 'Boiler': port: is 0; give 1 to 65535");
    assert_int_equal(ps_fail(PS_ERR_IO, NULL, "a", "b", "c"), PS_ERR_IO);
}

static void test_absent_parts_leave_no_colon(void **state) {
    PsDiag diag;
    char text[640];
    assert_int_equal(ps_fail(PS_ERR_IO, &diag, NULL, NULL, "no disk"), PS_ERR_IO);
    ps_diag_format(&diag, text, sizeof text);
    assert_string_equal(text, "no disk");
    assert_int_equal(ps_fail(PS_ERR_IO, &diag, "file", NULL, "no disk"), PS_ERR_IO);
    ps_diag_format(&diag, text, sizeof text);
    assert_string_equal(text, "file: no disk");
    assert_int_equal(ps_fail(PS_ERR_IO, &diag, NULL, "line 3", "no disk"), PS_ERR_IO);
    ps_diag_format(&diag, text, sizeof text);
    assert_string_equal(text, "line 3: no disk");
}

static void test_too_long_is_cut_and_terminated(void **state) {
    char longer[1000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    PsDiag diag;
    assert_int_equal(ps_fail(PS_ERR_IO, &diag, longer, longer, "%s", longer), PS_ERR_IO);
    assert_int_equal(strlen(diag.object), sizeof diag.object - 1);
    assert_int_equal(strlen(diag.field), sizeof diag.field - 1);
    assert_int_equal(strlen(diag.text), sizeof diag.text - 1);
    char small[8];
    ps_diag_format(&diag, small, sizeof small);
    assert_string_equal(small, "xxxxxxx");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_class_has_its_own_name),
        cmocka_unit_test(test_fail_fills_and_returns),
        cmocka_unit_test(test_absent_parts_leave_no_colon),
        cmocka_unit_test(test_too_long_is_cut_and_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
