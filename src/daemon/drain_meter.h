//! How fast the queue drains: over the last ten seconds, in steps of one. Pure; main thread.
#pragma once

#include "base/time.h"

#include <stdint.h>

#define PS_DRAIN_SECONDS 10

typedef struct PsDrainMeter {
    uint64_t delivered[PS_DRAIN_SECONDS]; ///< messages acknowledged in a second
    uint64_t waiting[PS_DRAIN_SECONDS];   ///< when it began
    int64_t begun;                        ///< the first second that was looked at
    int64_t second;                       ///< the newest
} PsDrainMeter;

void ps_drain_meter_init(PsDrainMeter *meter, uint64_t waiting, PsMono now);
/// `delivered` more messages were acknowledged, `waiting` are left.
void ps_drain_meter_note(PsDrainMeter *meter, uint64_t delivered, uint64_t waiting, PsMono now);

typedef struct PsDrainRates {
    double delivered_per_s;
    double drained_per_s; ///< by how many the queue became shorter; below 0: it grows
} PsDrainRates;

PsDrainRates ps_drain_meter_rates(PsDrainMeter *meter, uint64_t waiting, PsMono now);
