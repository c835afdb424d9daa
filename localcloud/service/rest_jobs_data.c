// The device API of jobs over HTTP (iot-jobs-data). It has paths that the control plane has too; a
// request that is signed for "iot-jobs-data" means this one. Main thread.
#include "localcloud/service/service_routes.h"

#include <stdlib.h>
#include <string.h>

static bool is_for_devices(const PsRestCall *call) {
    const char *signature =
        call->header != NULL ? call->header(call->header_ctx, "authorization") : NULL;
    return signature != NULL && strstr(signature, "/iot-jobs-data/") != NULL;
}

static PsApiCode code_of(PsJobCode code) {
    switch (code) {
    case PS_JOB_NOT_FOUND:
        return PS_API_NOT_FOUND;
    case PS_JOB_INVALID_STATE_TRANSITION:
    case PS_JOB_VERSION_MISMATCH:
        return PS_API_STATE_CONFLICT;
    case PS_JOB_TERMINAL_STATE:
        return PS_API_TERMINAL_STATE;
    case PS_JOB_INTERNAL:
        return PS_API_INTERNAL;
    case PS_JOB_THROTTLED:
        return PS_API_THROTTLING;
    default:
        return PS_API_INVALID_REQUEST;
    }
}

static PsApiCode ask(const PsRestCall *call, PsJobAsk *ask_, PsRestAnswer *answer,
                     PsApiFault *fault) {
    long long number = 0;
    bool with_document = true;
    PsApiCode code = ps_rest_query_int(call, "executionNumber", 1, INT64_MAX, 0, &number, fault);
    if (code == PS_API_OK) {
        code = ps_rest_query_bool(call, "includeJobDocument", true, &with_document, fault);
    }
    if (code == PS_API_OK) {
        code = ps_service_check_name(ps_name_is_thing(call->parameters[0]), "thingName",
                                     "1 to 128 of [a-zA-Z0-9:_-]", fault);
    }
    if (code != PS_API_OK) {
        return code;
    }
    ask_->thing = call->parameters[0];
    ask_->job = call->parameters[1];
    ask_->payload = call->body;
    ask_->len = call->body_len;
    ask_->number = number;
    ask_->include_document =
        ps_rest_query(call, "includeJobDocument") != NULL ? (int)with_document : -1;
    ask_->document_as_text = true;
    ask_->now = ps_wall_now();
    char *token = NULL;
    PsJobExecution execution = {0};
    PsJobRefusal refusal = {0};
    answer->json = ps_jobs_ask(ps_services_of(call)->jobs, ask_, ps_service_out_of(call), &token,
                               &execution, &refusal);
    free(token);
    ps_job_execution_deinit(&execution);
    return answer->json != NULL ? PS_API_OK
                                : ps_api_fail(code_of(refusal.code), fault, "%s", refusal.message);
}

PS_SERVICE_HANDLER(ps_service_thing_jobs) {
    if (!is_for_devices(call)) {
        return ps_service_list_executions_for_thing(call, answer, fault);
    }
    return ask(call, &(PsJobAsk){.verb = PS_JOB_GET_PENDING}, answer, fault);
}

PS_SERVICE_HANDLER(ps_service_thing_job) {
    if (!is_for_devices(call) && strcmp(call->parameters[1], "$next") != 0) {
        return ps_service_describe_execution(call, answer, fault);
    }
    return ask(call, &(PsJobAsk){.verb = PS_JOB_DESCRIBE}, answer, fault);
}

PS_SERVICE_HANDLER(ps_service_start_next) {
    if (strcmp(call->parameters[1], "$next") != 0) {
        return ps_api_fail(PS_API_METHOD_NOT_ALLOWED, fault, "PUT is for the job $next only");
    }
    return ask(call, &(PsJobAsk){.verb = PS_JOB_START_NEXT}, answer, fault);
}

PS_SERVICE_HANDLER(ps_service_update_execution) {
    PsApiCode code = ps_service_check_name(ps_name_is_job(call->parameters[1]), "jobId",
                                           "1 to 64 of [a-zA-Z0-9_-]", fault);
    return code == PS_API_OK ? ask(call, &(PsJobAsk){.verb = PS_JOB_UPDATE}, answer, fault) : code;
}
