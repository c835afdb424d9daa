//! A command line cut at its blanks. Pure.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define PS_SIM_WORDS 4
#define PS_SIM_LINE_BYTES 128

typedef struct PsSimWords {
    char text[PS_SIM_LINE_BYTES];
    const char *word[PS_SIM_WORDS];
    size_t count;
} PsSimWords;

/// False when there is no word, or too many of them or of bytes.
bool ps_sim_words_split(const char *line, PsSimWords *ret_words);
/// Is word `index` this one?
bool ps_sim_words_is(const PsSimWords *words, size_t index, const char *text);
/// Word `index` as a number within [min, max].
bool ps_sim_words_number(const PsSimWords *words, size_t index, long long min, long long max,
                         long long *ret_value);
