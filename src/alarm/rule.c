// Compares values with operands. Pure.
#include "alarm/rule.h"

#include "base/err.h"

#include <math.h>
#include <string.h>

static void compile(const PsAlarmRule *rule, const PsCondition *condition, double hysteresis,
                    PsAlarmTest *test) {
    const char *operand = condition->operand;
    test->compare = (PsCompare)condition->compare;
    if (rule->takes_text) {
        test->text = operand;
        test->text_len = (uint32_t)strlen(operand);
    }
    if (rule->takes_text && rule->takes_numbers) {
        operand = strcasecmp(operand, "true") == 0    ? "1"
                  : strcasecmp(operand, "false") == 0 ? "0"
                                                      : operand;
    }
    test->has_number = rule->takes_numbers && ps_operand_parse(operand, &test->operand) == PS_OK;
    PS_ASSERT(test->has_number || rule->takes_text); // the configuration was checked
    test->low = ps_operand_shift(&test->operand, -hysteresis);
    test->high = ps_operand_shift(&test->operand, hysteresis);
}

void ps_alarm_rule_init(PsAlarmRule *rule, const PsAlarm *alarm, int data_type) {
    bool is_text = data_type == PS_TYPE_STRING || data_type == PS_TYPE_S7STRING;
    *rule = (PsAlarmRule){.takes_text = is_text || data_type == PS_TYPE_AUTO,
                          .takes_numbers = !is_text,
                          .has_hysteresis = alarm->hysteresis > 0,
                          .combine = (PsCombine)alarm->combine};
    compile(rule, &alarm->conditions[0], alarm->hysteresis, &rule->tests[0]);
    if (rule->combine != PS_COMBINE_NONE) {
        compile(rule, &alarm->conditions[1], alarm->hysteresis, &rule->tests[1]);
    }
}

static int order(bool less, bool greater) {
    return greater - less;
}

// Whole numbers of 64 bits are compared as such: a double would take neighbours for equal.
static int order_whole(bool negative, uint64_t magnitude, const PsOperand *operand) {
    if (negative != operand->negative) {
        return negative ? -1 : 1;
    }
    int by_magnitude = order(magnitude<operand->magnitude, magnitude> operand->magnitude);
    return negative ? -by_magnitude : by_magnitude;
}

// -1, 0 or 1: how the value stands to the operand. False when it cannot be said.
static bool order_value(PsValue value, const PsOperand *operand, int *ret_order) {
    uint64_t magnitude = 0;
    bool negative = false;
    switch ((PsValueKind)value.kind) {
    case PS_VALUE_BOOL:
        magnitude = value.boolean;
        break;
    case PS_VALUE_INT:
        negative = value.integer < 0;
        magnitude = negative ? -(uint64_t)value.integer : (uint64_t)value.integer;
        break;
    case PS_VALUE_UINT:
        magnitude = value.unsigned_integer;
        break;
    case PS_VALUE_FLOAT:
        *ret_order = order(value.number<operand->number, value.number> operand->number);
        return !isnan(value.number);
    default:
        return false;
    }
    if (operand->whole) {
        *ret_order = order_whole(negative, magnitude, operand);
    } else {
        double number = negative ? -(double)magnitude : (double)magnitude;
        *ret_order = order(number<operand->number, number> operand->number);
    }
    return true;
}

// False for conditions that order: those are for numbers.
static bool order_text(PsValue value, const PsAlarmTest *test, int *ret_order) {
    if (test->compare != PS_COMPARE_EQ && test->compare != PS_COMPARE_NEQ) {
        return false;
    }
    bool same = value.text_len == test->text_len &&
                (value.text_len == 0 || memcmp(value.text, test->text, test->text_len) == 0);
    *ret_order = same ? 0 : 1;
    return true;
}

static bool holds(PsCompare compare, int place) {
    switch (compare) {
    case PS_COMPARE_EQ:
        return place == 0;
    case PS_COMPARE_NEQ:
        return place != 0;
    case PS_COMPARE_GT:
        return place > 0;
    case PS_COMPARE_GNE:
        return place >= 0;
    case PS_COMPARE_LNE:
        return place <= 0;
    case PS_COMPARE_LT:
        return place < 0;
    }
    return false;
}

// The condition with its hysteresis; only numbers have one, and != does not.
static PsAlarmVerdict judge_wider(const PsAlarmTest *test, PsValue value) {
    int to_low = 0;
    int to_high = 0;
    if (!order_value(value, &test->low, &to_low) || !order_value(value, &test->high, &to_high)) {
        return PS_ALARM_UNKNOWN;
    }
    bool met = false;
    if (test->compare == PS_COMPARE_EQ) {
        met = to_low >= 0 && to_high <= 0;
    } else {
        bool rises = test->compare == PS_COMPARE_GT || test->compare == PS_COMPARE_GNE;
        met = holds(test->compare, rises ? to_low : to_high);
    }
    return met ? PS_ALARM_MET : PS_ALARM_CLEAR;
}

static PsAlarmVerdict judge(const PsAlarmRule *rule, const PsAlarmTest *test, PsValue value,
                            bool on) {
    bool text = value.kind == PS_VALUE_TEXT;
    if (text ? !rule->takes_text : !test->has_number) {
        return PS_ALARM_UNKNOWN;
    }
    if (on && rule->has_hysteresis && !text) {
        return judge_wider(test, value);
    }
    int place = 0;
    bool known =
        text ? order_text(value, test, &place) : order_value(value, &test->operand, &place);
    if (!known) {
        return PS_ALARM_UNKNOWN;
    }
    return holds(test->compare, place) ? PS_ALARM_MET : PS_ALARM_CLEAR;
}

PsAlarmVerdict ps_alarm_rule_judge(const PsAlarmRule *rule, PsValue value, bool on) {
    PsAlarmVerdict first = judge(rule, &rule->tests[0], value, on);
    if (first == PS_ALARM_UNKNOWN || rule->combine == PS_COMBINE_NONE) {
        return first;
    }
    PsAlarmVerdict second = judge(rule, &rule->tests[1], value, on);
    bool met = rule->combine == PS_COMBINE_AND ? first == PS_ALARM_MET && second == PS_ALARM_MET
                                               : first == PS_ALARM_MET || second == PS_ALARM_MET;
    return met ? PS_ALARM_MET : PS_ALARM_CLEAR;
}
