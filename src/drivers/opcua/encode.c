// From the gateway's values to those of OPC UA: a server takes only the very type its node has.
// Pure; any thread.
#include "drivers/opcua/value.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <open62541/types_generated.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A value for a whole number: its sign apart, so that UInt64 fits.
typedef struct Whole {
    bool negative;
    uint64_t magnitude;
} Whole;

typedef struct Range {
    const char *name;
    int64_t min;
    uint64_t max;
} Range;

static const Range ranges[] = {
    [UA_TYPES_SBYTE] = {"SByte", INT8_MIN, INT8_MAX},
    [UA_TYPES_BYTE] = {"Byte", 0, UINT8_MAX},
    [UA_TYPES_INT16] = {"Int16", INT16_MIN, INT16_MAX},
    [UA_TYPES_UINT16] = {"UInt16", 0, UINT16_MAX},
    [UA_TYPES_INT32] = {"Int32", INT32_MIN, INT32_MAX},
    [UA_TYPES_UINT32] = {"UInt32", 0, UINT32_MAX},
    [UA_TYPES_INT64] = {"Int64", INT64_MIN, INT64_MAX},
    [UA_TYPES_UINT64] = {"UInt64", 0, UINT64_MAX},
};

static PsErr fail_range(const Range *range, PsDiag *diag) {
    return ps_fail(PS_ERR_INVALID, diag, NULL, NULL,
                   "the node takes %s: a whole number from %lld to %llu", range->name,
                   (long long)range->min, (unsigned long long)range->max);
}

// The whole of it is a number, as typed on a command line.
static bool text_to_double(PsValue value, double *ret_number) {
    char text[64];
    if (value.text_len == 0 || value.text_len >= sizeof text) {
        return false;
    }
    memcpy(text, value.text, value.text_len);
    text[value.text_len] = '\0';
    char *end = NULL;
    errno = 0;
    *ret_number = strtod(text, &end);
    return errno == 0 && *end == '\0' && text[0] != ' ';
}

static bool text_to_whole(PsValue value, Whole *ret_whole) {
    uint32_t at = value.text_len > 0 && (value.text[0] == '-' || value.text[0] == '+') ? 1 : 0;
    Whole whole = {.negative = at > 0 && value.text[0] == '-'};
    if (at == value.text_len) {
        return false;
    }
    for (; at < value.text_len; at++) {
        unsigned digit = (unsigned)(uint8_t)value.text[at] - '0';
        if (digit > 9 || __builtin_mul_overflow(whole.magnitude, UINT64_C(10), &whole.magnitude) ||
            __builtin_add_overflow(whole.magnitude, (uint64_t)digit, &whole.magnitude)) {
            return false;
        }
    }
    *ret_whole = whole;
    return true;
}

static bool text_is(PsValue value, const char *word) {
    return value.kind == PS_VALUE_TEXT && value.text_len == strlen(word) &&
           memcmp(value.text, word, value.text_len) == 0;
}

static bool double_to_whole(double number, Whole *ret_whole) {
    if (!isfinite(number) || number != trunc(number) || fabs(number) >= 0x1p64) {
        return false;
    }
    *ret_whole = (Whole){number < 0, (uint64_t)fabs(number)};
    return true;
}

static bool to_whole(PsValue value, Whole *ret_whole) {
    double number;
    switch (value.kind) {
    case PS_VALUE_BOOL:
        *ret_whole = (Whole){false, value.boolean ? 1 : 0};
        return true;
    case PS_VALUE_INT:
        *ret_whole = (Whole){value.integer < 0, value.integer < 0 ? 0 - (uint64_t)value.integer
                                                                  : (uint64_t)value.integer};
        return true;
    case PS_VALUE_UINT:
        *ret_whole = (Whole){false, value.unsigned_integer};
        return true;
    case PS_VALUE_FLOAT:
        return double_to_whole(value.number, ret_whole);
    case PS_VALUE_TEXT:
        if (text_is(value, "true") || text_is(value, "false")) {
            *ret_whole = (Whole){false, value.text_len == 4 ? 1 : 0};
            return true;
        }
        return text_to_whole(value, ret_whole) ||
               (text_to_double(value, &number) && double_to_whole(number, ret_whole));
    default:
        return false;
    }
}

static bool to_number(PsValue value, double *ret_number) {
    switch (value.kind) {
    case PS_VALUE_BOOL:
        *ret_number = value.boolean ? 1 : 0;
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
    case PS_VALUE_TEXT:
        return text_to_double(value, ret_number) && isfinite(*ret_number);
    default:
        return false;
    }
}

// Every integer type of the library holds the low bytes of this, so one copy serves all of them.
static PsErr put(const void *data, size_t type, bool array, UA_Variant *ret_variant, PsDiag *diag) {
    UA_StatusCode status = array ? UA_Variant_setArrayCopy(ret_variant, data, 1, &UA_TYPES[type])
                                 : UA_Variant_setScalarCopy(ret_variant, data, &UA_TYPES[type]);
    return status == UA_STATUSCODE_GOOD
               ? PS_OK
               : ps_fail(PS_ERR_INVALID, diag, NULL, NULL, "there is no memory for the value");
}

static PsErr put_whole(PsValue value, size_t type, bool array, UA_Variant *ret_variant,
                       PsDiag *diag) {
    const Range *range = &ranges[type];
    Whole whole;
    if (!to_whole(value, &whole)) {
        return fail_range(range, diag);
    }
    uint64_t most = whole.negative ? 0 - (uint64_t)range->min : range->max;
    if (whole.magnitude > most) {
        return fail_range(range, diag);
    }
    uint64_t bits = whole.negative ? 0 - whole.magnitude : whole.magnitude;
    union {
        uint64_t u64;
        uint32_t u32;
        uint16_t u16;
        uint8_t u8;
    } data = {.u64 = 0};
    switch (UA_TYPES[type].memSize) {
    case 1:
        data.u8 = (uint8_t)bits;
        break;
    case 2:
        data.u16 = (uint16_t)bits;
        break;
    case 4:
        data.u32 = (uint32_t)bits;
        break;
    default:
        data.u64 = bits;
        break;
    }
    return put(&data, type, array, ret_variant, diag);
}

static PsErr put_bool(PsValue value, bool array, UA_Variant *ret_variant, PsDiag *diag) {
    Whole whole;
    if (!to_whole(value, &whole) || whole.magnitude > 1 || whole.negative) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL,
                       "the node takes Boolean: true, false, 1 or 0");
    }
    UA_Boolean on = whole.magnitude != 0;
    return put(&on, UA_TYPES_BOOLEAN, array, ret_variant, diag);
}

static PsErr put_float(PsValue value, size_t type, bool array, UA_Variant *ret_variant,
                       PsDiag *diag) {
    double number;
    bool single = type == UA_TYPES_FLOAT;
    if (!to_number(value, &number) || (single && fabs(number) > (double)FLT_MAX)) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL, "the node takes %s: a number%s",
                       single ? "Float" : "Double", single ? " up to 3.4e38" : "");
    }
    UA_Float small = (UA_Float)(single ? number : 0);
    return single ? put(&small, type, array, ret_variant, diag)
                  : put(&number, type, array, ret_variant, diag);
}

static PsErr put_text(PsValue value, size_t type, bool array, UA_Variant *ret_variant,
                      PsDiag *diag) {
    char number[40];
    if (value.kind != PS_VALUE_TEXT) {
        ps_value_format(value, number, sizeof number);
        value = ps_value_text(number, (uint32_t)strlen(number));
    }
    UA_String text = {value.text_len, (UA_Byte *)(uintptr_t)value.text}; // copied, not changed
    if (type == UA_TYPES_LOCALIZEDTEXT) {
        UA_LocalizedText localized = {.text = text};
        return put(&localized, type, array, ret_variant, diag);
    }
    return put(&text, type, array, ret_variant, diag);
}

PsErr ps_opcua_encode(PsValue value, size_t type, bool array, UA_Variant *ret_variant,
                      PsDiag *diag) {
    switch (type) {
    case UA_TYPES_BOOLEAN:
        return put_bool(value, array, ret_variant, diag);
    case UA_TYPES_SBYTE:
    case UA_TYPES_BYTE:
    case UA_TYPES_INT16:
    case UA_TYPES_UINT16:
    case UA_TYPES_INT32:
    case UA_TYPES_UINT32:
    case UA_TYPES_INT64:
    case UA_TYPES_UINT64:
        return put_whole(value, type, array, ret_variant, diag);
    case UA_TYPES_FLOAT:
    case UA_TYPES_DOUBLE:
        return put_float(value, type, array, ret_variant, diag);
    case UA_TYPES_STRING:
    case UA_TYPES_LOCALIZEDTEXT:
        return put_text(value, type, array, ret_variant, diag);
    default:
        return ps_fail(PS_ERR_UNSUPPORTED, diag, NULL, NULL,
                       "the node has a type that the gateway does not write; it writes Boolean, "
                       "whole numbers, Float, Double, String and LocalizedText");
    }
}
