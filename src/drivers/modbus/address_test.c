// Written addresses and what may stand at them.
#include "drivers/modbus/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void every_written_form(void **state) {
    (void)state;
    const struct {
        int written;
        bool valid;
        PsModbusTable table;
        unsigned offset;
    } cases[] = {
        {-1, false, 0, 0},
        {0, false, 0, 0},
        {1, true, PS_MODBUS_COILS, 0},
        {10000, true, PS_MODBUS_COILS, 9999},
        {10001, true, PS_MODBUS_DISCRETE_INPUTS, 0},
        {20000, true, PS_MODBUS_DISCRETE_INPUTS, 9999},
        {20001, false, 0, 0},
        {30000, false, 0, 0},
        {30001, true, PS_MODBUS_INPUT_REGISTERS, 0},
        {40000, true, PS_MODBUS_INPUT_REGISTERS, 9999},
        {40001, true, PS_MODBUS_HOLDING_REGISTERS, 0},
        {50000, true, PS_MODBUS_HOLDING_REGISTERS, 9999},
        {50001, false, 0, 0},
        {100000, false, 0, 0},
        {100001, true, PS_MODBUS_DISCRETE_INPUTS, 0},
        {110001, true, PS_MODBUS_DISCRETE_INPUTS, 10000},
        {165535, true, PS_MODBUS_DISCRETE_INPUTS, 65534},
        {165536, false, 0, 0},
        {310001, true, PS_MODBUS_INPUT_REGISTERS, 10000},
        {365535, true, PS_MODBUS_INPUT_REGISTERS, 65534},
        {400000, false, 0, 0},
        {400001, true, PS_MODBUS_HOLDING_REGISTERS, 0},
        {410001, true, PS_MODBUS_HOLDING_REGISTERS, 10000},
        {465535, true, PS_MODBUS_HOLDING_REGISTERS, 65534},
        {465536, false, 0, 0},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsModbusAddress address = {0};
        PsDiag diag = {0};
        PsErr err = ps_modbus_address_parse(cases[i].written, &address, &diag);
        if (cases[i].valid != (err == PS_OK)) {
            fail_msg("%d: %s", cases[i].written, diag.text);
        }
        if (err == PS_OK) {
            assert_int_equal(address.table, cases[i].table);
            assert_int_equal(address.offset, cases[i].offset);
        } else {
            assert_string_equal(diag.field, "register_addr");
        }
    }
}

typedef struct CheckCase {
    const char *field; // NULL: sound
    int address;
    int type;
    int bit;
    int size;
    int access;
} CheckCase;

static PsVariable variable_of(const CheckCase *test) {
    return (PsVariable){.register_addr = test->address,
                        .data_type = test->type,
                        .register_bit = test->bit,
                        .size = test->size,
                        .access = test->access};
}

static void types_bits_sizes_and_access_fit_the_table(void **state) {
    (void)state;
    const CheckCase cases[] = {
        {NULL, 40001, PS_TYPE_WORD, PS_UNSET, 1, PS_ACCESS_READ},
        {NULL, 1, PS_TYPE_BOOL, PS_UNSET, 1, PS_ACCESS_READ},
        {NULL, 10001, PS_TYPE_BIT, PS_UNSET, 1, PS_ACCESS_READ},
        {"data_type", 1, PS_TYPE_WORD, PS_UNSET, 1, PS_ACCESS_READ},
        {"data_type", 10001, PS_TYPE_STRING, PS_UNSET, 1, PS_ACCESS_READ},
        {"data_type", 40001, PS_TYPE_BYTE, PS_UNSET, 1, PS_ACCESS_READ},
        {"data_type", 40001, PS_TYPE_SINT, PS_UNSET, 1, PS_ACCESS_READ},
        {"register_bit", 40001, PS_TYPE_BOOL, PS_UNSET, 1, PS_ACCESS_READ},
        {"register_bit", 40001, PS_TYPE_WORD, 3, 1, PS_ACCESS_READ},
        {"register_bit", 1, PS_TYPE_BOOL, 3, 1, PS_ACCESS_READ},
        {NULL, 40001, PS_TYPE_WORD, 0, 1, PS_ACCESS_READ},
        {NULL, 30001, PS_TYPE_BIT, 15, 1, PS_ACCESS_READ},
        {"register_bit", 30001, PS_TYPE_BIT, 16, 1, PS_ACCESS_READ},
        {NULL, 465535, PS_TYPE_DWORD, PS_UNSET, 1, PS_ACCESS_READ},
        {"register_addr", 465535, PS_TYPE_DOUBLE, PS_UNSET, 1, PS_ACCESS_READ},
        {NULL, 50000, PS_TYPE_DWORD, PS_UNSET, 1, PS_ACCESS_READ},
        {NULL, 40001, PS_TYPE_STRING, PS_UNSET, 250, PS_ACCESS_READ},
        {"size", 40001, PS_TYPE_STRING, PS_UNSET, 251, PS_ACCESS_READ},
        {NULL, 40001, PS_TYPE_STRING, PS_UNSET, 246, PS_ACCESS_READ_WRITE},
        {"size", 40001, PS_TYPE_STRING, PS_UNSET, 247, PS_ACCESS_READ_WRITE},
        {"register_addr", 465535, PS_TYPE_STRING, PS_UNSET, 5, PS_ACCESS_READ},
        {"read_write", 30001, PS_TYPE_WORD, PS_UNSET, 1, PS_ACCESS_READ_WRITE},
        {"read_write", 10001, PS_TYPE_BOOL, PS_UNSET, 1, PS_ACCESS_WRITE},
        {NULL, 1, PS_TYPE_BOOL, PS_UNSET, 1, PS_ACCESS_WRITE},
    };
    const PsDevice device = {.name = "d", .slave = 1};
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsVariable variable = variable_of(&cases[i]);
        PsDiag diag = {0};
        PsErr err = ps_modbus_check_variable(&device, &variable, &diag);
        if ((err == PS_OK) != (cases[i].field == NULL)) {
            fail_msg("case %zu: %s: %s", i, ps_err_name(err), diag.text);
        }
        if (cases[i].field != NULL) {
            assert_string_equal(diag.field, cases[i].field);
        }
    }
}

static void reserved_slaves_are_refused(void **state) {
    (void)state;
    const PsVariable variable = {
        .register_addr = 40001, .data_type = PS_TYPE_WORD, .register_bit = PS_UNSET};
    const struct {
        int slave;
        bool valid;
    } cases[] = {{0, true}, {247, true}, {248, false}, {254, false}, {255, true}};
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsDevice device = {.name = "d", .slave = cases[i].slave};
        PsDiag diag = {0};
        PsErr err = ps_modbus_check_variable(&device, &variable, &diag);
        assert_int_equal(err == PS_OK, cases[i].valid);
    }
}

static void items_are_named_as_they_are_written(void **state) {
    (void)state;
    static const struct {
        PsModbusTable table;
        uint32_t offset;
        const char *name;
    } cases[] = {
        {PS_MODBUS_COILS, 0, "1"},
        {PS_MODBUS_COILS, 9999, "10000"},
        {PS_MODBUS_COILS, 10000, "offset 10000"},
        {PS_MODBUS_HOLDING_REGISTERS, 9, "40010"},
        {PS_MODBUS_HOLDING_REGISTERS, 10000, "410001"},
        {PS_MODBUS_INPUT_REGISTERS, 65534, "365535"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        char name[40];
        ps_modbus_address_name(cases[i].table, cases[i].offset, name, sizeof name);
        assert_string_equal(name, cases[i].name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_named_as_they_are_written),
        cmocka_unit_test(every_written_form),
        cmocka_unit_test(types_bits_sizes_and_access_fit_the_table),
        cmocka_unit_test(reserved_slaves_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
