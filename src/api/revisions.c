// The calls `revisions` and `revision`: what ran when, by whom and why, and what one changed. Main
// thread.
#include "api/handlers_config.h"

void ps_api_revisions(PsApiCall *call) {
    const PsApiChanges *changes = ps_api_call_sources(call)->changes;
    ps_api_call_reply(call, changes->revisions(changes->ctx));
}

// Argument: `number`.
void ps_api_revision(PsApiCall *call) {
    const PsApiChanges *changes = ps_api_call_sources(call)->changes;
    json_int_t number = json_integer_value(json_object_get(ps_api_call_arguments(call), "number"));
    PsDiag diag = {0};
    PsErr err =
        number > 0 && number <= UINT32_MAX
            ? changes->revision((uint32_t)number, ps_api_change_done, call, changes->ctx, &diag)
            : ps_fail(PS_ERR_INVALID, &diag, "revision", "number",
                      "must be the number of a revision");
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
    }
}
