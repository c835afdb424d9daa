// GET /variables: pages of variables with their values; and GET /tags, all of them in one answer.
// Main thread.
#include "api/handlers_live.h"
#include "api/live_private.h"
#include "api/values.h"
#include "live/listing.h"

#include <string.h>

#define LIMIT_DEFAULT 50

static void put_text(json_t *row, const char *key, const char *text) {
    json_object_set_new(row, key, json_string(text));
}

// As it is written in the protocol's own notation.
static json_t *address_of(const PsVariable *variable) {
    return variable->register_bit >= 0
               ? json_sprintf("%d.%d", variable->register_addr, variable->register_bit)
               : json_sprintf("%d", variable->register_addr);
}

static json_t *variable_row(const PsApiSources *sources, uint32_t index) {
    const PsVariable *variable = &sources->config->variables[index];
    const PsTag *tag = ps_tag_table_get(sources->table, index);
    PsQuality quality = ps_collector_quality(sources->collector, index, ps_mono_now());
    char shown[512];
    ps_value_format(tag->value, shown, sizeof shown);
    json_t *row = json_object();
    put_text(row, "device", variable->device_name);
    put_text(row, "name", variable->name);
    put_text(row, "group", variable->group_name);
    put_text(row, "type", ps_data_type_name(variable->data_type));
    json_object_set_new(row, "address", address_of(variable));
    put_text(row, "access", ps_access_name(variable->access));
    put_text(row, "mode", ps_mode_name(variable->mode));
    json_object_set_new(row, "value", ps_api_value(tag->value));
    put_text(row, "text", shown);
    put_text(row, "unit", variable->unit);
    put_text(row, "quality", ps_quality_name(quality));
    json_object_set_new(row, "status", json_integer(quality == PS_QUALITY_GOOD ? 1 : 0));
    json_object_set_new(row, "time", ps_api_time(tag->stamp));
    put_text(row, "desc", variable->desc);
    return row;
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
    json_t *rows = json_array();
    for (uint32_t i = 0; i < sources->config->variable_count; i++) {
        if (device == NULL || strcmp(sources->config->variables[i].device_name, device) == 0) {
            json_array_append_new(rows, variable_row(sources, i));
        }
    }
    ps_api_call_reply(call, json_pack("{s:o}", "tags", rows));
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
    ps_listing_make(sources->config, &query, ps_api_live_read, sources->live, &listing);
    json_t *items = json_array();
    for (uint32_t i = 0; i < listing.count; i++) {
        json_array_append_new(items, variable_row(sources, listing.items[i]));
    }
    json_int_t total = listing.total;
    ps_listing_deinit(&listing);
    ps_api_call_reply(call, json_pack("{s:I, s:I, s:o}", "total", total, "offset",
                                      (json_int_t)query.offset, "items", items));
}
