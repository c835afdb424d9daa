//! Two kinds of time that must never be mixed: monotonic for schedules, wall clock for stamps.
//! Pure functions take time as a parameter; only the two `now` calls here read a clock.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PS_NS_PER_MS INT64_C(1000000)
#define PS_NS_PER_S INT64_C(1000000000)

/// Nanoseconds of CLOCK_MONOTONIC. Differences only.
typedef struct PsMono {
    int64_t ns;
} PsMono;

/// Nanoseconds since 1970-01-01 00:00:00 UTC. Zero means "never".
typedef struct PsWall {
    int64_t ns;
} PsWall;

PsMono ps_mono_now(void);
PsWall ps_wall_now(void);
/// Nanoseconds since the system started, also while it slept: goes on over restarts of a program.
PsMono ps_boot_now(void);

static inline PsMono ps_mono_add_ns(PsMono time, int64_t ns) {
    return (PsMono){time.ns + ns};
}

/// a - b in nanoseconds.
static inline int64_t ps_mono_diff_ns(PsMono a, PsMono b) {
    return a.ns - b.ns;
}

/// Rounded once: nanoseconds since 1970 do not fit a double, so the two parts are converted apart
/// (10:00:00.25 stays .25).
static inline double ps_wall_seconds(PsWall time) {
    int64_t whole = time.ns / PS_NS_PER_S;
    return (double)whole + (double)(time.ns % PS_NS_PER_S) / 1e9;
}

/// Seconds with fractions to nanoseconds, rounded to the nearest.
static inline int64_t ps_seconds_to_ns(double seconds) {
    return (int64_t)(seconds * 1e9 + (seconds < 0 ? -0.5 : 0.5));
}

/// "YYYY-MM-DD HH:MM:SS,mmm" in the local zone, the stamp of log lines and displays.
/// `out` needs PS_STAMP_SIZE bytes.
#define PS_STAMP_SIZE 40
void ps_wall_format(PsWall time, char *out, size_t size);

/// Milliseconds for poll(): time left until `deadline`, never negative, rounded up so that a
/// wait does not wake just before it.
int ps_mono_poll_ms(PsMono now, PsMono deadline);
