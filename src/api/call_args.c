// Shorthands for the arguments of a call. Main thread.
#include "api/call.h"

const char *ps_api_call_text(const PsApiCall *call, const char *name) {
    return json_string_value(json_object_get(ps_api_call_arguments(call), name));
}

int64_t ps_api_call_integer(const PsApiCall *call, const char *name, int64_t fallback) {
    const json_t *value = json_object_get(ps_api_call_arguments(call), name);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

double ps_api_call_number(const PsApiCall *call, const char *name, double fallback) {
    const json_t *value = json_object_get(ps_api_call_arguments(call), name);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

bool ps_api_call_flag(const PsApiCall *call, const char *name) {
    return json_is_true(json_object_get(ps_api_call_arguments(call), name));
}
