// Counts the lines of a difference: the greedy search for the shortest edit (E. W. Myers, "An O(ND)
// Difference Algorithm and Its Variations", 1986), without the edit itself. Pure; any thread.
#include "model/line_diff.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// More differences are not told apart: the time grows with their square.
#define MOST_EDITS 500

typedef struct Line {
    const char *text;
    size_t len;
} Line;

typedef struct Lines {
    Line *items;
    size_t count;
} Lines;

// A last line without an end is a line like the others.
static Lines split(const char *text, size_t len) {
    size_t count = 0;
    for (size_t i = 0; i < len; i++) {
        count += text[i] == '\n';
    }
    Lines lines = {.items = ps_alloc_array(count + 1, sizeof(Line))};
    while (len > 0) {
        const char *end = memchr(text, '\n', len);
        size_t line = end != NULL ? (size_t)(end - text) : len;
        lines.items[lines.count++] = (Line){text, line};
        size_t step = end != NULL ? line + 1 : line;
        text += step;
        len -= step;
    }
    return lines;
}

static bool same(const Line *a, const Line *b) {
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

// How far a path on the diagonal `k` = x - y comes by equal lines, from its x.
static size_t follow(const Lines *a, const Lines *b, size_t x, long k) {
    size_t y = (size_t)((long)x - k);
    while (x < a->count && y < b->count && same(&a->items[x], &b->items[y])) {
        x++;
        y++;
    }
    return x;
}

// The fewest single-line edits from `a` to `b`, or -1 when more than MOST_EDITS.
static long shortest(const Lines *a, const Lines *b) {
    long reached[2 * MOST_EDITS + 3] = {0}; // furthest x on each diagonal, -1: none
    long *at = reached + MOST_EDITS + 1;
    for (long edits = 0; edits <= MOST_EDITS; edits++) {
        for (long k = -edits; k <= edits; k += 2) {
            bool down = k == -edits || (k != edits && at[k - 1] < at[k + 1]);
            long x = edits == 0 ? 0 : down ? at[k + 1] : at[k - 1] + 1;
            bool inside = x >= 0 && x <= (long)a->count && x - k >= 0 && x - k <= (long)b->count;
            at[k] = inside ? (long)follow(a, b, (size_t)x, k) : x;
            if (inside && at[k] == (long)a->count && at[k] - k == (long)b->count) {
                return edits;
            }
        }
    }
    return -1;
}

// Takes what both have at the beginning and at the end away.
static void trim(Lines *a, Lines *b) {
    while (a->count > 0 && b->count > 0 && same(&a->items[0], &b->items[0])) {
        a->items++;
        b->items++;
        a->count--;
        b->count--;
    }
    while (a->count > 0 && b->count > 0 && same(&a->items[a->count - 1], &b->items[b->count - 1])) {
        a->count--;
        b->count--;
    }
}

PsLineDiff ps_line_diff(const void *before, size_t before_len, const void *after,
                        size_t after_len) {
    Lines a = split(before, before_len);
    Lines b = split(after, after_len);
    Line *whole_a = a.items;
    Line *whole_b = b.items;
    trim(&a, &b);
    long edits = shortest(&a, &b);
    PsLineDiff diff = {.added = (uint32_t)b.count, .removed = (uint32_t)a.count};
    if (edits >= 0) {
        long surplus = (long)b.count - (long)a.count;
        diff.added = (uint32_t)((edits + surplus) / 2);
        diff.removed = (uint32_t)((edits - surplus) / 2);
    }
    free(whole_a);
    free(whole_b);
    return diff;
}
