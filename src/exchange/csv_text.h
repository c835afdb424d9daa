//! The text of a CSV file: UTF-8 whatever it was, without a byte order mark. Inside
//! src/exchange only. Pure.
#pragma once

#include "base/buf.h"

/// Appends the file's text to `out` as UTF-8. PS_ERR_INVALID with the place: UTF-16, a NUL or
/// another control character, a byte that neither UTF-8 nor Windows-1252 has. `ret_decoded`: it
/// was Windows-1252.
PsErr ps_csv_text(const void *bytes, size_t len, PsBuf *out, bool *ret_decoded, PsDiag *diag);

/// Fills `diag` with the place of the byte at `at` of a UTF-8 text and what is wrong there.
void ps_csv_fail_at(const uint8_t *text, size_t at, PsDiag *diag, const char *fmt, ...)
    PS_PRINTF(4, 5);
