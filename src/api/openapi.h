//! The API's description, made from the route tables and the option tables: an OpenAPI 3.1
//! document, and a page for people. Pure.
#pragma once

#include "base/buf.h"

#include <jansson.h>

/// The caller owns it.
json_t *ps_openapi_document(void);
/// Appends the reference page: HTML that needs nothing else.
void ps_openapi_page(PsBuf *out);
