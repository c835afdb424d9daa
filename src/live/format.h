//! Values as JSON text, quickly: for the streams that tell browsers every new value. Pure; nothing
//! is allocated but the buffer's own growth.
#pragma once

#include "base/buf.h"
#include "base/time.h"
#include "tags/value.h"

#include <string.h>

/// Appends the text as it is.
static inline void ps_live_put_raw(PsBuf *out, const char *text) {
    ps_buf_put(out, text, strlen(text));
}

/// Appends the value as JSON: null for none and for numbers that JSON cannot carry, the fewest
/// digits that read back the same, bytes that are not UTF-8 as '?'.
void ps_live_put_value(PsBuf *out, PsValue value);
/// Appends what a person sees (ps_value_format) as a JSON string.
void ps_live_put_shown(PsBuf *out, PsValue value);
/// Appends seconds since the epoch with milliseconds; null for "never".
void ps_live_put_time(PsBuf *out, PsWall time);
/// Appends a JSON string of bytes; what is not UTF-8 becomes '?'.
void ps_live_put_string(PsBuf *out, const char *text, size_t len);
void ps_live_put_uint(PsBuf *out, uint64_t number);
