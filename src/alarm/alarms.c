// All alarms with their states. Main thread; allocates only in new.
#include "alarm/alarms.h"

#include "alarm/state.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

typedef struct Alarm {
    PsAlarmRule rule;
    PsAlarmDelays delays;
    PsAlarmState state;
    PsValue value; // of the newest change
    char *text;    // room for it when it is one
} Alarm;

struct PsAlarms {
    const PsConfig *config;
    const PsTagTable *table;
    Alarm *items;              // as in the configuration
    uint32_t *by_group;        // numbers of alarms, those of one group together
    uint32_t *first;           // by group: where its own begin in by_group
    const PsUploadItem **seen; // by place among what is watched: its item in the present snapshot
    PsAlarmEvent *events;
    uint32_t on_count;
};

// A counting sort keeps the order of the configuration within each group.
static void sort_by_group(PsAlarms *alarms) {
    const PsConfig *config = alarms->config;
    alarms->first = ps_alloc_array((size_t)config->group_count + 1, sizeof *alarms->first);
    alarms->by_group = ps_alloc_array(config->alarm_count, sizeof *alarms->by_group);
    for (uint32_t i = 0; i < config->alarm_count; i++) {
        alarms->first[config->alarms[i].group + 1]++;
    }
    for (uint32_t i = 0; i < config->group_count; i++) {
        alarms->first[i + 1] += alarms->first[i];
    }
    for (uint32_t i = 0; i < config->alarm_count; i++) {
        const PsAlarm *alarm = &config->alarms[i];
        alarms->by_group[alarms->first[alarm->group] + alarm->place] = i;
    }
}

PsAlarms *ps_alarms_new(const PsConfig *config, const PsTagTable *table) {
    PsAlarms *alarms = ps_alloc(sizeof *alarms);
    alarms->config = config;
    alarms->table = table;
    alarms->items = ps_alloc_array(config->alarm_count, sizeof *alarms->items);
    alarms->events = ps_alloc_array((size_t)config->alarm_count + 1, sizeof *alarms->events);
    alarms->seen = ps_alloc_array(config->watched_count, sizeof *alarms->seen);
    for (uint32_t i = 0; i < config->alarm_count; i++) {
        alarms->items[i].delays = (PsAlarmDelays){ps_seconds_to_ns(config->alarms[i].on_delay),
                                                  ps_seconds_to_ns(config->alarms[i].off_delay)};
        if (config->alarms[i].is_comm) {
            continue;
        }
        const PsVariable *watched = &config->variables[config->alarms[i].watched];
        ps_alarm_rule_init(&alarms->items[i].rule, &config->alarms[i], watched->data_type);
        if (ps_variable_text_size(watched) > 0) {
            alarms->items[i].text = ps_alloc(ps_variable_text_size(watched));
        }
    }
    sort_by_group(alarms);
    return alarms;
}

void ps_alarms_free(PsAlarms *alarms) {
    if (alarms == NULL) {
        return;
    }
    for (uint32_t i = 0; i < alarms->config->alarm_count; i++) {
        free(alarms->items[i].text);
    }
    free(alarms->items);
    free(alarms->events);
    free(alarms->seen);
    free(alarms->by_group);
    free(alarms->first);
    free(alarms);
}

static void keep_value(Alarm *alarm, PsValue value) {
    alarm->value = value;
    if (value.kind == PS_VALUE_TEXT) {
        if (value.text_len > 0) {
            memcpy(alarm->text, value.text, value.text_len);
        }
        alarm->value.text = alarm->text;
    }
}

// Bytes that an alarm has for a text of its own.
static size_t text_room(const PsAlarms *alarms, uint32_t index) {
    const PsAlarm *alarm = &alarms->config->alarms[index];
    if (alarm->is_comm) {
        return 0;
    }
    return ps_variable_text_size(&alarms->config->variables[alarm->watched]);
}

void ps_alarms_take(PsAlarms *alarms, uint32_t alarm, const PsAlarms *former, uint32_t former_alarm,
                    bool whole) {
    const Alarm *before = &former->items[former_alarm];
    Alarm *after = &alarms->items[alarm];
    after->state = before->state;
    if (!whole) {
        after->state = (PsAlarmState){.on = before->state.on, .since = before->state.since};
    }
    if (before->value.kind == PS_VALUE_TEXT && before->value.text_len > text_room(alarms, alarm)) {
        free(after->text); // the type was another, or longer
        after->text = ps_alloc(before->value.text_len);
    }
    keep_value(after, before->value);
    alarms->on_count += after->state.on;
}

// True when it changed; then `event`, which has the rest, says how.
static bool step(PsAlarms *alarms, PsAlarmVerdict verdict, PsMono now, PsAlarmEvent *event) {
    Alarm *alarm = &alarms->items[event->alarm];
    PsAlarmChange change =
        ps_alarm_state_step(&alarm->state, alarm->delays, verdict, now, event->stamp);
    if (change == PS_ALARM_SAME) {
        return false;
    }
    event->on = change == PS_ALARM_TRIGGERED;
    alarms->on_count = event->on ? alarms->on_count + 1 : alarms->on_count - 1;
    return true;
}

static bool evaluate(PsAlarms *alarms, uint32_t index, PsMono now, PsAlarmEvent *event) {
    const PsConfig *config = alarms->config;
    Alarm *alarm = &alarms->items[index];
    uint32_t watched = config->alarms[index].watched;
    const PsUploadItem *item = alarms->seen[watched - config->variable_count];
    PsValue value = item != NULL && item->good ? item->value : ps_value_none();
    PsAlarmVerdict verdict = ps_alarm_rule_judge(&alarm->rule, value, alarm->state.on);
    *event = (PsAlarmEvent){
        .alarm = index, .stamp = ps_tag_table_get(alarms->table, watched)->stamp, .value = value};
    if (!step(alarms, verdict, now, event)) {
        return false;
    }
    keep_value(alarm, value);
    return true;
}

bool ps_alarms_evaluate(PsAlarms *alarms, const PsUpload *upload, PsMono now,
                        PsAlarmUpload *ret_changed) {
    uint32_t watched_from = alarms->config->variable_count;
    for (uint32_t i = 0; i < upload->item_count; i++) {
        PS_ASSERT(upload->items[i].variable >= watched_from);
        alarms->seen[upload->items[i].variable - watched_from] = &upload->items[i];
    }
    uint32_t count = 0;
    for (uint32_t i = alarms->first[upload->group]; i < alarms->first[upload->group + 1]; i++) {
        uint32_t index = alarms->by_group[i];
        bool judged = !alarms->config->alarms[index].is_comm;
        count += judged && evaluate(alarms, index, now, &alarms->events[count]);
    }
    for (uint32_t i = 0; i < upload->item_count; i++) {
        alarms->seen[upload->items[i].variable - watched_from] = NULL;
    }
    *ret_changed = (PsAlarmUpload){.group = upload->group,
                                   .collected = upload->collected,
                                   .event_count = count,
                                   .events = alarms->events};
    return count > 0;
}

PsValue ps_alarms_comm_value(bool on) {
    return on ? ps_value_text("no answer", strlen("no answer"))
              : ps_value_text("answers", strlen("answers"));
}

bool ps_alarms_evaluate_devices(PsAlarms *alarms, uint32_t group, const PsAlarmVerdict *devices,
                                PsMono now, PsWall stamp, PsAlarmUpload *ret_changed) {
    uint32_t count = 0;
    for (uint32_t i = alarms->first[group]; i < alarms->first[group + 1]; i++) {
        uint32_t index = alarms->by_group[i];
        const PsAlarm *definition = &alarms->config->alarms[index];
        PsAlarmEvent *event = &alarms->events[count];
        *event = (PsAlarmEvent){.alarm = index, .stamp = stamp};
        if (definition->is_comm && step(alarms, devices[definition->device], now, event)) {
            event->value = ps_alarms_comm_value(event->on);
            alarms->items[index].value = event->value;
            count++;
        }
    }
    *ret_changed = (PsAlarmUpload){
        .group = group, .collected = stamp, .event_count = count, .events = alarms->events};
    return count > 0;
}

void ps_alarms_restore(PsAlarms *alarms, uint32_t alarm, PsWall since) {
    PS_ASSERT(alarms->config->alarms[alarm].is_comm);
    Alarm *item = &alarms->items[alarm];
    alarms->on_count += !item->state.on;
    item->state.on = true;
    item->state.since = since;
    item->value = ps_alarms_comm_value(true);
}

PsAlarmEvent ps_alarms_event(const PsAlarms *alarms, uint32_t alarm) {
    const Alarm *item = &alarms->items[alarm];
    return (PsAlarmEvent){
        .alarm = alarm, .on = item->state.on, .stamp = item->state.since, .value = item->value};
}

bool ps_alarms_is_clear(const PsAlarms *alarms, uint32_t alarm) {
    const PsAlarmState *state = &alarms->items[alarm].state;
    return !state->on && state->known && !state->turning;
}

bool ps_alarms_is_known(const PsAlarms *alarms, uint32_t alarm) {
    return alarms->items[alarm].state.known;
}

uint32_t ps_alarms_on_count(const PsAlarms *alarms) {
    return alarms->on_count;
}

bool ps_alarms_row(const PsAlarms *alarms, uint32_t alarm, PsAlarmRow *ret_row) {
    PS_ASSERT(alarm < alarms->config->alarm_count);
    const Alarm *item = &alarms->items[alarm];
    if (!item->state.on) {
        return false;
    }
    *ret_row = (PsAlarmRow){.alarm = alarm, .since = item->state.since, .value = item->value};
    return true;
}
