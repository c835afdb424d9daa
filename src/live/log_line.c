// Marks and lines as base/log.c makes them, read as if anybody had. Pure.
#include "live/log_line.h"

#include <string.h>
#include <strings.h>

#define MARK_BEGIN '\x01'
#define MARK_NEXT '\x02'
#define MARK_END '\x03'
#define TIME_DIGITS_MAX 15
#define LINE_DIGITS_MAX 9

bool ps_log_level_of(const char *name, PsLogLevel *ret_level) {
    for (int level = PS_LOG_DEBUG; level <= PS_LOG_ERROR; level++) {
        if (strcasecmp(name, ps_log_level_name((PsLogLevel)level)) == 0) {
            *ret_level = (PsLogLevel)level;
            return true;
        }
    }
    return false;
}

// Up to the next `end`, which is skipped; false when there is none, and nothing is taken.
static bool take_until(PsLogPiece *rest, char end, PsLogPiece *ret_piece) {
    const char *found = rest->len > 0 ? memchr(rest->data, end, rest->len) : NULL;
    if (found == NULL) {
        return false;
    }
    *ret_piece = (PsLogPiece){rest->data, (size_t)(found - rest->data)};
    rest->len -= ret_piece->len + 1;
    rest->data = found + 1;
    return true;
}

static bool take_text(PsLogPiece *rest, const char *text) {
    size_t len = strlen(text);
    if (rest->len < len || memcmp(rest->data, text, len) != 0) {
        return false;
    }
    rest->data += len;
    rest->len -= len;
    return true;
}

static bool to_number(PsLogPiece digits, size_t most, int64_t *ret_number) {
    int64_t number = 0;
    if (digits.len == 0 || digits.len > most) {
        return false;
    }
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9') {
            return false;
        }
        number = number * 10 + (digits.data[i] - '0');
    }
    *ret_number = number;
    return true;
}

static void take_mark(PsLogPiece *rest, PsLogLine *line) {
    PsLogPiece after = *rest;
    PsLogPiece begin;
    PsLogPiece time;
    PsLogPiece script;
    int64_t ms;
    if (take_until(&after, MARK_BEGIN, &begin) && begin.len == 0 &&
        take_until(&after, MARK_NEXT, &time) && take_until(&after, MARK_END, &script) &&
        to_number(time, TIME_DIGITS_MAX, &ms)) {
        line->time.ns = ms < INT64_MAX / PS_NS_PER_MS ? ms * PS_NS_PER_MS : 0;
        line->script = script;
        *rest = after;
    }
}

static bool level_of(PsLogPiece name, PsLogLevel *ret_level) {
    char text[16];
    if (name.len >= sizeof text) {
        return false;
    }
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    return strlen(text) == name.len && ps_log_level_of(text, ret_level);
}

// "link.c 120": the number stands behind the last blank.
static bool split_source(PsLogPiece place, PsLogLine *line) {
    const char *blank = place.len > 0 ? memrchr(place.data, ' ', place.len) : NULL;
    int64_t number;
    if (blank == NULL) {
        return false;
    }
    size_t len = (size_t)(blank - place.data);
    PsLogPiece digits = {blank + 1, place.len - len - 1};
    if (!to_number(digits, LINE_DIGITS_MAX, &number)) {
        return false;
    }
    line->source = (PsLogPiece){place.data, len};
    line->line = (int)number;
    return true;
}

// A source may hold "]: " itself; then the text begins too early, which harms nobody.
static bool find_place(PsLogPiece *rest, PsLogPiece *ret_place) {
    const char *end = memmem(rest->data, rest->len, "]: ", 3);
    if (end == NULL) {
        return false;
    }
    *ret_place = (PsLogPiece){rest->data, (size_t)(end - rest->data)};
    rest->len -= ret_place->len + 3;
    rest->data = end + 3;
    return true;
}

static void take_head(PsLogPiece rest, PsLogLine *line) {
    PsLogPiece stamp;
    PsLogPiece level;
    PsLogPiece place;
    PsLogLine found = *line;
    if (take_text(&rest, "[") && take_until(&rest, ']', &stamp) && take_text(&rest, " [") &&
        take_until(&rest, ']', &level) && level_of(level, &found.level) && take_text(&rest, " [") &&
        find_place(&rest, &place) && split_source(place, &found)) {
        *line = found;
        line->text = rest;
    }
}

bool ps_log_line_next(const char *text, size_t len, size_t *at, PsLogLine *ret_line) {
    if (*at >= len) {
        return false;
    }
    PsLogPiece rest = {text + *at, len - *at};
    const char *end = memchr(rest.data, '\n', rest.len);
    rest.len = end != NULL ? (size_t)(end - rest.data) : rest.len;
    *at += rest.len + (end != NULL ? 1 : 0);
    *ret_line = (PsLogLine){.level = PS_LOG_INFO};
    take_mark(&rest, ret_line);
    ret_line->whole = rest;
    ret_line->text = rest;
    take_head(rest, ret_line);
    return true;
}

static bool is(PsLogPiece piece, const char *text) {
    return piece.len == strlen(text) &&
           (piece.len == 0 || memcmp(piece.data, text, piece.len) == 0);
}

static bool finds(const PsSearch *search, PsLogPiece piece) {
    if (search->len == 0) {
        return true;
    }
    char text[PS_LOG_TEXT_MAX + 1];
    size_t len = piece.len < sizeof text - 1 ? piece.len : sizeof text - 1;
    memcpy(text, piece.data, len);
    text[len] = '\0';
    return ps_search_finds(search, text);
}

bool ps_log_line_matches(const PsLogLine *line, const PsLogQuery *query) {
    return line->level >= query->level &&
           (query->source == NULL || is(line->source, query->source)) &&
           (query->script == NULL || is(line->script, query->script)) &&
           finds(&query->search, line->text);
}
