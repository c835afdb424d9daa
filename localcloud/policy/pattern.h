//! Texts of a policy with wildcards and variables: taken apart once, then matched without
//! allocating. Pure.
#pragma once

#include "base/arena.h"
#include "localcloud/policy/variable.h"

typedef enum PsPieceKind {
    PS_PIECE_TEXT,
    PS_PIECE_RUN, ///< "*": any run of characters, also none, also over "/"
    PS_PIECE_ONE, ///< "?": exactly one character (UTF-8)
    PS_PIECE_VARIABLE,
} PsPieceKind;

typedef struct PsPiece {
    PsPieceKind kind;
    PsPolicyText text;   ///< PS_PIECE_TEXT
    PsVariable variable; ///< PS_PIECE_VARIABLE
} PsPiece;

typedef struct PsPattern {
    const char *source; ///< as written, terminated
    PsPiece *pieces;
    size_t count;
} PsPattern;

/// How a pattern is written and compared.
typedef enum PsPatternStyle {
    PS_PATTERN_WILD = 1,      ///< * and ? are wildcards; else they are ordinary characters
    PS_PATTERN_VARIABLES = 2, ///< ${…} are variables; else ordinary text (Version 2008-10-17)
    PS_PATTERN_ANY_CASE = 4,  ///< ASCII letters of both cases are alike; needs no PS_PATTERN_WILD
    PS_PATTERN_ARN = 8,       ///< wildcards end at the first five colons of the text
} PsPatternStyle;

/// Takes `text` (`len` bytes) apart; everything lives in `arena`. PS_ERR_INVALID: a "${" without
/// its "}".
PsErr ps_pattern_compile(PsArena *arena, const char *text, size_t len, unsigned style,
                         PsPattern *ret_pattern);

typedef enum PsMatch {
    PS_MATCH_NO,
    PS_MATCH_YES,
    PS_MATCH_UNRESOLVED, ///< a variable has no value
} PsMatch;

/// Does the whole `text` match? Values of variables are ordinary text, whatever is in them. The
/// time is at most proportional to the product of both lengths. `ret_missing` (may be NULL) gets
/// the variable without a value, borrowed from the pattern.
PsMatch ps_pattern_match(const PsPattern *pattern, unsigned style, const PsPolicyContext *context,
                         PsPolicyText text, const PsVariable **ret_missing);
