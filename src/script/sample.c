// From JSON to a configuration and an upload. What a file of the outside holds is checked key by
// key; all memory is the arena's. Pure.
#include "script/sample.h"

#include "base/arena.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define VARIABLES_MAX 100000
#define STRING_SIZE_MAX 250

typedef struct Parser {
    PsScriptSample *sample;
    PsUploadItem *items;
    PsDiag *diag;
    char place[192]; // "values.Device.Variable"
} Parser;

// Seconds since 1970 that a clock can show?
static bool is_time(const json_t *json) {
    return json_is_number(json) && json_number_value(json) > 0 && json_number_value(json) < 1e10;
}

static PsErr fail(Parser *parser, const char *text) {
    return ps_fail(PS_ERR_INVALID, parser->diag, "input", parser->place, "%s", text);
}

// What a value of each kind is taken to come from.
static const int type_of_kind[] = {
    [PS_VALUE_NONE] = PS_TYPE_WORD,    [PS_VALUE_BOOL] = PS_TYPE_BOOL,
    [PS_VALUE_INT] = PS_TYPE_LONG,     [PS_VALUE_UINT] = PS_TYPE_ULONG,
    [PS_VALUE_FLOAT] = PS_TYPE_DOUBLE, [PS_VALUE_TEXT] = PS_TYPE_STRING,
};

static PsErr take_value(Parser *parser, const json_t *json, PsValue *value) {
    switch (json_typeof(json)) {
    case JSON_NULL:
        *value = ps_value_none();
        return PS_OK;
    case JSON_TRUE:
    case JSON_FALSE:
        *value = ps_value_bool(json_is_true(json));
        return PS_OK;
    case JSON_INTEGER:
        *value = ps_value_int(json_integer_value(json));
        return PS_OK;
    case JSON_REAL:
        *value = ps_value_float(json_real_value(json));
        return PS_OK;
    case JSON_STRING:
        *value = ps_value_text(ps_arena_strndup(parser->sample->arena, json_string_value(json),
                                                json_string_length(json)),
                               (uint32_t)json_string_length(json));
        return PS_OK;
    default:
        return fail(parser, "the value must be null, true, false, a number or a text");
    }
}

static PsErr take_variable(Parser *parser, const char *name, const json_t *json) {
    PsConfig *config = &parser->sample->config;
    const json_t *raw_data = json_object_get(json, "raw_data");
    if (raw_data == NULL) {
        return fail(parser, "must be {\"raw_data\": value, \"status\": 1}");
    }
    const PsDevice *device = &config->devices[config->device_count - 1];
    PsVariable *variable = &config->variables[config->variable_count];
    *variable = (PsVariable){.name = ps_arena_strdup(parser->sample->arena, name),
                             .device_name = device->name,
                             .group_name = config->groups[0].name,
                             .access = PS_ACCESS_READ_WRITE,
                             .device = config->device_count - 1};
    PsUploadItem *item = &parser->items[config->variable_count];
    item->variable = config->variable_count;
    PsErr err = take_value(parser, raw_data, &item->value);
    variable->data_type = type_of_kind[item->value.kind];
    variable->size = STRING_SIZE_MAX;
    const json_t *status = json_object_get(json, "status");
    bool good = status == NULL || json_integer_value(status) == 1;
    item->good = good && item->value.kind != PS_VALUE_NONE;
    if (!item->good) {
        item->value = ps_value_none();
    }
    config->variable_count++;
    config->groups[0].variable_count++;
    return err;
}

static PsErr take_device(Parser *parser, const char *name, json_t *json) {
    PsConfig *config = &parser->sample->config;
    snprintf(parser->place, sizeof parser->place, "values.%.80s", name);
    if (!json_is_object(json)) {
        return fail(parser, "must be an object of variables");
    }
    config->devices[config->device_count++] =
        (PsDevice){.name = ps_arena_strdup(parser->sample->arena, name)};
    const char *key;
    json_t *value;
    json_object_foreach(json, key, value) {
        snprintf(parser->place, sizeof parser->place, "values.%.80s.%.80s", name, key);
        PsErr err = take_variable(parser, key, value);
        if (err != PS_OK) {
            return err;
        }
    }
    return PS_OK;
}

static size_t count_variables(json_t *values) {
    size_t count = 0;
    const char *key;
    json_t *value;
    json_object_foreach(values, key, value) {
        count += json_object_size(value);
    }
    return count;
}

static PsErr take_values(Parser *parser, json_t *values) {
    PsScriptSample *sample = parser->sample;
    snprintf(parser->place, sizeof parser->place, "values");
    if (!json_is_object(values)) {
        return fail(parser, "must be an object of devices; json.dumps(data_collect) writes one");
    }
    size_t count = count_variables(values);
    if (count > VARIABLES_MAX) {
        return fail(parser, "has more than 100000 variables");
    }
    size_t devices = json_object_size(values);
    sample->config.devices = ps_arena_take(sample->arena, (devices + 1) * sizeof(PsDevice));
    sample->config.variables = ps_arena_take(sample->arena, (count + 1) * sizeof(PsVariable));
    parser->items = ps_arena_take(sample->arena, (count + 1) * sizeof(PsUploadItem));
    PsErr err = PS_OK;
    const char *key;
    json_t *value;
    json_object_foreach(values, key, value) {
        err = err == PS_OK ? take_device(parser, key, value) : err;
    }
    sample->upload.items = parser->items;
    sample->upload.item_count = sample->config.variable_count;
    return err;
}

// --- alarms -------------------------------------------------------------------------------------

static PsErr take_alarm(Parser *parser, const char *name, const json_t *json, PsAlarmEvent *event) {
    PsScriptSample *sample = parser->sample;
    snprintf(parser->place, sizeof parser->place, "values.%.80s", name);
    const json_t *value = json_object_get(json, "value");
    const char *current = json_string_value(json_object_get(json, "current"));
    bool on = current != NULL && strcmp(current, "on") == 0;
    if (value == NULL || current == NULL || (!on && strcmp(current, "off") != 0)) {
        return fail(parser, "must be {\"current\": \"on\" or \"off\", \"value\": value, ...}");
    }
    const json_t *stamp = json_object_get(json, "timestamp");
    const char *content = json_string_value(json_object_get(json, "alarm_content"));
    json_int_t level = json_integer_value(json_object_get(json, "level"));
    PsAlarm *alarm = &sample->config.alarms[sample->config.alarm_count];
    *alarm = (PsAlarm){.name = ps_arena_strdup(sample->arena, name),
                       .group_name = sample->config.groups[0].name,
                       .content = ps_arena_strdup(sample->arena, content != NULL ? content : ""),
                       .variable_name = "",
                       .device_name = "",
                       .conditions = {{0, ""}, {0, ""}},
                       .level = level >= 1 && level <= 5 ? (int)level : 1,
                       .place = sample->config.alarm_count};
    event->alarm = sample->config.alarm_count++;
    event->on = on;
    event->stamp = sample->alarms.collected;
    if (is_time(stamp)) {
        event->stamp.ns = (int64_t)(json_number_value(stamp) * 1e9);
    }
    return take_value(parser, value, &event->value);
}

static PsErr take_alarms(Parser *parser, json_t *values) {
    PsScriptSample *sample = parser->sample;
    snprintf(parser->place, sizeof parser->place, "values");
    size_t count = json_object_size(values);
    if (!json_is_object(values) || count > VARIABLES_MAX) {
        return fail(parser, "must be an object of at most 100000 alarms");
    }
    PsAlarmEvent *events = ps_arena_take(sample->arena, (count + 1) * sizeof *events);
    sample->config.alarms = ps_arena_take(sample->arena, (count + 1) * sizeof(PsAlarm));
    // What they watch is not written down; get_tag_config finds something nameless.
    sample->config.devices = ps_arena_take(sample->arena, sizeof(PsDevice));
    sample->config.variables = ps_arena_take(sample->arena, sizeof(PsVariable));
    sample->config.variables[0] = (PsVariable){.device_name = "", .register_bit = PS_UNSET};
    sample->config.watched_count = 1;
    PsErr err = PS_OK;
    const char *key;
    json_t *value;
    json_object_foreach(values, key, value) {
        err = err == PS_OK ? take_alarm(parser, key, value, &events[sample->config.alarm_count])
                           : err;
    }
    sample->config.groups[0].alarm_count = sample->config.alarm_count;
    sample->alarms.events = events;
    sample->alarms.event_count = sample->config.alarm_count;
    return err;
}

static PsErr take_document(Parser *parser, PsGroupType type, const json_t *json) {
    PsScriptSample *sample = parser->sample;
    if (!json_is_object(json)) {
        return fail(parser, "must be a JSON object with the key 'values'");
    }
    const json_t *group = json_object_get(json, "group_name");
    const json_t *timestamp = json_object_get(json, "timestamp");
    const char *name = json_is_string(group)    ? json_string_value(group)
                       : type == PS_GROUP_ALARM ? "warning"
                                                : "default";
    sample->config.groups = ps_arena_take(sample->arena, sizeof(PsGroup));
    sample->config.groups[0] =
        (PsGroup){.name = ps_arena_strdup(sample->arena, name), .type = type};
    sample->config.group_count = 1;
    sample->upload.collected = ps_wall_now();
    if (is_time(timestamp)) {
        sample->upload.collected.ns = (int64_t)(json_number_value(timestamp) * 1e9);
    }
    sample->alarms.collected = sample->upload.collected;
    json_t *values = json_object_get(json, "values");
    return type == PS_GROUP_ALARM ? take_alarms(parser, values) : take_values(parser, values);
}

PsErr ps_script_sample_parse(const char *json, size_t len, PsGroupType type,
                             PsScriptSample *ret_sample, PsDiag *diag) {
    *ret_sample = (PsScriptSample){.arena = ps_arena_new()};
    ret_sample->config.parameters = (PsParameters){
        .log_level = 1, .catch_recording = 100000, .warning_recording = 2000, .gateway_sn = ""};
    Parser parser = {.sample = ret_sample, .diag = diag};
    json_error_t error;
    json_t *document = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);
    PsErr err;
    if (document == NULL) {
        snprintf(parser.place, sizeof parser.place, "line %d", error.line);
        err = fail(&parser, error.text);
    } else {
        err = take_document(&parser, type, document);
    }
    json_decref(document);
    if (err != PS_OK) {
        ps_script_sample_deinit(ret_sample);
    }
    return err;
}

void ps_script_sample_deinit(PsScriptSample *sample) {
    ps_arena_free(sample->arena);
    *sample = (PsScriptSample){0};
}
