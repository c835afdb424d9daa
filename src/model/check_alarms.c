// Checks alarms, and gives each the variable that is read for it: a copy of the one it names, or
// its own address, which belongs to its alarm group and is seen by nobody else. So an alarm is
// evaluated as often as its group says, whatever collect group its variable is in. Behind them come
// the communication alarms that devices ask for. Pure; one thread.
#include "base/cleanup.h"
#include "base/mem.h"
#include "model/checker.h"
#include "model/operand.h"
#include "model/tables.h"

#include <stdio.h>
#include <string.h>

#define LEVEL 1 // of `warning`; reserved in Device Supervisor 1.x: always 1

// Keys of an address, and of what is read there.
static void refuse_unused(PsChecker *checker, const PsAlarm *alarm) {
    static const char *const own[] = {"register_addr", "register_bit",    "data_type",
                                      "register_type", "dbnumber",        "symbol",
                                      "identifier",    "identifier_type", "namespace_index"};
    for (size_t i = 0; i < PS_COUNT(own); i++) {
        if (!ps_option_is_default(ps_option_find(&ps_table_alarm, own[i]), alarm)) {
            PS_CHECK_FAIL(checker, own[i],
                          "belongs to an alarm with an address of its own (quotes 0); this one "
                          "watches '%.100s': remove it or set quotes to 0",
                          alarm->variable_name);
            return;
        }
    }
}

// The variable of `vars` that the alarm names; false after a finding.
static bool find_named(PsChecker *checker, PsAlarm *alarm) {
    uint32_t variable = ps_map_find(&checker->variables, alarm->device_name, alarm->variable_name);
    if (variable == PS_MAP_NONE) {
        PS_CHECK_FAIL(checker, "var_name",
                      "device '%.100s' has no variable '%.100s'; add it to vars, correct the name, "
                      "or give the alarm an address of its own (quotes 0)",
                      alarm->device_name, alarm->variable_name);
        return false;
    }
    if (checker->config->variables[variable].access == PS_ACCESS_WRITE) {
        PS_CHECK_FAIL(checker, "var_name",
                      "'%.100s' is never read (read_write is write); name one that is",
                      alarm->variable_name);
        return false;
    }
    alarm->variable = variable;
    return true;
}

static bool is_missing(PsChecker *checker, const char *field) {
    PS_CHECK_FAIL(checker, field,
                  "is missing; an alarm with an address of its own (quotes 0) needs it");
    return true;
}

// The least of an address; whether it can exist the driver knows.
static bool has_own_address(PsChecker *checker, const PsAlarm *alarm, int protocol) {
    switch (protocol) {
    case PS_PROTOCOL_OPCUA:
        return alarm->identifier[0] != '\0' || !is_missing(checker, "identifier");
    case PS_PROTOCOL_ETHERNET_IP:
    case PS_PROTOCOL_SIMULATOR:
        return alarm->symbol[0] != '\0' || !is_missing(checker, "symbol");
    default: {
        bool typed = alarm->data_type != PS_UNSET || !is_missing(checker, "data_type");
        return (alarm->register_addr != PS_UNSET || !is_missing(checker, "register_addr")) && typed;
    }
    }
}

static PsVariable own_variable(const PsAlarm *alarm, uint32_t device) {
    return (PsVariable){
        .name = alarm->variable_name[0] != '\0' ? alarm->variable_name : alarm->name,
        .device_name = alarm->device_name,
        .data_type = (int8_t)(alarm->data_type != PS_UNSET ? alarm->data_type : PS_TYPE_AUTO),
        .register_addr = alarm->register_addr,
        .register_bit = (int8_t)alarm->register_bit,
        .register_type = (int8_t)alarm->register_type,
        .dbnumber = (uint16_t)alarm->dbnumber,
        .symbol = alarm->symbol,
        .identifier = alarm->identifier,
        .identifier_type = (int8_t)alarm->identifier_type,
        .namespace_index = (uint16_t)alarm->namespace_index,
        .array_index = PS_UNSET,
        .float_repr = (int8_t)alarm->float_repr,
        .size = (int16_t)alarm->size,
        .unit = alarm->unit,
        .desc = alarm->desc,
        .device = device,
    };
}

// What is to be read for the alarm; false after a finding.
static bool make_watched(PsChecker *checker, PsAlarm *alarm, uint32_t device,
                         PsVariable *ret_watched) {
    if (alarm->quotes == 1) {
        refuse_unused(checker, alarm);
        if (!find_named(checker, alarm)) {
            return false;
        }
        *ret_watched = checker->config->variables[alarm->variable];
    } else if (has_own_address(checker, alarm, checker->config->devices[device].protocol)) {
        ps_checker_foreign(checker, &ps_table_alarm, alarm,
                           checker->config->devices[device].protocol);
        *ret_watched = own_variable(alarm, device);
    } else {
        return false;
    }
    ret_watched->group_name = alarm->group_name;
    ret_watched->group = alarm->group;
    ret_watched->access = PS_ACCESS_READ;
    ret_watched->mode = PS_MODE_REALTIME;
    return alarm->quotes == 1 || ps_checker_can_exist(checker, ret_watched);
}

static bool is_text_type(int data_type) {
    return data_type == PS_TYPE_STRING || data_type == PS_TYPE_S7STRING;
}

static void check_operand(PsChecker *checker, const PsCondition *condition, int number,
                          int data_type) {
    char field[16];
    PsOperand operand;
    bool orders = condition->compare != PS_COMPARE_EQ && condition->compare != PS_COMPARE_NEQ;
    if (is_text_type(data_type)) {
        snprintf(field, sizeof field, "condition%d", number);
        if (orders) {
            PS_CHECK_FAIL(checker, field, "%s orders numbers; a %s takes Eq and Neq",
                          ps_compare_name(condition->compare), ps_data_type_name(data_type));
        }
        return;
    }
    snprintf(field, sizeof field, "operand%d", number);
    bool may_text = data_type == PS_TYPE_AUTO && !orders; // a device may have texts there
    if (!may_text && ps_operand_parse(condition->operand, &operand) != PS_OK) {
        PS_CHECK_FAIL(checker, field, "'%.60s' is not a number; write one in quotes, like \"30\"",
                      condition->operand);
    }
}

static void check_hysteresis(PsChecker *checker, const PsAlarm *alarm, int data_type) {
    bool both = alarm->combine != PS_COMBINE_NONE;
    if (alarm->hysteresis == 0) {
        return;
    }
    if (is_text_type(data_type) || data_type == PS_TYPE_BOOL || data_type == PS_TYPE_BIT) {
        PS_CHECK_FAIL(checker, "hysteresis", "is for numbers, not for %s; remove it",
                      ps_data_type_name(data_type));
    } else if (alarm->conditions[0].compare == PS_COMPARE_NEQ ||
               (both && alarm->conditions[1].compare == PS_COMPARE_NEQ)) {
        PS_CHECK_FAIL(checker, "hysteresis",
                      "cannot widen Neq, which ends at one value only; remove it, or use Lt and Gt "
                      "with Or");
    }
}

static void check_conditions(PsChecker *checker, const PsAlarm *alarm, int data_type) {
    check_operand(checker, &alarm->conditions[0], 1, data_type);
    check_hysteresis(checker, alarm, data_type);
    if (alarm->combine != PS_COMBINE_NONE) {
        check_operand(checker, &alarm->conditions[1], 2, data_type);
    } else if (alarm->conditions[1].operand[0] != '\0') {
        PS_CHECK_WARN(checker, "operand2",
                      "does not count, because combine_method is None; set it to And or Or, or "
                      "remove operand2");
    }
}

// Alarms of one group that name the same variable share a reading.
static uint32_t put_watched(PsChecker *checker, PsMap *shared, const PsAlarm *alarm,
                            const PsVariable *watched) {
    PsConfig *config = checker->config;
    uint32_t next = ps_config_polled_count(config);
    if (alarm->quotes == 1) {
        char key[32];
        snprintf(key, sizeof key, "%u", alarm->variable);
        uint32_t found = ps_map_find(shared, alarm->group_name, key);
        if (found != PS_MAP_NONE) {
            return found;
        }
        (void)ps_map_put(shared, alarm->group_name, ps_arena_strdup(config->arena, key), next);
    }
    config->variables[next] = *watched;
    config->watched_count++;
    config->groups[alarm->group].variable_count++;
    return next;
}

// Keys of an alarm that is not wanted mean nothing; whoever wrote them should hear it.
static void warn_unused(PsChecker *checker, const PsDevice *device) {
    for (size_t i = 0; i < ps_table_device.count; i++) {
        const PsOption *option = &ps_table_device.options[i];
        if (strncmp(option->key, "comm_alarm_", strlen("comm_alarm_")) == 0 &&
            !ps_option_is_default(option, device)) {
            PS_CHECK_WARN(checker, option->key,
                          "does not count without \"comm_alarm\": true; add that, or remove it");
        }
    }
}

static void add_comm_alarm(PsChecker *checker, PsMap *names, uint32_t index) {
    PsConfig *config = checker->config;
    const PsDevice *device = &config->devices[index];
    PsAlarm *alarm = &config->alarms[config->alarm_count];
    char name[160];
    snprintf(name, sizeof name, "%s" PS_COMM_ALARM_SUFFIX, device->name);
    *alarm = (PsAlarm){
        .name = ps_arena_strdup(config->arena, name),
        .group_name = device->comm_alarm_group,
        .device_name = device->name,
        .variable_name = "",
        .content = device->comm_alarm_content,
        .conditions = {{.operand = ""}, {.operand = ""}},
        .symbol = "",
        .identifier = "",
        .on_delay = device->comm_alarm_on_delay,
        .off_delay = device->comm_alarm_off_delay,
        .unit = "",
        .desc = "",
        .variable = PS_MAP_NONE,
        .watched = PS_MAP_NONE,
        .device = index,
        .level = device->comm_alarm_level,
        .is_comm = true,
    };
    if (!ps_map_put(names, NULL, alarm->name, config->alarm_count)) {
        PS_CHECK_FAIL(checker, "comm_alarm",
                      "its alarm would be called '%.150s', as one of `warning` is; give that one "
                      "another name",
                      alarm->name);
    }
    alarm->group = ps_checker_group(checker, "comm_alarm_group", alarm->group_name, PS_GROUP_ALARM);
    alarm->place = config->groups[alarm->group].alarm_count++;
    config->alarm_count++;
}

static bool *read_devices(const PsConfig *config) {
    bool *read = ps_alloc_array(config->device_count, sizeof *read);
    for (uint32_t i = 0; i < ps_config_polled_count(config); i++) {
        const PsVariable *variable = &config->variables[i];
        read[variable->device] = read[variable->device] || variable->access != PS_ACCESS_WRITE;
    }
    return read;
}

static void add_comm_alarms(PsChecker *checker, PsMap *names) {
    const PsConfig *config = checker->config;
    PS_AUTO_FREE bool *read = read_devices(config);
    for (uint32_t i = 0; i < config->device_count; i++) {
        const PsDevice *device = &config->devices[i];
        checker->findings->place = (PsPlace){ps_table_device.block, i};
        snprintf(checker->object, sizeof checker->object, "device '%.100s'", device->name);
        if (!device->comm_alarm) {
            warn_unused(checker, device);
            continue;
        }
        add_comm_alarm(checker, names, i);
        if (!read[i]) {
            PS_CHECK_WARN(checker, "comm_alarm",
                          "nothing is read from this device, so nobody notices whether it "
                          "answers; add a variable");
        }
    }
}

void ps_checker_alarms(PsChecker *checker) {
    PsConfig *config = checker->config;
    PS_AUTO_MAP PsMap names = {0};
    PS_AUTO_MAP PsMap shared = {0};
    for (uint32_t i = 0; i < config->alarm_count; i++) {
        PsAlarm *alarm = &config->alarms[i];
        checker->findings->place = (PsPlace){ps_table_alarm.block, i};
        snprintf(checker->object, sizeof checker->object, "alarm '%.100s'", alarm->name);
        if (!ps_map_put(&names, NULL, alarm->name, i)) {
            PS_CHECK_FAIL(checker, "warn_name", "is used twice; give each alarm a name of its own");
        }
        alarm->variable = PS_MAP_NONE;
        alarm->level = LEVEL;
        alarm->group = ps_checker_group(checker, "group", alarm->group_name, PS_GROUP_ALARM);
        uint32_t device = ps_checker_device(checker, alarm->device_name);
        PsVariable watched;
        alarm->device = device;
        if (device != PS_MAP_NONE && make_watched(checker, alarm, device, &watched)) {
            check_conditions(checker, alarm, watched.data_type);
            alarm->place = config->groups[alarm->group].alarm_count++;
            alarm->watched = put_watched(checker, &shared, alarm, &watched);
        }
    }
    add_comm_alarms(checker, &names);
}
