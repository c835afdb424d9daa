// RTU frames, where answers stand among other bytes, the times of a line. Pure.
#include "drivers/modbus/rtu.h"

#include "base/crc16.h"
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct Bytes {
    uint8_t bytes[1024];
    size_t len;
} Bytes;

static void put(Bytes *out, const void *bytes, size_t len) {
    memcpy(out->bytes + out->len, bytes, len);
    out->len += len;
}

static void put_frame(Bytes *out, const void *bytes, size_t len) {
    uint16_t crc = ps_crc16(bytes, len);
    uint8_t tail[] = {(uint8_t)crc, (uint8_t)(crc >> 8)};
    put(out, bytes, len);
    put(out, tail, sizeof tail);
}

static PsModbusAdu read_two(void) {
    return ps_modbus_adu_read((PsModbusAsk){.transaction = 7, .slave = 17, .offset = 107},
                              PS_MODBUS_HOLDING_REGISTERS, 2);
}

static const uint8_t two_values[] = {17, 3, 4, 0x02, 0x2B, 0x00, 0x64};

static PsModbusRtuScan scan(const PsModbusAdu *request, const Bytes *bytes) {
    PsModbusRtuScan result;
    ps_modbus_rtu_scan(request, bytes->bytes, bytes->len, &result);
    return result;
}

// The request of function 3 that is spelled out in many manuals: 11 03 00 6B 00 03 76 87.
static void requests_have_their_documented_bytes(void **state) {
    static const uint8_t expected[] = {0x11, 0x03, 0x00, 0x6B, 0x00, 0x03, 0x76, 0x87};
    PsModbusAdu adu = ps_modbus_adu_read((PsModbusAsk){.slave = 17, .offset = 107},
                                         PS_MODBUS_HOLDING_REGISTERS, 3);
    uint8_t frame[PS_MODBUS_RTU_MAX];
    assert_int_equal(ps_modbus_rtu_encode(&adu, frame), sizeof expected);
    assert_memory_equal(frame, expected, sizeof expected);
    assert_int_equal(ps_crc16("123456789", 9), 0x4B37); // the check value of CRC-16/MODBUS
}

static void the_answer_is_found_where_it_stands(void **state) {
    PsModbusAdu request = read_two();
    Bytes bytes = {0};
    put(&bytes, "\x11\x03\xFF", 3); // noise that begins like an answer
    put_frame(&bytes, two_values, sizeof two_values);
    size_t all = bytes.len;
    for (size_t len = 0; len < all; len++) { // not there before its last byte is
        bytes.len = len;
        assert_false(scan(&request, &bytes).found);
    }
    bytes.len = all;
    PsModbusRtuScan result = scan(&request, &bytes);
    assert_true(result.found);
    assert_int_equal(result.used, all);
    assert_int_equal(result.late, 0);
    uint16_t registers[2];
    ps_modbus_adu_registers(result.answer, 2, registers);
    assert_int_equal(registers[0], 0x022B);
    assert_int_equal(registers[1], 0x0064);
    assert_int_equal(ps_modbus_rtu_answer_max(&request), sizeof two_values + 2);
}

static void answers_to_others_are_counted_and_passed_over(void **state) {
    static const uint8_t other_slave[] = {18, 3, 4, 1, 2, 3, 4};
    static const uint8_t other_count[] = {17, 3, 2, 9, 9};
    static const uint8_t other_function[] = {17, 4, 4, 1, 2, 3, 4};
    static const uint8_t other_write[] = {17, 6, 0, 1, 0, 2};
    static const uint8_t other_refusal[] = {17, 0x84, 2};
    PsModbusAdu request = read_two();
    Bytes bytes = {0};
    put_frame(&bytes, other_slave, sizeof other_slave);
    put_frame(&bytes, other_count, sizeof other_count);
    put_frame(&bytes, other_function, sizeof other_function);
    put_frame(&bytes, other_write, sizeof other_write);
    put_frame(&bytes, other_refusal, sizeof other_refusal);
    PsModbusRtuScan result = scan(&request, &bytes);
    assert_false(result.found);
    assert_int_equal(result.late, 5);
    assert_int_equal(result.used, bytes.len);
    put_frame(&bytes, two_values, sizeof two_values);
    result = scan(&request, &bytes);
    assert_true(result.found);
    assert_int_equal(result.late, 5);
}

static void refusals_and_writes_are_answers(void **state) {
    static const uint8_t refusal[] = {17, 0x83, 2};
    PsModbusAdu request = read_two();
    Bytes bytes = {0};
    put_frame(&bytes, refusal, sizeof refusal);
    PsModbusRtuScan result = scan(&request, &bytes);
    int exception = 0;
    assert_true(result.found);
    assert_null(ps_modbus_adu_check(&request, result.answer, result.answer_len, &exception));
    assert_int_equal(exception, 2);

    uint16_t value = 5;
    request = ps_modbus_adu_write_registers((PsModbusAsk){.slave = 17, .offset = 1}, &value, 1);
    static const uint8_t right[] = {17, 6, 0, 1, 0, 5};
    static const uint8_t wrong[] = {17, 6, 0, 1, 0, 6};
    bytes.len = 0;
    put_frame(&bytes, wrong, sizeof wrong);
    assert_false(scan(&request, &bytes).found);
    put_frame(&bytes, right, sizeof right);
    assert_true(scan(&request, &bytes).found);
}

static void a_flipped_bit_is_never_an_answer(void **state) {
    PsModbusAdu request = read_two();
    Bytes sound = {0};
    put_frame(&sound, two_values, sizeof two_values);
    for (size_t bit = 0; bit < sound.len * 8; bit++) {
        Bytes bytes = sound;
        bytes.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(scan(&request, &bytes).found);
    }
}

static void gaps_follow_the_line(void **state) {
    PsSerial serial = {.baud_rate = 9600, .data_bits = 8, .stop_bits = 1};
    PsModbusTiming timing = ps_modbus_timing(&serial);
    assert_int_equal(timing.char_ns, 10 * PS_NS_PER_S / 9600);
    assert_int_equal(timing.gap_ns, timing.char_ns * 7 / 2);
    serial =
        (PsSerial){.baud_rate = 19200, .data_bits = 8, .parity = PS_PARITY_EVEN, .stop_bits = 1};
    timing = ps_modbus_timing(&serial);
    assert_int_equal(timing.char_ns, 11 * PS_NS_PER_S / 19200);
    assert_true(timing.gap_ns > 2000000 && timing.gap_ns < 2010000);
    serial.baud_rate = 115200;
    assert_int_equal(ps_modbus_timing(&serial).gap_ns, 1750000);
    serial.pause_ms = 20;
    assert_int_equal(ps_modbus_timing(&serial).gap_ns, 21750000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_have_their_documented_bytes),
        cmocka_unit_test(the_answer_is_found_where_it_stands),
        cmocka_unit_test(answers_to_others_are_counted_and_passed_over),
        cmocka_unit_test(refusals_and_writes_are_answers),
        cmocka_unit_test(a_flipped_bit_is_never_an_answer),
        cmocka_unit_test(gaps_follow_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
