//! The last hour of one variable for a curve: one point a reading at first, and where they come
//! quicker than PS_TREND_STEP_NS, or memory ends, the smallest and the largest of each step. So no
//! peak is lost. Time is passed in; at most PS_TREND_POINTS_MAX points of 16 bytes.
#pragma once

#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PS_TREND_SPAN_NS (3600 * PS_NS_PER_S)
#define PS_TREND_STEP_NS PS_NS_PER_S
#define PS_TREND_POINTS_MAX 4096 ///< an hour of one a second, with room

/// `value` NaN: from here on nothing is known.
typedef struct PsTrendPoint {
    PsWall time;
    double value;
} PsTrendPoint;

/// Zeroed is empty and valid.
typedef struct PsTrendSeries {
    PsTrendPoint *points; ///< a ring
    uint32_t capacity;
    uint32_t first;
    uint32_t count;
    int64_t step_ns; ///< 0 before the first reading
    int64_t bucket;  ///< number of the step that is open, while `open` is not 0
    uint32_t open;   ///< points of the open step: smallest, largest, gap, as far as there are any
    PsTrendPoint waiting[3];
    PsWall newest;
    bool unknown; ///< the newest is a gap
} PsTrendSeries;

void ps_trend_series_deinit(PsTrendSeries *series);
/// A reading; NaN for "not known". One that is older than the one before by more than a step
/// begins the curve anew: the clock was set.
void ps_trend_series_put(PsTrendSeries *series, PsWall time, double value);
/// Points from `from` on, in order; at most `size` of the newest. `out` may be NULL to count.
size_t ps_trend_series_copy(const PsTrendSeries *series, PsWall from, PsTrendPoint *out,
                            size_t size);
