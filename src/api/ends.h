//! Until when the gateway's certificates are valid. Read on a worker thread, at the start, with
//! another configuration and daily. Main thread.
#pragma once

#include "model/config.h"

#include <jansson.h>
#include <uv.h>

typedef struct PsApiEnds PsApiEnds;

PsApiEnds *ps_api_ends_new(uv_loop_t *loop);
/// Reads anew; what was known stays until then.
void ps_api_ends_read(PsApiEnds *ends, const PsConfig *config);
/// [{"name","path", "days_left" or "problem"}]; the caller owns it. "days_left" is negative when
/// it is over.
json_t *ps_api_ends_json(const PsApiEnds *ends);
/// Lets it go when nothing is being read any more. Accepts NULL.
void ps_api_ends_close(PsApiEnds *ends);
