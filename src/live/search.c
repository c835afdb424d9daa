// Folding of letters: ASCII by a subtraction, Latin, Greek and Cyrillic by ranges of Unicode's
// CaseFolding.txt (simple folding, 15.0); other scripts have no case or are compared as they are.
// Bytes that are not UTF-8 stand for themselves. Pure.
#include "live/search.h"

#include <stdint.h>
#include <string.h>

static uint8_t fold_byte(uint8_t byte) {
    return byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
}

typedef struct FoldRange {
    uint16_t first;
    uint16_t last;
    int16_t add;
    uint8_t every; // 1: each letter; 2: every other one, from the first on
} FoldRange;

static const FoldRange ranges[] = {
    {0x00c0, 0x00d6, 32, 1},   {0x00d8, 0x00de, 32, 1}, {0x0100, 0x012e, 1, 2},
    {0x0132, 0x0136, 1, 2},    {0x0139, 0x0147, 1, 2},  {0x014a, 0x0176, 1, 2},
    {0x0178, 0x0178, -121, 1}, {0x0179, 0x017d, 1, 2},  {0x0386, 0x0386, 38, 1},
    {0x0388, 0x038a, 37, 1},   {0x038c, 0x038c, 64, 1}, {0x038e, 0x038f, 63, 1},
    {0x0391, 0x03a1, 32, 1},   {0x03a3, 0x03ab, 32, 1}, {0x03c2, 0x03c2, 1, 1},
    {0x0400, 0x040f, 80, 1},   {0x0410, 0x042f, 32, 1}, {0x0460, 0x0480, 1, 2},
    {0x048a, 0x04be, 1, 2},    {0x04d0, 0x052e, 1, 2},
};

static uint32_t fold_letter(uint32_t letter) {
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        const FoldRange *range = &ranges[i];
        if (letter >= range->first && letter <= range->last &&
            (letter - range->first) % range->every == 0) {
            return (uint32_t)((int32_t)letter + range->add);
        }
    }
    return letter;
}

// The letter at `at` and its bytes: two of UTF-8 where it can be folded, else a single byte.
static uint32_t take_letter(const uint8_t **at) {
    const uint8_t *bytes = *at;
    bool two = bytes[0] >= 0xc2 && bytes[0] <= 0xdf && (bytes[1] & 0xc0) == 0x80;
    *at += two ? 2 : 1;
    if (!two) {
        return bytes[0] < 0x80 ? fold_byte(bytes[0]) : 0x110000U + bytes[0]; // no letter
    }
    return fold_letter((bytes[0] & 0x1fU) << 6 | (bytes[1] & 0x3fU));
}

static size_t put_letter(char *out, uint32_t letter) {
    if (letter < 0x80 || letter >= 0x110000) {
        out[0] = (char)letter;
        return 1;
    }
    out[0] = (char)(0xc0 | letter >> 6);
    out[1] = (char)(0x80 | (letter & 0x3f));
    return 2;
}

// All folded letters have one or two bytes, as what they are folded from.
static size_t fold(const char *text, char *out, size_t size) {
    const uint8_t *at = (const uint8_t *)text;
    size_t used = 0;
    while (*at != '\0' && used + 2 < size) {
        used += put_letter(out + used, take_letter(&at));
    }
    out[used] = '\0';
    return used;
}

void ps_search_init(PsSearch *search, const char *text) {
    *search = (PsSearch){.ascii = true};
    search->len = fold(text != NULL ? text : "", search->needle, sizeof search->needle);
    for (size_t i = 0; i < search->len; i++) {
        search->ascii = search->ascii && (uint8_t)search->needle[i] < 0x80;
    }
}

static bool begins_with(const PsSearch *search, const uint8_t *text) {
    for (size_t i = 0; i < search->len; i++) {
        if (fold_byte(text[i]) != (uint8_t)search->needle[i]) {
            return false; // at the text's end at the latest
        }
    }
    return true;
}

// Letter by letter, as folded bytes are cut where letters are.
static bool begins_with_letters(const PsSearch *search, const uint8_t *at) {
    const uint8_t *needle = (const uint8_t *)search->needle;
    while (*needle != '\0') {
        if (*at == '\0' || take_letter(&at) != take_letter(&needle)) {
            return false;
        }
    }
    return true;
}

bool ps_search_finds(const PsSearch *search, const char *text) {
    if (search->len == 0) {
        return true;
    }
    const uint8_t *at = (const uint8_t *)text;
    while (*at != '\0') {
        if (search->ascii ? begins_with(search, at) : begins_with_letters(search, at)) {
            return true;
        }
        if (search->ascii) {
            at++;
        } else {
            (void)take_letter(&at);
        }
    }
    return false;
}

int ps_search_compare(const char *a, const char *b) {
    const uint8_t *left = (const uint8_t *)a;
    const uint8_t *right = (const uint8_t *)b;
    while (*left != '\0' && *left == *right && *left < 0x80) {
        left++;
        right++;
    }
    while (*left != '\0' && *right != '\0') {
        uint32_t letter = take_letter(&left);
        uint32_t other = take_letter(&right);
        if (letter != other) {
            return letter < other ? -1 : 1;
        }
    }
    return (*left != '\0') - (*right != '\0');
}
