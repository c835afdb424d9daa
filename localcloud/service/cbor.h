//! Between JSON and CBOR (RFC 8949), as far as the provisioning messages need it: maps with text
//! keys, arrays, texts, whole numbers, floating-point numbers, true, false, null. Pure.
#pragma once

#include "base/buf.h"

#include <jansson.h>

void ps_cbor_write(const json_t *json, PsBuf *buf);
/// A new reference. NULL: not CBOR, cut off, or of a kind that JSON does not have.
json_t *ps_cbor_read(const void *bytes, size_t len);
