//! Requests of the command line as HTTP/1.1 text. Pure.
#pragma once

#include "base/buf.h"

#include <jansson.h>

/// `call` is {"call": "PUT /devices/{device}/value", ...}: members named in braces go into the
/// path, the others into the query of a GET or DELETE, else into the body as JSON. The path is
/// below /api/v1. PS_ERR_INVALID when "call" is not of that form.
PsErr cli_http_ask(const json_t *call, PsBuf *out);
/// A request of a person's words: `target` as it is, `body` may be NULL.
void cli_http_ask_raw(const char *method, const char *target, const void *body, size_t len,
                      PsBuf *out);
