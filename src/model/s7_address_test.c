// S7 addresses: every notation that is taken, and what is said about the others. Pure.
#include "model/config.h"
#include "model/s7_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void reads_every_notation(void **state) {
    static const struct {
        const char *text;
        PsS7Address address;
    } cases[] = {
        {"%I0.0", {PS_S7_INPUTS, 0, 0, 0, PS_TYPE_BOOL}},
        {"I0.7", {PS_S7_INPUTS, 0, 0, 7, PS_TYPE_BOOL}},
        {"%IX1.2", {PS_S7_INPUTS, 0, 1, 2, PS_TYPE_BOOL}},
        {"%IB1", {PS_S7_INPUTS, 0, 1, PS_UNSET, PS_TYPE_BYTE}},
        {"%IW3", {PS_S7_INPUTS, 0, 3, PS_UNSET, PS_TYPE_WORD}},
        {"%ID4", {PS_S7_INPUTS, 0, 4, PS_UNSET, PS_TYPE_DWORD}},
        {"I4", {PS_S7_INPUTS, 0, 4, PS_UNSET, PS_UNSET}},
        {"%EW4", {PS_S7_INPUTS, 0, 4, PS_UNSET, PS_TYPE_WORD}},
        {"E0.1", {PS_S7_INPUTS, 0, 0, 1, PS_TYPE_BOOL}},
        {"A0.1", {PS_S7_OUTPUTS, 0, 0, 1, PS_TYPE_BOOL}},
        {"QB65535", {PS_S7_OUTPUTS, 0, 65535, PS_UNSET, PS_TYPE_BYTE}},
        {"ad2", {PS_S7_OUTPUTS, 0, 2, PS_UNSET, PS_TYPE_DWORD}},
        {" M10.2\t", {PS_S7_FLAGS, 0, 10, 2, PS_TYPE_BOOL}},
        {"mw10", {PS_S7_FLAGS, 0, 10, PS_UNSET, PS_TYPE_WORD}},
        {"%DB6.DBD18", {PS_S7_DB, 6, 18, PS_UNSET, PS_TYPE_DWORD}},
        {"%DB6.DBX2.0", {PS_S7_DB, 6, 2, 0, PS_TYPE_BOOL}},
        {"db6.dbb4", {PS_S7_DB, 6, 4, PS_UNSET, PS_TYPE_BYTE}},
        {"DB65535.DBW0", {PS_S7_DB, 65535, 0, PS_UNSET, PS_TYPE_WORD}},
        {"DB6.14", {PS_S7_DB, 6, 14, PS_UNSET, PS_UNSET}},
        {"DB6.2.0", {PS_S7_DB, 6, 2, 0, PS_TYPE_BOOL}},
        {"VW100", {PS_S7_DB, 1, 100, PS_UNSET, PS_TYPE_WORD}},
        {"V3.5", {PS_S7_DB, 1, 3, 5, PS_TYPE_BOOL}},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsS7Address got = {0};
        PsDiag diag = {0};
        if (ps_s7_address_parse(cases[i].text, &got, &diag) != PS_OK) {
            fail_msg("%s: %s", cases[i].text, diag.text);
        }
        assert_memory_equal(&got, &cases[i].address, sizeof got);
    }
}

static void says_what_is_wrong(void **state) {
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"", "begins with DB, I (E), Q (A), M or V; write one like DB6.DBD18"},
        {"%", "begins with"},
        {"40001", "'40001' is no S7 address: it begins with DB"},
        {"T5", "begins with"},
        {"DB", "the number of the data block is missing"},
        {"DB0.DBW0", "begin with DB1"},
        {"DB65536.DBW0", "the number of the data block is at most 65535"},
        {"DB6", "the place in the data block"},
        {"DB6DBW0", "the place in the data block"},
        {"DB6.DB14", "X, B, W or D is missing"},
        {"DB6.DBX2", "the bit, 0 to 7, are missing"},
        {"DB6.DBX2.8", "the bit is at most 7"},
        {"DB6.DBX2.", "the bit is missing"},
        {"DB6.DBW2.1", "B, W and D have no bit"},
        {"DB6.DBL2", "the number of the byte is missing"},
        {"IW", "the number of the byte is missing"},
        {"IW-1", "the number of the byte is missing"},
        {"IW65536", "the number of the byte is at most 65535"},
        {"MD99999999999999999999", "the number of the byte is at most"},
        {"IW3 x", "something behind it"},
        {"I0.0.0", "something behind it"},
        {"I 4", "the number of the byte is missing"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsS7Address got = {.area = 42};
        PsDiag diag = {0};
        assert_int_not_equal(ps_s7_address_parse(cases[i].text, &got, &diag), PS_OK);
        assert_int_equal(got.area, 42);
        assert_string_equal(diag.field, "address");
        if (strstr(diag.text, cases[i].words) == NULL) {
            fail_msg("%s: %s", cases[i].text, diag.text);
        }
        assert_int_not_equal(ps_s7_address_parse(cases[i].text, &got, NULL), PS_OK);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_notation),
        cmocka_unit_test(says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
