// The calls `tags` and `write`. Main thread.
#include "api/handlers_live.h"
#include "api/values.h"
#include "base/mem.h"
#include "tags/coerce.h"

#include <stdlib.h>
#include <string.h>

#define WRITE_SECONDS 10

static json_t *tag_row(const PsApiSources *sources, uint32_t index) {
    const PsVariable *variable = &sources->config->variables[index];
    const PsTag *tag = ps_tag_table_get(sources->table, index);
    PsQuality quality = ps_collector_quality(sources->collector, index, ps_mono_now());
    char shown[512];
    ps_value_format(tag->value, shown, sizeof shown);
    json_t *row = json_object();
    json_object_set_new(row, "device", json_string(variable->device_name));
    json_object_set_new(row, "name", json_string(variable->name));
    json_object_set_new(row, "group", json_string(variable->group_name));
    json_object_set_new(row, "type", json_string(ps_data_type_name(variable->data_type)));
    json_object_set_new(row, "value", ps_api_value(tag->value));
    json_object_set_new(row, "text", json_string(shown));
    json_object_set_new(row, "unit", json_string(variable->unit));
    json_object_set_new(row, "quality", json_string(ps_quality_name(quality)));
    json_object_set_new(row, "status", json_integer(quality == PS_QUALITY_GOOD ? 1 : 0));
    json_object_set_new(row, "time", ps_api_time(tag->stamp));
    return row;
}

static bool device_exists(const PsConfig *config, const char *name) {
    for (uint32_t i = 0; i < config->device_count; i++) {
        if (strcmp(config->devices[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

void ps_api_tags(PsApiCall *call) {
    const PsApiSources *sources = ps_api_call_sources(call);
    const char *device = json_string_value(json_object_get(ps_api_call_arguments(call), "device"));
    if (device != NULL && !device_exists(sources->config, device)) {
        PsDiag diag = {0};
        PsErr err = ps_fail(PS_ERR_NOT_FOUND, &diag, device, NULL,
                            "there is no device of this name; 'penstock tags' lists all");
        ps_api_call_fail(call, err, &diag);
        return;
    }
    json_t *rows = json_array();
    for (uint32_t i = 0; i < sources->config->variable_count; i++) {
        if (device == NULL || strcmp(sources->config->variables[i].device_name, device) == 0) {
            json_array_append_new(rows, tag_row(sources, i));
        }
    }
    ps_api_call_reply(call, json_pack("{s:o}", "tags", rows));
}

static uint32_t find_variable(const PsConfig *config, const char *device, const char *name) {
    for (uint32_t i = 0; i < config->variable_count; i++) {
        if (strcmp(config->variables[i].name, name) == 0 &&
            strcmp(config->variables[i].device_name, device) == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}

static void on_write_done(PsErr result, const PsDiag *diag, PsValue read_back, void *ctx) {
    PsApiCall *call = ctx;
    if (result != PS_OK) {
        ps_api_call_fail(call, result, diag);
        return;
    }
    char shown[512];
    ps_value_format(read_back, shown, sizeof shown);
    ps_api_call_reply(call, json_pack("{s:s, s:o, s:s}", "result", "OK", "read_back",
                                      ps_api_value(read_back), "text", shown));
}

static PsErr begin_write(PsApiCall *call, PsDiag *diag) {
    const PsApiSources *sources = ps_api_call_sources(call);
    const json_t *arguments = ps_api_call_arguments(call);
    const char *device = json_string_value(json_object_get(arguments, "device"));
    const char *name = json_string_value(json_object_get(arguments, "name"));
    const char *text = json_string_value(json_object_get(arguments, "value"));
    if (device == NULL || name == NULL || text == NULL) {
        return ps_fail(PS_ERR_INVALID, diag, "write", NULL,
                       "needs the texts 'device', 'name' and 'value'");
    }
    uint32_t index = find_variable(sources->config, device, name);
    if (index == UINT32_MAX) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, device, name,
                       "there is no such device and variable; 'penstock tags' lists all");
    }
    PsValue value;
    PsErr err = ps_coerce_text(&sources->config->variables[index], text, &value, diag);
    if (err != PS_OK) {
        return err;
    }
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), WRITE_SECONDS * PS_NS_PER_S);
    return ps_collector_write(sources->collector, index, value, deadline, on_write_done, call,
                              diag);
}

void ps_api_write(PsApiCall *call) {
    PsDiag diag = {0};
    PsErr err = begin_write(call, &diag);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
    }
}
