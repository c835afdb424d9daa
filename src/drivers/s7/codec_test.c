// Bytes to values and back, for each type.
#include "drivers/s7/codec.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static PsS7Field field(int type, int size) {
    PsVariable variable = {.data_type = (int8_t)type,
                           .register_bit =
                               type == PS_TYPE_BOOL || type == PS_TYPE_BIT ? 3 : PS_UNSET,
                           .float_repr = 2,
                           .size = (int16_t)size};
    return ps_s7_field(&variable);
}

typedef struct Case {
    int type;
    uint8_t bytes[8];
    PsValue value;
    bool one_way; // the value is rounded
} Case;

static const Case cases[] = {
    {PS_TYPE_BYTE, {0xFE}, {.kind = PS_VALUE_INT, .integer = 254}, false},
    {PS_TYPE_SINT, {0xFE}, {.kind = PS_VALUE_INT, .integer = -2}, false},
    {PS_TYPE_WORD, {0xFF, 0x01}, {.kind = PS_VALUE_INT, .integer = 0xFF01}, false},
    {PS_TYPE_INT, {0xFF, 0xFE}, {.kind = PS_VALUE_INT, .integer = -2}, false},
    {PS_TYPE_DWORD, {0x80, 0, 0, 1}, {.kind = PS_VALUE_INT, .integer = 0x80000001}, false},
    {PS_TYPE_DINT, {0xFF, 0xFF, 0xFF, 0xFE}, {.kind = PS_VALUE_INT, .integer = -2}, false},
    {PS_TYPE_FLOAT, {0x41, 0x44, 0xCC, 0xCD}, {.kind = PS_VALUE_FLOAT, .number = 12.3}, false},
    {PS_TYPE_FLOAT, {0x40, 0x49, 0x0F, 0xDB}, {.kind = PS_VALUE_FLOAT, .number = 3.14}, true},
    {PS_TYPE_DOUBLE,
     {0xC0, 0x09, 0, 0, 0, 0, 0, 0},
     {.kind = PS_VALUE_FLOAT, .number = -3.13},
     true},
    {PS_TYPE_BCD, {0x12, 0x34}, {.kind = PS_VALUE_INT, .integer = 1234}, false},
    {PS_TYPE_BCD32, {0x99, 0x99, 0x00, 0x01}, {.kind = PS_VALUE_INT, .integer = 99990001}, false},
    {PS_TYPE_LONG,
     {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE},
     {.kind = PS_VALUE_INT, .integer = -2},
     false},
    {PS_TYPE_ULONG,
     {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE},
     {.kind = PS_VALUE_UINT, .unsigned_integer = UINT64_MAX - 1},
     false},
    {PS_TYPE_ULONG, {0, 0, 0, 0, 0, 0, 0, 7}, {.kind = PS_VALUE_INT, .integer = 7}, false},
    {PS_TYPE_STRING,
     {'a', 'b', 0, 'x'},
     {.kind = PS_VALUE_TEXT, .text = "ab", .text_len = 2},
     true},
    {PS_TYPE_STRING,
     {'a', 'b', 'c', 'd'},
     {.kind = PS_VALUE_TEXT, .text = "abcd", .text_len = 4},
     false},
    {PS_TYPE_S7STRING,
     {254, 2, 'h', 'i', 'x', 'x'},
     {.kind = PS_VALUE_TEXT, .text = "hi", .text_len = 2},
     true},
    {PS_TYPE_S7STRING,
     {20, 9, 'l', 'o', 'n', 'g'},
     {.kind = PS_VALUE_TEXT, .text = "long", .text_len = 4},
     true},
    {PS_TYPE_S7STRING,
     {0, 0, 'x', 'x', 'x', 'x'},
     {.kind = PS_VALUE_TEXT, .text = "", .text_len = 0},
     true},
};

static void every_type_is_read(void **state) {
    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsS7Field of = field(cases[i].type, 4);
        PsValue value;
        assert_int_equal(ps_s7_decode(&of, cases[i].bytes, &value), PS_QUALITY_GOOD);
        if (!ps_value_equal(value, cases[i].value)) {
            char shown[64];
            ps_value_format(value, shown, sizeof shown);
            fail_msg("case %zu, %s: %s", i, ps_data_type_name(cases[i].type), shown);
        }
    }
}

static void every_type_is_written(void **state) {
    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        if (cases[i].one_way) {
            continue;
        }
        PsS7Field of = field(cases[i].type, 4);
        uint8_t bytes[PS_S7_VALUE_MAX];
        ps_s7_encode(&of, cases[i].value, bytes);
        assert_memory_equal(bytes, cases[i].bytes, of.len);
    }
}

static void bits_are_picked_out_of_their_byte(void **state) {
    (void)state;
    PsS7Field boolean = field(PS_TYPE_BOOL, 1);
    PsS7Field bit = field(PS_TYPE_BIT, 1);
    PsValue value;
    (void)ps_s7_decode(&boolean, (const uint8_t[]){0x08}, &value);
    assert_true(ps_value_equal(value, ps_value_bool(true)));
    (void)ps_s7_decode(&bit, (const uint8_t[]){0xF7}, &value);
    assert_true(ps_value_equal(value, ps_value_int(0)));
    uint8_t byte = 0xAA;
    ps_s7_encode(&boolean, ps_value_bool(true), &byte);
    assert_int_equal(byte, 1);
    ps_s7_encode(&bit, ps_value_int(0), &byte);
    assert_int_equal(byte, 0);
}

static void what_is_no_value_is_undecodable(void **state) {
    (void)state;
    static const struct {
        int type;
        uint8_t bytes[8];
    } wrong[] = {
        {PS_TYPE_BCD, {0x1A, 0}},
        {PS_TYPE_BCD32, {0x12, 0x34, 0xF0, 0}},
        {PS_TYPE_FLOAT, {0x7F, 0xC0, 0, 0}},
        {PS_TYPE_FLOAT, {0x7F, 0x80, 0, 0}},
        {PS_TYPE_DOUBLE, {0x7F, 0xF8, 0, 0, 0, 0, 0, 0}},
        {PS_TYPE_S7STRING, {4, 5, 'a', 'b', 'c', 'd'}},
        {PS_TYPE_S7STRING, {255, 1, 'a', 'b', 'c', 'd'}},
    };
    for (size_t i = 0; i < PS_COUNT(wrong); i++) {
        PsS7Field of = field(wrong[i].type, 4);
        PsValue value = ps_value_int(1);
        assert_int_equal(ps_s7_decode(&of, wrong[i].bytes, &value), PS_QUALITY_UNDECODABLE);
        assert_int_equal(value.kind, PS_VALUE_NONE);
    }
}

static void a_short_text_is_filled_up(void **state) {
    (void)state;
    PsS7Field of = field(PS_TYPE_STRING, 6);
    uint8_t bytes[6];
    memset(bytes, 'x', sizeof bytes);
    ps_s7_encode(&of, ps_value_text("ab", 2), bytes);
    assert_memory_equal(bytes, "ab\0\0\0\0", 6);
    ps_s7_encode(&of, ps_value_text(NULL, 0), bytes);
    assert_memory_equal(bytes, "\0\0\0\0\0\0", 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(every_type_is_written),
        cmocka_unit_test(bits_are_picked_out_of_their_byte),
        cmocka_unit_test(what_is_no_value_is_undecodable),
        cmocka_unit_test(a_short_text_is_filled_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
