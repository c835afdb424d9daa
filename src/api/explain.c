// GET /explain: why a value is as it is: what is asked, what came of it, what to do. Unless the
// caller is in a hurry the device is asked just now, and the answer waits for it. Main thread;
// never blocks.
#include "api/explain.h"
#include "api/handlers_live.h"
#include "api/values.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "drivers/driver.h"
#include "model/place.h"

#include <stdlib.h>
#include <string.h>

// A device may be busy with others before the look begins.
#define LOOK_SECONDS 10

static void put_text(json_t *json, const char *key, const char *text) {
    json_object_set_new(json, key, json_string(text));
}

static json_t *variable_json(const PsApiStory *story) {
    const PsVariable *variable = story->variable;
    json_t *json = json_object();
    put_text(json, "device", variable->device_name);
    put_text(json, "name", variable->name);
    put_text(json, "group", variable->group_name);
    put_text(json, "type", ps_data_type_name(variable->data_type));
    char address[PS_ADDRESS_SIZE];
    ps_variable_address(story->device->protocol, variable, address, sizeof address);
    put_text(json, "address", address);
    put_text(json, "access", ps_access_name(variable->access));
    json_object_set_new(json, "polling_interval", json_real(story->group->polling_interval));
    const PsTag *tag = ps_tag_table_get(story->live->sources.table, story->number);
    json_object_set_new(json, "value", ps_api_value(tag->value));
    json_object_set_new(json, "time", ps_api_time(tag->stamp));
    return json;
}

static json_t *device_json(const PsApiStory *story) {
    const PsDevice *device = story->device;
    const PsApiDeviceState *state = &story->live->devices[story->variable->device];
    json_t *json = json_object();
    put_text(json, "name", device->name);
    put_text(json, "protocol", ps_protocol_name(device->protocol));
    if (ps_device_is_serial(device)) {
        put_text(json, "serial", device->serial_name);
    } else if (device->url[0] != '\0') {
        put_text(json, "address", device->url);
    } else {
        json_object_set_new(json, "address", json_sprintf("%s:%d", device->ip, device->port));
    }
    if (device->protocol == PS_PROTOCOL_MODBUS_TCP || device->protocol == PS_PROTOCOL_MODBUS_RTU) {
        json_object_set_new(json, "slave", json_integer(device->slave));
        put_text(json, "byte_order", ps_byte_order_name(device->byte_order));
    }
    json_object_set_new(json, "timeout", json_real(device->timeout));
    put_text(json, "state", ps_api_device_state_name(state));
    json_object_set_new(json, "since", ps_api_time(state->since));
    put_text(json, "last_error", story->row.last_error);
    return json;
}

static json_t *channel_json(const PsApiStory *story) {
    if (story->row.channel == UINT32_MAX) {
        return json_object();
    }
    PsChannelRow row;
    ps_collector_channel_row(story->live->sources.collector, story->row.channel, &row);
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:s}", "name", row.name, "state",
                     row.state, "note", row.note, "requests", (json_int_t)row.requests, "errors",
                     (json_int_t)row.errors, "late", (json_int_t)row.late, "round_trip_ms",
                     ps_api_span(row.round_trip_ms), "last_error", row.last_error);
}

// The set of variables that are read together with this one.
static void put_request(const PsApiStory *story, PsBuf *out) {
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

static json_t *request_json(const PsApiStory *story) {
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

static json_t *advice_json(const PsApiStory *story) {
    PS_AUTO_BUF PsBuf text = {0};
    ps_api_explain_advice(story, &text);
    return json_string((const char *)text.data);
}

// The monotonic time of the next try on the wall clock.
static json_t *next_try_json(const PsApiStory *story) {
    if (!story->row.away) {
        return json_null();
    }
    int64_t left = ps_mono_diff_ns(story->row.next_try, ps_mono_now());
    return ps_api_time((PsWall){ps_wall_now().ns + (left > 0 ? left : 0)});
}

static json_t *story_json(const PsApiStory *story) {
    const char *error = story->quality == PS_QUALITY_GOOD ? "" : story->row.last_error;
    json_t *json = json_object();
    json_object_set_new(json, "variable", variable_json(story));
    json_object_set_new(json, "device", device_json(story));
    json_object_set_new(json, "channel", channel_json(story));
    json_object_set_new(json, "request", request_json(story));
    json_object_set_new(json, "look", ps_api_explain_look(story));
    json_object_set_new(json, "readings", ps_api_explain_readings(story));
    json_object_set_new(json, "learned", ps_api_explain_learned(story));
    put_text(json, "state", ps_quality_name(story->quality));
    put_text(json, "last_error", error);
    json_object_set_new(json, "next_try", next_try_json(story));
    json_object_set_new(json, "what_to_do", advice_json(story));
    return json;
}

// The configuration may be another one by now, so the variable is looked up anew.
static void tell(PsApiCall *call, const PsApiLook *look) {
    const PsApiSources *sources = ps_api_call_sources(call);
    PsDiag diag = {0};
    PsApiStory story = {.live = sources->live, .look = *look};
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
    if (look->peek != NULL && !look->peek->ordered) {
        story.look.reading_count =
            ps_readings(look->peek->bytes, look->peek->len, story.variable->data_type,
                        story.device->byte_order, story.look.readings);
    }
    ps_api_call_reply(call, story_json(&story));
}

// Cancelled: the variable is another one now, or the gateway stops and its parts are on their way.
static void on_looked(PsErr result, const PsDiag *diag, const PsPeek *peek, void *ctx) {
    if (result == PS_ERR_CANCELLED) {
        ps_api_call_fail(ctx, result, diag);
        return;
    }
    tell(ctx, &(PsApiLook){.wanted = true, .result = result, .diag = diag, .peek = peek});
}

// Parameters: `device`, `name`, `look` (false: as things stand, at once).
void ps_api_explain(PsApiCall *call) {
    const PsApiSources *sources = ps_api_call_sources(call);
    PsDiag diag = {0};
    uint32_t number = 0;
    PsErr err = ps_api_find_variable(call, &number, &diag);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
        return;
    }
    if (json_is_false(json_object_get(ps_api_call_arguments(call), "look"))) {
        tell(call, &(PsApiLook){.wanted = false});
        return;
    }
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), LOOK_SECONDS * PS_NS_PER_S);
    err = ps_collector_peek(sources->collector, number, deadline, on_looked, call, &diag);
    if (err != PS_OK) {
        tell(call, &(PsApiLook){.wanted = true, .result = PS_ERR_UNSUPPORTED, .diag = &diag});
    }
}
