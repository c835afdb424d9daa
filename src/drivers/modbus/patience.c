// Time limits and owed answers of one slave. Pure.
#include "drivers/modbus/patience.h"

#include "base/time.h"

#define SHORTEST_NS (20 * PS_NS_PER_MS)
#define STEPS 4U         // limits: an eighth, a quarter, a half, the whole
#define SHAPES 4U        // answers a probe can ask for: 1 to 4 registers, or bytes of bits
#define SHAPE_OTHER 0x80 // owed: an answer no probe looks like
#define FUNCTION_AT 7U
#define OFFSET_AT 8U
#define COUNT_AT 10U

static unsigned get16(const uint8_t *at) {
    return (unsigned)at[0] << 8 | at[1];
}

int64_t ps_modbus_patience_limit(const PsModbusPatience *patience, int64_t timeout_ns) {
    unsigned step = patience->failures % STEPS;
    if (patience->failures == 0 || step == 0) {
        return timeout_ns;
    }
    int64_t limit = timeout_ns >> (STEPS - step);
    limit = limit > 2 * patience->slowest_ns ? limit : 2 * patience->slowest_ns;
    limit = limit > SHORTEST_NS ? limit : SHORTEST_NS;
    return limit < timeout_ns ? limit : timeout_ns;
}

void ps_modbus_patience_answered(PsModbusPatience *patience, int64_t took_ns) {
    int64_t faded = patience->slowest_ns - patience->slowest_ns / 32;
    patience->slowest_ns = took_ns > faded ? took_ns : faded;
    patience->failures = 0;
    patience->owed = 0;
}

static bool reads_bits(unsigned function) {
    return function == 1 || function == 2;
}

// The bit of the answer to this request.
static uint8_t shape_of(const PsModbusAdu *request) {
    unsigned function = request->bytes[FUNCTION_AT];
    unsigned count = get16(request->bytes + COUNT_AT);
    unsigned shape = reads_bits(function) ? (count + 7U) / 8U : count;
    return ps_modbus_adu_is_read(request) && shape <= SHAPES ? (uint8_t)(1U << (shape - 1))
                                                             : SHAPE_OTHER;
}

void ps_modbus_patience_failed(PsModbusPatience *patience, const PsModbusAdu *request) {
    // 1 to 4 over and over: 0 means that it answers.
    patience->failures = (uint8_t)(patience->failures % STEPS + 1);
    patience->owed |= shape_of(request);
}

PsModbusAdu ps_modbus_patience_probe(PsModbusPatience *patience, const PsModbusAdu *request,
                                     uint16_t transaction) {
    unsigned shape = 1;
    while (shape <= SHAPES && (patience->owed & 1U << (shape - 1)) != 0) {
        shape++;
    }
    if (shape > SHAPES) {
        patience->owed = SHAPE_OTHER; // the oldest of so many can be long past
        shape = 1;
    }
    unsigned function = request->bytes[FUNCTION_AT];
    PsModbusTable table = function == 1   ? PS_MODBUS_COILS
                          : function == 2 ? PS_MODBUS_DISCRETE_INPUTS
                          : function == 4 ? PS_MODBUS_INPUT_REGISTERS
                          : function == 5 ? PS_MODBUS_COILS
                                          : PS_MODBUS_HOLDING_REGISTERS;
    unsigned count = ps_modbus_table_has_bits(table) ? 8U * shape - 7U : shape;
    unsigned offset = get16(request->bytes + OFFSET_AT);
    unsigned last = PS_MODBUS_TABLE_SIZE - count;
    PsModbusAsk ask = {.transaction = transaction,
                       .slave = request->bytes[FUNCTION_AT - 1],
                       .offset = (uint16_t)(offset < last ? offset : last)};
    return ps_modbus_adu_read(ask, table, (uint16_t)count);
}
