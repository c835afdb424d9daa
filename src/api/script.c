// The call `script_release`. Main thread.
#include "api/handlers_live.h"

static void add_row(json_t *rows, const char *name, const char *kind, const char *script,
                    const char *main_function, double timeout_s) {
    json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s, s:f}", "name", name, "kind", kind,
                                          "script", script, "main_function", main_function,
                                          "timeout", timeout_s));
}

// Which file is the script of which message.
void ps_api_script_messages(PsApiCall *call) {
    const PsConfig *config = ps_api_call_sources(call)->config;
    json_t *rows = json_array();
    for (uint32_t i = 0; i < config->publish_count; i++) {
        const PsPublish *publish = &config->publish[i];
        add_row(rows, publish->name, "publish", publish->script, publish->main_function,
                publish->timeout);
    }
    for (uint32_t i = 0; i < config->subscribe_count; i++) {
        const PsSubscribe *subscribe = &config->subscribe[i];
        add_row(rows, subscribe->name, "subscribe", subscribe->script, subscribe->main_function,
                subscribe->timeout);
    }
    ps_api_call_reply(call, json_pack("{s:o}", "messages", rows));
}

void ps_api_script_release(PsApiCall *call) {
    const PsApiSources *sources = ps_api_call_sources(call);
    const char *name = json_string_value(json_object_get(ps_api_call_arguments(call), "name"));
    PsDiag diag = {0};
    PsErr err;
    if (name == NULL) {
        err = ps_fail(PS_ERR_INVALID, &diag, "script_release", "name",
                      "must be the name of a message");
    } else if (sources->scripts == NULL) {
        err = ps_fail(PS_ERR_INVALID, &diag, name, NULL,
                      "no scripts run, because the cloud service is not enabled");
    } else {
        err = ps_script_host_release(sources->scripts, name, &diag);
    }
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
    } else {
        ps_api_call_reply(call, json_object());
    }
}
