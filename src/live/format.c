// Numbers, texts and times as JSON text. Pure; any thread.
//
// snprintf with every precision from 1 on, as displays have it, costs microseconds a value; a plant
// has tens of thousands of them a second. Nearly all have a few decimals, which integers find.
#include "live/format.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

#define DIGITS_MAX 24
#define SHOWN_SIZE 1024
#define DECIMALS_MAX 6
#define EXACT_MAX 9007199254740992.0 // 2^53: below, a double holds every integer

void ps_live_put_uint(PsBuf *out, uint64_t number) {
    char digits[DIGITS_MAX];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    ps_buf_put(out, digits + at, sizeof digits - at);
}

static void put_int(PsBuf *out, int64_t number) {
    if (number < 0) {
        ps_buf_put_u8(out, '-');
        ps_live_put_uint(out, 0 - (uint64_t)number);
    } else {
        ps_live_put_uint(out, (uint64_t)number);
    }
}

// `count` digits, with leading zeros.
static void put_fraction(PsBuf *out, uint64_t number, unsigned count) {
    char digits[DIGITS_MAX];
    for (unsigned i = count; i-- > 0; number /= 10) {
        digits[i] = (char)('0' + number % 10);
    }
    ps_buf_put(out, digits, count);
}

// A quotient of two integers that doubles hold exactly is rounded as strtod rounds the decimal
// text, so the text reads back as the same number. The fewest decimals are the fewest digits.
static bool put_decimal(PsBuf *out, double size, bool negative) {
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    for (unsigned decimals = 0; decimals <= DECIMALS_MAX; decimals++) {
        double scaled = nearbyint(size * powers[decimals]);
        if (scaled >= EXACT_MAX) {
            return false;
        }
        if (scaled / powers[decimals] != size) {
            continue;
        }
        uint64_t whole = (uint64_t)scaled;
        uint64_t unit = (uint64_t)powers[decimals];
        if (negative) {
            ps_buf_put_u8(out, '-');
        }
        ps_live_put_uint(out, whole / unit);
        ps_buf_put_u8(out, '.');
        put_fraction(out, whole % unit, decimals > 0 ? decimals : 1);
        return true;
    }
    return false;
}

// As ps_value_format shows it, which goes over to an exponent below 1e-4 and from 1e15 on.
static void put_float(PsBuf *out, double number) {
    double size = fabs(number);
    bool plain = size == 0 || (size >= 1e-4 && size < 1e15);
    if (plain && put_decimal(out, size, signbit(number) != 0)) {
        return;
    }
    char text[64];
    ps_value_format(ps_value_float(number), text, sizeof text);
    ps_live_put_raw(out, text);
}

static void put_escaped(PsBuf *out, uint8_t byte) {
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
    if (byte == '"' || byte == '\\') {
        text[1] = (char)byte;
        ps_buf_put(out, text, 2);
    } else {
        ps_buf_put(out, text, 6);
    }
}

static void put_checked(PsBuf *out, const char *text, size_t len) {
    ps_buf_put_u8(out, '"');
    size_t from = 0;
    for (size_t at = 0; at < len; at++) {
        uint8_t byte = (uint8_t)text[at];
        if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f) {
            continue;
        }
        ps_buf_put(out, text + from, at - from);
        put_escaped(out, byte);
        from = at + 1;
    }
    ps_buf_put(out, text + from, len - from);
    ps_buf_put_u8(out, '"');
}

void ps_live_put_string(PsBuf *out, const char *text, size_t len) {
    if (len == 0 || ps_text_is_utf8(text, len)) {
        put_checked(out, text, len);
        return;
    }
    char sound[SHOWN_SIZE]; // such bytes are no text: what does not fit is not missed
    size_t kept = len < sizeof sound ? len : sizeof sound;
    memcpy(sound, text, kept);
    ps_text_make_utf8(sound, kept);
    put_checked(out, sound, kept);
}

void ps_live_put_value(PsBuf *out, PsValue value) {
    switch ((PsValueKind)value.kind) {
    case PS_VALUE_BOOL:
        ps_live_put_raw(out, value.boolean ? "true" : "false");
        return;
    case PS_VALUE_INT:
        put_int(out, value.integer);
        return;
    case PS_VALUE_UINT:
        ps_live_put_uint(out, value.unsigned_integer);
        return;
    case PS_VALUE_FLOAT:
        if (isfinite(value.number)) {
            put_float(out, value.number);
            return;
        }
        break;
    case PS_VALUE_TEXT:
        ps_live_put_string(out, value.text, value.text_len);
        return;
    case PS_VALUE_NONE:
        break;
    }
    ps_live_put_raw(out, "null");
}

void ps_live_put_shown(PsBuf *out, PsValue value) {
    bool finite = value.kind == PS_VALUE_FLOAT && isfinite(value.number);
    if (value.kind == PS_VALUE_INT || value.kind == PS_VALUE_UINT || value.kind == PS_VALUE_BOOL ||
        finite) {
        ps_buf_put_u8(out, '"');
        ps_live_put_value(out, value);
        ps_buf_put_u8(out, '"');
        return;
    }
    char shown[SHOWN_SIZE];
    ps_value_format(value, shown, sizeof shown);
    put_checked(out, shown, strlen(shown));
}

void ps_live_put_time(PsBuf *out, PsWall time) {
    if (time.ns <= 0) {
        ps_live_put_raw(out, "null");
        return;
    }
    uint64_t ms = (uint64_t)time.ns / 1000000;
    ps_live_put_uint(out, ms / 1000);
    ps_buf_put_u8(out, '.');
    put_fraction(out, ms % 1000, 3);
}
