//! JSON as it stands in penstock.json: on one line, keys in their order, numbers as short as they
//! can be. Pure.
#pragma once

#include "base/buf.h"

#include <jansson.h>

/// Appends `{"key": value, ...}`. What is nested deeper than jansson reads cannot come here.
void ps_json_write_line(const json_t *json, PsBuf *out);

/// The shortest decimal number that is read back as the same: 0.1, not 0.10000000000000001.
void ps_json_write_number(double number, PsBuf *out);
