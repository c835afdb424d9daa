//! What a changed definition leaves of an alarm's state. Pure; any thread.
#pragma once

#include "model/config.h"

typedef enum PsAlarmSame {
    PS_ALARM_OTHER,   ///< it watches something else: whether it is on is not known any more
    PS_ALARM_CHANGED, ///< the same value judged in another way: the next value decides
    PS_ALARM_EQUAL,   ///< value, condition and delays are the same
} PsAlarmSame;

/// The former definition, and the one of the same name that comes instead.
PsAlarmSame ps_alarm_compare(const PsConfig *old_config, const PsAlarm *old_alarm,
                             const PsConfig *new_config, const PsAlarm *new_alarm);
