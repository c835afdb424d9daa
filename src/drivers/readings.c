// Decoding by table: types with their widths, orders as two swaps. The rules of what is likely are
// about measured values: few digits, far from the ends of the type. Pure; any thread.
#include "drivers/readings.h"

#include "base/err.h"
#include "drivers/bcd.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum Form {
    FORM_UNSIGNED,
    FORM_SIGNED,
    FORM_BCD,
    FORM_REAL,
} Form;

typedef struct Type {
    int data_type;
    uint32_t width;
    Form form;
} Type;

static const Type types[] = {
    {PS_TYPE_BYTE, 1, FORM_UNSIGNED}, {PS_TYPE_SINT, 1, FORM_SIGNED},
    {PS_TYPE_WORD, 2, FORM_UNSIGNED}, {PS_TYPE_INT, 2, FORM_SIGNED},
    {PS_TYPE_BCD, 2, FORM_BCD},       {PS_TYPE_DWORD, 4, FORM_UNSIGNED},
    {PS_TYPE_DINT, 4, FORM_SIGNED},   {PS_TYPE_FLOAT, 4, FORM_REAL},
    {PS_TYPE_BCD32, 4, FORM_BCD},     {PS_TYPE_ULONG, 8, FORM_UNSIGNED},
    {PS_TYPE_LONG, 8, FORM_SIGNED},   {PS_TYPE_DOUBLE, 8, FORM_REAL},
};

static const int wide_orders[] = {PS_ORDER_ABCD, PS_ORDER_BADC, PS_ORDER_CDAB, PS_ORDER_DCBA};
static const int pair_orders[] = {PS_ORDER_ABCD, PS_ORDER_BADC};

// Bytes with the most significant first: badc swaps the bytes of each pair, cdab turns the pairs
// round, dcba does both.
static uint64_t arranged(const uint8_t *bytes, uint32_t width, int order) {
    bool swap = order == PS_ORDER_BADC || order == PS_ORDER_DCBA;
    bool turn = order == PS_ORDER_CDAB || order == PS_ORDER_DCBA;
    uint64_t value = 0;
    for (uint32_t i = 0; i < width; i++) {
        uint32_t from = i;
        if (width > 1) {
            uint32_t pair = turn ? width / 2 - 1 - i / 2 : i / 2;
            from = 2 * pair + (swap ? 1 - i % 2 : i % 2);
        }
        value = value << 8 | bytes[from];
    }
    return value;
}

// --- numbers as text ----------------------------------------------------------------------------

static double as_real(uint64_t raw, uint32_t width) {
    if (width == 8) {
        double number;
        memcpy(&number, &raw, sizeof number);
        return number;
    }
    uint32_t half = (uint32_t)raw;
    float number;
    memcpy(&number, &half, sizeof number);
    return (double)number;
}

static bool reads_back(const char *text, double number, uint32_t width) {
    return width == 8 ? strtod(text, NULL) == number : (double)strtof(text, NULL) == number;
}

// The shortest digits that give the same number: 0.1 and not 0.100000001. How many stand behind the
// point; many for an exponent.
static int put_real(double number, uint32_t width, char *out, size_t size) {
    double magnitude = fabs(number);
    for (int decimals = 0; decimals <= 9 && magnitude < 1e15; decimals++) {
        snprintf(out, size, "%.*f", decimals, number);
        if (reads_back(out, number, width)) {
            return decimals;
        }
    }
    int digits = width == 8 ? 17 : 9;
    for (int i = 1; i <= digits; i++) {
        snprintf(out, size, "%.*g", i, number);
        if (reads_back(out, number, width)) {
            break;
        }
    }
    const char *point = strchr(out, '.');
    return point != NULL && strchr(out, 'e') == NULL ? (int)strlen(point + 1) : 20;
}

static PsLikely likely_real(double number, int decimals) {
    double magnitude = fabs(number);
    if (magnitude == 0) {
        return PS_LIKELY_YES;
    }
    if (magnitude < 1e-6 || magnitude > 1e12) {
        return PS_LIKELY_NO;
    }
    bool usual = magnitude >= 1e-3 && magnitude < 1e7 && (decimals <= 5 || magnitude >= 0.1);
    return usual ? PS_LIKELY_YES : PS_LIKELY_MAYBE;
}

// Counts and meter readings are far from the ends of their type.
static PsLikely likely_integer(double number, uint32_t width) {
    double magnitude = fabs(number);
    if (width <= 2) {
        return magnitude < 20000 ? PS_LIKELY_YES : PS_LIKELY_MAYBE;
    }
    if (magnitude < 1e7) {
        return PS_LIKELY_YES;
    }
    return magnitude < 1e9 ? PS_LIKELY_MAYBE : PS_LIKELY_NO;
}

static void read_real(const Type *type, uint64_t raw, PsReading *reading) {
    double number = as_real(raw, type->width);
    if (!isfinite(number)) {
        return;
    }
    int decimals = put_real(number, type->width, reading->text, sizeof reading->text);
    reading->likely = likely_real(number, decimals);
}

static void read_bcd(const Type *type, uint64_t raw, PsReading *reading) {
    int64_t number;
    if (!ps_bcd_decode(raw, 2 * type->width, &number)) {
        return;
    }
    snprintf(reading->text, sizeof reading->text, "%" PRId64, number);
    reading->likely = likely_integer((double)number, type->width);
}

static void read_number(const Type *type, uint64_t raw, PsReading *reading) {
    if (type->form == FORM_REAL) {
        read_real(type, raw, reading);
    } else if (type->form == FORM_BCD) {
        read_bcd(type, raw, reading);
    } else if (type->form == FORM_SIGNED) {
        PS_ASSERT(type->width > 0);
        unsigned shift = 64 - 8 * type->width;
        int64_t number = (int64_t)(raw << shift) >> shift;
        snprintf(reading->text, sizeof reading->text, "%" PRId64, number);
        reading->likely = likely_integer((double)number, type->width);
    } else {
        snprintf(reading->text, sizeof reading->text, "%" PRIu64, raw);
        reading->likely = likely_integer((double)raw, type->width);
    }
}

// --- text and bits ------------------------------------------------------------------------------

// Printable characters up to the first NUL, which has only NULs behind it; nothing else is text.
static void read_text(const uint8_t *bytes, uint32_t len, int order, PsReading *reading) {
    uint32_t chars = 0;
    bool ended = false;
    for (uint32_t i = 0; i < (len & ~1U); i++) {
        uint8_t byte = bytes[order == PS_ORDER_BADC ? i ^ 1U : i];
        if (byte != 0 && (byte < 0x20 || byte > 0x7e || ended)) {
            reading->text[0] = '\0';
            return;
        }
        ended = byte == 0;
        if (!ended) {
            reading->text[chars++] = (char)byte;
        }
    }
    reading->text[chars] = '\0';
    reading->likely = chars >= 3 ? PS_LIKELY_YES : chars > 0 ? PS_LIKELY_MAYBE : PS_LIKELY_NO;
}

static void read_bits(const uint8_t *bytes, uint32_t width, int order, PsReading *reading) {
    uint64_t raw = arranged(bytes, width, order);
    uint32_t at = 0;
    for (uint32_t bit = 8 * width; bit-- > 0;) {
        reading->text[at++] = (raw >> bit & 1) != 0 ? '1' : '0';
        if (bit % 4 == 0 && bit > 0) {
            reading->text[at++] = ' ';
        }
    }
    reading->text[at] = '\0';
    reading->likely = PS_LIKELY_MAYBE;
}

// --- all together -------------------------------------------------------------------------------

static uint32_t orders_of(uint32_t width, const int **ret_orders) {
    static const int none[] = {PS_UNSET};
    *ret_orders = width == 1 ? none : width == 2 ? pair_orders : wide_orders;
    return width == 1 ? 1 : width == 2 ? PS_COUNT(pair_orders) : PS_COUNT(wide_orders);
}

// A pair of bytes is sent high byte first, whatever the order configured.
static bool is_configured(const PsReading *reading, uint32_t width, int data_type, int order) {
    int wanted = width > 2 && order != PS_UNSET ? order : PS_ORDER_ABCD;
    return reading->data_type == data_type &&
           (reading->order == PS_UNSET || reading->order == wanted);
}

static bool is_real(const PsReading *reading) {
    return reading->data_type == PS_TYPE_FLOAT || reading->data_type == PS_TYPE_DOUBLE;
}

static bool is_wide_integer(const PsReading *reading) {
    for (size_t i = 0; i < PS_COUNT(types); i++) {
        if (types[i].data_type == reading->data_type) {
            return types[i].width > 2 && types[i].form != FORM_REAL;
        }
    }
    return false;
}

// Nothing, where the configured one is as good. Two bytes leave no choice. Where a number with a
// point is likely, whole ones are not pointed at.
static void mark(PsReading *readings, uint32_t count) {
    bool reals = false;
    for (uint32_t i = 0; i < count; i++) {
        if (readings[i].configured && readings[i].likely == PS_LIKELY_YES) {
            return;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        bool something = strcmp(readings[i].text, "0") != 0 && strcmp(readings[i].text, "-0") != 0;
        readings[i].marked = readings[i].likely == PS_LIKELY_YES && something &&
                             (is_real(&readings[i]) || is_wide_integer(&readings[i]));
        reals = reals || (readings[i].marked && is_real(&readings[i]));
    }
    for (uint32_t i = 0; i < count; i++) {
        readings[i].marked = readings[i].marked && (!reals || is_real(&readings[i]));
    }
}

uint32_t ps_readings(const uint8_t *bytes, uint32_t len, int data_type, int order,
                     PsReading ret_readings[PS_READINGS_MAX]) {
    uint32_t count = 0;
    len = len < PS_READING_BYTES_MAX ? len : PS_READING_BYTES_MAX;
    for (size_t t = 0; t < PS_COUNT(types); t++) {
        const int *orders;
        uint32_t order_count = orders_of(types[t].width, &orders);
        for (uint32_t o = 0; len >= types[t].width && o < order_count; o++) {
            PsReading *reading = &ret_readings[count++];
            *reading = (PsReading){.data_type = types[t].data_type, .order = orders[o]};
            read_number(&types[t], arranged(bytes, types[t].width, orders[o]), reading);
            reading->configured = is_configured(reading, types[t].width, data_type, order);
        }
    }
    mark(ret_readings, count);
    uint32_t width = len < 2 ? len : 2;
    for (size_t o = 0; width == 2 && o < PS_COUNT(pair_orders); o++) {
        PsReading *reading = &ret_readings[count++];
        *reading = (PsReading){.data_type = PS_TYPE_STRING, .order = pair_orders[o]};
        read_text(bytes, len, pair_orders[o], reading);
        reading->configured = is_configured(reading, width, data_type, order);
    }
    if (width > 0) {
        PsReading *reading = &ret_readings[count++];
        *reading = (PsReading){.data_type = PS_READING_BITS,
                               .order = width == 2 ? PS_ORDER_ABCD : PS_UNSET};
        read_bits(bytes, width, reading->order, reading);
        reading->configured = data_type == PS_TYPE_BIT || data_type == PS_TYPE_BOOL;
    }
    PS_ASSERT(count <= PS_READINGS_MAX);
    return count;
}

const char *ps_reading_type_name(const PsReading *reading) {
    return reading->data_type == PS_READING_BITS ? "bits" : ps_data_type_name(reading->data_type);
}

const char *ps_reading_order_name(const PsReading *reading) {
    if (reading->order == PS_UNSET) {
        return "";
    }
    bool wide = is_real(reading) || is_wide_integer(reading);
    return wide ? ps_byte_order_name(reading->order)
                : (reading->order == PS_ORDER_BADC ? "ba" : "ab");
}

const PsReading *ps_readings_better(const PsReading *readings, uint32_t count) {
    const PsReading *present = NULL;
    for (uint32_t i = 0; i < count; i++) {
        present = readings[i].configured ? &readings[i] : present;
    }
    if (present == NULL || present->likely != PS_LIKELY_NO) {
        return NULL;
    }
    const PsReading *better = NULL;
    for (uint32_t i = 0; i < count; i++) {
        bool same_type = readings[i].data_type == present->data_type;
        if (readings[i].marked &&
            (better == NULL || (same_type && better->data_type != present->data_type))) {
            better = &readings[i];
        }
    }
    return better;
}
