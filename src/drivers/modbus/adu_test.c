// Requests byte for byte (the examples of V1.1b3, section 6), and answers with one thing wrong.
#include "drivers/modbus/adu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const PsModbusAsk question = {.transaction = 0x1234, .slave = 17, .offset = 0x6B};

static void assert_bytes(const PsModbusAdu *adu, const uint8_t *expected, size_t len) {
    assert_int_equal(adu->len, len);
    assert_memory_equal(adu->bytes, expected, len);
}

#define ASSERT_BYTES(adu, ...)                                                                     \
    assert_bytes(&(adu), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void requests_have_the_bytes_of_the_standard(void **state) {
    PsModbusAdu adu = ps_modbus_adu_read(question, PS_MODBUS_HOLDING_REGISTERS, 3);
    ASSERT_BYTES(adu, 0x12, 0x34, 0, 0, 0, 6, 17, 3, 0, 0x6B, 0, 3);
    static const uint8_t functions[] = {1, 2, 4, 3};
    for (int table = PS_MODBUS_COILS; table <= PS_MODBUS_HOLDING_REGISTERS; table++) {
        adu = ps_modbus_adu_read(question, (PsModbusTable)table, 1);
        assert_int_equal(adu.bytes[7], functions[table]);
    }
    adu = ps_modbus_adu_write_coil(question, true);
    ASSERT_BYTES(adu, 0x12, 0x34, 0, 0, 0, 6, 17, 5, 0, 0x6B, 0xFF, 0);
    adu = ps_modbus_adu_write_coil(question, false);
    ASSERT_BYTES(adu, 0x12, 0x34, 0, 0, 0, 6, 17, 5, 0, 0x6B, 0, 0);
    adu = ps_modbus_adu_write_registers(question, (const uint16_t[]){0xABCD}, 1);
    ASSERT_BYTES(adu, 0x12, 0x34, 0, 0, 0, 6, 17, 6, 0, 0x6B, 0xAB, 0xCD);
    adu = ps_modbus_adu_write_registers(question, (const uint16_t[]){10, 0x102}, 2);
    ASSERT_BYTES(adu, 0x12, 0x34, 0, 0, 0, 11, 17, 16, 0, 0x6B, 0, 2, 4, 0, 10, 1, 2);
    uint16_t most[PS_MODBUS_WRITE_REGISTERS_MAX] = {0};
    adu = ps_modbus_adu_write_registers(question, most, PS_MODBUS_WRITE_REGISTERS_MAX);
    assert_int_equal(adu.len, 13 + 2 * PS_MODBUS_WRITE_REGISTERS_MAX);
}

static void values_are_taken_out_in_order(void **state) {
    PsModbusAdu adu = ps_modbus_adu_read(question, PS_MODBUS_INPUT_REGISTERS, 2);
    uint8_t answer[] = {0x12, 0x34, 0, 0, 0, 7, 17, 4, 4, 0xAE, 0x41, 0x56, 0x52};
    int exception = -1;
    assert_null(ps_modbus_adu_check(&adu, answer, sizeof answer, &exception));
    assert_int_equal(exception, 0);
    uint16_t registers[2];
    ps_modbus_adu_registers(answer, 2, registers);
    assert_int_equal(registers[0], 0xAE41);
    assert_int_equal(registers[1], 0x5652);
    adu = ps_modbus_adu_read(question, PS_MODBUS_COILS, 10);
    uint8_t bits_answer[] = {0x12, 0x34, 0, 0, 0, 5, 17, 1, 2, 0xCD, 0x02};
    assert_null(ps_modbus_adu_check(&adu, bits_answer, sizeof bits_answer, &exception));
    uint8_t bits[10];
    ps_modbus_adu_bits(bits_answer, 10, bits);
    assert_memory_equal(bits, ((const uint8_t[]){1, 0, 1, 1, 0, 0, 1, 1, 0, 1}), sizeof bits);
}

static void an_exception_gives_its_code(void **state) {
    PsModbusAdu adu = ps_modbus_adu_read(question, PS_MODBUS_COILS, 1);
    uint8_t answer[] = {0x12, 0x34, 0, 0, 0, 3, 17, 0x81, 11};
    int exception = 0;
    assert_null(ps_modbus_adu_check(&adu, answer, sizeof answer, &exception));
    assert_int_equal(exception, 11);
    answer[7] = 0x82; // that of another function
    assert_non_null(ps_modbus_adu_check(&adu, answer, sizeof answer, &exception));
}

// Every byte of the answer, changed, must make it no answer; but for the values themselves, and
// for a unit of 0 or 255.
static void no_changed_byte_is_taken_for_the_answer(void **state) {
    PsModbusAdu adu = ps_modbus_adu_read(question, PS_MODBUS_HOLDING_REGISTERS, 2);
    const uint8_t good[] = {0x12, 0x34, 0, 0, 0, 7, 17, 3, 4, 1, 2, 3, 4};
    int exception;
    for (size_t at = 0; at < 9; at++) {
        for (int value = 0; value <= UINT8_MAX; value++) {
            uint8_t answer[sizeof good];
            memcpy(answer, good, sizeof good);
            answer[at] = (uint8_t)value;
            bool nobody = at == 6 && (value == 0 || value == UINT8_MAX);
            const char *wrong = ps_modbus_adu_check(&adu, answer, sizeof answer, &exception);
            assert_true((wrong == NULL) == (value == good[at] || nobody));
        }
    }
    for (size_t len = 0; len < sizeof good; len++) {
        assert_non_null(ps_modbus_adu_check(&adu, good, len, &exception));
    }
}

static void a_write_is_answered_by_its_echo_only(void **state) {
    PsModbusAdu adu = ps_modbus_adu_write_registers(question, (const uint16_t[]){10, 0x102}, 2);
    const uint8_t good[] = {0x12, 0x34, 0, 0, 0, 6, 17, 16, 0, 0x6B, 0, 2};
    int exception = -1;
    assert_null(ps_modbus_adu_check(&adu, good, sizeof good, &exception));
    assert_int_equal(exception, 0);
    for (size_t at = 7; at < sizeof good; at++) {
        uint8_t answer[sizeof good];
        memcpy(answer, good, sizeof good);
        answer[at] ^= 1;
        assert_non_null(ps_modbus_adu_check(&adu, answer, sizeof answer, &exception));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_have_the_bytes_of_the_standard),
        cmocka_unit_test(values_are_taken_out_in_order),
        cmocka_unit_test(an_exception_gives_its_code),
        cmocka_unit_test(no_changed_byte_is_taken_for_the_answer),
        cmocka_unit_test(a_write_is_answered_by_its_echo_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
