// The call `apply`: the configuration folder, or an uploaded candidate, becomes what runs. Main
// thread.
#include "api/edits.h"
#include "api/handlers_config.h"

void ps_api_change_done(PsErr result, const PsDiag *diag, json_t *answer, void *ctx) {
    if (result == PS_OK) {
        ps_api_call_look_at_web(ctx); // its files may be others, although nothing else is
        ps_api_call_reply(ctx, answer);
    } else {
        ps_api_call_fail(ctx, result, diag);
    }
}

void ps_api_change(PsApiCall *call, PsApiChange change) {
    ps_api_ask_change(call, change, ps_api_change_done, call);
}

// Arguments, all of which may be left out: `upload` (of the call apply_upload), `why`, `base` (the
// revision the writer started from), `dry_run`, `confirm_s` or `healthy_s`.
void ps_api_apply(PsApiCall *call) {
    const json_t *arguments = ps_api_call_arguments(call);
    ps_api_change(call,
                  (PsApiChange){
                      .upload = (uint64_t)json_integer_value(json_object_get(arguments, "upload")),
                      .confirm_s = json_number_value(json_object_get(arguments, "confirm_s")),
                      .healthy_s = json_number_value(json_object_get(arguments, "healthy_s")),
                  });
}
