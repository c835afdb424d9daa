//! The JSON Schema and the reference page, made from the option tables. Pure.
#pragma once

#include "base/buf.h"

/// Appends a JSON Schema (draft 2020-12) of penstock.json.
void ps_schema_write_json(PsBuf *out);
/// Appends the Markdown reference of every block and key.
void ps_schema_write_markdown(PsBuf *out);
