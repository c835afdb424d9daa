//! Whether an alarm is on, and since when. Pure: verdicts and times come in. One owner per object.
#pragma once

#include "alarm/rule.h"

/// How long the condition must hold before the alarm begins, and not hold before it ends. 0: at
/// once.
typedef struct PsAlarmDelays {
    int64_t on_ns;
    int64_t off_ns;
} PsAlarmDelays;

/// Zero-initialised is off, as after a start.
typedef struct PsAlarmState {
    bool on;
    PsWall since;    ///< of the present state; zero before the first change
    bool turning;    ///< the condition says otherwise than the state
    bool known;      ///< the newest verdict was one
    PsMono judged;   ///< when
    int64_t held_ns; ///< for how long it has been turning
} PsAlarmState;

typedef enum PsAlarmChange {
    PS_ALARM_SAME,
    PS_ALARM_TRIGGERED,
    PS_ALARM_RESTORED,
} PsAlarmChange;

/// One evaluation at `now`, of a value that was read at `stamp`. An unknown verdict changes
/// nothing: a device that does not answer neither triggers an alarm nor clears it. It does not
/// begin, end or advance a delay either: the time from the last known verdict to the next does not
/// count.
PsAlarmChange ps_alarm_state_step(PsAlarmState *state, PsAlarmDelays delays, PsAlarmVerdict verdict,
                                  PsMono now, PsWall stamp);
