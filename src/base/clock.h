//! Is the wall clock right? A board without a battery starts in 1970, or where it was switched off,
//! until the network tells the time. Pure: times are passed in.
//!
//! An era is the time of one boot in which the clock ran on without being set. What was stamped
//! before the clock is set for the first time is wrong by as much as the clock then moves.
#pragma once

#include "base/time.h"

#include <stdbool.h>

typedef struct PsClockEra {
    PsWall started;    ///< what the clock showed when the era began
    int64_t offset_ns; ///< wall clock minus time since boot
    bool settled;      ///< the clock has been set; later changes are a person's business
} PsClockEra;

/// Not before 2024: this program is not older.
bool ps_clock_is_plausible(PsWall wall);

PsClockEra ps_clock_begin(PsWall wall, PsMono since_boot);

/// Looks at the clocks again. True once: the wall clock was set, from an impossible time or by more
/// than a day. Then *ret_before is what it would show without that, and *ret_moved_ns how far it
/// moved; the era is settled.
bool ps_clock_look(PsClockEra *era, PsWall wall, PsMono since_boot, PsWall *ret_before,
                   int64_t *ret_moved_ns);
