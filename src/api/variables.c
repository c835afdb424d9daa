// GET /variables: pages of variables with their values; and GET /tags, all of them in one answer.
// Main thread.
#include "api/handlers_live.h"
#include "api/live_private.h"
#include "live/format.h"
#include "live/listing.h"
#include "model/place.h"

#include <string.h>

#define LIMIT_DEFAULT 50

static void put_key(PsBuf *out, const char *key) {
    ps_live_put_raw(out, ",\"");
    ps_live_put_raw(out, key);
    ps_live_put_raw(out, "\":");
}

static void put_text(PsBuf *out, const char *key, const char *text) {
    put_key(out, key);
    ps_live_put_string(out, text, strlen(text));
}

// As it is written in the protocol's own notation.
static void put_address(PsBuf *out, const PsConfig *config, const PsVariable *variable) {
    char address[PS_ADDRESS_SIZE];
    ps_variable_address(config->devices[variable->device].protocol, variable, address,
                        sizeof address);
    put_text(out, "address", address);
}

// Written as text at once: a page of a thousand objects takes the loop tens of milliseconds.
static void put_row(PsBuf *out, const PsApiLive *live, uint32_t index) {
    const PsVariable *variable = &live->config->variables[index];
    PsCellReading reading = ps_api_live_read(index, (void *)(uintptr_t)live);
    ps_live_put_raw(out, "{\"device\":");
    ps_live_put_string(out, variable->device_name, strlen(variable->device_name));
    put_text(out, "name", variable->name);
    put_text(out, "group", variable->group_name);
    put_text(out, "type", ps_data_type_name(variable->data_type));
    put_address(out, live->config, variable);
    put_text(out, "access", ps_access_name(variable->access));
    put_text(out, "mode", ps_mode_name(variable->mode));
    put_key(out, "value");
    ps_live_put_value(out, reading.value);
    put_key(out, "text");
    ps_live_put_shown(out, reading.value);
    put_text(out, "unit", variable->unit);
    put_text(out, "quality", ps_quality_name(reading.quality));
    put_key(out, "status");
    ps_buf_put_u8(out, reading.quality == PS_QUALITY_GOOD ? '1' : '0');
    put_key(out, "time");
    ps_live_put_time(out, reading.time);
    put_text(out, "desc", variable->desc);
    ps_live_put_raw(out, "},");
}

// The rows end with a comma, which goes.
static void reply_rows(PsApiCall *call, PsBuf *out, size_t begin) {
    out->len -= out->len > begin ? 1 : 0;
    ps_live_put_raw(out, "]}");
    ps_api_call_reply_bytes(call, "application/json", out->data, out->len);
}

static PsErr check_device(const PsConfig *config, const char *name, PsDiag *diag) {
    for (uint32_t i = 0; name != NULL && i < config->device_count; i++) {
        if (strcmp(config->devices[i].name, name) == 0) {
            return PS_OK;
        }
    }
    return name == NULL ? PS_OK
                        : ps_fail(PS_ERR_NOT_FOUND, diag, name, NULL,
                                  "there is no device of this name; 'penstock tags' lists all");
}

void ps_api_tags(PsApiCall *call) {
    const PsApiSources *sources = ps_api_call_sources(call);
    const char *device = ps_api_call_text(call, "device");
    PsDiag diag = {0};
    PsErr err = check_device(sources->config, device, &diag);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
        return;
    }
    ps_api_live_look(sources->live);
    PS_AUTO_BUF PsBuf out = {0};
    ps_live_put_raw(&out, "{\"tags\":[");
    size_t begin = out.len;
    for (uint32_t i = 0; i < sources->config->variable_count; i++) {
        if (device == NULL || strcmp(sources->config->variables[i].device_name, device) == 0) {
            put_row(&out, sources->live, i);
        }
    }
    reply_rows(call, &out, begin);
}

// NULL for what is not given or empty: a field of a form that nothing was typed into.
static const char *given(const PsApiCall *call, const char *name) {
    const char *text = ps_api_call_text(call, name);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static bool is_quality(const char *text) {
    bool known = strcmp(text, "bad") == 0;
    for (int i = PS_QUALITY_GOOD; i <= PS_QUALITY_WRITE_ONLY; i++) {
        known = known || strcmp(text, ps_quality_name((PsQuality)i)) == 0;
    }
    return known;
}

static PsErr take_query(const PsApiCall *call, PsListingQuery *ret_query, PsDiag *diag) {
    *ret_query =
        (PsListingQuery){.device = given(call, "device"),
                         .group = given(call, "group"),
                         .quality = given(call, "quality"),
                         .search = given(call, "search"),
                         .offset = (uint32_t)ps_api_call_integer(call, "offset", 0),
                         .limit = (uint32_t)ps_api_call_integer(call, "limit", LIMIT_DEFAULT)};
    if (ps_listing_sort_of(given(call, "sort"), &ret_query->sort, &ret_query->descending) !=
        PS_OK) {
        return ps_fail(PS_ERR_INVALID, diag, "variables", "sort",
                       "must be name, device, group, type, address, value, time or quality, with "
                       "'-' before it for the other way round");
    }
    if (ret_query->quality != NULL && !is_quality(ret_query->quality)) {
        return ps_fail(PS_ERR_INVALID, diag, "variables", "quality",
                       "must be good, bad or the words of a quality, such as 'device away'");
    }
    return PS_OK;
}

void ps_api_variables(PsApiCall *call) {
    const PsApiSources *sources = ps_api_call_sources(call);
    PsListingQuery query;
    PsDiag diag = {0};
    PsErr err = take_query(call, &query, &diag);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
        return;
    }
    PsListing listing;
    ps_api_live_look(sources->live);
    ps_listing_make(sources->config, &query, ps_api_live_read, sources->live, &listing);
    PS_AUTO_BUF PsBuf out = {0};
    ps_buf_printf(&out, "{\"total\":%u,\"offset\":%u,\"items\":[", listing.total, query.offset);
    size_t begin = out.len;
    for (uint32_t i = 0; i < listing.count; i++) {
        put_row(&out, sources->live, listing.items[i]);
    }
    ps_listing_deinit(&listing);
    reply_rows(call, &out, begin);
}
