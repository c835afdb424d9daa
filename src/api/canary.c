// The calls `canary_start`, `canary_status` and `canary_stop`. Main thread.
#include "api/handlers_live.h"

#define CALLS_DEFAULT 100
#define CALLS_MAX 1000000

static const char *const state_names[] = {
    [PS_CANARY_IDLE] = "idle",
    [PS_CANARY_RUNNING] = "running",
    [PS_CANARY_FINISHED] = "finished",
};

static void reply(PsApiCall *call, PsCanary *canary) {
    const PsCanaryReport *report = ps_canary_report(canary);
    json_t *json = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:f}", "state",
                             state_names[report->state], "error", report->error, "wanted",
                             (json_int_t)report->wanted, "calls", (json_int_t)report->calls, "same",
                             (json_int_t)report->same, "different", (json_int_t)report->different,
                             "failed", (json_int_t)report->failed, "cpu_s", report->cpu_s);
    json_object_set_new(json, "live", json_string(report->live));
    json_object_set_new(json, "draft", json_string(report->draft));
    ps_api_call_reply(call, json);
}

static PsErr start(const json_t *arguments, PsCanary *canary, PsDiag *diag) {
    const json_t *source = json_object_get(arguments, "source");
    const char *name = json_string_value(json_object_get(arguments, "name"));
    const json_t *calls = json_object_get(arguments, "calls");
    json_int_t count = json_is_integer(calls) ? json_integer_value(calls) : CALLS_DEFAULT;
    if (!json_is_string(source) || name == NULL || count < 1 || count > CALLS_MAX) {
        return ps_fail(
            PS_ERR_INVALID, diag, "canary_start", "source",
            "needs the name of a message, the script's text as 'source', and 'calls' of 1 "
            "to %d",
            CALLS_MAX);
    }
    PS_AUTO_BUF PsBuf bytes = {0};
    ps_buf_put(&bytes, json_string_value(source), json_string_length(source));
    return ps_canary_start(canary, name, &bytes, (uint64_t)count, diag);
}

// NULL after answering that there is none.
static PsCanary *canary_of(PsApiCall *call) {
    PsCanary *canary = ps_api_call_sources(call)->canary;
    if (canary == NULL) {
        PsDiag diag = {0};
        PsErr err = ps_fail(PS_ERR_INVALID, &diag, "canary", NULL,
                            "no scripts run, because the cloud service is not enabled");
        ps_api_call_fail(call, err, &diag);
    }
    return canary;
}

void ps_api_canary_start(PsApiCall *call) {
    PsCanary *canary = canary_of(call);
    PsDiag diag = {0};
    if (canary == NULL) {
        return;
    }
    PsErr err = start(ps_api_call_arguments(call), canary, &diag);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
    } else {
        reply(call, canary);
    }
}

void ps_api_canary_status(PsApiCall *call) {
    PsCanary *canary = canary_of(call);
    if (canary != NULL) {
        reply(call, canary);
    }
}

void ps_api_canary_stop(PsApiCall *call) {
    PsCanary *canary = canary_of(call);
    if (canary != NULL) {
        ps_canary_stop(canary);
        reply(call, canary);
    }
}
