// Bytes to values and back: a number's bytes are gathered into one 64-bit word first, then
// interpreted. Pure; any thread.
#include "drivers/s7/codec.h"

#include "drivers/bcd.h"
#include "drivers/s7/address.h"

#include <math.h>
#include <string.h>

PsS7Field ps_s7_field(const PsVariable *variable) {
    return (PsS7Field){
        .type = (uint8_t)variable->data_type,
        .bit = variable->register_bit > 0 ? (uint8_t)variable->register_bit : 0,
        .decimals = (uint8_t)variable->float_repr,
        .len = (uint16_t)ps_s7_width(variable->data_type, variable->size),
    };
}

static uint64_t gather(const PsS7Field *field, const uint8_t *bytes) {
    uint64_t bits = 0;
    for (unsigned i = 0; i < field->len; i++) {
        bits = bits << 8 | bytes[i];
    }
    return bits;
}

static void scatter(const PsS7Field *field, uint64_t bits, uint8_t *bytes) {
    for (unsigned i = field->len; i-- > 0; bits >>= 8) {
        bytes[i] = (uint8_t)bits;
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
    return isfinite(number) ? good(ps_value_float(ps_round_decimals(number, decimals)), ret_value)
                            : undecodable(ret_value);
}

static PsQuality decode_single(uint64_t bits, unsigned decimals, PsValue *ret_value) {
    uint32_t narrow = (uint32_t)bits;
    float number;
    memcpy(&number, &narrow, sizeof number);
    return decode_float((double)number, decimals, ret_value);
}

static PsQuality decode_double(uint64_t bits, unsigned decimals, PsValue *ret_value) {
    double number;
    memcpy(&number, &bits, sizeof number);
    return decode_float(number, decimals, ret_value);
}

static PsQuality decode_text(const PsS7Field *field, const uint8_t *bytes, PsValue *ret_value) {
    const uint8_t *end = memchr(bytes, '\0', field->len);
    uint32_t len = end != NULL ? (uint32_t)(end - bytes) : field->len;
    return good(ps_value_text((const char *)bytes, len), ret_value);
}

// STRING of STEP 7: room, length, characters.
static PsQuality decode_s7string(const PsS7Field *field, const uint8_t *bytes, PsValue *ret_value) {
    uint32_t room = bytes[0];
    uint32_t len = bytes[1];
    uint32_t size = field->len - 2U;
    if (len > room || room > 254) {
        return undecodable(ret_value); // this is no STRING
    }
    return good(ps_value_text((const char *)bytes + 2, len < size ? len : size), ret_value);
}

PsQuality ps_s7_decode(const PsS7Field *field, const uint8_t *bytes, PsValue *ret_value) {
    uint64_t bits = field->len <= 8 ? gather(field, bytes) : 0;
    switch ((PsDataType)field->type) {
    case PS_TYPE_BOOL:
        return good(ps_value_bool((bytes[0] >> field->bit & 1) != 0), ret_value);
    case PS_TYPE_BIT:
        return good(ps_value_int(bytes[0] >> field->bit & 1), ret_value);
    case PS_TYPE_BYTE:
    case PS_TYPE_WORD:
    case PS_TYPE_DWORD:
    case PS_TYPE_LONG:
        return good(ps_value_int((int64_t)bits), ret_value);
    case PS_TYPE_SINT:
        return good(ps_value_int((int8_t)bits), ret_value);
    case PS_TYPE_INT:
        return good(ps_value_int((int16_t)bits), ret_value);
    case PS_TYPE_DINT:
        return good(ps_value_int((int32_t)bits), ret_value);
    case PS_TYPE_ULONG:
        return good(bits > INT64_MAX ? ps_value_uint(bits) : ps_value_int((int64_t)bits),
                    ret_value);
    case PS_TYPE_BCD:
    case PS_TYPE_BCD32:
        return decode_bcd(bits, 2U * field->len, ret_value);
    case PS_TYPE_FLOAT:
        return decode_single(bits, field->decimals, ret_value);
    case PS_TYPE_DOUBLE:
        return decode_double(bits, field->decimals, ret_value);
    case PS_TYPE_STRING:
        return decode_text(field, bytes, ret_value);
    case PS_TYPE_S7STRING:
        return decode_s7string(field, bytes, ret_value);
    case PS_TYPE_AUTO:
        break; // refused when the configuration was checked
    }
    return undecodable(ret_value);
}

static uint64_t single_bits(double number) {
    float narrow = (float)number;
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    return bits;
}

static uint64_t double_bits(double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

void ps_s7_encode(const PsS7Field *field, PsValue value, uint8_t *ret_bytes) {
    switch ((PsDataType)field->type) {
    case PS_TYPE_BOOL:
    case PS_TYPE_BIT:
        ret_bytes[0] = value.kind == PS_VALUE_BOOL ? value.boolean : value.integer != 0;
        return;
    case PS_TYPE_FLOAT:
        scatter(field, single_bits(value.number), ret_bytes);
        return;
    case PS_TYPE_DOUBLE:
        scatter(field, double_bits(value.number), ret_bytes);
        return;
    case PS_TYPE_BCD:
    case PS_TYPE_BCD32:
        scatter(field, ps_bcd_encode(value.integer, 2U * field->len), ret_bytes);
        return;
    case PS_TYPE_STRING: {
        uint32_t len = value.text_len < field->len ? value.text_len : field->len;
        if (len > 0) {
            memcpy(ret_bytes, value.text, len);
        }
        memset(ret_bytes + len, 0, field->len - len);
        return;
    }
    default:
        // Integers: int and uint share their bits, and narrower types are the low ones.
        scatter(field, value.unsigned_integer, ret_bytes);
        return;
    }
}
