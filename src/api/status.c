// The call `status`: everything a person asks first. Main thread; reads /proc for the workers.
#include "api/status.h"
#include "api/handlers_live.h"
#include "api/live_private.h"
#include "api/values.h"
#include "version.h"

#include <string.h>
#include <time.h>

json_t *ps_api_status_link(const PsApiSources *sources) {
    json_t *json = json_object();
    if (sources->link == NULL) {
        json_object_set_new(json, "state", json_string(ps_link_state_name(PS_LINK_NOT_ENABLED)));
        json_object_set_new(json, "since", ps_api_time(sources->started));
        json_object_set_new(json, "last_error", json_string(""));
        return json;
    }
    const PsLinkStatus *status = ps_link_status(sources->link);
    const PsCloud *cloud = &sources->config->cloud;
    json_object_set_new(json, "state", json_string(ps_link_state_name(status->state)));
    json_object_set_new(json, "since", ps_api_time(status->since));
    json_object_set_new(json, "last_error", json_string(status->last_error));
    json_object_set_new(json, "last_error_at", ps_api_time(status->last_error_at));
    json_object_set_new(json, "type", json_string(ps_cloud_type_name(cloud->type)));
    json_object_set_new(json, "endpoint", json_string(cloud->endpoint));
    json_object_set_new(json, "port", json_integer(cloud->port));
    json_object_set_new(json, "client_id", json_string(cloud->client_id));
    json_object_set_new(json, "connect_attempts", json_integer(status->connect_attempts));
    json_object_set_new(json, "connects", json_integer(status->connects));
    json_object_set_new(json, "acknowledged", json_integer((json_int_t)status->acknowledged));
    json_object_set_new(json, "received", json_integer((json_int_t)status->received));
    return json;
}

#define BREAKERS_MAX 32 // of one channel

// Devices that are not asked in each cycle, by channel: one walk over all of them.
static void put_breakers(const PsApiSources *sources, const json_t *channels) {
    PsMono now = ps_mono_now();
    for (uint32_t i = 0; i < sources->config->device_count; i++) {
        PsDeviceRow row;
        ps_collector_device_row(sources->collector, i, &row);
        json_t *channel = json_array_get(channels, row.channel);
        json_t *list = json_object_get(channel, "breakers");
        if (channel == NULL || !row.away || json_array_size(list) == BREAKERS_MAX) {
            continue;
        }
        double wait_s = (double)ps_mono_diff_ns(row.next_try, now) / 1e9;
        json_array_append_new(list, json_pack("{s:s, s:s, s:f}", "device",
                                              sources->config->devices[i].name, "state",
                                              row.breaker, "next_try_s", wait_s > 0 ? wait_s : 0));
    }
}

// The group that takes most of the line's time; null before a cycle was measured.
static json_t *busiest_json(const PsChannelRow *row) {
    return row->most_group[0] == '\0'
               ? json_null()
               : json_pack("{s:s, s:f, s:f}", "group", row->most_group, "cycle_ms",
                           row->most_cycle_ms, "interval_s", row->most_interval_s);
}

json_t *ps_api_status_channels(const PsApiSources *sources) {
    json_t *list = json_array();
    uint32_t count = ps_collector_channel_count(sources->collector);
    for (uint32_t i = 0; i < count; i++) {
        PsChannelRow row;
        ps_collector_channel_row(sources->collector, i, &row);
        json_t *json = json_object();
        json_object_set_new(json, "name", json_string(row.name));
        json_object_set_new(json, "state", json_string(row.state));
        json_object_set_new(json, "requests", json_integer((json_int_t)row.requests));
        json_object_set_new(json, "errors", json_integer((json_int_t)row.errors));
        json_object_set_new(json, "late", json_integer((json_int_t)row.late));
        json_object_set_new(json, "round_trip_ms", ps_api_span(row.round_trip_ms));
        json_object_set_new(json, "devices", json_integer(row.devices));
        json_object_set_new(json, "devices_away", json_integer(row.devices_away));
        json_object_set_new(json, "cycle_ms", json_real(row.cycle_ms));
        json_object_set_new(json, "cycle_requests", json_real(row.cycle_requests));
        json_object_set_new(json, "load", json_real(row.load));
        json_object_set_new(json, "busiest", busiest_json(&row));
        json_object_set_new(json, "load_warning", json_string(row.load_warning));
        json_object_set_new(json, "breakers", json_array());
        json_object_set_new(json, "last_error", json_string(row.last_error));
        json_array_append_new(list, json);
    }
    put_breakers(sources, list);
    return list;
}

static void put_samples(const PsApiSources *sources, uint32_t group, json_t *json) {
    uint64_t waiting = 0;
    uint64_t set_aside = 0;
    if (sources->scripts != NULL) {
        ps_script_host_samples(sources->scripts, group, &waiting, &set_aside);
    }
    json_object_set_new(json, "every_sample",
                        json_boolean(sources->config->groups[group].every_sample));
    json_object_set_new(json, "samples_waiting", json_integer((json_int_t)waiting));
    json_object_set_new(json, "samples_set_aside", json_integer((json_int_t)set_aside));
}

static json_t *groups_status(const PsApiSources *sources) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < sources->config->group_count; i++) {
        const PsGroup *group = &sources->config->groups[i];
        PsGroupRow row;
        ps_collector_group_row(sources->collector, i, &row);
        json_t *json = json_object();
        json_object_set_new(json, "name", json_string(group->name));
        json_object_set_new(json, "polling_interval", json_real(group->polling_interval));
        json_object_set_new(json, "upload_interval", json_real(group->upload_interval));
        json_object_set_new(json, "variables", json_integer(group->variable_count));
        json_object_set_new(json, "alarms", json_integer(group->alarm_count));
        json_object_set_new(json, "due", json_integer((json_int_t)row.due));
        json_object_set_new(json, "late", json_integer((json_int_t)row.late));
        json_object_set_new(json, "uploads", json_integer((json_int_t)row.uploads));
        put_samples(sources, i, json);
        json_array_append_new(list, json);
    }
    return list;
}

json_t *ps_api_status_messages(const PsApiSources *sources) {
    json_t *list = json_array();
    for (size_t i = 0; i < ps_outbox_ledger_count(sources->outbox); i++) {
        const PsLedger *ledger = ps_outbox_ledger(sources->outbox, i);
        json_t *dropped = json_object();
        for (int reason = 0; reason < PS_DROP_COUNT; reason++) {
            if (ledger->dropped[reason] > 0) {
                json_object_set_new(dropped, ps_drop_reason_name((PsDropReason)reason),
                                    json_integer((json_int_t)ledger->dropped[reason]));
            }
        }
        json_t *json = json_object();
        json_object_set_new(json, "name", json_string(ledger->name));
        json_object_set_new(json, "accepted", json_integer((json_int_t)ledger->accepted));
        json_object_set_new(json, "delivered", json_integer((json_int_t)ledger->delivered));
        json_object_set_new(json, "waiting", json_integer((json_int_t)ledger->waiting));
        json_object_set_new(json, "dropped", dropped);
        json_object_set_new(json, "dead", json_integer((json_int_t)ledger->dead));
        json_array_append_new(list, json);
    }
    return list;
}

static json_t *workers_status(const PsApiSources *sources) {
    json_t *list = json_array();
    uint32_t count = sources->scripts != NULL ? ps_script_host_worker_count(sources->scripts) : 0;
    for (uint32_t i = 0; i < count; i++) {
        PsScriptWorkerStatus row;
        ps_script_host_worker_status(sources->scripts, i, &row);
        json_t *json = json_object();
        json_object_set_new(json, "name", json_string(row.name));
        json_object_set_new(json, "kind", json_string(ps_script_kind_name(row.kind)));
        json_object_set_new(json, "pid", json_integer(row.pid));
        json_object_set_new(json, "state", json_string(ps_worker_state_name(row.state)));
        json_object_set_new(json, "calls", json_integer((json_int_t)row.calls));
        json_object_set_new(json, "errors", json_integer((json_int_t)row.errors));
        json_object_set_new(json, "restarts", json_integer((json_int_t)row.restarts));
        json_object_set_new(json, "queued", json_integer(row.queued));
        json_object_set_new(json, "dropped", json_integer((json_int_t)row.dropped));
        json_object_set_new(json, "cpu_s", json_real(row.cpu_s));
        json_object_set_new(json, "rss_kib", json_integer((json_int_t)row.rss_kib));
        json_object_set_new(json, "last_error", json_string(row.last_error));
        json_array_append_new(list, json);
    }
    return list;
}

json_t *ps_api_status_outbox(const PsApiSources *sources) {
    PsOutboxStats stats = ps_outbox_stats(sources->outbox);
    PsApiDelivery delivery = sources->delivery_status(sources->ctx);
    json_t *json = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b}", "waiting", (json_int_t)stats.waiting,
        "waiting_bytes", (json_int_t)stats.waiting_bytes, "in_flight", (json_int_t)stats.in_flight,
        "memory_rows", (json_int_t)stats.memory_rows, "rows_stored", (json_int_t)stats.rows_stored,
        "disk_bytes", (json_int_t)stats.disk_bytes, "store_failing", (int)stats.store_failing,
        "low_space", (int)stats.low_space);
    json_t *pace =
        json_pack("{s:f, s:f, s:I, s:o, s:b, s:I}", "per_s", delivery.per_s, "drained_per_s",
                  delivery.drained_per_s, "window", (json_int_t)delivery.window, "acknowledge_ms",
                  ps_api_span(delivery.acknowledge_ms), "one_by_one", (int)delivery.one_by_one,
                  "set_aside", (json_int_t)delivery.set_aside);
    json_object_set_new(json, "delivery", pace);
    json_object_set_new(json, "books_add_up", json_boolean(ps_outbox_check(sources->outbox)));
    return json;
}

#define DAY_S 86400

static json_t *day_text(int64_t day) {
    time_t at = (time_t)(day * DAY_S);
    struct tm parts;
    char text[32];
    gmtime_r(&at, &parts);
    strftime(text, sizeof text, "%Y-%m-%d", &parts);
    return json_string(text);
}

// Bytes that the outbox writes; flash wears out by them.
static json_t *disk_status(const PsApiSources *sources) {
    PsDiskUse use = ps_outbox_stats(sources->outbox).disk;
    int64_t today = ps_wall_now().ns / PS_NS_PER_S / DAY_S;
    json_t *days = json_array();
    for (int64_t day = today - PS_DISK_DAYS + 1; day <= today; day++) {
        json_t *json = json_object();
        json_object_set_new(json, "day", day_text(day));
        json_object_set_new(json, "bytes", json_integer((json_int_t)ps_disk_use_of_day(&use, day)));
        json_array_append_new(days, json);
    }
    json_t *json = json_object();
    json_object_set_new(json, "today", json_integer((json_int_t)ps_disk_use_of_day(&use, today)));
    json_object_set_new(json, "week", json_integer((json_int_t)ps_disk_use_of_week(&use, today)));
    json_object_set_new(json, "total", json_integer((json_int_t)use.total));
    json_object_set_new(json, "since", use.total > 0 ? day_text(use.since) : json_null());
    json_object_set_new(json, "days", days);
    return json;
}

json_t *ps_api_status_of(const PsApiSources *sources) {
    json_t *json = json_object();
    json_object_set_new(json, "version", json_string(PENSTOCK_VERSION));
    json_object_set_new(json, "started", ps_api_time(sources->started));
    json_object_set_new(
        json, "uptime_s",
        json_real(ps_wall_seconds(ps_wall_now()) - ps_wall_seconds(sources->started)));
    json_object_set_new(json, "config", json_string(sources->config->folder));
    json_object_set_new(json, "state", json_string(sources->state));
    json_object_set_new(json, "revision", sources->changes->running(sources->changes->ctx));
    json_object_set_new(json, "link", ps_api_status_link(sources));
    json_object_set_new(json, "web", ps_web_status(sources->web));
    json_object_set_new(json, "channels", ps_api_status_channels(sources));
    json_object_set_new(json, "groups", groups_status(sources));
    json_object_set_new(json, "messages", ps_api_status_messages(sources));
    json_object_set_new(json, "outbox", ps_api_status_outbox(sources));
    json_object_set_new(json, "disk", disk_status(sources));
    json_object_set_new(json, "workers", workers_status(sources));
    ps_api_live_look_at_devices(sources->live);
    json_object_set_new(json, "devices", ps_api_live_devices_json(sources->live));
    json_object_set_new(json, "alarms", ps_api_live_alarms_json(sources->live));
    json_object_set_new(json, "rates", ps_api_live_rates_json(sources->live));
    json_object_set_new(json, "certificates", ps_api_ends_json(sources->live->ends));
    json_object_set_new(json, "history", ps_api_live_history_json(sources->live));
    return json;
}

void ps_api_status(PsApiCall *call) {
    ps_api_call_reply(call, ps_api_status_of(ps_api_call_sources(call)));
}
