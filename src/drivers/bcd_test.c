// Binary coded decimals, both ways.
#include "drivers/bcd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void digits_come_and_go(void **state) {
    static const struct {
        uint64_t bits;
        unsigned digits;
        int64_t number;
    } rows[] = {
        {0x0000, 4, 0},
        {0x1234, 4, 1234},
        {0x9999, 4, 9999},
        {0x12345678, 8, 12345678},
        {0x9999999999999999, 16, 9999999999999999},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t number = -1;
        assert_true(ps_bcd_decode(rows[i].bits, rows[i].digits, &number));
        assert_int_equal(number, rows[i].number);
        assert_true(ps_bcd_encode(rows[i].number, rows[i].digits) == rows[i].bits);
    }
}

static void a_digit_above_nine_is_none(void **state) {
    int64_t number;
    assert_false(ps_bcd_decode(0x123A, 4, &number));
    assert_false(ps_bcd_decode(0xF000, 4, &number));
    assert_true(ps_bcd_decode(0xF123, 3, &number)); // not asked for
    assert_int_equal(number, 123);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_come_and_go),
        cmocka_unit_test(a_digit_above_nine_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
