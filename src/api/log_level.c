// The call `log_level`: shows and sets it. Main thread.
#include "api/handlers_live.h"
#include "api/log_hold.h"
#include "api/values.h"

#include <strings.h>

static bool find_level(const char *name, PsLogLevel *ret_level) {
    for (int level = PS_LOG_DEBUG; level <= PS_LOG_ERROR; level++) {
        if (strcasecmp(name, ps_log_level_name((PsLogLevel)level)) == 0) {
            *ret_level = (PsLogLevel)level;
            return true;
        }
    }
    return false;
}

static PsErr set(const PsApiCall *call, const json_t *name, PsDiag *diag) {
    const json_t *seconds = json_object_get(ps_api_call_arguments(call), "seconds");
    char who[PS_ALARM_USER_SIZE];
    PsLogLevel level;
    if (!json_is_string(name) || !find_level(json_string_value(name), &level)) {
        const char *text = json_is_string(name) ? json_string_value(name) : "this";
        return ps_fail(PS_ERR_INVALID, diag, "log level", "level",
                       "'%.40s' is none; use DEBUG, INFO, WARNING or ERROR", text);
    }
    if (seconds != NULL && json_integer_value(seconds) < 1) {
        return ps_fail(PS_ERR_RANGE, diag, "log level", "seconds", "must be at least 1");
    }
    ps_api_call_user(call, who, sizeof who);
    return ps_log_hold_set(ps_api_call_log_hold(call), level, json_integer_value(seconds), who,
                           diag);
}

// Arguments: `level` to set it, with `seconds` for a time.
void ps_api_log_level(PsApiCall *call) {
    const json_t *name = json_object_get(ps_api_call_arguments(call), "level");
    PsDiag diag = {0};
    PsErr err = name != NULL ? set(call, name, &diag) : PS_OK;
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
        return;
    }
    int configured = ps_api_call_sources(call)->config->parameters.log_level;
    json_t *result = json_pack("{s:s, s:s}", "level", ps_log_level_name(ps_log_level()),
                               "configured", ps_log_level_name((PsLogLevel)configured));
    PsWall until;
    PsLogLevel then;
    if (ps_log_hold_ends(ps_api_call_log_hold(call), &until, &then)) {
        json_object_set_new(result, "until", ps_api_time(until));
        json_object_set_new(result, "then", json_string(ps_log_level_name(then)));
    }
    ps_api_call_reply(call, result);
}
