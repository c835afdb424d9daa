// The two states of an alarm. Pure.
#include "alarm/state.h"

PsAlarmChange ps_alarm_state_step(PsAlarmState *state, PsAlarmVerdict verdict, PsWall now) {
    bool on = verdict == PS_ALARM_MET;
    if (verdict == PS_ALARM_UNKNOWN || on == state->on) {
        return PS_ALARM_SAME;
    }
    state->on = on;
    state->since = now;
    return on ? PS_ALARM_TRIGGERED : PS_ALARM_RESTORED;
}
