// Edit distance, UTF-8 check, strict integer parse. Pure; any thread.
#include "base/text.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_COMPARED 64

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

// Insertions, deletions, replacements and swaps of neighbours, each counted once (optimal string
// alignment); words longer than LONGEST_COMPARED are far
// from every other.
static size_t edit_distance(const char *a, const char *b) {
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);
    if (a_len > LONGEST_COMPARED || b_len > LONGEST_COMPARED) {
        return SIZE_MAX;
    }
    uint8_t cost[LONGEST_COMPARED + 1][LONGEST_COMPARED + 1];
    for (size_t i = 0; i <= a_len; i++) {
        for (size_t j = 0; j <= b_len; j++) {
            size_t best = i == 0 ? j : i;
            if (i > 0 && j > 0) {
                best = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
                best = smaller(best, smaller(cost[i - 1][j], cost[i][j - 1]) + 1U);
            }
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                best = smaller(best, cost[i - 2][j - 2] + 1U);
            }
            cost[i][j] = (uint8_t)best;
        }
    }
    return cost[a_len][b_len];
}

const char *ps_text_nearest(const char *word, const char *const *words, size_t count) {
    size_t limit = strlen(word) / 3 > 1 ? strlen(word) / 3 : 1;
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t distance = edit_distance(word, words[i]);
        if (distance <= limit) {
            limit = distance > 0 ? distance - 1 : 0;
            nearest = words[i];
        }
    }
    return nearest;
}

// Length of the well-formed sequence at the start of `bytes`, 0 when there is none.
static size_t utf8_sequence(const uint8_t *bytes, size_t len) {
    uint8_t first = bytes[0];
    if (first < 0x80) {
        return first == 0 ? 0 : 1;
    }
    size_t need = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || len < need) {
        return 0;
    }
    for (size_t i = 1; i < need; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (first == 0xE0 && bytes[1] < 0xA0) || (first == 0xF0 && bytes[1] < 0x90);
    bool surrogate = first == 0xED && bytes[1] > 0x9F;
    bool too_high = first == 0xF4 && bytes[1] > 0x8F;
    return overlong || surrogate || too_high ? 0 : need;
}

bool ps_text_is_utf8(const void *bytes, size_t len) {
    const uint8_t *at = bytes;
    while (len > 0) {
        size_t step = utf8_sequence(at, len);
        if (step == 0) {
            return false;
        }
        at += step;
        len -= step;
    }
    return true;
}

void ps_text_make_utf8(char *bytes, size_t len) {
    for (size_t at = 0; at < len;) {
        size_t step = utf8_sequence((const uint8_t *)bytes + at, len - at);
        if (step == 0) {
            bytes[at] = '?';
            step = 1;
        }
        at += step;
    }
}

void ps_text_format_list(char *out, size_t size, const char *fmt, va_list args) {
    vsnprintf(out, size, fmt, args);
    size_t len = strlen(out);
    ps_text_make_utf8(out, len);
    for (size_t i = 0; i < len; i++) {
        bool control = (unsigned char)out[i] < ' ' || out[i] == 0x7f;
        out[i] = control ? '?' : out[i];
    }
}

void ps_text_format(char *out, size_t size, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    ps_text_format_list(out, size, fmt, args);
    va_end(args);
}

bool ps_text_to_int(const char *text, long long min, long long max, long long *ret_value) {
    if (text == NULL || (text[0] != '-' && (text[0] < '0' || text[0] > '9'))) {
        return false;
    }
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < min || value > max) {
        return false;
    }
    *ret_value = value;
    return true;
}
