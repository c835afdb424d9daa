// The call `confirm`: a revision that is tried out stays. Main thread.
#include "api/handlers_config.h"

void ps_api_confirm(PsApiCall *call) {
    const PsApiChanges *changes = ps_api_call_sources(call)->changes;
    char who[64];
    PsDiag diag = {0};
    ps_api_call_user(call, who, sizeof who);
    PsErr err = changes->confirm(who, ps_api_change_done, call, changes->ctx, &diag);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
    }
}
