// Values as JSON text, held against the display's format and strtod.
#include "live/format.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *value_text(PsBuf *buf, PsValue value) {
    ps_buf_clear(buf);
    ps_live_put_value(buf, value);
    return (const char *)buf->data;
}

typedef struct Case {
    PsValue value;
    const char *json;
    const char *shown;
} Case;

static void values(void **state) {
    (void)state;
    const Case cases[] = {
        {ps_value_none(), "null", "\"\""},
        {ps_value_bool(true), "true", "\"true\""},
        {ps_value_int(0), "0", "\"0\""},
        {ps_value_int(-17), "-17", "\"-17\""},
        {ps_value_int(INT64_MIN), "-9223372036854775808", "\"-9223372036854775808\""},
        {ps_value_uint(UINT64_MAX), "18446744073709551615", "\"18446744073709551615\""},
        {ps_value_float(0), "0.0", "\"0.0\""},
        {ps_value_float(-0.0), "-0.0", "\"-0.0\""},
        {ps_value_float(23.1), "23.1", "\"23.1\""},
        {ps_value_float(-0.0625), "-0.0625", "\"-0.0625\""},
        {ps_value_float(1e20), "1e+20", "\"1e+20\""},
        {ps_value_float(1e-7), "1e-07", "\"1e-07\""},
        {ps_value_float(INFINITY), "null", "\"inf\""},
        {ps_value_text("a\"b\\c\n\x7f", 7), "\"a\\\"b\\\\c\\u000a\\u007f\"", "\"a\\\"b\\\\c??\""},
        {ps_value_text("M\xc3\xbcller", 7), "\"M\xc3\xbcller\"", "\"M\xc3\xbcller\""},
        {ps_value_text("\xff!", 2), "\"?!\"", "\"?!\""},
        {ps_value_text(NULL, 0), "\"\"", "\"\""},
    };
    PS_AUTO_BUF PsBuf buf = {0};
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        assert_string_equal(value_text(&buf, cases[i].value), cases[i].json);
        ps_buf_clear(&buf);
        ps_live_put_shown(&buf, cases[i].value);
        assert_string_equal((const char *)buf.data, cases[i].shown);
    }
}

// The quick way and the display's say the same of numbers as plants have them.
static void floats_as_displays(void **state) {
    (void)state;
    PS_AUTO_BUF PsBuf buf = {0};
    unsigned random = 12345;
    for (int i = 0; i < 200000; i++) {
        random = random * 1664525U + 1013904223U;
        static const double powers[] = {1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e9};
        double number = ((double)(int)random) / powers[i % 8];
        number = i % 3 == 0 ? (double)(float)number : number;
        number = i % 5 == 0 ? number * 1e-3 : number;
        char shown[64];
        ps_value_format(ps_value_float(number), shown, sizeof shown);
        const char *json = value_text(&buf, ps_value_float(number));
        assert_string_equal(json, shown);
        assert_true(strtod(json, NULL) == number);
    }
}

static void times(void **state) {
    (void)state;
    PS_AUTO_BUF PsBuf buf = {0};
    ps_live_put_time(&buf, (PsWall){0});
    assert_string_equal((const char *)buf.data, "null");
    ps_buf_clear(&buf);
    ps_live_put_time(&buf, (PsWall){INT64_C(1764148464007999999)});
    assert_string_equal((const char *)buf.data, "1764148464.007");
}

// Long bytes that are no text are cut, long text is not.
static void long_texts(void **state) {
    (void)state;
    PS_AUTO_BUF PsBuf buf = {0};
    char text[3000];
    memset(text, 'x', sizeof text);
    ps_live_put_string(&buf, text, sizeof text);
    assert_int_equal(buf.len, sizeof text + 2);
    text[5] = '\xff';
    ps_buf_clear(&buf);
    ps_live_put_string(&buf, text, sizeof text);
    assert_int_equal(buf.len, 1024 + 2);
    assert_memory_equal(buf.data, "\"xxxxx?x", 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(floats_as_displays),
        cmocka_unit_test(times),
        cmocka_unit_test(long_texts),
    };
    return cmocka_run_group_tests_name("live/format", tests, NULL, NULL);
}
