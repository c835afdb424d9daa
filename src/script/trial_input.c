// Values and alarms of a group for a trial, made from the tag table. Main thread; does not block.
#include "script/trial_input.h"

#include "base/mem.h"
#include "model/operand.h"

#include <string.h>

// What an alarm's variable has no value for yet: its first operand, which is of the right kind.
static PsValue operand_value(const PsConfig *config, const PsAlarm *alarm) {
    const char *text = alarm->conditions[0].operand;
    PsOperand operand;
    if (config->variables[alarm->watched].data_type == PS_TYPE_STRING ||
        ps_operand_parse(text, &operand) != PS_OK) {
        return ps_value_text(text, (uint32_t)strlen(text));
    }
    return operand.whole && operand.magnitude <= INT32_MAX ? ps_value_int((int64_t)operand.number)
                                                           : ps_value_float(operand.number);
}

static bool is_good(const PsTrialInput *input, uint32_t variable) {
    return input->quality(variable, input->ctx) == PS_QUALITY_GOOD;
}

static PsAlarmEvent triggered(const PsTrialInput *input, uint32_t index, PsWall now) {
    const PsAlarm *alarm = &input->config->alarms[index];
    PsAlarmEvent event = {.alarm = index, .on = true, .stamp = now, .value = input->comm_value};
    if (alarm->is_comm) {
        return event;
    }
    if (is_good(input, alarm->watched)) {
        const PsTag *tag = ps_tag_table_get(input->table, alarm->watched);
        event.stamp = tag->stamp;
        event.value = tag->value;
    } else {
        event.value = operand_value(input->config, alarm);
    }
    return event;
}

PsAlarmUpload ps_trial_input_alarms(const PsTrialInput *input, uint32_t group) {
    const PsConfig *config = input->config;
    PsAlarmEvent *events = ps_alloc_array(config->groups[group].alarm_count + 1, sizeof *events);
    PsAlarmUpload upload = {.group = group, .collected = ps_wall_now(), .events = events};
    for (uint32_t i = 0; i < config->alarm_count; i++) {
        if (config->alarms[i].group == group) {
            events[upload.event_count++] = triggered(input, i, upload.collected);
        }
    }
    return upload;
}

PsUpload ps_trial_input_values(const PsTrialInput *input, uint32_t group) {
    const PsConfig *config = input->config;
    PsUploadItem *items = ps_alloc_array(config->groups[group].variable_count + 1, sizeof *items);
    PsUpload upload = {.group = group, .collected = ps_wall_now(), .items = items};
    // Those of one device stand together.
    for (uint32_t device = 0; device < config->device_count; device++) {
        for (uint32_t i = 0; i < config->variable_count; i++) {
            const PsVariable *variable = &config->variables[i];
            if (variable->group != group || variable->device != device ||
                variable->access == PS_ACCESS_WRITE) {
                continue;
            }
            bool good = is_good(input, i);
            const PsTag *tag = ps_tag_table_get(input->table, i);
            items[upload.item_count++] = (PsUploadItem){
                .variable = i, .good = good, .value = good ? tag->value : ps_value_none()};
            if (good) {
                upload.collected = tag->stamp;
            }
        }
    }
    return upload;
}
