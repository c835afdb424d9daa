// The report of a trial as JSON. Pure.
#include "script/trial_report.h"

#include "base/text.h"
#include "model/topic.h"

#include <string.h>

static const char *const methods[] = {
    [PS_TRIAL_PUBLISH] = "publish",
    [PS_TRIAL_PUBLISH_NOW] = "mqtt_publish",
};

static void put_payload(json_t *json, const PsTrialDeed *deed) {
    size_t shown = deed->len < PS_TRIAL_PAYLOAD_SHOWN ? deed->len : PS_TRIAL_PAYLOAD_SHOWN;
    const char *text = (const char *)deed->payload;
    if (ps_text_is_utf8(text, deed->len) && memchr(text, '\0', deed->len) == NULL) {
        while (shown < deed->len && shown > 0 && (deed->payload[shown] & 0xC0) == 0x80) {
            shown--; // not in the middle of a character
        }
        json_object_set_new(json, "payload", json_stringn(text, shown));
    } else {
        PS_AUTO_BUF PsBuf hex = {0};
        for (size_t i = 0; i < shown; i++) {
            ps_buf_printf(&hex, "%02x", deed->payload[i]);
        }
        json_object_set_new(json, "payload_hex", json_string((const char *)hex.data));
    }
}

static json_t *publish_json(const PsTrialDeed *deed, const PsConfig *config) {
    bool aws = config->cloud.type == PS_CLOUD_AWS_IOT;
    json_t *json = json_pack("{s:s, s:s, s:i, s:I}", "method", methods[deed->kind], "topic",
                             deed->topic, "qos", deed->qos, "bytes", (json_int_t)deed->len);
    if (aws) {
        json_object_set_new(json, "limit", json_integer(PS_AWS_PAYLOAD_BYTES));
    }
    json_object_set_new(json, "too_large", json_boolean(aws && deed->len > PS_AWS_PAYLOAD_BYTES));
    put_payload(json, deed);
    return json;
}

static json_t *line_json(const PsTrialLine *line) {
    return json_pack("{s:s, s:s, s:i, s:s+}", "level", ps_log_level_name(line->level), "file",
                     line->file, "line", (int)line->line, "text", line->text, "");
}

json_t *ps_trial_report_json(const PsTrialReport *report, const PsConfig *config) {
    json_t *publishes = json_array();
    json_t *writes = json_array();
    json_t *lines = json_array();
    for (uint32_t i = 0; i < report->deed_count; i++) {
        const PsTrialDeed *deed = &report->deeds[i];
        if (deed->kind == PS_TRIAL_WRITE) {
            const PsVariable *variable = &config->variables[deed->variable];
            json_array_append_new(writes,
                                  json_pack("{s:s, s:s, s:s}", "device", variable->device_name,
                                            "var_name", variable->name, "value", deed->value));
        } else {
            json_array_append_new(publishes, publish_json(deed, config));
        }
    }
    for (uint32_t i = 0; i < report->line_count; i++) {
        json_array_append_new(lines, line_json(&report->lines[i]));
    }
    return json_pack(
        "{s:b, s:s, s:f, s:f, s:I, s:o, s:o, s:o, s:I}", "ok", (int)(report->error[0] == '\0'),
        "error", report->error, "wall_s", report->wall_s, "cpu_s", report->cpu_s, "peak_kib",
        (json_int_t)report->peak_kib, "publishes", publishes, "writes", writes, "lines", lines,
        "left_out", (json_int_t)report->deeds_hidden + report->lines_hidden);
}
