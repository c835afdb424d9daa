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

static PsErr fail(Parser *parser, const char *text) {
    return ps_fail(PS_ERR_INVALID, parser->diag, "input", parser->place, "%s", text);
}

static PsErr take_value(Parser *parser, const json_t *json, PsVariable *variable, PsValue *value) {
    switch (json_typeof(json)) {
    case JSON_NULL:
        *value = ps_value_none();
        variable->data_type = PS_TYPE_WORD;
        return PS_OK;
    case JSON_TRUE:
    case JSON_FALSE:
        *value = ps_value_bool(json_is_true(json));
        variable->data_type = PS_TYPE_BOOL;
        return PS_OK;
    case JSON_INTEGER:
        *value = ps_value_int(json_integer_value(json));
        variable->data_type = PS_TYPE_LONG;
        return PS_OK;
    case JSON_REAL:
        *value = ps_value_float(json_real_value(json));
        variable->data_type = PS_TYPE_DOUBLE;
        return PS_OK;
    case JSON_STRING:
        *value = ps_value_text(ps_arena_strndup(parser->sample->arena, json_string_value(json),
                                                json_string_length(json)),
                               (uint32_t)json_string_length(json));
        variable->data_type = PS_TYPE_STRING;
        variable->size = STRING_SIZE_MAX;
        return PS_OK;
    default:
        return fail(parser, "raw_data must be null, true, false, a number or a text");
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
    PsErr err = take_value(parser, raw_data, variable, &item->value);
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

static PsErr take_document(Parser *parser, const json_t *json) {
    PsScriptSample *sample = parser->sample;
    if (!json_is_object(json)) {
        return fail(parser, "must be a JSON object with the key 'values'");
    }
    const json_t *group = json_object_get(json, "group_name");
    const json_t *timestamp = json_object_get(json, "timestamp");
    const char *name = json_is_string(group) ? json_string_value(group) : "default";
    sample->config.groups = ps_arena_take(sample->arena, sizeof(PsGroup));
    sample->config.groups[0] = (PsGroup){.name = ps_arena_strdup(sample->arena, name)};
    sample->config.group_count = 1;
    double seconds = json_number_value(timestamp);
    bool usable = json_is_number(timestamp) && seconds > 0 && seconds < 1e10;
    sample->upload.collected = ps_wall_now();
    if (usable) {
        sample->upload.collected.ns = (int64_t)(seconds * 1e9);
    }
    return take_values(parser, json_object_get(json, "values"));
}

PsErr ps_script_sample_parse(const char *json, size_t len, PsScriptSample *ret_sample,
                             PsDiag *diag) {
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
        err = take_document(&parser, document);
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
