//! The gateway's counters as Prometheus reads them: the text format 0.0.4,
//! https://prometheus.io/docs/instrumenting/exposition_formats/. Pure.
#pragma once

#include "base/buf.h"

#include <jansson.h>

/// Appends every number of `status` (the answer of the call `status`) that is a metric.
void ps_metrics_text(const json_t *status, PsBuf *out);
