// Registers to values and back, one row per case.
#include "drivers/modbus/codec.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SIZE_OF_TEXT 5

static PsModbusField make_field(int type, int order, int bit) {
    PsDevice device = {.byte_order = order};
    PsVariable variable = {.register_addr = 40001,
                           .data_type = type,
                           .register_bit = bit,
                           .float_repr = 2,
                           .size = SIZE_OF_TEXT};
    return ps_modbus_field(&device, &variable);
}

typedef struct Case {
    int type;
    int order;
    int bit;
    uint16_t registers[4];
    PsValue value;
    bool one_way; // encoding does not give the same registers back
} Case;

static const Case good_cases[] = {
    {PS_TYPE_WORD, PS_ORDER_DCBA, -1, {0xABCD}, {.kind = PS_VALUE_INT, .integer = 0xABCD}, 0},
    {PS_TYPE_INT, PS_ORDER_ABCD, -1, {0x8000}, {.kind = PS_VALUE_INT, .integer = -32768}, 0},
    {PS_TYPE_BOOL, 0, 15, {0x8000}, {.kind = PS_VALUE_BOOL, .boolean = true}, 0},
    {PS_TYPE_BOOL, 0, 0, {0xFFFE}, {.kind = PS_VALUE_BOOL, .boolean = false}, 0},
    {PS_TYPE_BIT, 0, 3, {0x0008}, {.kind = PS_VALUE_INT, .integer = 1}, 0},
    {PS_TYPE_DWORD, PS_ORDER_ABCD, -1, {0xAABB, 0xCCDD}, {PS_VALUE_INT, .integer = 0xAABBCCDD}, 0},
    {PS_TYPE_DWORD, PS_ORDER_BADC, -1, {0xBBAA, 0xDDCC}, {PS_VALUE_INT, .integer = 0xAABBCCDD}, 0},
    {PS_TYPE_DWORD, PS_ORDER_CDAB, -1, {0xCCDD, 0xAABB}, {PS_VALUE_INT, .integer = 0xAABBCCDD}, 0},
    {PS_TYPE_DWORD, PS_ORDER_DCBA, -1, {0xDDCC, 0xBBAA}, {PS_VALUE_INT, .integer = 0xAABBCCDD}, 0},
    {PS_TYPE_DINT, PS_ORDER_CDAB, -1, {0xFFFE, 0xFFFF}, {PS_VALUE_INT, .integer = -2}, 0},
    {PS_TYPE_FLOAT, 0, -1, {0x4144, 0xCCCD}, {PS_VALUE_FLOAT, .number = 12.3}, 0},
    {PS_TYPE_FLOAT, PS_ORDER_CDAB, -1, {0, 0xC2C8}, {PS_VALUE_FLOAT, .number = -100}, 0},
    {PS_TYPE_FLOAT, 0, -1, {0x7F7F, 0xFFFF}, {PS_VALUE_FLOAT, .number = 0x1.fffffep127}, 0},
    {PS_TYPE_FLOAT, 0, -1, {0x8000, 0}, {PS_VALUE_FLOAT, .number = 0}, true},
    {PS_TYPE_DOUBLE, 0, -1, {0x4029, 0, 0, 0}, {PS_VALUE_FLOAT, .number = 12.5}, 0},
    {PS_TYPE_DOUBLE, PS_ORDER_DCBA, -1, {0, 0, 0, 0x2940}, {PS_VALUE_FLOAT, .number = 12.5}, 0},
    {PS_TYPE_BCD, PS_ORDER_DCBA, -1, {0x1234}, {PS_VALUE_INT, .integer = 1234}, 0},
    {PS_TYPE_BCD32, PS_ORDER_ABCD, -1, {0x9876, 0x5432}, {PS_VALUE_INT, .integer = 98765432}, 0},
    {PS_TYPE_BCD32, PS_ORDER_CDAB, -1, {0x5432, 0x9876}, {PS_VALUE_INT, .integer = 98765432}, 0},
    {PS_TYPE_LONG, 0, -1, {0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE}, {PS_VALUE_INT, .integer = -2}, 0},
    {PS_TYPE_ULONG,
     PS_ORDER_BADC,
     -1,
     {0x0080, 0, 0, 0x0100},
     {PS_VALUE_UINT, .unsigned_integer = 0x8000000000000001},
     0},
    {PS_TYPE_ULONG, PS_ORDER_CDAB, -1, {4, 3, 2, 1}, {PS_VALUE_INT, .integer = 0x1000200030004}, 0},
    {PS_TYPE_STRING,
     PS_ORDER_DCBA,
     -1,
     {0x6162, 0x6364, 0x6500},
     {PS_VALUE_TEXT, 5, .text = "abcde"},
     0},
    {PS_TYPE_STRING, 0, -1, {0x6162, 0x6364, 0x6566}, {PS_VALUE_TEXT, 5, .text = "abcde"}, true},
    {PS_TYPE_STRING, 0, -1, {0x6100, 0x6364, 0}, {PS_VALUE_TEXT, 1, .text = "a"}, true},
    {PS_TYPE_STRING, 0, -1, {0, 0, 0}, {PS_VALUE_TEXT, 0, .text = ""}, 0},
};

static void every_type_and_order_both_ways(void **state) {
    (void)state;
    for (size_t i = 0; i < PS_COUNT(good_cases); i++) {
        const Case *test = &good_cases[i];
        PsModbusField field = make_field(test->type, test->order, test->bit);
        char text[PS_MODBUS_TEXT_MAX];
        PsValue value;
        PsQuality quality = ps_modbus_decode(&field, test->registers, text, &value);
        if (quality != PS_QUALITY_GOOD || !ps_value_equal(value, test->value)) {
            char shown[64];
            ps_value_format(value, shown, sizeof shown);
            fail_msg("case %zu: %s '%s'", i, ps_quality_name(quality), shown);
        }
        if (test->one_way) {
            continue;
        }
        uint16_t registers[4] = {test->registers[0]}; // what a bit is written into
        ps_modbus_encode(&field, test->value, registers);
        if (memcmp(registers, test->registers, field.registers * sizeof *registers) != 0) {
            fail_msg("case %zu encodes to %04x %04x %04x %04x", i, registers[0], registers[1],
                     registers[2], registers[3]);
        }
    }
}

static void what_is_no_value_is_undecodable(void **state) {
    (void)state;
    const struct {
        int type;
        uint16_t registers[4];
    } cases[] = {
        {PS_TYPE_BCD, {0x12A4}},       {PS_TYPE_BCD32, {0x1234, 0xF000}},
        {PS_TYPE_FLOAT, {0x7F80, 0}}, // infinity
        {PS_TYPE_FLOAT, {0x7FC0, 0}}, // not a number
        {PS_TYPE_DOUBLE, {0xFFF0, 0}},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsModbusField field = make_field(cases[i].type, PS_ORDER_ABCD, -1);
        PsValue value;
        PsQuality quality = ps_modbus_decode(&field, cases[i].registers, NULL, &value);
        assert_int_equal(quality, PS_QUALITY_UNDECODABLE);
        assert_int_equal(value.kind, PS_VALUE_NONE);
    }
}

static void a_bit_leaves_its_neighbours_alone(void **state) {
    (void)state;
    PsModbusField field = make_field(PS_TYPE_BIT, 0, 4);
    uint16_t registers[] = {0xFFFF};
    ps_modbus_encode(&field, ps_value_int(0), registers);
    assert_int_equal(registers[0], 0xFFEF);
    registers[0] = 0x0001;
    ps_modbus_encode(&field, ps_value_int(1), registers);
    assert_int_equal(registers[0], 0x0011);
}

static void bit_tables_give_bool_or_int(void **state) {
    (void)state;
    PsDevice device = {0};
    PsVariable variable = {.register_addr = 1, .data_type = PS_TYPE_BOOL, .register_bit = PS_UNSET};
    PsModbusField field = ps_modbus_field(&device, &variable);
    assert_true(ps_value_equal(ps_modbus_decode_bit(&field, 1), ps_value_bool(true)));
    variable.data_type = PS_TYPE_BIT;
    field = ps_modbus_field(&device, &variable);
    assert_true(ps_value_equal(ps_modbus_decode_bit(&field, 1), ps_value_int(1)));
}

static void rounding_is_half_up_away_from_zero(void **state) {
    (void)state;
    const struct {
        double number;
        unsigned decimals;
        double expected;
    } cases[] = {
        {12.300000190734863, 2, 12.3},
        {0.125, 2, 0.13},
        {-0.125, 2, -0.13},
        {2.5, 0, 3},
        {-0.001, 2, 0},
        {1e300, 6, 1e300},
        {528.5599975585938, 2, 528.56},
        {0.1234565, 6, 0.123457},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        double got = ps_round_decimals(cases[i].number, cases[i].decimals);
        if (got != cases[i].expected || signbit(got) != signbit(cases[i].expected)) {
            fail_msg("%.17g to %u places gives %.17g", cases[i].number, cases[i].decimals, got);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_and_order_both_ways),
        cmocka_unit_test(what_is_no_value_is_undecodable),
        cmocka_unit_test(a_bit_leaves_its_neighbours_alone),
        cmocka_unit_test(bit_tables_give_bool_or_int),
        cmocka_unit_test(rounding_is_half_up_away_from_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
