//! Small questions about text. Pure.
#pragma once

#include "base/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/// The entry of `words` (`count` of them) nearest to `word` by edit distance, or NULL when none
/// is near enough to be a likely slip of the pen (a third of its length, at least one letter).
const char *ps_text_nearest(const char *word, const char *const *words, size_t count);

/// Well-formed UTF-8 without NUL (RFC 3629: no surrogates, no over-long forms)?
bool ps_text_is_utf8(const void *bytes, size_t len);

/// Replaces every byte that is not part of well-formed UTF-8 by '?'.
void ps_text_make_utf8(char *bytes, size_t len);

/// snprintf for text that goes to people and into JSON: what was cut inside a character, and every
/// byte that is not UTF-8 or is a control character, becomes '?'.
void ps_text_format(char *out, size_t size, const char *fmt, ...) PS_PRINTF(3, 4);
void ps_text_format_list(char *out, size_t size, const char *fmt, va_list args) PS_PRINTF(3, 0);

/// Whole text a decimal integer within [min, max]? No blanks, no trailing text.
bool ps_text_to_int(const char *text, long long min, long long max, long long *ret_value);
