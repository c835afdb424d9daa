// The call `apply_upload`: a candidate that is not in the configuration folder comes in pieces,
// since a call is one short line. Main thread.
#include "api/handlers_config.h"

// Arguments: `text`, and `upload` as the piece before was answered. All pieces together are
// {"files": {"penstock.json": text, "scripts/main.py": text, ...}}.
void ps_api_apply_upload(PsApiCall *call) {
    const json_t *arguments = ps_api_call_arguments(call);
    const PsApiChanges *changes = ps_api_call_sources(call)->changes;
    const json_t *text = json_object_get(arguments, "text");
    uint64_t upload = (uint64_t)json_integer_value(json_object_get(arguments, "upload"));
    char who[64];
    PsDiag diag = {0};
    ps_api_call_user(call, who, sizeof who);
    PsErr err = json_is_string(text)
                    ? changes->upload(upload, who, json_string_value(text),
                                      json_string_length(text), &upload, changes->ctx, &diag)
                    : ps_fail(PS_ERR_INVALID, &diag, "apply_upload", "text", "must be a text");
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
    } else {
        ps_api_call_reply(call, json_pack("{s:I}", "upload", (json_int_t)upload));
    }
}
