// GET /devices/{name}/browse: what a device has, a page of one folder at a time. Main thread; the
// device is asked on its channel's thread.
#include "api/handlers_live.h"

#include <string.h>

#define BEGIN_SECONDS 10

static json_t *node_json(const PsBrowseNode *node) {
    json_t *type = node->data_type == PS_UNSET ? json_string("")
                                               : json_string(ps_data_type_name(node->data_type));
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:b, s:b, s:b}", "name", node->name, "node",
                     node->node, "type", node->type, "address", node->address, "data_type", type,
                     "inside", node->inside, "readable", node->readable, "writable",
                     node->writable);
}

static uint32_t find_device(const PsConfig *config, const char *name) {
    uint32_t at = 0;
    while (at < config->device_count && strcmp(config->devices[at].name, name) != 0) {
        at++;
    }
    return at;
}

// The key of a variable that takes the addresses.
static const char *address_key(PsApiCall *call) {
    const PsConfig *config = ps_api_call_sources(call)->config;
    uint32_t device = find_device(config, ps_api_call_text(call, "name"));
    bool nodes =
        device < config->device_count && config->devices[device].protocol == PS_PROTOCOL_OPCUA;
    return nodes ? "identifier" : "symbol";
}

static void on_browsed(PsErr result, const PsDiag *diag, const PsBrowse *browse, void *ctx) {
    PsApiCall *call = ctx;
    if (result != PS_OK) {
        ps_api_call_fail(call, result, diag);
        return;
    }
    json_t *nodes = json_array();
    for (uint32_t i = 0; i < browse->count; i++) {
        json_t *node = node_json(&browse->nodes[i]);
        if (node != NULL) { // text that is no UTF-8 makes none, and no variable either
            json_array_append_new(nodes, node);
        }
    }
    ps_api_call_reply(call, json_pack("{s:s, s:o, s:s}", "key", address_key(call), "nodes", nodes,
                                      "next", browse->next));
}

// Parameters: `name`, `node`, `after`.
void ps_api_browse(PsApiCall *call) {
    const PsApiSources *sources = ps_api_call_sources(call);
    const char *name = ps_api_call_text(call, "name");
    const char *node = ps_api_call_text(call, "node");
    const char *after = ps_api_call_text(call, "after");
    PsDiag diag = {0};
    uint32_t device = find_device(sources->config, name);
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), BEGIN_SECONDS * PS_NS_PER_S);
    PsErr err =
        device == sources->config->device_count
            ? ps_fail(PS_ERR_NOT_FOUND, &diag, NULL, "name", "there is no device '%s'", name)
            : ps_collector_browse(sources->collector, device, node != NULL ? node : "",
                                  after != NULL ? after : "", deadline, on_browsed, call, &diag);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
    }
}
