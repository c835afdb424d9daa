// PUT /devices/{device}/variables/{name}/value: writes a variable and reads it back. Main thread.
#include "api/handlers_live.h"
#include "api/live_private.h"
#include "api/values.h"
#include "tags/coerce.h"

#include <string.h>

#define WRITE_SECONDS 10

PsErr ps_api_find_variable(PsApiCall *call, uint32_t *ret_variable, PsDiag *diag) {
    PsApiLive *live = ps_api_call_sources(call)->live;
    const char *device = ps_api_call_text(call, "device");
    const char *name = ps_api_call_text(call, "name");
    uint32_t found = ps_name_index_find(ps_api_live_index(live), device, name);
    if (found == UINT32_MAX) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, device, name,
                       "there is no such device and variable; 'penstock tags' lists all");
    }
    *ret_variable = found;
    return PS_OK;
}

static void on_write_done(PsErr result, const PsDiag *diag, PsValue read_back, void *ctx) {
    PsApiCall *call = ctx;
    if (result != PS_OK) {
        ps_api_call_fail(call, result, diag);
        return;
    }
    char shown[512];
    ps_value_format(read_back, shown, sizeof shown);
    ps_api_call_note(call, NULL, shown);
    ps_api_call_reply(call, json_pack("{s:s, s:o, s:s}", "result", "OK", "read_back",
                                      ps_api_value(read_back), "text", shown));
}

// A text is what somebody typed; numbers and true or false are values already. The text of the
// result is borrowed from the call, the collector copies it.
static PsErr value_of(const PsVariable *variable, const json_t *given, PsValue *ret_value,
                      PsDiag *diag) {
    switch (json_typeof(given)) {
    case JSON_STRING:
        return ps_coerce_text(variable, json_string_value(given), ret_value, diag);
    case JSON_INTEGER:
        return ps_coerce(variable, ps_value_int(json_integer_value(given)), ret_value, diag);
    case JSON_REAL:
        return ps_coerce(variable, ps_value_float(json_real_value(given)), ret_value, diag);
    case JSON_TRUE:
    case JSON_FALSE:
        return ps_coerce(variable, ps_value_bool(json_is_true(given)), ret_value, diag);
    default:
        return ps_fail(PS_ERR_INVALID, diag, variable->name, "value",
                       "must be a text, a number, true or false");
    }
}

static PsErr begin(PsApiCall *call, PsDiag *diag) {
    const PsApiSources *sources = ps_api_call_sources(call);
    const json_t *given = json_object_get(ps_api_call_arguments(call), "value");
    uint32_t index = 0;
    PsErr err = ps_api_find_variable(call, &index, diag);
    if (err != PS_OK) {
        return err;
    }
    PsValue value;
    err = value_of(&sources->config->variables[index], given, &value, diag);
    if (err != PS_OK) {
        return err;
    }
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), WRITE_SECONDS * PS_NS_PER_S);
    return ps_collector_write(sources->collector, index, value, deadline, on_write_done, call,
                              diag);
}

void ps_api_write(PsApiCall *call) {
    PsDiag diag = {0};
    PsErr err = begin(call, &diag);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
    }
}
