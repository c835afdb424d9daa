// Framing by hand, field by field: what libmodbus leaves unchecked in an answer (protocol number,
// length and slave number) is checked here. Pure; any thread.
#include "drivers/modbus/adu.h"

#include "base/err.h"

#include <string.h>

#define LENGTH_AT 4U   // of the header: bytes that follow, from the unit on
#define UNIT_AT 6U     // of the header
#define FUNCTION_AT 7U // first byte of the PDU
#define DATA_AT 8U
#define EXCEPTION_BIT 0x80U
#define COIL_ON 0xFF00U
#define WRITE_ECHO_LEN 5U // function, offset, and value or count

enum {
    WRITE_COIL = 5,
    WRITE_REGISTER = 6,
    WRITE_REGISTERS = 16,
};

static const uint8_t read_functions[] = {
    [PS_MODBUS_COILS] = 1,
    [PS_MODBUS_DISCRETE_INPUTS] = 2,
    [PS_MODBUS_INPUT_REGISTERS] = 4,
    [PS_MODBUS_HOLDING_REGISTERS] = 3,
};

static void put16(uint8_t *at, unsigned value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static unsigned get16(const uint8_t *at) {
    return (unsigned)at[0] << 8 | at[1];
}

// Everything whose PDU is function, offset and one more word.
static PsModbusAdu begin(PsModbusAsk ask, uint8_t function, unsigned word) {
    PsModbusAdu adu = {.len = DATA_AT + 4};
    put16(adu.bytes, ask.transaction);
    put16(adu.bytes + LENGTH_AT, (unsigned)(adu.len - UNIT_AT));
    adu.bytes[UNIT_AT] = ask.slave;
    adu.bytes[FUNCTION_AT] = function;
    put16(adu.bytes + DATA_AT, ask.offset);
    put16(adu.bytes + DATA_AT + 2, word);
    return adu;
}

PsModbusAdu ps_modbus_adu_read(PsModbusAsk ask, PsModbusTable table, uint16_t count) {
    PS_ASSERT(count > 0 &&
              count <= (ps_modbus_table_has_bits(table) ? PS_MODBUS_READ_BITS_MAX
                                                        : PS_MODBUS_READ_REGISTERS_MAX));
    return begin(ask, read_functions[table], count);
}

PsModbusAdu ps_modbus_adu_write_coil(PsModbusAsk ask, bool on) {
    return begin(ask, WRITE_COIL, on ? COIL_ON : 0);
}

PsModbusAdu ps_modbus_adu_write_registers(PsModbusAsk ask, const uint16_t *registers,
                                          uint16_t count) {
    PS_ASSERT(count > 0 && count <= PS_MODBUS_WRITE_REGISTERS_MAX);
    if (count == 1) {
        return begin(ask, WRITE_REGISTER, registers[0]);
    }
    PsModbusAdu adu = begin(ask, WRITE_REGISTERS, count);
    adu.bytes[adu.len++] = (uint8_t)(2 * count);
    for (uint16_t i = 0; i < count; i++, adu.len += 2) {
        put16(adu.bytes + adu.len, registers[i]);
    }
    put16(adu.bytes + LENGTH_AT, (unsigned)(adu.len - UNIT_AT));
    return adu;
}

bool ps_modbus_adu_is_read(const PsModbusAdu *request) {
    unsigned function = request->bytes[FUNCTION_AT];
    return function >= 1 && function <= read_functions[PS_MODBUS_INPUT_REGISTERS];
}

static const char *check_header(const PsModbusAdu *request, const uint8_t *answer, size_t len) {
    if (len <= DATA_AT) {
        return "it is too short";
    }
    if (memcmp(answer, request->bytes, 2) != 0) {
        return "it has the transaction number of another request";
    }
    if (get16(answer + 2) != 0) {
        return "its protocol number is not 0, so it is not Modbus";
    }
    if (get16(answer + LENGTH_AT) != len - UNIT_AT) {
        return "the length in its header is wrong";
    }
    uint8_t unit = answer[UNIT_AT];
    if (unit != request->bytes[UNIT_AT] && unit != 0 && unit != UINT8_MAX) {
        return "it comes from another slave number";
    }
    return NULL;
}

// The bytes that answer a read, as the number of items asks for.
static size_t wanted_bytes(const PsModbusAdu *request) {
    unsigned function = request->bytes[FUNCTION_AT];
    unsigned count = get16(request->bytes + DATA_AT + 2);
    bool bits = function == read_functions[PS_MODBUS_COILS] ||
                function == read_functions[PS_MODBUS_DISCRETE_INPUTS];
    return bits ? (count + 7U) / 8U : (size_t)2 * count;
}

static const char *check_body(const PsModbusAdu *request, const uint8_t *answer, size_t len) {
    if (!ps_modbus_adu_is_read(request)) {
        bool echo = len == FUNCTION_AT + WRITE_ECHO_LEN &&
                    memcmp(answer + FUNCTION_AT, request->bytes + FUNCTION_AT, WRITE_ECHO_LEN) == 0;
        return echo ? NULL : "it does not repeat what was to be written";
    }
    size_t wanted = wanted_bytes(request);
    bool fits = answer[DATA_AT] == wanted && len == DATA_AT + 1 + wanted;
    return fits ? NULL : "it has another number of values than was asked for";
}

const char *ps_modbus_adu_check(const PsModbusAdu *request, const uint8_t *answer, size_t len,
                                int *ret_exception) {
    const char *wrong = check_header(request, answer, len);
    if (wrong != NULL) {
        return wrong;
    }
    uint8_t function = request->bytes[FUNCTION_AT];
    bool refusal = answer[FUNCTION_AT] == (function | EXCEPTION_BIT);
    if (!refusal && answer[FUNCTION_AT] != function) {
        return "it answers another function";
    }
    if (refusal && len != DATA_AT + 1) {
        return "its exception has a wrong length";
    }
    wrong = refusal ? NULL : check_body(request, answer, len);
    if (wrong == NULL) {
        *ret_exception = refusal ? answer[DATA_AT] : 0;
    }
    return wrong;
}

void ps_modbus_adu_bits(const uint8_t *answer, uint16_t count, uint8_t *ret_bits) {
    const uint8_t *bytes = answer + DATA_AT + 1;
    for (uint16_t i = 0; i < count; i++) {
        ret_bits[i] = bytes[i / 8] >> (i % 8) & 1;
    }
}

void ps_modbus_adu_registers(const uint8_t *answer, uint16_t count, uint16_t *ret_registers) {
    const uint8_t *bytes = answer + DATA_AT + 1;
    for (uint16_t i = 0; i < count; i++) {
        ret_registers[i] = (uint16_t)get16(bytes + (size_t)2 * i);
    }
}
