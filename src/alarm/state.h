//! Whether an alarm is on, and since when. Pure: verdicts and times come in. One owner per object.
#pragma once

#include "alarm/rule.h"

/// Zero-initialised is off, as after a start.
typedef struct PsAlarmState {
    bool on;
    PsWall since; ///< of the present state; zero before the first change
} PsAlarmState;

typedef enum PsAlarmChange {
    PS_ALARM_SAME,
    PS_ALARM_TRIGGERED,
    PS_ALARM_RESTORED,
} PsAlarmChange;

/// One evaluation at `now`. An unknown verdict changes nothing: a device that does not answer
/// neither triggers an alarm nor clears it.
PsAlarmChange ps_alarm_state_step(PsAlarmState *state, PsAlarmVerdict verdict, PsWall now);
