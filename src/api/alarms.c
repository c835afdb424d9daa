// The call `alarms`: which alarms are on. Main thread.
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

void ps_api_alarms(PsApiCall *call) {
    const PsApiSources *sources = ps_api_call_sources(call);
    json_t *rows = json_array();
    for (uint32_t i = 0; i < sources->config->alarm_count; i++) {
        PsAlarmRow row;
        if (ps_alarms_row(sources->alarms, i, &row)) {
            json_array_append_new(rows, alarm_row(sources->config, &row));
        }
    }
    ps_api_call_reply(call, json_pack("{s:o, s:I}", "alarms", rows, "defined",
                                      (json_int_t)sources->config->alarm_count));
}
