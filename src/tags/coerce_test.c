// Coercion, one row per case.
#include "tags/coerce.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static PsVariable of_type(int data_type) {
    return (PsVariable){.name = "v", .device_name = "d", .data_type = data_type, .size = 4};
}

typedef struct ValueCase {
    int type;
    PsValue given;
    PsErr err;
    PsValue expected;
} ValueCase;

static void script_values(void **state) {
    (void)state;
    const ValueCase cases[] = {
        {PS_TYPE_BOOL, ps_value_int(1), PS_OK, ps_value_bool(true)},
        {PS_TYPE_BOOL, ps_value_float(0), PS_OK, ps_value_bool(false)},
        {PS_TYPE_BOOL, ps_value_text("true", 4), PS_OK, ps_value_bool(true)},
        {PS_TYPE_BOOL, ps_value_text("True", 4), PS_ERR_INVALID, ps_value_none()},
        {PS_TYPE_BOOL, ps_value_int(2), PS_ERR_INVALID, ps_value_none()},
        {PS_TYPE_BIT, ps_value_bool(true), PS_OK, ps_value_int(1)},
        {PS_TYPE_BIT, ps_value_text("false", 5), PS_OK, ps_value_int(0)},
        {PS_TYPE_BIT, ps_value_int(2), PS_ERR_RANGE, ps_value_none()},
        {PS_TYPE_SINT, ps_value_int(-128), PS_OK, ps_value_int(-128)},
        {PS_TYPE_SINT, ps_value_int(-129), PS_ERR_RANGE, ps_value_none()},
        {PS_TYPE_WORD, ps_value_int(65535), PS_OK, ps_value_int(65535)},
        {PS_TYPE_WORD, ps_value_int(65536), PS_ERR_RANGE, ps_value_none()},
        {PS_TYPE_WORD, ps_value_int(-1), PS_ERR_RANGE, ps_value_none()},
        {PS_TYPE_WORD, ps_value_float(7), PS_OK, ps_value_int(7)},
        {PS_TYPE_WORD, ps_value_float(7.5), PS_ERR_INVALID, ps_value_none()},
        {PS_TYPE_WORD, ps_value_float(NAN), PS_ERR_RANGE, ps_value_none()},
        {PS_TYPE_WORD, ps_value_text("7", 1), PS_ERR_INVALID, ps_value_none()},
        {PS_TYPE_WORD, ps_value_none(), PS_ERR_INVALID, ps_value_none()},
        {PS_TYPE_INT, ps_value_int(-32768), PS_OK, ps_value_int(-32768)},
        {PS_TYPE_BCD, ps_value_int(10000), PS_ERR_RANGE, ps_value_none()},
        {PS_TYPE_BCD32, ps_value_int(99999999), PS_OK, ps_value_int(99999999)},
        {PS_TYPE_LONG, ps_value_int(INT64_MIN), PS_OK, ps_value_int(INT64_MIN)},
        {PS_TYPE_LONG, ps_value_uint(1ULL << 63), PS_ERR_RANGE, ps_value_none()},
        {PS_TYPE_LONG, ps_value_float(-0x1p63), PS_OK, ps_value_int(INT64_MIN)},
        {PS_TYPE_ULONG, ps_value_uint(UINT64_MAX), PS_OK, ps_value_uint(UINT64_MAX)},
        {PS_TYPE_ULONG, ps_value_float(0x1p64), PS_ERR_RANGE, ps_value_none()},
        {PS_TYPE_ULONG, ps_value_int(5), PS_OK, ps_value_int(5)},
        {PS_TYPE_FLOAT, ps_value_int(3), PS_OK, ps_value_float(3)},
        {PS_TYPE_FLOAT, ps_value_float(1e39), PS_ERR_RANGE, ps_value_none()},
        {PS_TYPE_FLOAT, ps_value_float(INFINITY), PS_ERR_INVALID, ps_value_none()},
        {PS_TYPE_DOUBLE, ps_value_float(1e39), PS_OK, ps_value_float(1e39)},
        {PS_TYPE_STRING, ps_value_text("abcd", 4), PS_OK, ps_value_text("abcd", 4)},
        {PS_TYPE_STRING, ps_value_text("abcde", 5), PS_ERR_TOO_BIG, ps_value_none()},
        {PS_TYPE_STRING, ps_value_int(1), PS_ERR_INVALID, ps_value_none()},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsVariable variable = of_type(cases[i].type);
        PsValue got = ps_value_none();
        PsDiag diag = {0};
        PsErr err = ps_coerce(&variable, cases[i].given, &got, &diag);
        if (err != cases[i].err || !ps_value_equal(got, cases[i].expected)) {
            fail_msg("case %zu: %s: %s", i, ps_err_name(err), diag.text);
        }
        assert_true((err == PS_OK) == (diag.text[0] == '\0'));
    }
}

typedef struct TextCase {
    int type;
    const char *given;
    PsErr err;
    PsValue expected;
} TextCase;

static void typed_text(void **state) {
    (void)state;
    const TextCase cases[] = {
        {PS_TYPE_BOOL, "true", PS_OK, ps_value_bool(true)},
        {PS_TYPE_BOOL, "0", PS_OK, ps_value_bool(false)},
        {PS_TYPE_WORD, "12", PS_OK, ps_value_int(12)},
        {PS_TYPE_WORD, "1e3", PS_OK, ps_value_int(1000)},
        {PS_TYPE_WORD, "", PS_ERR_INVALID, ps_value_none()},
        {PS_TYPE_WORD, " 12", PS_ERR_INVALID, ps_value_none()},
        {PS_TYPE_WORD, "12 ", PS_ERR_INVALID, ps_value_none()},
        {PS_TYPE_WORD, "0x10", PS_ERR_INVALID, ps_value_none()},
        {PS_TYPE_WORD, "99999999999999999999999", PS_ERR_RANGE, ps_value_none()},
        {PS_TYPE_FLOAT, "-3.5", PS_OK, ps_value_float(-3.5)},
        {PS_TYPE_FLOAT, "nan", PS_ERR_INVALID, ps_value_none()},
        {PS_TYPE_FLOAT, "inf", PS_ERR_INVALID, ps_value_none()},
        {PS_TYPE_FLOAT, "1e999", PS_ERR_INVALID, ps_value_none()},
        {PS_TYPE_ULONG, "18446744073709551615", PS_OK, ps_value_uint(UINT64_MAX)},
        {PS_TYPE_STRING, "12", PS_OK, ps_value_text("12", 2)},
        {PS_TYPE_STRING, "12345", PS_ERR_TOO_BIG, ps_value_none()},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsVariable variable = of_type(cases[i].type);
        PsValue got = ps_value_none();
        PsDiag diag = {0};
        PsErr err = ps_coerce_text(&variable, cases[i].given, &got, &diag);
        if (err != cases[i].err || !ps_value_equal(got, cases[i].expected)) {
            fail_msg("case %zu '%s': %s: %s", i, cases[i].given, ps_err_name(err), diag.text);
        }
    }
}

static void the_range_is_named(void **state) {
    (void)state;
    PsVariable variable = of_type(PS_TYPE_INT);
    PsValue got;
    PsDiag diag;
    assert_int_equal(ps_coerce(&variable, ps_value_int(40000), &got, &diag), PS_ERR_RANGE);
    assert_string_equal(diag.object, "variable 'v' of device 'd'");
    assert_string_equal(diag.text, "takes a whole number from -32768 to 32767; got '40000'");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(script_values),
        cmocka_unit_test(typed_text),
        cmocka_unit_test(the_range_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
