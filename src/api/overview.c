// What all streams are told of the gateway as a whole, made once for all of them. Main thread.
#include "api/live_private.h"
#include "api/status.h"
#include "api/values.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ALARMS_MAX_BYTES ((size_t)512 * 1024)
#define CHANNELS_MAX ((size_t)256)
#define CHANNELS_NS (10 * PS_NS_PER_S) // their figures are smoothed over many cycles

// --- parts of `status` --------------------------------------------------------------------------

void ps_api_device_trouble(const PsApiLive *live, uint32_t device, PsDeviceRow *ret_row) {
    PsCollector *collector = live->sources.collector;
    ps_collector_device_row(collector, device, ret_row);
    if (ret_row->away && ret_row->last_error[0] == '\0' && ret_row->channel != UINT32_MAX) {
        PsChannelRow channel;
        ps_collector_channel_row(collector, ret_row->channel, &channel);
        memcpy(ret_row->last_error, channel.last_error, sizeof ret_row->last_error);
    }
}

json_t *ps_api_live_devices_json(const PsApiLive *live) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < live->config->device_count; i++) {
        const PsDevice *device = &live->config->devices[i];
        const PsApiDeviceState *state = &live->devices[i];
        PsDeviceRow row;
        ps_api_device_trouble(live, i, &row);
        json_t *json =
            json_pack("{s:s, s:s, s:s, s:s, s:I}", "name", device->name, "protocol",
                      ps_protocol_name(device->protocol), "state", ps_api_device_state_name(state),
                      "last_error", row.last_error, "variables", (json_int_t)state->variables);
        json_object_set_new(json, "since", ps_api_time(state->since));
        json_array_append_new(list, json);
    }
    return list;
}

static uint64_t requests_of(const PsApiLive *live) {
    uint64_t requests = 0;
    uint32_t count = ps_collector_channel_count(live->sources.collector);
    for (uint32_t i = 0; i < count; i++) {
        PsChannelRow row;
        ps_collector_channel_row(live->sources.collector, i, &row);
        requests += row.requests;
    }
    return requests;
}

json_t *ps_api_live_rates_json(const PsApiLive *live) {
    PsApiDelivery delivery = live->sources.delivery_status(live->sources.ctx);
    return json_pack("{s:f, s:f, s:I, s:I}", "messages_per_s", delivery.per_s, "values_per_s",
                     live->values_per_s, "values", (json_int_t)live->values, "requests",
                     (json_int_t)requests_of(live));
}

// Sparklines need no more, and the answer is a third as long.
static double rounded(double number) {
    return nearbyint(number * 100) / 100;
}

json_t *ps_api_live_history_json(const PsApiLive *live) {
    json_t *points = json_object();
    for (int kind = 0; kind < PS_HISTORY_KINDS; kind++) {
        json_t *list = json_array();
        for (uint32_t i = 0; i < live->history.count; i++) {
            json_array_append_new(
                list, json_real(rounded(ps_history_at(&live->history, (PsHistoryKind)kind, i))));
        }
        json_object_set_new(points, ps_history_name((PsHistoryKind)kind), list);
    }
    return json_pack("{s:i, s:o}", "step_s", PS_HISTORY_STEP_S, "points", points);
}

// --- events -------------------------------------------------------------------------------------

json_t *ps_api_live_alarms_json(const PsApiLive *live) {
    const PsApiSources *sources = &live->sources;
    const PsAlarms *alarms = ps_alarm_desk_alarms(sources->alarms);
    json_int_t active = 0;
    json_int_t unacknowledged = 0;
    for (uint32_t i = 0; i < live->config->alarm_count; i++) {
        PsAlarmRow row;
        if (ps_alarms_row(alarms, i, &row)) {
            active++;
            unacknowledged += ps_alarm_desk_mark(sources->alarms, i)->acknowledged.ns == 0 ? 1 : 0;
        }
    }
    return json_pack("{s:I, s:I}", "active", active, "unacknowledged", unacknowledged);
}

// Takes over `json`; true when there was memory for its text.
static bool put_json(PsBuf *out, json_t *json) {
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (text == NULL) {
        return false;
    }
    ps_buf_clear(out);
    ps_buf_put(out, text, strlen(text));
    free(text);
    return true;
}

void ps_api_overview_make(PsApiLive *live) {
    const PsApiSources *sources = &live->sources;
    json_t *json = json_object();
    json_object_set_new(json, "time", ps_api_time(ps_wall_now()));
    json_object_set_new(json, "revision", sources->changes->running(sources->changes->ctx));
    json_object_set_new(json, "link", ps_api_status_link(sources));
    json_object_set_new(json, "outbox", ps_api_status_outbox(sources));
    json_object_set_new(json, "messages", ps_api_status_messages(sources));
    json_object_set_new(json, "rates", ps_api_live_rates_json(live));
    json_object_set_new(json, "alarms", ps_api_live_alarms_json(live));
    json_object_set_new(json, "devices_up", json_integer(ps_api_live_devices_up(live)));
    json_object_set_new(json, "devices_total", json_integer(live->config->device_count));
    if (put_json(&live->status, json)) {
        live->status.len--; // the brace: the reader's own follows
    }
}

static uint64_t digest(uint64_t before, uint64_t number) {
    return (before ^ number) * UINT64_C(0x100000001b3);
}

void ps_api_overview_devices(PsApiLive *live) {
    uint64_t seen = digest(UINT64_C(0xcbf29ce484222325), (uintptr_t)live->config);
    for (uint32_t i = 0; i < live->config->device_count; i++) {
        seen = digest(seen, live->devices[i].contact);
        seen = digest(seen, (uint64_t)live->devices[i].since.ns);
    }
    if (seen != live->devices_seen &&
        put_json(&live->devices_text, ps_api_live_devices_json(live))) {
        live->devices_seen = seen;
        live->devices_version++;
    }
}

// The busiest first.
static int compare_load(const void *a, const void *b) {
    double first = json_number_value(json_object_get(*(json_t *const *)a, "load"));
    double second = json_number_value(json_object_get(*(json_t *const *)b, "load"));
    return (first < second) - (first > second);
}

// Of more endpoints than a stream should carry the busiest.
static json_t *some_channels(const PsApiSources *sources) {
    json_t *all = ps_api_status_channels(sources);
    size_t count = json_array_size(all);
    if (count <= CHANNELS_MAX) {
        return all;
    }
    json_t **rows = ps_alloc_array(count, sizeof *rows);
    for (size_t i = 0; i < count; i++) {
        rows[i] = json_array_get(all, i);
    }
    qsort(rows, count, sizeof *rows, compare_load);
    json_t *some = json_array();
    for (size_t i = 0; i < CHANNELS_MAX; i++) {
        json_array_append(some, rows[i]);
    }
    free(rows);
    json_decref(all);
    return some;
}

void ps_api_overview_channels(PsApiLive *live, PsMono now) {
    bool fresh = live->channels_version > 0 && live->channels_config == live->config &&
                 ps_mono_diff_ns(now, live->channels_made) < CHANNELS_NS;
    if (!fresh && put_json(&live->channels_text, some_channels(&live->sources))) {
        live->channels_made = now;
        live->channels_config = live->config;
        live->channels_version++;
    }
}

void ps_api_overview_alarms(PsApiLive *live) {
    uint64_t seen = ps_api_alarms_digest(&live->sources);
    if (live->alarms_version > 0 && seen == live->alarms_seen) {
        return;
    }
    if (!put_json(&live->alarms, ps_api_alarms_of(&live->sources))) {
        return;
    }
    if (live->alarms.len > ALARMS_MAX_BYTES) {
        // No stream takes so much at once; a page asks for the list itself.
        uint32_t on = ps_alarms_on_count(ps_alarm_desk_alarms(live->sources.alarms));
        ps_buf_clear(&live->alarms);
        ps_buf_printf(&live->alarms,
                      "{\"alarms\":[],\"shelved\":[],\"unread\":[],\"defined\":%u,\"too_many\":%u}",
                      live->config->alarm_count, on);
    }
    live->alarms_seen = seen;
    live->alarms_version++;
}
