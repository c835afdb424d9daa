//! JSON as the services write it: compact, members in the order they have, and numbers as short as
//! they can be (0.1 comes back as 0.1). And how deep, how large something is. Pure.
#pragma once

#include "base/buf.h"

#include <jansson.h>
#include <stddef.h>

/// Appends `json`.
void ps_json_text(const json_t *json, PsBuf *buf);
/// Bytes that ps_json_text would append; 0 for NULL.
size_t ps_json_text_size(const json_t *json);
/// The longest path to something inside `json`: 0 for 1 and {}, 1 for {"a":1} and {"a":{}}, 2 for
/// {"a":[1]}.
unsigned ps_json_depth(const json_t *json);
/// Parses a whole document of any kind. NULL: not JSON.
json_t *ps_json_parse(const void *text, size_t len);

static inline void ps_json_cleanup(json_t **slot) {
    json_decref(*slot);
}
#define PS_AUTO_JSON __attribute__((cleanup(ps_json_cleanup)))
