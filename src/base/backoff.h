//! How long to wait before the next try: exponential growth with full jitter.
//! Pure: time and random bits come in, delays go out. One owner per object.
//!
//! Full jitter (any moment between the floor and the grown delay) keeps a hundred gateways from
//! coming back in step after an outage; the stable-time rule keeps a peer that accepts and drops
//! from being hit at the first delay for ever.
#pragma once

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct PsBackoffPolicy {
    int64_t floor_ns;  ///< no delay is shorter (AWS IoT: one CONNECT per second and client id)
    int64_t first_ns;  ///< upper end of the first delay; doubles with each failure
    int64_t cap_ns;    ///< upper end never grows past this
    int64_t stable_ns; ///< up for at least this long before the delays start over
} PsBackoffPolicy;

/// `first_ns`, doubled for each failure in a row, at most `cap_ns`.
typedef struct PsBackoff {
    PsBackoffPolicy policy;
    uint32_t failures; ///< in a row, without a stable time between
    bool up;
    PsMono up_since;
} PsBackoff;

/// Starts with no failures. PS_ASSERTs 0 <= floor <= first <= cap.
void ps_backoff_init(PsBackoff *backoff, const PsBackoffPolicy *policy);

/// The peer is reached. Does not forget the failures yet: only a stable time does.
void ps_backoff_up(PsBackoff *backoff, PsMono now);

/// A try failed, or what was up went down: the nanoseconds to wait before the next try.
/// `random` is 32 random bits (ps_random_up_to(UINT32_MAX)).
int64_t ps_backoff_down(PsBackoff *backoff, PsMono now, uint32_t random);

/// Forgets all failures (a person asked to try now, the configuration changed).
void ps_backoff_reset(PsBackoff *backoff);
