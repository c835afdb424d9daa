// From the bytes of a CSV file to UTF-8 text without control characters. Pure; any thread.
#include "exchange/csv_text.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// The characters that Windows-1252 has at 0x80 to 0x9f, 0 where it has none (WHATWG encoding
// standard leaves control characters there, which no text wants). 0xa0 to 0xff are those of
// Unicode.
static const uint16_t windows_1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};

void ps_csv_fail_at(const uint8_t *text, size_t at, PsDiag *diag, const char *fmt, ...) {
    unsigned line = 1;
    unsigned column = 1;
    for (size_t i = 0; i < at; i++) {
        bool ends = text[i] == '\n' || (text[i] == '\r' && text[i + 1] != '\n');
        line += ends ? 1 : 0;
        // A continuation byte of UTF-8 begins no character.
        column = ends ? 1 : column + ((text[i] & 0xC0) != 0x80 ? 1U : 0U);
    }
    char place[64];
    char what[256];
    snprintf(place, sizeof place, "line %u, column %u", line, column);
    va_list args;
    va_start(args, fmt);
    ps_text_format_list(what, sizeof what, fmt, args);
    va_end(args);
    ps_diag_set(diag, NULL, place, "%s", what);
}

static void put_character(uint32_t code, PsBuf *out) {
    if (code >= 0x800) {
        ps_buf_put_u8(out, (uint8_t)(0xE0 | (code >> 12)));
        ps_buf_put_u8(out, (uint8_t)(0x80 | ((code >> 6) & 0x3F)));
    } else {
        ps_buf_put_u8(out, (uint8_t)(0xC0 | (code >> 6)));
    }
    ps_buf_put_u8(out, (uint8_t)(0x80 | (code & 0x3F)));
}

static PsErr decode_windows(const uint8_t *bytes, size_t len, PsBuf *out, PsDiag *diag) {
    size_t start = out->len;
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = bytes[i];
        uint32_t code = byte >= 0x80 && byte < 0xA0 ? windows_1252[byte - 0x80] : byte;
        if (byte < 0x80) {
            ps_buf_put_u8(out, byte);
        } else if (code != 0) {
            put_character(code, out);
        } else {
            size_t at = out->len - start;
            ps_buf_put_u8(out, '\0');
            ps_csv_fail_at(out->data + start, at, diag,
                           "byte 0x%02x is text neither in UTF-8 nor in Windows-1252; save the "
                           "file as CSV UTF-8",
                           byte);
            return PS_ERR_INVALID;
        }
    }
    return PS_OK;
}

static bool is_control(uint8_t byte) {
    return byte < ' ' && byte != '\t' && byte != '\r' && byte != '\n';
}

PsErr ps_csv_text(const void *bytes, size_t len, PsBuf *out, bool *ret_decoded, PsDiag *diag) {
    const uint8_t *at = bytes;
    if (len >= 2 && (memcmp(at, "\xff\xfe", 2) == 0 || memcmp(at, "\xfe\xff", 2) == 0)) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "line 1, column 1",
                       "the file is UTF-16 (\"Unicode text\"); save it as CSV UTF-8");
    }
    if (len >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) {
        at += 3;
        len -= 3;
    }
    size_t start = out->len;
    ps_buf_reserve(out, len + 1);
    // NUL is no UTF-8 for ps_text_is_utf8; the files are told apart by their other bytes.
    bool decoded = memchr(at, '\0', len) == NULL && !ps_text_is_utf8(at, len);
    if (decoded) {
        PsErr err = decode_windows(at, len, out, diag);
        if (err != PS_OK) {
            return err;
        }
    } else {
        ps_buf_put(out, at, len);
    }
    for (size_t i = start; i < out->len; i++) {
        if (is_control(out->data[i])) {
            ps_csv_fail_at(out->data + start, i - start, diag,
                           "control character 0x%02x; remove it", out->data[i]);
            return PS_ERR_INVALID;
        }
    }
    *ret_decoded = decoded;
    return PS_OK;
}
