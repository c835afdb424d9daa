//! A payload as a list of JSON texts, for joining and splitting messages. Pure; any thread.
//!
//! The texts stay as the script wrote them; the JSON library only says whether they are sound.
#pragma once

#include <stdbool.h>
#include <stddef.h>

/// Elements with the commas between them, white space around them left off.
typedef struct PsJsonList {
    const char *text; ///< borrowed from the payload
    size_t len;       ///< 0: no element is left
    bool array;       ///< the payload is an array; otherwise it is the one element
} PsJsonList;

/// False when the payload is not one JSON value (RFC 8259) in UTF-8.
bool ps_json_list_of(const void *payload, size_t len, PsJsonList *ret_list);

/// Takes the first element off; false when none is left.
bool ps_json_list_next(PsJsonList *list, PsJsonList *ret_element);
