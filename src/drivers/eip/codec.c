// Values out of answers: the bits are gathered into 64 of them first, then interpreted. Pure.
#include "drivers/eip/codec.h"

#include "base/text.h"
#include "drivers/eip/symbol.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

bool ps_eip_data_get(const uint8_t *data, size_t len, PsEipData *ret_data) {
    PsReader reader = ps_reader(data, len);
    PsEipData found = {0};
    found.type = ps_reader_u16(&reader);
    // A BOOL that lies in a structure says in bits 8 to 10 where.
    if ((found.type & 0xF8FFU) == PS_EIP_TYPE_BOOL) {
        found.type = PS_EIP_TYPE_BOOL;
    }
    if (found.type == PS_EIP_TYPE_STRUCTURE) {
        found.handle = ps_reader_u16(&reader);
    }
    size_t left = ps_reader_left(&reader);
    found.bytes = ps_reader_raw(&reader, left);
    if (found.bytes == NULL || left > UINT32_MAX) {
        return false;
    }
    found.len = (uint32_t)left;
    *ret_data = found;
    return true;
}

PsEipField ps_eip_field(const PsVariable *variable) {
    return (PsEipField){
        .data_type = variable->data_type,
        .decimals = (uint8_t)variable->float_repr,
        .bit = PS_EIP_NO_BIT,
        .room = (uint16_t)ps_variable_text_size(variable),
    };
}

static bool is_wanted(int data_type, PsEipFamily family) {
    switch (data_type) {
    case PS_TYPE_AUTO:
        return true;
    case PS_TYPE_BOOL:
    case PS_TYPE_BIT:
        return family == PS_EIP_FAMILY_BOOL;
    case PS_TYPE_FLOAT:
    case PS_TYPE_DOUBLE:
        return family == PS_EIP_FAMILY_FLOAT;
    case PS_TYPE_STRING:
        return family == PS_EIP_FAMILY_TEXT;
    default:
        return family == PS_EIP_FAMILY_SIGNED || family == PS_EIP_FAMILY_UNSIGNED;
    }
}

static PsQuality undecodable(PsDiag *diag, const char *fmt, ...) PS_PRINTF(2, 3);

static PsQuality undecodable(PsDiag *diag, const char *fmt, ...) {
    if (diag != NULL) {
        va_list args;
        va_start(args, fmt);
        *diag = (PsDiag){0};
        ps_text_format_list(diag->text, sizeof diag->text, fmt, args);
        va_end(args);
    }
    return PS_QUALITY_UNDECODABLE;
}

static uint64_t gather(const uint8_t *bytes, uint32_t size) {
    uint64_t bits = 0;
    for (uint32_t i = size; i-- > 0;) {
        bits = bits << 8 | bytes[i];
    }
    return bits;
}

static int64_t extend_sign(uint64_t bits, uint32_t size) {
    PS_ASSERT(size > 0 && size <= sizeof bits);
    unsigned shift = 64 - 8 * size;
    return (int64_t)(bits << shift) >> shift;
}

static PsValue bit_value(const PsEipField *field, bool on) {
    return field->data_type == PS_TYPE_BIT ? ps_value_int(on) : ps_value_bool(on);
}

static PsQuality decode_float(const PsEipField *field, uint64_t bits, uint32_t size,
                              PsValue *ret_value, PsDiag *diag) {
    double number;
    if (size == sizeof(float)) {
        uint32_t half = (uint32_t)bits;
        float single;
        memcpy(&single, &half, sizeof single);
        number = single;
    } else {
        memcpy(&number, &bits, sizeof number);
    }
    if (!isfinite(number)) {
        return undecodable(diag, "the tag holds no number (NaN or infinite)");
    }
    *ret_value = ps_value_float(ps_round_decimals(number, field->decimals));
    return PS_QUALITY_GOOD;
}

static PsQuality keep_text(const PsEipField *field, const uint8_t *text, uint64_t len,
                           uint32_t left, PsValue *ret_value, PsDiag *diag) {
    uint64_t kept = len < field->room ? len : field->room;
    if (kept > left) {
        return undecodable(diag, "the text says it has %" PRIu64 " characters, but has %u", len,
                           left);
    }
    *ret_value = ps_value_text((const char *)text, (uint32_t)kept);
    return PS_QUALITY_GOOD;
}

static PsQuality decode_text(const PsEipField *field, const PsEipData *data, PsValue *ret_value,
                             PsDiag *diag) {
    if (!is_wanted(field->data_type, PS_EIP_FAMILY_TEXT)) {
        return undecodable(diag, "the tag is a text in the controller, not %s; use AUTO or STRING",
                           ps_data_type_name(field->data_type));
    }
    uint32_t head = data->type == PS_EIP_TYPE_STRUCTURE ? 4
                    : data->type == PS_EIP_TYPE_STRING2 ? 2
                                                        : 1;
    if (data->len < head) {
        return undecodable(diag, "the answer is too short for a text");
    }
    uint64_t len = gather(data->bytes, head);
    return keep_text(field, data->bytes + head, len, data->len - head, ret_value, diag);
}

static PsQuality decode_structure(const PsEipField *field, const PsEipData *data, bool text_shape,
                                  PsValue *ret_value, PsDiag *diag) {
    if (field->bit != PS_EIP_NO_BIT) {
        return undecodable(diag, "the tag is a structure, which has no numbered bits; name one of "
                                 "its members, for example Tag.Member");
    }
    if (!text_shape) {
        return undecodable(diag,
                           "the tag is a structure (handle 0x%04X); name one of its members, for "
                           "example Tag.Member (penstock browse shows them)",
                           data->handle);
    }
    return decode_text(field, data, ret_value, diag);
}

static PsQuality decode_bit(const PsEipField *field, const PsEipType *row, uint64_t bits,
                            PsValue *ret_value, PsDiag *diag) {
    if (ps_eip_type_bits(row) == 0) {
        return undecodable(
            diag, "the tag is a %s, which has no numbered bits; leave the number out", row->name);
    }
    unsigned bit = (unsigned)field->bit;
    if (bit >= 8U * row->size) {
        return undecodable(diag, "the tag is a %s with the bits 0 to %u, it has no bit %d",
                           row->name, 8U * row->size - 1, field->bit);
    }
    if (!is_wanted(field->data_type, PS_EIP_FAMILY_BOOL)) {
        return undecodable(diag, "a bit is BOOL or BIT, not %s; use AUTO",
                           ps_data_type_name(field->data_type));
    }
    *ret_value = bit_value(field, (bits >> bit & 1) != 0);
    return PS_QUALITY_GOOD;
}

static PsQuality decode_number(const PsEipField *field, const PsEipType *row, uint64_t bits,
                               PsValue *ret_value, PsDiag *diag) {
    if (!is_wanted(field->data_type, (PsEipFamily)row->family)) {
        return undecodable(diag, "the tag is a %s in the controller, not %s; use AUTO", row->name,
                           ps_data_type_name(field->data_type));
    }
    switch ((PsEipFamily)row->family) {
    case PS_EIP_FAMILY_BOOL:
        *ret_value = bit_value(field, bits != 0);
        return PS_QUALITY_GOOD;
    case PS_EIP_FAMILY_SIGNED:
        *ret_value = ps_value_int(extend_sign(bits, row->size));
        return PS_QUALITY_GOOD;
    case PS_EIP_FAMILY_UNSIGNED:
        *ret_value = bits > INT64_MAX ? ps_value_uint(bits) : ps_value_int((int64_t)bits);
        return PS_QUALITY_GOOD;
    default:
        return decode_float(field, bits, row->size, ret_value, diag);
    }
}

PsQuality ps_eip_decode(const PsEipField *field, const PsEipData *data, bool text_shape,
                        PsValue *ret_value, PsDiag *diag) {
    *ret_value = ps_value_none();
    if (data->type == PS_EIP_TYPE_STRUCTURE) {
        return decode_structure(field, data, text_shape, ret_value, diag);
    }
    const PsEipType *row = ps_eip_type_find(data->type);
    if (row == NULL) {
        return undecodable(diag, "the tag has the type 0x%04X, which has no value here",
                           data->type);
    }
    if (row->family == PS_EIP_FAMILY_TEXT && field->bit == PS_EIP_NO_BIT) {
        return decode_text(field, data, ret_value, diag);
    }
    if (data->len < row->size) {
        return undecodable(diag, "the answer is too short for a %s", row->name);
    }
    uint64_t bits = gather(data->bytes, row->size);
    return field->bit != PS_EIP_NO_BIT ? decode_bit(field, row, bits, ret_value, diag)
                                       : decode_number(field, row, bits, ret_value, diag);
}
