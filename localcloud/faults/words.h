//! The words of a fault rule and its tables of events, answers, codes and certificates. Pure.
#pragma once

#include "base/arena.h"
#include "localcloud/faults/faults.h"

#define PS_FAULT_WORDS 40

/// A line taken apart at its blanks. A comma or colon at the end of a word is what parts the rule's
/// clauses; words in double quotes may hold anything but a quote.
typedef struct PsFaultWords {
    const char *text[PS_FAULT_WORDS + 1]; ///< the last is NULL
    char mark[PS_FAULT_WORDS];            ///< ',' or ':' after the word, else 0
    size_t count;
    size_t at; ///< the next to read
} PsFaultWords;

/// PS_ERR_INVALID: too many words, or a quote that is not closed.
PsErr ps_fault_words_split(PsArena *arena, const char *line, size_t len, PsFaultWords *ret_words);

/// The next word, "" at the end.
const char *ps_fault_words_next(const PsFaultWords *words);
/// Takes the next words when they are these ("stop reading"), and no clause ends between them.
bool ps_fault_words_take(PsFaultWords *words, const char *these);
/// Does a clause end before the next word?
bool ps_fault_words_ended(const PsFaultWords *words);

/// "publish". Never NULL.
const char *ps_fault_event_name(PsFaultEvent event);
/// "puback"; NULL: nothing answers it.
const char *ps_fault_answer_name(PsFaultEvent event);

bool ps_fault_words_event(PsFaultWords *words, PsFaultEvent *ret_event);
/// "not authorized", "0x97".
bool ps_fault_words_code(PsFaultWords *words, uint8_t *ret_code);
bool ps_fault_words_certificate(PsFaultWords *words, PsFaultCertificate *ret_certificate);
/// "500ms", "5s", "2min": at most a day.
bool ps_fault_words_time(PsFaultWords *words, uint32_t *ret_ms);
/// A number from 1 on.
bool ps_fault_words_number(const char *text, uint32_t *ret_number);
