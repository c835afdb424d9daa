// Looks at cloud, devices and scripts, and compares two looks. Main thread.
#include "daemon/health.h"

#include <string.h>

json_t *ps_health_of(const PsConfig *config, PsCollector *collector, PsScriptHost *scripts,
                     const PsLink *link) {
    json_t *answering = json_array();
    json_t *away = json_array();
    for (uint32_t i = 0; i < config->device_count; i++) {
        PsDeviceRow row;
        ps_collector_device_row(collector, i, &row);
        if (row.channel != UINT32_MAX) {
            json_array_append_new(row.away ? away : answering,
                                  json_string(config->devices[i].name));
        }
    }
    json_t *held = json_array();
    uint32_t count = scripts != NULL ? ps_script_host_worker_count(scripts) : 0;
    for (uint32_t i = 0; i < count; i++) {
        PsScriptWorkerStatus row;
        ps_script_host_worker_status(scripts, i, &row);
        if (row.state == PS_WORKER_HELD) {
            json_array_append_new(held, json_string(row.name));
        }
    }
    bool cloud = link != NULL && ps_link_status(link)->state == PS_LINK_CONNECTED;
    return json_pack("{s:b, s:o, s:o, s:o}", "cloud", (int)cloud, "answering", answering, "away",
                     away, "held", held);
}

static bool has(const json_t *list, const char *name) {
    size_t index;
    json_t *item;
    json_array_foreach((json_t *)(uintptr_t)list, index, item) {
        const char *text = json_string_value(item);
        if (text != NULL && strcmp(text, name) == 0) {
            return true;
        }
    }
    return false;
}

static void put(PsBuf *out, const char *before, const char *name, const char *after) {
    ps_buf_printf(out, "%s%s%s%s", out->len > 0 ? ", " : "", before, name, after);
}

bool ps_health_is_worse(const json_t *before, const json_t *now, PsBuf *out) {
    size_t index;
    json_t *item;
    ps_buf_clear(out);
    if (json_is_true(json_object_get(before, "cloud")) &&
        !json_is_true(json_object_get(now, "cloud"))) {
        put(out, "the cloud connection", "", " is gone");
    }
    json_array_foreach(json_object_get(now, "away"), index, item) {
        const char *name = json_string_value(item);
        if (name != NULL && has(json_object_get(before, "answering"), name)) {
            put(out, "device '", name, "' does not answer any more");
        }
    }
    json_array_foreach(json_object_get(now, "held"), index, item) {
        const char *name = json_string_value(item);
        if (name != NULL && !has(json_object_get(before, "held"), name)) {
            put(out, "the script of '", name, "' is held");
        }
    }
    return out->len > 0;
}
