// The two states of an alarm, and the time between them. Pure.
#include "alarm/state.h"

// Counts only what lies between two known verdicts that both say otherwise than the state.
static void count(PsAlarmState *state, bool turning, PsMono now) {
    if (!turning || !state->turning) {
        state->held_ns = 0;
    } else if (state->known) {
        state->held_ns += ps_mono_diff_ns(now, state->judged);
    }
    state->turning = turning;
    state->judged = now;
}

PsAlarmChange ps_alarm_state_step(PsAlarmState *state, PsAlarmDelays delays, PsAlarmVerdict verdict,
                                  PsMono now, PsWall stamp) {
    bool known = verdict != PS_ALARM_UNKNOWN;
    if (known) {
        count(state, (verdict == PS_ALARM_MET) != state->on, now);
    }
    state->known = known;
    int64_t delay_ns = state->on ? delays.off_ns : delays.on_ns;
    if (!known || !state->turning || state->held_ns < delay_ns) {
        return PS_ALARM_SAME;
    }
    state->on = !state->on;
    state->turning = false;
    state->held_ns = 0;
    state->since = stamp;
    return state->on ? PS_ALARM_TRIGGERED : PS_ALARM_RESTORED;
}
