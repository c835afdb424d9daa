// The call `alarms`: which alarms are on, and which cannot be evaluated. Main thread.
#include "alarm/alarms.h"
#include "api/call.h"
#include "api/values.h"

static json_t *alarm_row(const PsConfig *config, const PsAlarmRow *row) {
    const PsAlarm *alarm = &config->alarms[row->alarm];
    const PsVariable *watched = &config->variables[alarm->watched];
    char shown[512];
    ps_value_format(row->value, shown, sizeof shown);
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name", alarm->name, "group", alarm->group_name,
                  "device", alarm->device_name, "var_name", alarm->variable_name, "status",
                  "Triggered", "description", alarm->content);
    json_object_set_new(json, "value", ps_api_value(row->value));
    json_object_set_new(json, "text", json_string(shown));
    json_object_set_new(json, "unit", json_string(watched->unit));
    json_object_set_new(json, "time", ps_api_time(row->since));
    return json;
}

// An alarm whose value cannot be read stays as it is: nobody would notice.
static void add_unread(const PsApiSources *sources, const PsAlarm *alarm, PsMono now,
                       json_t *rows) {
    PsQuality quality = ps_collector_quality(sources->collector, alarm->watched, now);
    if (quality != PS_QUALITY_GOOD) {
        json_array_append_new(rows,
                              json_pack("{s:s, s:s, s:s}", "name", alarm->name, "device",
                                        alarm->device_name, "quality", ps_quality_name(quality)));
    }
}

void ps_api_alarms(PsApiCall *call) {
    const PsApiSources *sources = ps_api_call_sources(call);
    const PsConfig *config = sources->config;
    json_t *on = json_array();
    json_t *unread = json_array();
    PsMono now = ps_mono_now();
    for (uint32_t i = 0; i < config->alarm_count; i++) {
        PsAlarmRow row;
        if (ps_alarms_row(sources->alarms, i, &row)) {
            json_array_append_new(on, alarm_row(config, &row));
        }
        add_unread(sources, &config->alarms[i], now, unread);
    }
    ps_api_call_reply(call, json_pack("{s:o, s:o, s:I}", "alarms", on, "unread", unread, "defined",
                                      (json_int_t)config->alarm_count));
}
