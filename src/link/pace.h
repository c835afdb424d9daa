//! How fast messages are handed to a connection: a rate of publishes, a rate of bytes, and a window
//! that shrinks while acknowledgements come slowly. Pure: the time is passed in. Main thread.
//!
//! The rates are token buckets that hold a tenth of a second unless told otherwise, so that no
//! second sees much more than the rate. The window follows the delay, not losses: TCP sees to
//! those.
#pragma once

#include "base/time.h"
#include "link/aws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct PsPace {
    PsLinkPace limit;
    size_t most;    ///< window by configuration
    double burst_s; ///< what the buckets hold: so many seconds of the rates
    size_t window;
    double publishes; ///< that may go now
    double bytes;
    PsMono filled;       ///< when these two were true
    int64_t quickest_ns; ///< acknowledgement, slowly forgotten; 0: none yet
    int64_t usual_ns;    ///< moving average
    size_t until_look;   ///< acknowledgements until the window is looked at again
} PsPace;

void ps_pace_init(PsPace *pace, PsLinkPace limit, size_t window, PsMono now);
/// A new connection: what is known of acknowledgements is forgotten, the buckets are full.
void ps_pace_restart(PsPace *pace, PsMono now);

/// May one more go, with so many under way? Fills the buckets.
bool ps_pace_may_send(PsPace *pace, size_t in_flight, PsMono now);
/// When the rates allow the next one; `now` when they do already.
PsMono ps_pace_next(const PsPace *pace, PsMono now);
void ps_pace_sent(PsPace *pace, size_t bytes);
/// `took_ns` from handing over to acknowledgement.
void ps_pace_acknowledged(PsPace *pace, int64_t took_ns);
