// The calls `alarm_ack`, `alarm_shelve` and `alarm_unshelve`: what people say about alarms. Main
// thread.
#include "api/handlers_live.h"

static void answer(PsApiCall *call, PsErr err, const PsDiag *diag) {
    if (err == PS_OK) {
        ps_api_call_reply(call, json_pack("{s:s}", "result", "OK"));
    } else {
        ps_api_call_fail(call, err, diag);
    }
}

// The argument `name`, and who asks.
static PsErr take(const PsApiCall *call, const char **ret_name, char who[PS_ALARM_USER_SIZE],
                  PsDiag *diag) {
    const char *name = json_string_value(json_object_get(ps_api_call_arguments(call), "name"));
    if (name == NULL) {
        return ps_fail(PS_ERR_INVALID, diag, "alarms", "name", "must be the name of an alarm");
    }
    ps_api_call_user(call, who, PS_ALARM_USER_SIZE);
    *ret_name = name;
    return PS_OK;
}

// What needs no more than a name.
static void act(PsApiCall *call,
                PsErr (*does)(PsAlarmDesk *desk, const char *name, const char *who, PsDiag *diag)) {
    const char *name = NULL;
    char who[PS_ALARM_USER_SIZE];
    PsDiag diag = {0};
    PsErr err = take(call, &name, who, &diag);
    if (err == PS_OK) {
        err = does(ps_api_call_sources(call)->alarms, name, who, &diag);
    }
    answer(call, err, &diag);
}

void ps_api_alarm_ack(PsApiCall *call) {
    act(call, ps_alarm_desk_acknowledge);
}

void ps_api_alarm_unshelve(PsApiCall *call) {
    act(call, ps_alarm_desk_unshelve);
}

// Argument `seconds`: for how long.
void ps_api_alarm_shelve(PsApiCall *call) {
    json_int_t seconds =
        json_integer_value(json_object_get(ps_api_call_arguments(call), "seconds"));
    const char *name = NULL;
    char who[PS_ALARM_USER_SIZE];
    PsDiag diag = {0};
    PsErr err = take(call, &name, who, &diag);
    if (err == PS_OK) {
        err = ps_alarm_desk_shelve(ps_api_call_sources(call)->alarms, name, seconds, who, &diag);
    }
    answer(call, err, &diag);
}
