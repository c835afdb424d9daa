//! A log level that somebody has set while the gateway runs: for a time, or until its restart.
//! Main thread.
#pragma once

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"

#include <uv.h>

#define PS_LOG_HOLD_MAX_S (7 * 24 * 3600)

typedef struct PsLogHold PsLogHold;

PsLogHold *ps_log_hold_new(uv_loop_t *loop);
/// A level that was set for a time stays. The memory goes when the loop has run once more. Accepts
/// NULL.
void ps_log_hold_close(PsLogHold *hold);

/// From now on; for `seconds` up to PS_LOG_HOLD_MAX_S, or with 0 until the restart. After a time
/// the level is again what it was before anybody set one for a time. `who` did it, for the log.
/// PS_ERR_RANGE.
PsErr ps_log_hold_set(PsLogHold *hold, PsLogLevel level, int64_t seconds, const char *who,
                      PsDiag *diag);

/// The configuration asks for another level: from now on, or after the time somebody set one for.
void ps_log_hold_configure(PsLogHold *hold, PsLogLevel level);

/// False when the present level is not for a time; else when it ends, and which one comes then.
bool ps_log_hold_ends(const PsLogHold *hold, PsWall *ret_until, PsLogLevel *ret_then);
