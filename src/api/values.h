//! Values and times as JSON, the same in every answer. Inside src/api only.
#pragma once

#include "tags/value.h"

#include <jansson.h>

/// null for none and for numbers JSON cannot carry. Text that is not UTF-8 has its odd bytes
/// replaced by '?'. The caller owns the result.
json_t *ps_api_value(PsValue value);
/// Seconds since the epoch, null for "never".
json_t *ps_api_time(PsWall time);
/// Milliseconds that something usually takes, null before it was measured (0).
json_t *ps_api_span(double ms);
