// Comparing, naming and displaying values. Pure; any thread.
#include "tags/value.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool ps_value_equal(PsValue a, PsValue b) {
    if (a.kind != b.kind) {
        return false;
    }
    switch ((PsValueKind)a.kind) {
    case PS_VALUE_NONE:
        return true;
    case PS_VALUE_BOOL:
        return a.boolean == b.boolean;
    case PS_VALUE_INT:
    case PS_VALUE_UINT:
        return a.unsigned_integer == b.unsigned_integer;
    case PS_VALUE_FLOAT:
        return a.number == b.number || (a.number != a.number && b.number != b.number);
    case PS_VALUE_TEXT:
        return a.text_len == b.text_len &&
               (a.text_len == 0 || memcmp(a.text, b.text, a.text_len) == 0);
    }
    return false;
}

// The fewest digits that strtod turns back into the same double; always shown as a float.
static void format_float(double number, char *out, size_t size) {
    if (fabs(number) < 1e15 && trunc(number) == number) {
        snprintf(out, size, "%.1f", number);
        return;
    }
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(out, size, "%.*g", precision, number);
        if (strtod(out, NULL) == number) {
            return;
        }
    }
}

// Bytes of the well-formed printable character at `at`, 0 when there is none.
static size_t printable_at(const char *at, size_t left) {
    uint8_t first = (uint8_t)at[0];
    if (first < 0x80) {
        return first >= 0x20 && first != 0x7F ? 1 : 0;
    }
    size_t need = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (left < need || !ps_text_is_utf8(at, need)) {
        return 0;
    }
    bool is_c1_control = first == 0xC2 && (uint8_t)at[1] < 0xA0;
    return is_c1_control ? 0 : need;
}

static void format_text(const char *text, size_t len, char *out, size_t size) {
    size_t used = 0;
    for (size_t at = 0; at < len;) {
        size_t step = printable_at(text + at, len - at);
        size_t put = step > 0 ? step : 1;
        if (used + put >= size) {
            break;
        }
        memcpy(out + used, step > 0 ? text + at : "?", put);
        used += put;
        at += put;
    }
    out[used] = '\0';
}

void ps_value_format(PsValue value, char *out, size_t size) {
    PS_ASSERT(size > 0);
    out[0] = '\0';
    switch ((PsValueKind)value.kind) {
    case PS_VALUE_NONE:
        return;
    case PS_VALUE_BOOL:
        snprintf(out, size, "%s", value.boolean ? "true" : "false");
        return;
    case PS_VALUE_INT:
        snprintf(out, size, "%" PRId64, value.integer);
        return;
    case PS_VALUE_UINT:
        snprintf(out, size, "%" PRIu64, value.unsigned_integer);
        return;
    case PS_VALUE_FLOAT:
        format_float(value.number, out, size);
        return;
    case PS_VALUE_TEXT:
        format_text(value.text, value.text_len, out, size);
        return;
    }
}

double ps_round_decimals(double number, unsigned decimals) {
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    double power = powers[decimals < PS_COUNT(powers) ? decimals : PS_COUNT(powers) - 1];
    double scaled = number * power;
    // From 2^52 on a double has no fraction left to round (and the product could overflow).
    if (fabs(scaled) >= 0x1p52) {
        return number;
    }
    return round(scaled) / power + 0.0;
}

static const char *const quality_names[] = {
    [PS_QUALITY_GOOD] = "good",
    [PS_QUALITY_NOT_READ] = "not read yet",
    [PS_QUALITY_AWAY] = "device away",
    [PS_QUALITY_REFUSED] = "refused by the device",
    [PS_QUALITY_UNDECODABLE] = "not a value of this type",
    [PS_QUALITY_STALE] = "too old",
    [PS_QUALITY_WRITE_ONLY] = "write only",
};

const char *ps_quality_name(PsQuality quality) {
    size_t index = (size_t)quality;
    return index < PS_COUNT(quality_names) ? quality_names[index] : "unknown";
}
