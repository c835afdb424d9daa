// Registers to values and back: bits are gathered into one 64-bit word first, then interpreted.
// Pure; any thread.
#include "drivers/modbus/codec.h"

#include "drivers/bcd.h"
#include "drivers/modbus/address.h"

#include <math.h>
#include <string.h>

PsModbusField ps_modbus_field(const PsDevice *device, const PsVariable *variable) {
    PsModbusAddress address = {.table = PS_MODBUS_COILS};
    PsErr err = ps_modbus_address_parse(variable->register_addr, &address, NULL);
    PS_ASSERT(err == PS_OK);
    bool in_bits = ps_modbus_table_has_bits(address.table);
    uint32_t width = ps_modbus_width(address.table, variable->data_type, variable->size);
    int order = device->byte_order;
    return (PsModbusField){
        .type = (uint8_t)variable->data_type,
        .bit = variable->register_bit > 0 ? (uint8_t)variable->register_bit : 0,
        .decimals = (uint8_t)variable->float_repr,
        .registers = in_bits ? 0 : (uint8_t)width,
        .swap_bytes = order == PS_ORDER_BADC || order == PS_ORDER_DCBA,
        .reverse_registers = order == PS_ORDER_CDAB || order == PS_ORDER_DCBA,
        .size = variable->data_type == PS_TYPE_STRING ? (uint16_t)variable->size : 0,
    };
}

static uint16_t swap16(uint16_t word) {
    return (uint16_t)(word << 8 | word >> 8);
}

// The value's bits, most significant register first. Byte orders concern 32 bits and more.
static uint64_t gather(const PsModbusField *field, const uint16_t *registers) {
    unsigned count = field->registers;
    if (count == 1) {
        return registers[0];
    }
    uint64_t bits = 0;
    for (unsigned i = 0; i < count; i++) {
        uint16_t word = registers[field->reverse_registers ? count - 1 - i : i];
        bits = bits << 16 | (field->swap_bytes ? swap16(word) : word);
    }
    return bits;
}

static void scatter(const PsModbusField *field, uint64_t bits, uint16_t *registers) {
    unsigned count = field->registers;
    if (count == 1) {
        registers[0] = (uint16_t)bits;
        return;
    }
    for (unsigned i = count; i-- > 0; bits >>= 16) {
        uint16_t word = (uint16_t)bits;
        registers[field->reverse_registers ? count - 1 - i : i] =
            field->swap_bytes ? swap16(word) : word;
    }
}

static PsQuality good(PsValue value, PsValue *ret_value) {
    *ret_value = value;
    return PS_QUALITY_GOOD;
}

static PsQuality undecodable(PsValue *ret_value) {
    *ret_value = ps_value_none();
    return PS_QUALITY_UNDECODABLE;
}

static PsQuality decode_bcd(uint64_t bits, unsigned digits, PsValue *ret_value) {
    int64_t number;
    return ps_bcd_decode(bits, digits, &number) ? good(ps_value_int(number), ret_value)
                                                : undecodable(ret_value);
}

static PsQuality decode_float(double number, unsigned decimals, PsValue *ret_value) {
    if (!isfinite(number)) {
        return undecodable(ret_value);
    }
    return good(ps_value_float(ps_round_decimals(number, decimals)), ret_value);
}

static float float_from_bits(uint32_t bits) {
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static double double_from_bits(uint64_t bits) {
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static PsQuality decode_text(const PsModbusField *field, const uint16_t *registers, char *text,
                             PsValue *ret_value) {
    uint32_t len = 0;
    while (len < field->size) {
        uint16_t word = registers[len / 2];
        char byte = (char)(len % 2 == 0 ? word >> 8 : word & 0xFF);
        if (byte == '\0') {
            break;
        }
        text[len++] = byte;
    }
    return good(ps_value_text(text, len), ret_value);
}

PsQuality ps_modbus_decode(const PsModbusField *field, const uint16_t *registers, char *text,
                           PsValue *ret_value) {
    switch ((PsDataType)field->type) {
    case PS_TYPE_WORD:
        return good(ps_value_int(registers[0]), ret_value);
    case PS_TYPE_INT:
        return good(ps_value_int((int16_t)registers[0]), ret_value);
    case PS_TYPE_BOOL:
        return good(ps_value_bool((registers[0] >> field->bit & 1) != 0), ret_value);
    case PS_TYPE_BIT:
        return good(ps_value_int(registers[0] >> field->bit & 1), ret_value);
    case PS_TYPE_DWORD:
        return good(ps_value_int((int64_t)gather(field, registers)), ret_value);
    case PS_TYPE_DINT:
        return good(ps_value_int((int32_t)gather(field, registers)), ret_value);
    case PS_TYPE_FLOAT:
        return decode_float((double)float_from_bits((uint32_t)gather(field, registers)),
                            field->decimals, ret_value);
    case PS_TYPE_DOUBLE:
        return decode_float(double_from_bits(gather(field, registers)), field->decimals, ret_value);
    case PS_TYPE_BCD:
    case PS_TYPE_BCD32:
        return decode_bcd(gather(field, registers), 4U * field->registers, ret_value);
    case PS_TYPE_LONG:
        return good(ps_value_int((int64_t)gather(field, registers)), ret_value);
    case PS_TYPE_ULONG: {
        uint64_t bits = gather(field, registers);
        return good(bits > INT64_MAX ? ps_value_uint(bits) : ps_value_int((int64_t)bits),
                    ret_value);
    }
    case PS_TYPE_STRING:
        return decode_text(field, registers, text, ret_value);
    case PS_TYPE_BYTE:
    case PS_TYPE_SINT:
    case PS_TYPE_S7STRING:
    case PS_TYPE_AUTO:
        break; // refused when the configuration was checked
    }
    return undecodable(ret_value);
}

PsValue ps_modbus_decode_bit(const PsModbusField *field, uint8_t bit) {
    return field->type == PS_TYPE_BOOL ? ps_value_bool(bit != 0) : ps_value_int(bit != 0);
}

static uint64_t float_to_bits(double number) {
    float narrow = (float)number;
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    return bits;
}

static uint64_t double_to_bits(double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static void encode_text(const PsModbusField *field, PsValue value, uint16_t *registers) {
    for (unsigned i = 0; i < field->registers; i++) {
        uint8_t high = 2 * i < value.text_len ? (uint8_t)value.text[2 * i] : 0;
        uint8_t low = 2 * i + 1 < value.text_len ? (uint8_t)value.text[2 * i + 1] : 0;
        registers[i] = (uint16_t)(high << 8 | low);
    }
}

void ps_modbus_encode(const PsModbusField *field, PsValue value, uint16_t *registers) {
    switch ((PsDataType)field->type) {
    case PS_TYPE_BOOL:
    case PS_TYPE_BIT: {
        bool on = value.kind == PS_VALUE_BOOL ? value.boolean : value.integer != 0;
        uint16_t mask = (uint16_t)(1U << field->bit);
        registers[0] = (uint16_t)(on ? registers[0] | mask : registers[0] & ~mask);
        return;
    }
    case PS_TYPE_FLOAT:
        scatter(field, float_to_bits(value.number), registers);
        return;
    case PS_TYPE_DOUBLE:
        scatter(field, double_to_bits(value.number), registers);
        return;
    case PS_TYPE_BCD:
    case PS_TYPE_BCD32:
        scatter(field, ps_bcd_encode(value.integer, 4U * field->registers), registers);
        return;
    case PS_TYPE_STRING:
        encode_text(field, value, registers);
        return;
    default:
        // Integers: int and uint share their bits, and narrower types are the low ones.
        scatter(field, value.unsigned_integer, registers);
        return;
    }
}
