//! One reading of everything for `check --live`: each device is connected to and asked twice, first
//! to learn what it has, then against the clock. Blocks in the loop of `live`.
#pragma once

#include "cli/live.h"
#include "collect/collector.h"

typedef struct LiveEndpoint {
    PsChannelRow row;
    double *group_ms; ///< by group: what one cycle took; below 0 where it was not measured
} LiveEndpoint;

typedef struct LiveReading {
    bool complete; ///< false: the time was up, or the person has interrupted
    uint32_t endpoint_count;
    LiveEndpoint *endpoints;
    PsDeviceRow *devices; ///< by device
} LiveReading;

/// Fills `live->table`, too. On an error nothing was read.
PsErr live_read(Live *live, PsMono deadline, LiveReading *ret_reading, PsDiag *diag);
/// Accepts a zeroed one.
void live_reading_deinit(LiveReading *reading);
