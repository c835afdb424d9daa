// What bytes are read as, and which reading is pointed at.
#include "drivers/readings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

typedef struct Found {
    PsReading all[PS_READINGS_MAX];
    uint32_t count;
} Found;

static Found read_as(const char *bytes, uint32_t len, int type, int order) {
    Found found;
    found.count = ps_readings((const uint8_t *)bytes, len, type, order, found.all);
    return found;
}

static const PsReading *find(const Found *found, int type, const char *order) {
    for (uint32_t i = 0; i < found->count; i++) {
        if (found->all[i].data_type == type &&
            strcmp(ps_reading_order_name(&found->all[i]), order) == 0) {
            return &found->all[i];
        }
    }
    fail_msg("no reading of type %d in order '%s'", type, order);
    return NULL;
}

static const char *text_of(const Found *found, int type, const char *order) {
    return find(found, type, order)->text;
}

static void four_bytes_in_all_orders(void **state) {
    (void)state;
    Found found = read_as("\x01\x02\x03\x04", 4, PS_TYPE_DWORD, PS_ORDER_ABCD);
    assert_string_equal(text_of(&found, PS_TYPE_DWORD, "abcd"), "16909060");
    assert_string_equal(text_of(&found, PS_TYPE_DWORD, "badc"), "33620995");
    assert_string_equal(text_of(&found, PS_TYPE_DWORD, "cdab"), "50594050");
    assert_string_equal(text_of(&found, PS_TYPE_DWORD, "dcba"), "67305985");
    assert_string_equal(text_of(&found, PS_TYPE_BCD32, "abcd"), "1020304");
    assert_string_equal(text_of(&found, PS_TYPE_WORD, "ab"), "258");
    assert_string_equal(text_of(&found, PS_TYPE_WORD, "ba"), "513");
    assert_true(find(&found, PS_TYPE_DWORD, "abcd")->configured);
    assert_false(find(&found, PS_TYPE_DWORD, "badc")->configured);
}

static void eight_bytes_turn_by_pairs(void **state) {
    (void)state;
    Found found = read_as("\x01\x02\x03\x04\x05\x06\x07\x08", 8, PS_TYPE_LONG, PS_ORDER_CDAB);
    assert_string_equal(text_of(&found, PS_TYPE_ULONG, "abcd"), "72623859790382856");
    assert_string_equal(text_of(&found, PS_TYPE_ULONG, "cdab"), "506660481457717506");
    assert_string_equal(text_of(&found, PS_TYPE_ULONG, "badc"), "144401074084972551");
    assert_string_equal(text_of(&found, PS_TYPE_ULONG, "dcba"), "578437695752307201");
    assert_true(find(&found, PS_TYPE_LONG, "cdab")->configured);
}

static void a_wrong_order_is_nonsense_and_the_right_one_is_marked(void **state) {
    (void)state;
    Found found = read_as("\x00\x00\x41\xB4", 4, PS_TYPE_FLOAT, PS_ORDER_ABCD); // 22.5 in cdab
    assert_string_equal(text_of(&found, PS_TYPE_FLOAT, "cdab"), "22.5");
    assert_int_equal(find(&found, PS_TYPE_FLOAT, "abcd")->likely, PS_LIKELY_NO);
    const PsReading *better = ps_readings_better(found.all, found.count);
    assert_ptr_equal(better, find(&found, PS_TYPE_FLOAT, "cdab"));
    assert_false(find(&found, PS_TYPE_DWORD, "abcd")->marked); // 16820 is likely, but less so
}

static void a_right_one_has_no_better(void **state) {
    (void)state;
    Found found = read_as("\x41\xB4\x00\x00", 4, PS_TYPE_FLOAT, PS_ORDER_ABCD);
    assert_null(ps_readings_better(found.all, found.count));
    assert_false(find(&found, PS_TYPE_FLOAT, "abcd")->marked);
    found = read_as("\x41\xB4", 2, PS_TYPE_WORD, PS_ORDER_ABCD);
    assert_null(ps_readings_better(found.all, found.count));
}

static void where_the_type_is_wrong_another_is_better(void **state) {
    (void)state;
    Found found = read_as("\x41\xB4\x00\x00", 4, PS_TYPE_DINT, PS_ORDER_ABCD);
    const PsReading *better = ps_readings_better(found.all, found.count);
    assert_ptr_equal(better, find(&found, PS_TYPE_FLOAT, "abcd"));
}

static void what_is_no_value_is_empty(void **state) {
    (void)state;
    Found found = read_as("\x7F\xC0\x00\x0A\xFF\xFF\xFF\xFF", 8, PS_TYPE_FLOAT, PS_ORDER_ABCD);
    assert_string_equal(text_of(&found, PS_TYPE_FLOAT, "abcd"), ""); // NaN
    assert_string_equal(text_of(&found, PS_TYPE_BCD, "ab"), "");
    assert_string_equal(text_of(&found, PS_TYPE_STRING, "ab"), "");
    assert_string_equal(text_of(&found, PS_TYPE_DOUBLE, "cdab"), "");
    assert_int_equal(find(&found, PS_TYPE_FLOAT, "abcd")->likely, PS_LIKELY_NO);
}

static void signs_and_ends(void **state) {
    (void)state;
    Found found = read_as("\xFF\xFE\xFF\xFF\xFF\xFF\xFF\xFF", 8, PS_TYPE_INT, PS_UNSET);
    assert_string_equal(text_of(&found, PS_TYPE_BYTE, ""), "255");
    assert_string_equal(text_of(&found, PS_TYPE_SINT, ""), "-1");
    assert_string_equal(text_of(&found, PS_TYPE_INT, "ab"), "-2");
    assert_string_equal(text_of(&found, PS_TYPE_WORD, "ab"), "65534");
    assert_string_equal(text_of(&found, PS_TYPE_LONG, "dcba"), "-257");
    assert_string_equal(text_of(&found, PS_TYPE_ULONG, "dcba"), "18446744073709551359");
    assert_true(find(&found, PS_TYPE_INT, "ab")->configured);
}

static void floats_have_as_few_digits_as_read_back(void **state) {
    (void)state;
    Found found = read_as("\x3D\xCC\xCC\xCD", 4, PS_TYPE_FLOAT, PS_ORDER_ABCD);
    assert_string_equal(text_of(&found, PS_TYPE_FLOAT, "abcd"), "0.1");
    found = read_as("\x7F\x7F\xFF\xFF", 4, PS_TYPE_FLOAT, PS_ORDER_ABCD);
    assert_string_equal(text_of(&found, PS_TYPE_FLOAT, "abcd"), "3.4028235e+38");
    found = read_as("\x40\x09\x21\xFB\x54\x44\x2D\x18", 8, PS_TYPE_DOUBLE, PS_ORDER_ABCD);
    assert_string_equal(text_of(&found, PS_TYPE_DOUBLE, "abcd"), "3.141592653589793");
}

static void text_and_bits(void **state) {
    (void)state;
    Found found = read_as("eRicep\0\0", 8, PS_TYPE_STRING, PS_ORDER_ABCD);
    assert_string_equal(text_of(&found, PS_TYPE_STRING, "ba"), "Recipe");
    assert_string_equal(text_of(&found, PS_TYPE_STRING, "ab"), "eRicep");
    found = read_as("\x80\x01", 2, PS_TYPE_BIT, PS_ORDER_ABCD);
    const PsReading *bits = find(&found, PS_READING_BITS, "ab");
    assert_string_equal(bits->text, "1000 0000 0000 0001");
    assert_true(bits->configured);
    assert_string_equal(ps_reading_type_name(bits), "bits");
}

static void any_number_of_bytes(void **state) {
    (void)state;
    char bytes[PS_READING_BYTES_MAX + 8];
    memset(bytes, 'A', sizeof bytes);
    for (uint32_t len = 0; len <= sizeof bytes; len++) {
        Found found = read_as(bytes, len, PS_TYPE_STRING, PS_ORDER_ABCD);
        assert_true(found.count <= PS_READINGS_MAX);
        assert_true((found.count > 0) == (len > 0));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_bytes_in_all_orders),
        cmocka_unit_test(eight_bytes_turn_by_pairs),
        cmocka_unit_test(a_wrong_order_is_nonsense_and_the_right_one_is_marked),
        cmocka_unit_test(a_right_one_has_no_better),
        cmocka_unit_test(where_the_type_is_wrong_another_is_better),
        cmocka_unit_test(what_is_no_value_is_empty),
        cmocka_unit_test(signs_and_ends),
        cmocka_unit_test(floats_have_as_few_digits_as_read_back),
        cmocka_unit_test(text_and_bits),
        cmocka_unit_test(any_number_of_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
