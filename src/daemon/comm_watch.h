//! Tells the alarm desk once a second which devices answer, when a device has a communication
//! alarm. Main thread.
#pragma once

#include "alarm/desk.h"
#include "collect/collector.h"

typedef struct PsCommWatch PsCommWatch;

/// All are borrowed until close. NULL when no device has such an alarm.
PsCommWatch *ps_comm_watch_new(uv_loop_t *loop, const PsConfig *config, PsCollector *collector,
                               PsAlarmDesk *desk);
/// Looks at nothing from now on; its memory goes when the loop has run once more. Accepts NULL.
void ps_comm_watch_close(PsCommWatch *watch);
