// Compares two definitions of an alarm. Pure.
#include "alarm/same.h"

#include "model/place.h"

#include <string.h>

static bool same_text(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

static bool same_address(const PsAlarm *a, const PsAlarm *b) {
    return a->register_addr == b->register_addr && a->register_bit == b->register_bit &&
           a->data_type == b->data_type && a->register_type == b->register_type &&
           a->dbnumber == b->dbnumber && same_text(a->symbol, b->symbol) &&
           same_text(a->identifier, b->identifier) && a->identifier_type == b->identifier_type &&
           a->namespace_index == b->namespace_index;
}

// A device; a variable by its name; or an address: then the name is for people only.
static bool watches_same(const PsAlarm *a, const PsAlarm *b) {
    if (a->is_comm != b->is_comm || a->quotes != b->quotes ||
        !same_text(a->device_name, b->device_name)) {
        return false;
    }
    if (a->is_comm) {
        return true;
    }
    return a->quotes == 1 ? same_text(a->variable_name, b->variable_name) : same_address(a, b);
}

// A variable may have got another address or type.
static bool reads_same(const PsVariable *a, const PsVariable *b) {
    return ps_variable_same_place(a, b);
}

static bool same_condition(const PsCondition *a, const PsCondition *b) {
    return a->compare == b->compare && same_text(a->operand, b->operand);
}

static bool same_delays(const PsAlarm *a, const PsAlarm *b) {
    return a->on_delay == b->on_delay && a->off_delay == b->off_delay;
}

static bool judges_same(const PsAlarm *a, const PsAlarm *b) {
    bool second =
        a->combine == PS_COMBINE_NONE || same_condition(&a->conditions[1], &b->conditions[1]);
    return same_condition(&a->conditions[0], &b->conditions[0]) && a->combine == b->combine &&
           second && a->hysteresis == b->hysteresis;
}

PsAlarmSame ps_alarm_compare(const PsConfig *old_config, const PsAlarm *old_alarm,
                             const PsConfig *new_config, const PsAlarm *new_alarm) {
    if (!watches_same(old_alarm, new_alarm)) {
        return PS_ALARM_OTHER;
    }
    bool equal = same_delays(old_alarm, new_alarm);
    if (equal && !old_alarm->is_comm) {
        equal = judges_same(old_alarm, new_alarm) &&
                reads_same(&old_config->variables[old_alarm->watched],
                           &new_config->variables[new_alarm->watched]);
    }
    return equal ? PS_ALARM_EQUAL : PS_ALARM_CHANGED;
}
