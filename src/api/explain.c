// GET /explain: why a value is as it is: what is asked, what came of it, what to do. Main thread.
#include "api/handlers_live.h"
#include "api/live_private.h"
#include "api/values.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "drivers/driver.h"

#include <stdlib.h>
#include <string.h>

typedef struct Story {
    const PsApiLive *live;
    uint32_t number;
    const PsVariable *variable;
    const PsDevice *device;
    const PsGroup *group;
    PsQuality quality;
    PsDeviceRow row;
} Story;

static void put_text(json_t *json, const char *key, const char *text) {
    json_object_set_new(json, key, json_string(text));
}

static json_t *variable_json(const Story *story) {
    const PsVariable *variable = story->variable;
    json_t *json = json_object();
    put_text(json, "device", variable->device_name);
    put_text(json, "name", variable->name);
    put_text(json, "group", variable->group_name);
    put_text(json, "type", ps_data_type_name(variable->data_type));
    json_object_set_new(json, "address", json_integer(variable->register_addr));
    if (variable->register_bit >= 0) {
        json_object_set_new(json, "bit", json_integer(variable->register_bit));
    }
    put_text(json, "access", ps_access_name(variable->access));
    json_object_set_new(json, "polling_interval", json_real(story->group->polling_interval));
    const PsTag *tag = ps_tag_table_get(story->live->sources.table, story->number);
    json_object_set_new(json, "value", ps_api_value(tag->value));
    json_object_set_new(json, "time", ps_api_time(tag->stamp));
    return json;
}

static json_t *device_json(const Story *story) {
    const PsDevice *device = story->device;
    const PsApiDeviceState *state = &story->live->devices[story->variable->device];
    json_t *json = json_object();
    put_text(json, "name", device->name);
    put_text(json, "protocol", ps_protocol_name(device->protocol));
    if (ps_device_is_serial(device)) {
        put_text(json, "serial", device->serial_name);
    } else {
        json_object_set_new(json, "address", json_sprintf("%s:%d", device->ip, device->port));
    }
    json_object_set_new(json, "slave", json_integer(device->slave));
    json_object_set_new(json, "timeout", json_real(device->timeout));
    put_text(json, "state", ps_api_device_state_name(state));
    json_object_set_new(json, "since", ps_api_time(state->since));
    put_text(json, "last_error", story->row.last_error);
    return json;
}

static json_t *channel_json(const Story *story) {
    if (story->row.channel == UINT32_MAX) {
        return json_object();
    }
    PsChannelRow row;
    ps_collector_channel_row(story->live->sources.collector, story->row.channel, &row);
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:f, s:s}", "name", row.name, "state", row.state,
                     "requests", (json_int_t)row.requests, "errors", (json_int_t)row.errors, "late",
                     (json_int_t)row.late, "round_trip_ms", row.round_trip_ms, "last_error",
                     row.last_error);
}

// The set of variables that are read together with this one.
static void put_request(const Story *story, PsBuf *out) {
    const PsConfig *config = story->live->config;
    const PsDriver *driver = ps_driver_find(story->device->protocol);
    if (driver == NULL || driver->describe == NULL) {
        return;
    }
    PS_AUTO_FREE uint32_t *members = ps_alloc_array(config->variable_count + 1, sizeof *members);
    PsPollSet set = {
        .device = story->variable->device, .group = story->variable->group, .variables = members};
    for (uint32_t i = 0; i < config->variable_count; i++) {
        const PsVariable *other = &config->variables[i];
        if (other->device == set.device && other->group == set.group &&
            other->access != PS_ACCESS_WRITE) {
            members[set.variable_count++] = i;
        }
    }
    driver->describe(config, &set, story->number, out);
}

static json_t *request_json(const Story *story) {
    PS_AUTO_BUF PsBuf text = {0};
    if (story->variable->access == PS_ACCESS_WRITE) {
        ps_buf_printf(&text, "none: the variable is only written");
    } else {
        ps_buf_printf(&text, "every %g s (group '%s'): ", story->group->polling_interval,
                      story->group->name);
        put_request(story, &text);
    }
    return json_pack("{s:s}", "text", (const char *)text.data);
}

// --- what to do ---------------------------------------------------------------------------------

static void advise_away(const Story *story, PsBuf *out) {
    const PsDevice *device = story->device;
    if (ps_device_is_serial(device)) {
        ps_buf_printf(
            out,
            "check that the device is switched on, the cable of serial port '%s' with its "
            "A and B, the line's settings, and that the device has slave number %d",
            device->serial_name, device->slave);
    } else {
        ps_buf_printf(out,
                      "check that the device is switched on, that %s answers on port %d from this "
                      "network, and that the device has slave number %d",
                      device->ip, device->port, device->slave);
    }
    ps_buf_printf(out, "; the gateway goes on trying by itself");
}

static void advise(const Story *story, PsBuf *out) {
    switch (story->quality) {
    case PS_QUALITY_GOOD:
        ps_buf_printf(out, "%s", "");
        return;
    case PS_QUALITY_NOT_READ:
        if (story->row.contact == PS_CONTACT_SILENT) {
            advise_away(story, out);
            return;
        }
        ps_buf_printf(out,
                      "wait for the first cycle of group '%s', which comes every %g s; if nothing "
                      "comes then, look at the channel's last error",
                      story->group->name, story->group->polling_interval);
        return;
    case PS_QUALITY_AWAY:
        advise_away(story, out);
        return;
    case PS_QUALITY_REFUSED:
        ps_buf_printf(out,
                      "the device answers, but has nothing at this address: compare address %d and "
                      "type %s with the device's list of registers (some lists count from 0), or "
                      "correct the device's program",
                      story->variable->register_addr,
                      ps_data_type_name(story->variable->data_type));
        return;
    case PS_QUALITY_UNDECODABLE:
        ps_buf_printf(
            out,
            "the bytes that came are no %s: compare type and byte order with the device's "
            "list of registers",
            ps_data_type_name(story->variable->data_type));
        return;
    case PS_QUALITY_STALE:
        ps_buf_printf(out,
                      "cycles of group '%s' take longer than its %g s: look at the channel's round "
                      "trip and late requests, and poll less often, or less",
                      story->group->name, story->group->polling_interval);
        return;
    case PS_QUALITY_WRITE_ONLY:
        ps_buf_printf(out, "set the variable's read_write to read/write if its value is wanted");
        return;
    }
}

static json_t *advice_json(const Story *story) {
    PS_AUTO_BUF PsBuf text = {0};
    advise(story, &text);
    return json_string((const char *)text.data);
}

// The monotonic time of the next try on the wall clock.
static json_t *next_try_json(const Story *story) {
    if (!story->row.away) {
        return json_null();
    }
    int64_t left = ps_mono_diff_ns(story->row.next_try, ps_mono_now());
    return ps_api_time((PsWall){ps_wall_now().ns + (left > 0 ? left : 0)});
}

static json_t *story_json(const Story *story) {
    const char *error = story->quality == PS_QUALITY_GOOD ? "" : story->row.last_error;
    json_t *json = json_object();
    json_object_set_new(json, "variable", variable_json(story));
    json_object_set_new(json, "device", device_json(story));
    json_object_set_new(json, "channel", channel_json(story));
    json_object_set_new(json, "request", request_json(story));
    put_text(json, "state", ps_quality_name(story->quality));
    put_text(json, "last_error", error);
    json_object_set_new(json, "next_try", next_try_json(story));
    json_object_set_new(json, "what_to_do", advice_json(story));
    return json;
}

void ps_api_explain(PsApiCall *call) {
    const PsApiSources *sources = ps_api_call_sources(call);
    PsDiag diag = {0};
    Story story = {.live = sources->live};
    PsErr err = ps_api_find_variable(call, &story.number, &diag);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
        return;
    }
    story.variable = &sources->config->variables[story.number];
    story.device = &sources->config->devices[story.variable->device];
    story.group = &sources->config->groups[story.variable->group];
    story.quality = ps_collector_quality(sources->collector, story.number, ps_mono_now());
    ps_api_live_look_at_devices(sources->live);
    ps_api_device_trouble(sources->live, story.variable->device, &story.row);
    ps_api_call_reply(call, story_json(&story));
}
