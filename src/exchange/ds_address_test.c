// Addresses of Device Supervisor 2.x: what each form means, and what is refused. Pure.
#include "exchange/ds_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void reads_each_form(void **state) {
    static const struct {
        const char *text;
        int address;
        int bit;
    } cases[] = {
        {"0X0001", 1, -1},
        {"1X0001", 10001, -1},
        {"3X0001", 30001, -1},
        {"4X0001", 40001, -1},
        {"4x1", 40001, -1},
        {"4X9999", 49999, -1},
        {"4X10000", 410000, -1},
        {"3X10000", 310000, -1},
        {"1X10000", 110000, -1},
        {"0X10000", 10000, -1},
        {"4X65535", 465535, -1},
        {"4X0003.1", 40003, 1},
        {"40001.3", 40001, 3},
        {"400001.15", 400001, 15},
        {"00001", 1, -1},
        {"000002", 2, -1},
        {"1", 1, -1},
        {"10001", 10001, -1},
        {"310001", 310001, -1},
        {"410000", 410000, -1},
        {"365535", 365535, -1},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        int address = 0;
        int bit = 0;
        assert_int_equal(ps_ds_address_parse(cases[i].text, &address, &bit, NULL), PS_OK);
        assert_int_equal(address, cases[i].address);
        assert_int_equal(bit, cases[i].bit);
    }
}

static void refuses_what_has_no_meaning(void **state) {
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"", "no Modbus address"},
        {"4X", "no Modbus address"},
        {"2X0001", "no Modbus address"},
        {"ns=2;s=Temp", "no Modbus address"},
        {"DB6.14", "no Modbus address"},
        {"-1", "no Modbus address"},
        {"4000001", "no Modbus address"},
        {"4X00000000000000001", "no Modbus address"},
        {"4X0000", "outside 1 to 65535"},
        {"4X65536", "outside 1 to 65535"},
        {"4X999999999", "outside 1 to 65535"},
        {"00000", "outside 1 to 65535"},
        {"0X10001", "coil above 10000"},
        {"012345", "coil above 10000"},
        {"40001.", "has a bit"},
        {"40001.16", "has a bit"},
        {"40001.1.2", "has a bit"},
        {"20000", "1.x than in 2.x"},
        {"40000", "1.x than in 2.x"},
        {"50000", "1.x than in 2.x"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        int address = 0;
        int bit = 0;
        PsDiag diag = {0};
        assert_int_equal(ps_ds_address_parse(cases[i].text, &address, &bit, &diag), PS_ERR_INVALID);
        assert_non_null(strstr(diag.text, cases[i].expected));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_each_form),
        cmocka_unit_test(refuses_what_has_no_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
