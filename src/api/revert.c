// The call `revert`: an earlier revision runs again. Main thread.
#include "api/handlers_config.h"

// Arguments: `of` (left out: the one before), `why`, `dry_run`, `base`.
void ps_api_revert(PsApiCall *call) {
    json_int_t number = json_integer_value(json_object_get(ps_api_call_arguments(call), "of"));
    ps_api_change(call, (PsApiChange){.revert = true, .of = (uint32_t)number});
}
