// The call `apply_progress`: who changes what at the moment, and how far it is. Main thread.
#include "api/handlers_config.h"

void ps_api_apply_progress(PsApiCall *call) {
    const PsApiChanges *changes = ps_api_call_sources(call)->changes;
    ps_api_call_reply(call, changes->progress(changes->ctx));
}
