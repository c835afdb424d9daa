// The call `apply`: the configuration folder, or an uploaded candidate, becomes what runs. Main
// thread.
#include "api/handlers_config.h"

void ps_api_change_done(PsErr result, const PsDiag *diag, json_t *answer, void *ctx) {
    if (result == PS_OK) {
        ps_api_call_reply(ctx, answer);
    } else {
        ps_api_call_fail(ctx, result, diag);
    }
}

void ps_api_change(PsApiCall *call, PsApiChange change) {
    const json_t *arguments = ps_api_call_arguments(call);
    const PsApiChanges *changes = ps_api_call_sources(call)->changes;
    const char *why = json_string_value(json_object_get(arguments, "why"));
    char who[64];
    PsDiag diag = {0};
    ps_api_call_user(call, who, sizeof who);
    change.who = who;
    change.why = why != NULL ? why : "";
    change.base = (uint32_t)json_integer_value(json_object_get(arguments, "base"));
    change.dry_run = json_is_true(json_object_get(arguments, "dry_run"));
    PsErr err = changes->change(&change, ps_api_change_done, call, changes->ctx, &diag);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
    }
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
