// Wildcard patterns with variables. The matcher keeps one point of return, the last "*": a run
// that turns out too short is made longer by one character, and what stood before it is never
// tried again. So no pattern, however hostile, costs more than its length times that of the text.
// Pure.
#include "localcloud/policy/pattern.h"

#include <string.h>

#define ARN_COLONS 5

typedef struct Compiler {
    PsArena *arena;
    PsPattern *pattern;
    unsigned style;
} Compiler;

static void put_text(Compiler *compiler, const char *text, size_t len) {
    PsPattern *pattern = compiler->pattern;
    if (len > 0) {
        pattern->pieces[pattern->count++] = (PsPiece){.kind = PS_PIECE_TEXT, .text = {text, len}};
    }
}

// `name` stands between ${ and }. The three that stand for a character of their own are text.
static void put_variable(Compiler *compiler, const char *name, size_t len) {
    PsPattern *pattern = compiler->pattern;
    if (len == 1 && strchr("*?$", name[0]) != NULL) {
        put_text(compiler, name, 1);
        return;
    }
    pattern->pieces[pattern->count++] =
        (PsPiece){.kind = PS_PIECE_VARIABLE,
                  .variable = ps_variable_find(ps_arena_strndup(compiler->arena, name, len))};
}

// Each special character ends a text and may be a piece itself; behind the last one is text again.
static size_t most_pieces(const char *text) {
    size_t count = 1;
    for (const char *at = text; (at = strpbrk(at, "*?$")) != NULL; at++) {
        count += 2;
    }
    return count;
}

PsErr ps_pattern_compile(PsArena *arena, const char *text, size_t len, unsigned style,
                         PsPattern *ret_pattern) {
    const char *source = ps_arena_strndup(arena, text, len);
    PsPattern pattern = {.source = source};
    pattern.pieces = ps_arena_take(arena, most_pieces(source) * sizeof(PsPiece));
    Compiler compiler = {.arena = arena, .pattern = &pattern, .style = style};
    size_t begin = 0; // of the text that is not yet in a piece
    for (size_t i = 0; i < len;) {
        bool run = source[i] == '*' && (style & PS_PATTERN_WILD);
        bool one = source[i] == '?' && (style & PS_PATTERN_WILD);
        bool variable = source[i] == '$' && source[i + 1] == '{' && (style & PS_PATTERN_VARIABLES);
        if (!run && !one && !variable) {
            i++;
            continue;
        }
        put_text(&compiler, source + begin, i - begin);
        if (variable) {
            const char *end = memchr(source + i, '}', len - i);
            if (end == NULL) {
                return PS_ERR_INVALID;
            }
            put_variable(&compiler, source + i + 2, (size_t)(end - source) - i - 2);
            i = (size_t)(end - source) + 1;
        } else {
            pattern.pieces[pattern.count++].kind = run ? PS_PIECE_RUN : PS_PIECE_ONE;
            i++;
        }
        begin = i;
    }
    put_text(&compiler, source + begin, len - begin);
    *ret_pattern = pattern;
    return PS_OK;
}

static const PsVariable *find_missing(const PsPattern *pattern, const PsPolicyContext *context) {
    for (size_t i = 0; i < pattern->count; i++) {
        const PsPiece *piece = &pattern->pieces[i];
        PsPolicyText value;
        if (piece->kind == PS_PIECE_VARIABLE &&
            !ps_variable_substitute(&piece->variable, context, &value)) {
            return &piece->variable;
        }
    }
    return NULL;
}

// Where wildcards are free: behind the first five colons of an ARN, everywhere of other text.
// A text that has fewer is no ARN: SIZE_MAX.
static size_t free_from(PsPolicyText text, unsigned style) {
    if (!(style & PS_PATTERN_ARN)) {
        return 0;
    }
    size_t colons = 0;
    for (size_t i = 0; i < text.len; i++) {
        colons += text.bytes[i] == ':' ? 1 : 0;
        if (colons == ARN_COLONS) {
            return i + 1;
        }
    }
    return SIZE_MAX;
}

typedef struct Matcher {
    const PsPattern *pattern;
    const PsPolicyContext *context;
    PsPolicyText text;
    unsigned style;
    size_t free_from;
    size_t piece; // the next to match
    size_t at;    // the next byte of the text
} Matcher;

// Takes one character off the text where a wildcard may.
static bool take_one(const Matcher *matcher, size_t *at) {
    if (*at >= matcher->text.len || (*at < matcher->free_from && matcher->text.bytes[*at] == ':')) {
        return false;
    }
    do {
        (*at)++;
    } while (*at < matcher->text.len && ((unsigned char)matcher->text.bytes[*at] & 0xC0) == 0x80);
    return true;
}

static bool take_text(Matcher *matcher, PsPolicyText wanted) {
    const char *here = matcher->text.bytes + matcher->at;
    if (matcher->text.len - matcher->at < wanted.len) {
        return false;
    }
    bool same = matcher->style & PS_PATTERN_ANY_CASE
                    ? strncasecmp(here, wanted.bytes, wanted.len) == 0
                    : memcmp(here, wanted.bytes, wanted.len) == 0;
    matcher->at += same ? wanted.len : 0;
    return same;
}

static bool take_piece(Matcher *matcher, const PsPiece *piece) {
    if (piece->kind == PS_PIECE_ONE) {
        return take_one(matcher, &matcher->at);
    }
    PsPolicyText wanted = piece->text;
    if (piece->kind == PS_PIECE_VARIABLE &&
        !ps_variable_substitute(&piece->variable, matcher->context, &wanted)) {
        return false;
    }
    return take_text(matcher, wanted);
}

static bool matches(Matcher *matcher) {
    const PsPattern *pattern = matcher->pattern;
    bool can_return = false;
    size_t run_end = 0; // where the last run ends in the text, if it takes no more
    size_t after_run = 0;
    for (;;) {
        bool done = matcher->piece == pattern->count;
        if (done && matcher->at == matcher->text.len) {
            return true;
        }
        const PsPiece *piece = done ? NULL : &pattern->pieces[matcher->piece];
        if (piece != NULL && piece->kind == PS_PIECE_RUN) {
            can_return = true;
            run_end = matcher->at;
            after_run = ++matcher->piece;
        } else if (piece != NULL && take_piece(matcher, piece)) {
            matcher->piece++;
        } else if (can_return && take_one(matcher, &run_end)) {
            matcher->at = run_end;
            matcher->piece = after_run;
        } else {
            return false;
        }
    }
}

PsMatch ps_pattern_match(const PsPattern *pattern, unsigned style, const PsPolicyContext *context,
                         PsPolicyText text, const PsVariable **ret_missing) {
    const PsVariable *missing = find_missing(pattern, context);
    if (missing != NULL) {
        if (ret_missing != NULL) {
            *ret_missing = missing;
        }
        return PS_MATCH_UNRESOLVED;
    }
    Matcher matcher = {.pattern = pattern,
                       .context = context,
                       .text = text,
                       .style = style,
                       .free_from = free_from(text, style)};
    if (matcher.free_from == SIZE_MAX) {
        return PS_MATCH_NO;
    }
    return matches(&matcher) ? PS_MATCH_YES : PS_MATCH_NO;
}
