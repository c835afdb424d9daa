//! Configurations that were replaced while something still runs by them: a trial of a draft, a
//! canary that is being ended. Each is freed when nobody holds it any more. Main thread.
#pragma once

#include "model/config.h"

#include <uv.h>

typedef struct PsRetired PsRetired;
typedef struct PsConfigHold PsConfigHold;

PsRetired *ps_retired_new(uv_loop_t *loop);
/// Much was made, here and there, that is given up in the moments after: what is free by then goes
/// back to the system.
void ps_retired_settle(PsRetired *retired);
/// Lets its handle go; what is held can still be released.
void ps_retired_close(PsRetired *retired);
/// Once the loop has ended; frees what was put. Accepts NULL.
void ps_retired_free(PsRetired *retired);

/// The configuration, the present one, is to last until the hold is released.
PsConfigHold *ps_retired_hold(PsRetired *retired, const PsConfig *config);
/// The holder may look at it until it returns to the loop.
void ps_retired_release(PsConfigHold *hold);
/// It is the present one no more: freed from the loop once nobody holds it.
void ps_retired_put(PsRetired *retired, PsConfig *config);
