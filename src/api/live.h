//! What the API keeps of the running gateway for those who look on: watched values, event streams,
//! trends, the history of the overview, when certificates end. Main thread; never blocks.
//!
//! Order: new, samples and set_sources as they come, close once no stream is open any more.
#pragma once

#include "tags/sample_batch.h"

#include <uv.h>

typedef struct PsApiLive PsApiLive;
struct PsApiSources;

PsApiLive *ps_api_live_new(uv_loop_t *loop);
/// Parts have come or gone, or the configuration is another one; the one before is looked at here
/// for the last time. The first time before anything else.
void ps_api_live_set_sources(PsApiLive *live, const struct PsApiSources *sources);
/// After a batch was applied to the table.
void ps_api_live_samples(PsApiLive *live, const PsSampleBatch *batch);
/// The memory goes with the loop's next turns. Accepts NULL.
void ps_api_live_close(PsApiLive *live);
