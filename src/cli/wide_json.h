//! JSON of the gateway whose whole numbers may be larger than the library's (a ULONG above 2^63).
//! Pure; any thread.
#pragma once

#include <jansson.h>

/// As json_loadb with JSON_DECODE_ANY, but a whole number that does not fit 64 bits with a sign is
/// taken as a real. NULL: it is no JSON.
json_t *cli_json_load(const char *text, size_t len);
