// The call `script_release`. Main thread.
#include "api/call.h"

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
