//! The condition of an alarm, compiled: a value goes in, a verdict comes out. Pure; any thread.
#pragma once

#include "model/config.h"
#include "model/operand.h"
#include "tags/value.h"

typedef struct PsAlarmTest {
    PsCompare compare;
    PsOperand operand; ///< of a number
    PsOperand low; ///< the operand less the hysteresis, and more: what counts while the alarm is on
    PsOperand high;
    const char *text; ///< of a text; borrowed from the configuration
    uint32_t text_len;
    bool has_number; ///< `operand` counts
} PsAlarmTest;

typedef struct PsAlarmRule {
    bool takes_text;    ///< STRING, S7STRING, and AUTO when a text comes
    bool takes_numbers; ///< all others, and AUTO when a number comes
    bool has_hysteresis;
    PsCombine combine;
    PsAlarmTest tests[2]; ///< the second counts unless `combine` is none
} PsAlarmRule;

typedef enum PsAlarmVerdict {
    PS_ALARM_UNKNOWN, ///< no value, or one that cannot be compared (NaN)
    PS_ALARM_CLEAR,
    PS_ALARM_MET,
} PsAlarmVerdict;

/// From an alarm that passed the configuration's checks; `data_type` is PsDataType of what it
/// watches.
void ps_alarm_rule_init(PsAlarmRule *rule, const PsAlarm *alarm, int data_type);

/// Whole numbers are compared without rounding, BOOL as 0 and 1; texts byte by byte, for = and !=
/// only. What a device says the type of is compared as what came; there, "true" and "false" are
/// operands for 1 and 0 as well, and an operand that does not go with the value is
/// PS_ALARM_UNKNOWN. While the alarm is `on` each condition is wider by the hysteresis: > 30 with 2
/// holds until the value is 28 or less, = 30 while it is 28 to 32.
PsAlarmVerdict ps_alarm_rule_judge(const PsAlarmRule *rule, PsValue value, bool on);
