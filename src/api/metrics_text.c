// A table of metrics over the answer of `status`. Pure.
#include "api/metrics_text.h"

#include "base/err.h"

#include <string.h>

// One metric: where its numbers stand in `status`.
typedef struct Metric {
    const char *name;
    const char *help;
    const char
        *section;      // an object, or a list with one row for each `label`; NULL: `status` itself
    const char *label; // of a list's rows: what their "name" is called
    const char *field;
    double scale;      // to base units; 0: none
    bool counter;      // only ever grows; otherwise a gauge
    const char *parts; // the field is an object: the label of its keys
    bool state;        // the field is a text, the label "state" of the number 1
} Metric;

static const Metric metrics[] = {
    {"penstock_start_time_seconds", "When penstockd was started.", NULL, NULL, "started"},
    {"penstock_link_state", "State of the connection to the cloud.", "link", NULL, "state",
     .state = true},
    {"penstock_link_connect_attempts_total", "Attempts to connect to the cloud.", "link", NULL,
     "connect_attempts", .counter = true},
    {"penstock_link_connects_total", "Attempts that the server accepted.", "link", NULL, "connects",
     .counter = true},
    {"penstock_link_acknowledged_total", "Publishes that the server acknowledged.", "link", NULL,
     "acknowledged", .counter = true},
    {"penstock_link_received_total", "Messages received.", "link", NULL, "received",
     .counter = true},
    // A dead letter that is run again with success leaves `accepted`, which therefore may fall.
    {"penstock_messages_accepted", "Messages taken over from scripts.", "messages", "message",
     "accepted"},
    {"penstock_messages_delivered_total", "Messages that the server acknowledged.", "messages",
     "message", "delivered", .counter = true},
    {"penstock_messages_waiting", "Messages that wait or are under way.", "messages", "message",
     "waiting"},
    {"penstock_messages_dead", "Inputs and messages set aside.", "messages", "message", "dead"},
    {"penstock_messages_dropped_total", "Messages dropped, by reason.", "messages", "message",
     "dropped", .counter = true, .parts = "reason"},
    {"penstock_outbox_messages", "Messages in the outbox.", "outbox", NULL, "waiting"},
    {"penstock_outbox_bytes", "Topics and payloads of the messages in the outbox.", "outbox", NULL,
     "waiting_bytes"},
    {"penstock_outbox_in_flight", "Messages sent and not acknowledged.", "outbox", NULL,
     "in_flight"},
    {"penstock_outbox_memory_messages", "Messages that the outbox holds in memory.", "outbox", NULL,
     "memory_rows"},
    {"penstock_outbox_stored_total", "Messages written to the disk since the start.", "outbox",
     NULL, "rows_stored", .counter = true},
    {"penstock_outbox_store_failing", "1 while the disk takes nothing.", "outbox", NULL,
     "store_failing"},
    {"penstock_outbox_low_space", "1 while the disk has less room than it shall keep.", "outbox",
     NULL, "low_space"},
    {"penstock_disk_written_bytes_total", "Bytes written by the outbox, over restarts.", "disk",
     NULL, "total", .counter = true},
    {"penstock_disk_written_today_bytes", "Bytes written by the outbox today (UTC).", "disk", NULL,
     "today"},
    {"penstock_disk_written_week_bytes", "Bytes written by the outbox in the last 7 days.", "disk",
     NULL, "week"},
    {"penstock_channel_state", "State of a channel.", "channels", "channel", "state",
     .state = true},
    {"penstock_channel_requests_total", "Requests to devices.", "channels", "channel", "requests",
     .counter = true},
    {"penstock_channel_errors_total", "Requests without a good answer.", "channels", "channel",
     "errors", .counter = true},
    {"penstock_channel_late_total", "Answers that came too late or to nobody.", "channels",
     "channel", "late", .counter = true},
    {"penstock_channel_round_trip_seconds", "Mean time of an answer.", "channels", "channel",
     "round_trip_ms", .scale = 0.001},
    {"penstock_channel_devices", "Devices behind a channel.", "channels", "channel", "devices"},
    {"penstock_channel_devices_away", "Devices that do not answer.", "channels", "channel",
     "devices_away"},
    {"penstock_channel_cycle_seconds", "Mean time of reading everything behind a channel once.",
     "channels", "channel", "cycle_ms", .scale = 0.001},
    {"penstock_channel_cycle_requests", "Mean number of requests of that.", "channels", "channel",
     "cycle_requests"},
    {"penstock_channel_load_ratio", "Part of the time that reading takes; above 1 cycles are late.",
     "channels", "channel", "load"},
    {"penstock_device_state", "State of a device.", "devices", "device", "state", .state = true},
    {"penstock_values_total", "Values collected since the start.", "rates", NULL, "values",
     .counter = true},
    {"penstock_alarms_active", "Alarms that are on.", "alarms", NULL, "active"},
    {"penstock_alarms_unacknowledged", "Of these: nobody has acknowledged them.", "alarms", NULL,
     "unacknowledged"},
    {"penstock_certificate_days_left", "Days until a certificate ends.", "certificates",
     "certificate", "days_left"},
    {"penstock_group_cycles_total", "Polling cycles that were due.", "groups", "group", "due",
     .counter = true},
    {"penstock_group_late_total", "Polling cycles that began late.", "groups", "group", "late",
     .counter = true},
    {"penstock_group_uploads_total", "Uploads.", "groups", "group", "uploads", .counter = true},
    {"penstock_group_samples_waiting", "Samples that wait for the end of the upload interval.",
     "groups", "group", "samples_waiting"},
    {"penstock_group_samples_set_aside_total",
     "Samples that became dead letters because too many waited.", "groups", "group",
     "samples_set_aside", .counter = true},
    {"penstock_worker_state", "State of a script's process.", "workers", "message", "state",
     .state = true},
    {"penstock_worker_calls_total", "Calls of the script.", "workers", "message", "calls",
     .counter = true},
    {"penstock_worker_errors_total", "Calls that failed.", "workers", "message", "errors",
     .counter = true},
    {"penstock_worker_restarts_total", "Restarts of the script's process.", "workers", "message",
     "restarts", .counter = true},
    {"penstock_worker_queued", "Inputs that wait for the script.", "workers", "message", "queued"},
    {"penstock_worker_dropped_total", "Inputs that the script did not get in time.", "workers",
     "message", "dropped", .counter = true},
    {"penstock_worker_cpu_seconds_total", "CPU time of the script's process.", "workers", "message",
     "cpu_s", .counter = true},
    {"penstock_worker_resident_bytes", "Memory of the script's process.", "workers", "message",
     "rss_kib", .scale = 1024},
};

static void put_escaped(PsBuf *out, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '\\' || *text == '"') {
            ps_buf_put_u8(out, '\\');
        }
        if (*text == '\n') {
            ps_buf_put(out, "\\n", 2);
        } else {
            ps_buf_put_u8(out, (uint8_t)*text);
        }
    }
}

static void put_label(PsBuf *out, bool *first, const char *name, const char *value) {
    if (name == NULL || value == NULL) {
        return;
    }
    ps_buf_printf(out, "%s%s=\"", *first ? "{" : ",", name);
    put_escaped(out, value);
    ps_buf_put_u8(out, '"');
    *first = false;
}

// Whole numbers exactly; JSON's null is a number that nobody knows.
static void put_number(PsBuf *out, const json_t *value, double scale) {
    if (json_is_integer(value) && scale == 0) {
        ps_buf_printf(out, " %lld\n", (long long)json_integer_value(value));
    } else if (json_is_boolean(value)) {
        ps_buf_printf(out, " %d\n", json_is_true(value) ? 1 : 0);
    } else if (json_is_number(value)) {
        ps_buf_printf(out, " %.15g\n", json_number_value(value) * (scale != 0 ? scale : 1));
    } else {
        ps_buf_printf(out, " %s\n", json_is_string(value) ? "1" : "NaN");
    }
}

// `kind` tells the publish message from the subscribe message of the same name.
static void put_sample(PsBuf *out, const Metric *metric, const json_t *row, const char *part,
                       const json_t *value) {
    bool first = true;
    ps_buf_printf(out, "%s", metric->name);
    if (metric->label != NULL) {
        put_label(out, &first, metric->label, json_string_value(json_object_get(row, "name")));
        put_label(out, &first, "kind", json_string_value(json_object_get(row, "kind")));
    }
    put_label(out, &first, metric->parts, part);
    put_label(out, &first, metric->state ? "state" : NULL, json_string_value(value));
    if (!first) {
        ps_buf_put_u8(out, '}');
    }
    put_number(out, value, metric->scale);
}

static void put_row(PsBuf *out, const Metric *metric, const json_t *row) {
    json_t *value = json_object_get(row, metric->field);
    if (metric->parts == NULL) {
        if (value != NULL) {
            put_sample(out, metric, row, NULL, value);
        }
        return;
    }
    const char *part;
    json_t *number;
    json_object_foreach(value, part, number) {
        put_sample(out, metric, row, part, number);
    }
}

void ps_metrics_text(const json_t *status, PsBuf *out) {
    for (size_t i = 0; i < PS_COUNT(metrics); i++) {
        const Metric *metric = &metrics[i];
        json_t *section = metric->section != NULL ? json_object_get(status, metric->section)
                                                  : (json_t *)(uintptr_t)status;
        ps_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
                      metric->counter ? "counter" : "gauge");
        if (!json_is_array(section)) {
            put_row(out, metric, section);
            continue;
        }
        size_t index;
        json_t *row;
        json_array_foreach(section, index, row) {
            put_row(out, metric, row);
        }
    }
}
