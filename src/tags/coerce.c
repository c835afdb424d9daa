// Data types as ranges: one row each, so that a new type is a new row. Pure; any thread.
#include "tags/coerce.h"

#include "base/text.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum Family {
    FAMILY_BOOL,
    FAMILY_INTEGER,
    FAMILY_FLOAT,
    FAMILY_TEXT,
    FAMILY_ANY,
} Family;

typedef struct TypeRange {
    Family family;
    int64_t min;
    uint64_t max;
    double limit; // floats: largest magnitude
} TypeRange;

static const TypeRange ranges[] = {
    [PS_TYPE_BOOL] = {FAMILY_BOOL, 0, 1, 0},
    [PS_TYPE_BIT] = {FAMILY_INTEGER, 0, 1, 0},
    [PS_TYPE_BYTE] = {FAMILY_INTEGER, 0, UINT8_MAX, 0},
    [PS_TYPE_SINT] = {FAMILY_INTEGER, INT8_MIN, INT8_MAX, 0},
    [PS_TYPE_WORD] = {FAMILY_INTEGER, 0, UINT16_MAX, 0},
    [PS_TYPE_INT] = {FAMILY_INTEGER, INT16_MIN, INT16_MAX, 0},
    [PS_TYPE_DWORD] = {FAMILY_INTEGER, 0, UINT32_MAX, 0},
    [PS_TYPE_DINT] = {FAMILY_INTEGER, INT32_MIN, INT32_MAX, 0},
    [PS_TYPE_FLOAT] = {FAMILY_FLOAT, 0, 0, FLT_MAX},
    [PS_TYPE_DOUBLE] = {FAMILY_FLOAT, 0, 0, DBL_MAX},
    [PS_TYPE_STRING] = {FAMILY_TEXT, 0, 0, 0},
    [PS_TYPE_BCD] = {FAMILY_INTEGER, 0, 9999, 0},
    [PS_TYPE_BCD32] = {FAMILY_INTEGER, 0, 99999999, 0},
    [PS_TYPE_LONG] = {FAMILY_INTEGER, INT64_MIN, INT64_MAX, 0},
    [PS_TYPE_ULONG] = {FAMILY_INTEGER, 0, UINT64_MAX, 0},
    [PS_TYPE_S7STRING] = {FAMILY_TEXT, 0, 0, 0},
    [PS_TYPE_AUTO] = {FAMILY_ANY, 0, 0, 0},
};

static const TypeRange *range_of(const PsVariable *variable) {
    PS_ASSERT(variable->data_type >= 0 && (size_t)variable->data_type < PS_COUNT(ranges));
    return &ranges[variable->data_type];
}

static void name_object(const PsVariable *variable, char *out, size_t size) {
    snprintf(out, size, "variable '%s' of device '%s'", variable->name, variable->device_name);
}

static void shown(PsValue value, char *out, size_t size) {
    ps_value_format(value, out, size);
    if (value.kind == PS_VALUE_NONE) {
        snprintf(out, size, "nothing");
    }
}

static PsErr fail_kind(const PsVariable *variable, PsValue value, PsDiag *diag, const char *takes) {
    char object[128];
    char got[64];
    name_object(variable, object, sizeof object);
    shown(value, got, sizeof got);
    return ps_fail(PS_ERR_INVALID, diag, object, "value", "takes %s; got '%s'", takes, got);
}

static PsErr fail_integer(const PsVariable *variable, PsValue value, PsErr err, PsDiag *diag) {
    const TypeRange *range = range_of(variable);
    char object[128];
    char got[64];
    name_object(variable, object, sizeof object);
    shown(value, got, sizeof got);
    return ps_fail(err, diag, object, "value",
                   "takes a whole number from %" PRId64 " to %" PRIu64 "; got '%s'", range->min,
                   range->max, got);
}

static bool text_is(PsValue value, const char *word) {
    return value.kind == PS_VALUE_TEXT && value.text_len == strlen(word) &&
           memcmp(value.text, word, value.text_len) == 0;
}

// A whole number as sign and magnitude, which holds every value of every integer type.
typedef struct Whole {
    bool negative;
    uint64_t magnitude;
} Whole;

static Whole whole_from_int(int64_t integer) {
    bool negative = integer < 0;
    return (Whole){negative, negative ? 0 - (uint64_t)integer : (uint64_t)integer};
}

static bool whole_from_float(double number, Whole *ret_whole) {
    // Also false for NaN and the infinities. 2^64 is the first double that no type can hold.
    if (!(fabs(number) < 0x1p64) || trunc(number) != number) {
        return false;
    }
    *ret_whole = (Whole){number < 0, (uint64_t)fabs(number)};
    return true;
}

static bool whole_from_value(PsValue value, Whole *ret_whole) {
    switch ((PsValueKind)value.kind) {
    case PS_VALUE_BOOL:
        *ret_whole = (Whole){false, value.boolean ? 1 : 0};
        return true;
    case PS_VALUE_INT:
        *ret_whole = whole_from_int(value.integer);
        return true;
    case PS_VALUE_UINT:
        *ret_whole = (Whole){false, value.unsigned_integer};
        return true;
    case PS_VALUE_FLOAT:
        return whole_from_float(value.number, ret_whole);
    case PS_VALUE_NONE:
    case PS_VALUE_TEXT:
        return false;
    }
    return false;
}

static PsErr coerce_integer(const PsVariable *variable, PsValue value, PsValue *ret_value,
                            PsDiag *diag) {
    const TypeRange *range = range_of(variable);
    Whole whole;
    if (!whole_from_value(value, &whole)) {
        bool too_far = value.kind == PS_VALUE_FLOAT && !(fabs(value.number) < 0x1p64);
        return fail_integer(variable, value, too_far ? PS_ERR_RANGE : PS_ERR_INVALID, diag);
    }
    uint64_t lowest = whole_from_int(range->min).magnitude;
    if (whole.negative ? whole.magnitude > lowest : whole.magnitude > range->max) {
        return fail_integer(variable, value, PS_ERR_RANGE, diag);
    }
    if (whole.negative) {
        *ret_value = ps_value_int((int64_t)(0 - whole.magnitude));
    } else if (whole.magnitude <= INT64_MAX) {
        *ret_value = ps_value_int((int64_t)whole.magnitude);
    } else {
        *ret_value = ps_value_uint(whole.magnitude);
    }
    return PS_OK;
}

static PsErr coerce_bool(const PsVariable *variable, PsValue value, PsValue *ret_value,
                         PsDiag *diag) {
    Whole whole;
    if (!whole_from_value(value, &whole) || whole.negative || whole.magnitude > 1) {
        return fail_kind(variable, value, diag, "true, false, 0 or 1");
    }
    *ret_value = ps_value_bool(whole.magnitude == 1);
    return PS_OK;
}

static PsErr coerce_float(const PsVariable *variable, PsValue value, PsValue *ret_value,
                          PsDiag *diag) {
    double number = 0;
    switch ((PsValueKind)value.kind) {
    case PS_VALUE_BOOL:
        number = value.boolean ? 1 : 0;
        break;
    case PS_VALUE_INT:
        number = (double)value.integer;
        break;
    case PS_VALUE_UINT:
        number = (double)value.unsigned_integer;
        break;
    case PS_VALUE_FLOAT:
        number = value.number;
        break;
    case PS_VALUE_NONE:
    case PS_VALUE_TEXT:
        return fail_kind(variable, value, diag, "a number");
    }
    const TypeRange *range = range_of(variable);
    if (!isfinite(number)) {
        return fail_kind(variable, value, diag, "a finite number");
    }
    if (fabs(number) > range->limit) {
        char object[128];
        name_object(variable, object, sizeof object);
        return ps_fail(PS_ERR_RANGE, diag, object, "value",
                       "takes a number from %g to %g; got '%g'", -range->limit, range->limit,
                       number);
    }
    *ret_value = ps_value_float(number);
    return PS_OK;
}

static PsErr coerce_string(const PsVariable *variable, PsValue value, PsValue *ret_value,
                           PsDiag *diag) {
    if (value.kind != PS_VALUE_TEXT) {
        return fail_kind(variable, value, diag, "text");
    }
    if (value.text_len > ps_variable_text_size(variable)) {
        char object[128];
        name_object(variable, object, sizeof object);
        return ps_fail(PS_ERR_TOO_BIG, diag, object, "value",
                       "takes at most %u bytes of text (its size); got %u",
                       ps_variable_text_size(variable), value.text_len);
    }
    *ret_value = value;
    return PS_OK;
}

PsErr ps_coerce(const PsVariable *variable, PsValue value, PsValue *ret_value, PsDiag *diag) {
    bool is_bit = variable->data_type == PS_TYPE_BOOL || variable->data_type == PS_TYPE_BIT;
    if (is_bit && (text_is(value, "true") || text_is(value, "false"))) {
        value = ps_value_bool(text_is(value, "true"));
    }
    switch (range_of(variable)->family) {
    case FAMILY_BOOL:
        return coerce_bool(variable, value, ret_value, diag);
    case FAMILY_INTEGER:
        return coerce_integer(variable, value, ret_value, diag);
    case FAMILY_FLOAT:
        return coerce_float(variable, value, ret_value, diag);
    case FAMILY_TEXT:
        return coerce_string(variable, value, ret_value, diag);
    case FAMILY_ANY:
        // The device knows its type, so the driver checks.
        *ret_value = value;
        return value.kind == PS_VALUE_TEXT ? coerce_string(variable, value, ret_value, diag)
                                           : PS_OK;
    }
    return PS_ERR_INTERNAL;
}

// A number as typed; false when the text is none. Integers keep all their digits.
static bool parse_number(const char *text, PsValue *ret_value) {
    long long integer;
    if (ps_text_to_int(text, INT64_MIN, INT64_MAX, &integer)) {
        *ret_value = ps_value_int(integer);
        return true;
    }
    size_t len = strlen(text);
    if (len == 0 || strspn(text, "0123456789") == len) {
        char *end = NULL;
        errno = 0;
        unsigned long long large = strtoull(text, &end, 10);
        *ret_value = errno == 0 ? ps_value_uint(large) : ps_value_float(strtod(text, NULL));
        return len > 0;
    }
    // strtod alone would also take blanks, hexadecimal, "inf" and "nan".
    if (strspn(text, "+-.0123456789eE") != len) {
        return false;
    }
    char *end = NULL;
    double number = strtod(text, &end);
    *ret_value = ps_value_float(number);
    return end != text && *end == '\0';
}

PsErr ps_coerce_text(const PsVariable *variable, const char *text, PsValue *ret_value,
                     PsDiag *diag) {
    PsValue value = ps_value_text(text, (uint32_t)strnlen(text, UINT32_MAX));
    if (range_of(variable)->family != FAMILY_TEXT) {
        PsValue number;
        if (parse_number(text, &number)) {
            value = number;
        }
    }
    return ps_coerce(variable, value, ret_value, diag);
}
