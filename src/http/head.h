//! Questions about the head of a request and the headers of an answer. Pure; bytes from outside,
//! see tests/fuzz/fuzz_http_head.c.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/// How the end of a body is known.
typedef struct PsHttpFraming {
    bool chunked;
    uint64_t length; ///< 0 when chunked or absent
} PsHttpFraming;

/// `length` and `coding` are Content-Length and Transfer-Encoding, NULL when absent; `count` says
/// how many of both lines there are. PS_ERR_INVALID: not to be understood in one way only (RFC 9112
/// 6.3), such as both of them, a sign, or two; PS_ERR_TOO_BIG: no 64 bits.
PsErr ps_http_framing_read(const char *length, const char *coding, size_t count,
                           PsHttpFraming *ret_framing);

/// The value of cookie `name` in a Cookie header (RFC 6265 4.2) into `out`. False when there is
/// none or it does not fit.
bool ps_http_cookie_find(const char *header, const char *name, char *out, size_t size);

/// May it be sent as it is? A token, and a value without control characters (RFC 9110 5.5), which
/// could end the header and begin another.
bool ps_http_header_is_sound(const char *name, const char *value);

/// Does "Accept-Encoding: `header`" take `coding` (RFC 9110 12.5.3)? NULL: no header, not asked
/// for.
bool ps_http_accepts(const char *header, const char *coding);

/// Does "If-None-Match: `header`" name `etag` (with its quotes; weak comparison)?
bool ps_http_etag_matches(const char *header, const char *etag);
