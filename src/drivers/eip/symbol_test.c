// Tags taken apart, against the bytes of Rockwell's manual, and what is said about misspelt ones.
#include "drivers/eip/symbol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

typedef struct Case {
    const char *text;
    const char *path; // without a single index at the end
    size_t len;
    bool indexed;
    uint32_t index;
    int bit;
} Case;

#define BYTES(text) (text), sizeof(text) - 1

static const Case cases[] = {
    // Rockwell 1756-PM020F, chapter 1, "Write Tag Fragmented Service": TotalCount
    {"TotalCount", BYTES("\x91\x0ATotalCount"), false, 0, PS_EIP_NO_BIT},
    // 1756-PM020F, "Read Modify Write Tag Service": ControlWord, padded to whole words
    {"ControlWord",
     BYTES("\x91\x0B"
           "ControlWord\0"),
     false, 0, PS_EIP_NO_BIT},
    // 1756-PM020F, "Atomic members of predefined data types", example 3: setpoints[5], whose member
    // segment is 28 05
    {"setpoints[5]", BYTES("\x91\x09setpoints\0"), true, 5, PS_EIP_NO_BIT},
    // ditto, example 7: ErrorLimit.PRE
    {"ErrorLimit.PRE",
     BYTES("\x91\x0A"
           "ErrorLimit\x91\x03PRE\0"),
     false, 0, PS_EIP_NO_BIT},
    // ditto, example 8: the members of struct3.today.rate
    {"today.rate", BYTES("\x91\x05today\0\x91\x04rate"), false, 0, PS_EIP_NO_BIT},
    {"Matrix[1,2]", BYTES("\x91\x06Matrix\x28\x01\x28\x02"), false, 0, PS_EIP_NO_BIT},
    {"Cube[1,300,70000]",
     BYTES("\x91\x04"
           "Cube\x28\x01\x29\0\x2C\x01\x2A\0\x70\x11\x01\0"),
     false, 0, PS_EIP_NO_BIT},
    {"Tanks[2].Level", BYTES("\x91\x05Tanks\0\x28\x02\x91\x05Level\0"), false, 0, PS_EIP_NO_BIT},
    {"Program:Main.Count",
     BYTES("\x91\x0CProgram:Main\x91\x05"
           "Count\0"),
     false, 0, PS_EIP_NO_BIT},
    {"Local:1:I.Data",
     BYTES("\x91\x09Local:1:I\0\x91\x04"
           "Data"),
     false, 0, PS_EIP_NO_BIT},
    {"Local:1:I.Data.7",
     BYTES("\x91\x09Local:1:I\0\x91\x04"
           "Data"),
     false, 0, 7},
    {"ZB.LEN.16", BYTES("\x91\x02ZB\x91\x03LEN\0"), false, 0, 16},
    {"Status.0", BYTES("\x91\x06Status"), false, 0, 0},
    {"Words[2].31", BYTES("\x91\x05Words\0"), true, 2, 31},
    {"Name.DATA[3]",
     BYTES("\x91\x04Name\x91\x04"
           "DATA"),
     true, 3, PS_EIP_NO_BIT},
    {"_a", BYTES("\x91\x02_a"), false, 0, PS_EIP_NO_BIT},
};

static void tags_become_paths(void **state) {
    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsEipSymbol symbol = {0};
        PsDiag diag = {0};
        if (ps_eip_symbol_parse(cases[i].text, &symbol, &diag) != PS_OK) {
            fail_msg("%s: %s", cases[i].text, diag.text);
        }
        if (symbol.path_len != cases[i].len ||
            memcmp(symbol.path, cases[i].path, cases[i].len) != 0) {
            fail_msg("%s: other bytes", cases[i].text);
        }
        assert_int_equal(symbol.indexed, cases[i].indexed);
        assert_int_equal(symbol.index, cases[i].index);
        assert_int_equal(symbol.bit, cases[i].bit);
    }
}

static void misspelt_tags_show_the_place(void **state) {
    (void)state;
    const struct {
        const char *text;
        const char *said;
    } wrong[] = {
        {"", "is missing"},
        {"3Tag", "character 1 ('3Tag')"},
        {"Tag.", "ends too early"},
        {"Tag..x", "character 5 ('.x')"},
        {"Tag[", "ends too early"},
        {"Tag[x]", "character 5 ('x]')"},
        {"Tag[-1]", "character 5"},
        {"Tag[1", "expected ] or a comma"},
        {"Tag[1,2,3,4]", "three dimensions"},
        {"Tag[4294967296]", "number of an element"},
        {"Tag.64", "a bit has a number from 0 to 63"},
        {"Tag.3.x", "nothing can follow the number of a bit"},
        {"Tag.3[0]", "nothing can follow"},
        {"My Tag", "character 3 (' Tag')"},
        {"Tag-1", "character 4 ('-1')"},
        {"Program:Main", "a program is no value"},
        {":x", "begins with a letter"},
        {"a::b", "nothing before the colon"},
        {"Local:", "behind the colon"},
        {"Tag.Mem:ber", "expected a dot"},
        {"abcdefghijklmnopqrstuvwxyzabcdefghijklmno", "at most 40"},
        {"Tag[0][1]", "expected a dot"},
    };
    for (size_t i = 0; i < PS_COUNT(wrong); i++) {
        PsEipSymbol symbol = {0};
        PsDiag diag = {0};
        assert_int_equal(ps_eip_symbol_parse(wrong[i].text, &symbol, &diag), PS_ERR_INVALID);
        assert_string_equal(diag.field, "symbol");
        if (strstr(diag.text, wrong[i].said) == NULL || strstr(diag.text, "for example") == NULL) {
            fail_msg("%s: %s", wrong[i].text, diag.text);
        }
    }
}

// 255 characters of one-letter members make the longest path there can be.
static void the_longest_symbol_fits_or_is_refused(void **state) {
    (void)state;
    char text[256];
    for (size_t i = 0; i < 255; i++) {
        text[i] = i % 2 == 0 ? 'a' : '.';
    }
    text[255] = '\0';
    PsEipSymbol symbol = {0};
    PsDiag diag = {0};
    PsErr err = ps_eip_symbol_parse(text, &symbol, &diag);
    assert_true(err == PS_ERR_INVALID);
    assert_non_null(strstr(diag.text, "too long"));
    text[241] = '\0';
    assert_int_equal(ps_eip_symbol_parse(text, &symbol, &diag), PS_OK);
    assert_true(symbol.path_len + PS_EIP_ELEMENT_MAX <= PS_EIP_PATH_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_become_paths),
        cmocka_unit_test(misspelt_tags_show_the_place),
        cmocka_unit_test(the_longest_symbol_fits_or_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
