// Finds whole numbers that are too large and gives them a fraction, which makes them reals. Pure.
#include "cli/wide_json.h"

#include "base/buf.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_SAFE 18U // so many always fit
#define DIGITS_MOST 20U // of 2^64 - 1; more is no number of the gateway

// Length of the string that begins here, with both quotes.
static size_t string_length(const char *text, size_t len) {
    for (size_t i = 1; i < len; i++) {
        if (text[i] == '\\') {
            i++;
        } else if (text[i] == '"') {
            return i + 1;
        }
    }
    return len;
}

// Of the digits here: do they have no fraction, and are they too large?
static bool is_too_large(const char *text, size_t digits, size_t len, bool negative) {
    if (digits <= DIGITS_SAFE || digits > DIGITS_MOST ||
        (digits < len && strchr(".eE", text[digits]) != NULL)) {
        return false;
    }
    char copy[DIGITS_MOST + 1] = "";
    memcpy(copy, text, digits);
    return strtoull(copy, NULL, 10) > (uint64_t)INT64_MAX + (negative ? 1 : 0);
}

static void put_widened(const char *text, size_t len, PsBuf *out) {
    for (size_t i = 0; i < len;) {
        size_t taken = 1;
        bool widen = false;
        if (text[i] == '"') {
            taken = string_length(text + i, len - i);
        } else if (text[i] >= '0' && text[i] <= '9') {
            taken = 0;
            while (i + taken < len && text[i + taken] >= '0' && text[i + taken] <= '9') {
                taken++;
            }
            bool fraction = i > 0 && strchr(".eE+", text[i - 1]) != NULL;
            bool negative = i > 0 && text[i - 1] == '-';
            widen = !fraction && is_too_large(text + i, taken, len - i, negative);
        }
        ps_buf_put(out, text + i, taken);
        if (widen) {
            ps_buf_put(out, ".0", 2);
        }
        i += taken;
    }
}

json_t *cli_json_load(const char *text, size_t len) {
    json_t *json = json_loadb(text, len, JSON_DECODE_ANY, NULL);
    if (json != NULL) {
        return json;
    }
    PS_AUTO_BUF PsBuf widened = {0};
    put_widened(text, len, &widened);
    return json_loadb((const char *)widened.data, widened.len, JSON_DECODE_ANY, NULL);
}
