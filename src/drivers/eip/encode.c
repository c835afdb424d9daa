// Values into requests: any value that means one of the device's type, within its range. Pure.
#include "base/text.h"
#include "drivers/eip/codec.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void shown(PsValue value, char *out, size_t size) {
    ps_value_format(value, out, size);
    if (value.kind == PS_VALUE_NONE) {
        snprintf(out, size, "nothing");
    }
}

static bool is_word(PsValue value, const char *word) {
    return value.text_len == strlen(word) && memcmp(value.text, word, value.text_len) == 0;
}

// A text from a command line or a script that means a number or a truth value.
static PsValue from_text(PsValue value) {
    char text[64];
    if (value.kind != PS_VALUE_TEXT || value.text_len == 0 || value.text_len >= sizeof text) {
        return value;
    }
    if (is_word(value, "true") || is_word(value, "false")) {
        return ps_value_bool(is_word(value, "true"));
    }
    memcpy(text, value.text, value.text_len);
    text[value.text_len] = '\0';
    long long whole;
    if (ps_text_to_int(text, INT64_MIN, INT64_MAX, &whole)) {
        return ps_value_int(whole);
    }
    if (strspn(text, "+-.0123456789eE") != value.text_len) {
        return value;
    }
    char *end = NULL;
    double number = strtod(text, &end);
    return *end == '\0' ? ps_value_float(number) : value;
}

static PsErr fail_value(PsValue value, PsDiag *diag, const char *takes) {
    char got[64];
    shown(value, got, sizeof got);
    return ps_fail(PS_ERR_INVALID, diag, NULL, "value", "takes %s; got '%s'", takes, got);
}

PsErr ps_eip_encode_bool(PsValue value, bool *ret_on, PsDiag *diag) {
    PsValue plain = from_text(value);
    switch ((PsValueKind)plain.kind) {
    case PS_VALUE_BOOL:
        *ret_on = plain.boolean;
        return PS_OK;
    case PS_VALUE_INT:
        if (plain.integer == 0 || plain.integer == 1) {
            *ret_on = plain.integer == 1;
            return PS_OK;
        }
        break;
    case PS_VALUE_FLOAT:
        if (plain.number == 0 || plain.number == 1) {
            *ret_on = plain.number == 1;
            return PS_OK;
        }
        break;
    default:
        break;
    }
    return fail_value(value, diag, "true, false, 0 or 1 (the tag is a BOOL)");
}

// A whole number as sign and magnitude, which holds every value of every type.
static bool take_whole(PsValue value, bool *ret_negative, uint64_t *ret_magnitude) {
    switch ((PsValueKind)value.kind) {
    case PS_VALUE_BOOL:
        *ret_negative = false;
        *ret_magnitude = value.boolean;
        return true;
    case PS_VALUE_INT:
        *ret_negative = value.integer < 0;
        *ret_magnitude = value.integer < 0 ? 0 - (uint64_t)value.integer : (uint64_t)value.integer;
        return true;
    case PS_VALUE_UINT:
        *ret_negative = false;
        *ret_magnitude = value.unsigned_integer;
        return true;
    case PS_VALUE_FLOAT:
        if (!(fabs(value.number) < 0x1p64) || trunc(value.number) != value.number) {
            return false;
        }
        *ret_negative = value.number < 0;
        *ret_magnitude = (uint64_t)fabs(value.number);
        return true;
    default:
        return false;
    }
}

static PsErr encode_whole(const PsEipType *row, PsValue value, uint64_t *ret_bits, PsDiag *diag) {
    bool negative = false;
    uint64_t magnitude = 0;
    unsigned width = 8U * row->size;
    bool is_signed = row->family == PS_EIP_FAMILY_SIGNED;
    uint64_t most = UINT64_MAX >> (64 - width + (is_signed ? 1 : 0));
    uint64_t least = is_signed ? most + 1 : 0;
    if (!take_whole(from_text(value), &negative, &magnitude) ||
        (negative ? magnitude > least : magnitude > most)) {
        char takes[112];
        snprintf(takes, sizeof takes,
                 "a whole number from %s%" PRIu64 " to %" PRIu64 " (the tag is a %s)",
                 least > 0 ? "-" : "", least, most, row->name);
        return fail_value(value, diag, takes);
    }
    *ret_bits = negative ? 0 - magnitude : magnitude;
    return PS_OK;
}

static bool take_number(PsValue value, double *ret_number) {
    switch ((PsValueKind)value.kind) {
    case PS_VALUE_BOOL:
        *ret_number = value.boolean;
        return true;
    case PS_VALUE_INT:
        *ret_number = (double)value.integer;
        return true;
    case PS_VALUE_UINT:
        *ret_number = (double)value.unsigned_integer;
        return true;
    case PS_VALUE_FLOAT:
        *ret_number = value.number;
        return isfinite(value.number);
    default:
        return false;
    }
}

static PsErr encode_float(const PsEipType *row, PsValue value, uint64_t *ret_bits, PsDiag *diag) {
    double number = 0;
    bool single = row->size == sizeof(float);
    double limit = single ? (double)FLT_MAX : DBL_MAX;
    if (!take_number(from_text(value), &number) || fabs(number) > limit) {
        char takes[96];
        snprintf(takes, sizeof takes, "a number from %g to %g (the tag is a %s)", -limit, limit,
                 row->name);
        return fail_value(value, diag, takes);
    }
    if (single) {
        float narrow = (float)number;
        uint32_t bits;
        memcpy(&bits, &narrow, sizeof bits);
        *ret_bits = bits;
    } else {
        memcpy(ret_bits, &number, sizeof number);
    }
    return PS_OK;
}

PsErr ps_eip_encode(uint16_t type, PsValue value, uint8_t *out, PsDiag *diag) {
    const PsEipType *row = ps_eip_type_find(type);
    PS_ASSERT(row != NULL && row->size > 0);
    uint64_t bits = 0;
    bool on = false;
    PsErr err = PS_OK;
    switch ((PsEipFamily)row->family) {
    case PS_EIP_FAMILY_BOOL:
        err = ps_eip_encode_bool(value, &on, diag);
        bits = on;
        break;
    case PS_EIP_FAMILY_FLOAT:
        err = encode_float(row, value, &bits, diag);
        break;
    default:
        err = encode_whole(row, value, &bits, diag);
        break;
    }
    for (uint32_t i = 0; err == PS_OK && i < row->size; i++, bits >>= 8) {
        out[i] = (uint8_t)bits;
    }
    return err;
}

PsErr ps_eip_encode_text(PsValue value, uint32_t room, char *scratch, size_t scratch_size,
                         PsValue *ret_text, PsDiag *diag) {
    if (value.kind == PS_VALUE_NONE) {
        return fail_value(value, diag, "a text (the tag is a STRING)");
    }
    if (value.kind != PS_VALUE_TEXT) {
        ps_value_format(value, scratch, scratch_size);
        value = ps_value_text(scratch, (uint32_t)strlen(scratch));
    }
    if (value.text_len > room) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "value",
                       "takes at most %u bytes of text (the tag is a STRING of that length); got "
                       "%u",
                       room, value.text_len);
    }
    *ret_text = value;
    return PS_OK;
}
