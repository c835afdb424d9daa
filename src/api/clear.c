// The call `clear`: drops what waits of one message. Main thread.
#include "api/handlers_live.h"

#include <string.h>

static void on_cleared(PsErr result, uint64_t count, void *ctx) {
    PsApiCall *call = ctx;
    if (result != PS_OK) {
        PsDiag diag = {0};
        PsErr err = ps_fail(result, &diag, "clear", NULL,
                            "was not finished, because the gateway stops; %llu messages went",
                            (unsigned long long)count);
        ps_api_call_fail(call, err, &diag);
        return;
    }
    ps_api_call_reply(call, json_pack("{s:I}", "cleared", (json_int_t)count));
}

// Arguments: `name` of a message, and the same again as `confirm`: nobody clears by a slip.
void ps_api_clear(PsApiCall *call) {
    const json_t *arguments = ps_api_call_arguments(call);
    PsOutbox *outbox = ps_api_call_sources(call)->outbox;
    const char *name = json_string_value(json_object_get(arguments, "name"));
    const char *confirm = json_string_value(json_object_get(arguments, "confirm"));
    PsDiag diag = {0};
    size_t message = 0;
    PsErr err = PS_OK;
    if (name == NULL) {
        err = ps_fail(PS_ERR_INVALID, &diag, "clear", "name", "must be the name of a message");
    } else if (confirm == NULL || strcmp(confirm, name) != 0) {
        err = ps_fail(PS_ERR_INVALID, &diag, name, "confirm",
                      "must be the name of the message again; nothing was dropped");
    } else {
        err = ps_api_find_message(outbox, name, &message, &diag);
    }
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
        return;
    }
    ps_outbox_clear(outbox, message, on_cleared, call);
}
