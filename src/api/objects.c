// Reading the configuration: lists of objects, one of them, the blocks that are one object, and the
// option tables. Main thread.
#include "api/handlers_config.h"
#include "api/resource.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "model/option_json.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT 50 // objects, unless the caller says otherwise

void ps_api_options(PsApiCall *call) {
    ps_api_call_reply(call, ps_options_json());
}

// --- a list -------------------------------------------------------------------------------------

typedef struct Entry {
    const char *name;
    uint32_t index;
} Entry;

// Is it somewhere in a text of the object?
static bool holds(const PsOptionTable *table, const void *object, const char *search) {
    for (size_t i = 0; i < table->count; i++) {
        const PsOption *option = &table->options[i];
        if (option->type == PS_OPTION_TEXT &&
            strcasestr(ps_option_text(option, object), search) != NULL) {
            return true;
        }
    }
    return false;
}

static int by_name(const void *a, const void *b) {
    const Entry *one = a;
    const Entry *other = b;
    int order = strcasecmp(one->name, other->name);
    return order != 0 ? order : (int)(one->index > other->index) - (int)(one->index < other->index);
}

static int by_name_down(const void *a, const void *b) {
    return by_name(b, a);
}

static uint32_t choose(const PsApiCall *call, const PsApiResource *resource, const PsConfig *config,
                       Entry *entries) {
    const char *search = ps_api_call_text(call, "search");
    const PsOption *name = ps_option_find(resource->table, resource->table->name_key);
    uint32_t count = 0;
    for (uint32_t i = 0; i < resource->count(config); i++) {
        const void *object = ps_api_resource_at(resource, config, i);
        if (search == NULL || search[0] == '\0' || holds(resource->table, object, search)) {
            entries[count++] = (Entry){ps_option_text(name, object), i};
        }
    }
    const char *sort = ps_api_call_text(call, "sort");
    if (sort != NULL && count > 0) {
        qsort(entries, count, sizeof *entries, sort[0] == '-' ? by_name_down : by_name);
    }
    return count;
}

// Parameters: `search`, `sort` (name, -name; left out: as in the file), `offset`, `limit`.
void ps_api_resource_list(PsApiCall *call) {
    const PsApiResource *resource = ps_api_resource(call);
    const PsApiSources *sources = ps_api_call_sources(call);
    const PsConfig *config = sources->config;
    PS_AUTO_FREE Entry *entries = ps_alloc_array(resource->count(config) + 1, sizeof *entries);
    uint32_t total = choose(call, resource, config, entries);
    uint32_t offset = (uint32_t)ps_api_call_integer(call, "offset", 0);
    uint32_t limit = (uint32_t)ps_api_call_integer(call, "limit", LIMIT);
    json_t *items = json_array();
    for (uint32_t i = offset; i < total && i - offset < limit; i++) {
        const void *object = ps_api_resource_at(resource, config, entries[i].index);
        json_array_append_new(items, ps_api_resource_json(resource, sources, object));
    }
    ps_api_call_reply(call, json_pack("{s:I, s:I, s:o}", "total", (json_int_t)total, "offset",
                                      (json_int_t)offset, "items", items));
}

// --- one object ---------------------------------------------------------------------------------

void ps_api_resource_get(PsApiCall *call) {
    const PsApiResource *resource = ps_api_resource(call);
    const PsApiSources *sources = ps_api_call_sources(call);
    const char *name = ps_api_call_text(call, "name");
    const char *scope = ps_api_call_text(call, "device");
    const void *object = ps_api_resource_find(resource, sources->config, scope, name);
    if (object != NULL) {
        ps_api_call_reply(call, ps_api_resource_json(resource, sources, object));
        return;
    }
    PsDiag diag = {0};
    PsErr err = ps_fail(PS_ERR_NOT_FOUND, &diag, name, NULL, "there is no %s of this name%s%.100s",
                        resource->table->kind, scope != NULL ? " on device " : "",
                        scope != NULL ? scope : "");
    ps_api_call_fail(call, err, &diag);
}

void ps_api_single_get(PsApiCall *call) {
    const PsApiResource *resource = ps_api_resource(call);
    const PsApiSources *sources = ps_api_call_sources(call);
    const void *object = ps_api_resource_at(resource, sources->config, 0);
    ps_api_call_reply(call, ps_api_resource_json(resource, sources, object));
}
