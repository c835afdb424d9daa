// States of job executions and the documents about them, as the developer guide's pages on the jobs
// device API have them. Pure.
#include "localcloud/service/job_doc.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define DETAILS_MAX 10
#define DETAIL_NAME_MAX 128
#define DETAIL_VALUE_MAX 1024
#define MS_PER_MINUTE ((int64_t)60000)

const char *const ps_job_statuses[PS_JOB_STATUSES + 1] = {
    [PS_JOB_QUEUED] = "QUEUED",       [PS_JOB_IN_PROGRESS] = "IN_PROGRESS",
    [PS_JOB_SUCCEEDED] = "SUCCEEDED", [PS_JOB_FAILED] = "FAILED",
    [PS_JOB_TIMED_OUT] = "TIMED_OUT", [PS_JOB_REJECTED] = "REJECTED",
    [PS_JOB_REMOVED] = "REMOVED",     [PS_JOB_CANCELED] = "CANCELED",
};

static const char *const codes[] = {
    [PS_JOB_OK] = "",
    [PS_JOB_INVALID_TOPIC] = "InvalidTopic",
    [PS_JOB_INVALID_JSON] = "InvalidJson",
    [PS_JOB_INVALID_REQUEST] = "InvalidRequest",
    [PS_JOB_INVALID_STATE_TRANSITION] = "InvalidStateTransition",
    [PS_JOB_NOT_FOUND] = "ResourceNotFound",
    [PS_JOB_VERSION_MISMATCH] = "VersionMismatch",
    [PS_JOB_INTERNAL] = "InternalError",
    [PS_JOB_THROTTLED] = "RequestThrottled",
    [PS_JOB_TERMINAL_STATE] = "TerminalStateReached",
};

const char *ps_job_status_name(PsJobStatus status) {
    return ps_job_statuses[status];
}

bool ps_job_status_find(const char *name, PsJobStatus *ret_status) {
    for (size_t i = 0; i < PS_JOB_STATUSES; i++) {
        if (strcmp(ps_job_statuses[i], name) == 0) {
            *ret_status = (PsJobStatus)i;
            return true;
        }
    }
    return false;
}

bool ps_job_status_is_final(PsJobStatus status) {
    return status != PS_JOB_QUEUED && status != PS_JOB_IN_PROGRESS;
}

const char *ps_job_code_name(PsJobCode code) {
    return codes[code];
}

void ps_job_execution_deinit(PsJobExecution *execution) {
    json_decref(execution->details);
    *execution = (PsJobExecution){0};
}

void ps_job_request_deinit(PsJobRequest *request) {
    free(request->token);
    json_decref(request->details);
    *request = (PsJobRequest){0};
}

__attribute__((format(printf, 3, 4))) static PsJobCode refuse(PsJobRefusal *refusal, PsJobCode code,
                                                              const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    ps_text_format_list(refusal->message, sizeof refusal->message, fmt, args);
    va_end(args);
    return refusal->code = code;
}

// ---- what a device asks

static bool is_detail_name(const char *name) {
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_-");
    return len > 0 && len <= DETAIL_NAME_MAX && name[len] == '\0';
}

PsJobCode ps_job_details_check(const json_t *details, PsJobRefusal *refusal) {
    if (!json_is_object(details)) {
        return refuse(refusal, PS_JOB_INVALID_REQUEST, "statusDetails must be an object");
    }
    if (json_object_size(details) > DETAILS_MAX) {
        return refuse(refusal, PS_JOB_INVALID_REQUEST,
                      "statusDetails has more than %d name-value pairs", DETAILS_MAX);
    }
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)details, name, value) {
        size_t len = json_string_length(value);
        if (!is_detail_name(name) || !json_is_string(value) || len < 1 || len > DETAIL_VALUE_MAX) {
            return refuse(refusal, PS_JOB_INVALID_REQUEST,
                          "statusDetails: a name has 1 to %d of [a-zA-Z0-9:_-], a value is a text "
                          "of 1 to %d characters",
                          DETAIL_NAME_MAX, DETAIL_VALUE_MAX);
        }
    }
    return PS_JOB_OK;
}

// A whole number in [min, max]; older SDKs send numbers as text. Absent: *ret_value stays.
static PsJobCode take_number(const json_t *json, const char *name, int64_t min, int64_t max,
                             int64_t *ret_value, PsJobRefusal *refusal) {
    const json_t *member = json_object_get(json, name);
    long long value = json_integer_value(member);
    if (member == NULL || json_is_null(member)) {
        return PS_JOB_OK;
    }
    bool whole = json_is_integer(member) ||
                 (json_is_string(member) &&
                  ps_text_to_int(json_string_value(member), INT64_MIN, INT64_MAX, &value));
    if (!whole || value < min || value > max) {
        return refuse(refusal, PS_JOB_INVALID_REQUEST, "Invalid value at '%s'", name);
    }
    *ret_value = value;
    return PS_JOB_OK;
}

static PsJobCode take_flag(const json_t *json, const char *name, bool *ret_value,
                           PsJobRefusal *refusal) {
    const json_t *member = json_object_get(json, name);
    if (member == NULL || json_is_null(member)) {
        return PS_JOB_OK;
    }
    if (!json_is_boolean(member)) {
        return refuse(refusal, PS_JOB_INVALID_REQUEST, "Invalid value at '%s'", name);
    }
    *ret_value = json_is_true(member);
    return PS_JOB_OK;
}

static PsJobCode take_step(const json_t *json, PsJobRequest *request, PsJobRefusal *refusal) {
    PsJobCode code = take_number(json, "stepTimeoutInMinutes", -1, PS_JOB_TIMEOUT_MAX_MINUTES,
                                 &request->step_minutes, refusal);
    if (code == PS_JOB_OK && request->step_minutes == 0 &&
        json_object_get(json, "stepTimeoutInMinutes") != NULL &&
        !json_is_null(json_object_get(json, "stepTimeoutInMinutes"))) {
        return refuse(refusal, PS_JOB_INVALID_REQUEST,
                      "Invalid value at 'stepTimeoutInMinutes': 1 to %d, or -1 to stop the timer",
                      (int)PS_JOB_TIMEOUT_MAX_MINUTES);
    }
    return code;
}

static PsJobCode take_status(const json_t *json, PsJobRequest *request, PsJobRefusal *refusal) {
    const json_t *status = json_object_get(json, "status");
    if (status == NULL || json_is_null(status)) {
        return PS_JOB_OK;
    }
    if (!json_is_string(status) ||
        !ps_job_status_find(json_string_value(status), &request->status)) {
        return refuse(refusal, PS_JOB_INVALID_REQUEST, "Invalid value at 'status'");
    }
    request->has_status = true;
    return PS_JOB_OK;
}

static PsJobCode take_details(const json_t *json, PsJobRequest *request, PsJobRefusal *refusal) {
    json_t *details = json_object_get(json, "statusDetails");
    if (details == NULL || json_is_null(details)) {
        return PS_JOB_OK;
    }
    PsJobCode code = ps_job_details_check(details, refusal);
    if (code == PS_JOB_OK) {
        request->details = json_incref(details);
    }
    return code;
}

PsJobCode ps_job_request_parse(const void *payload, size_t len, bool document_by_default,
                               PsJobRequest *request, PsJobRefusal *refusal) {
    request->include_document = document_by_default;
    if (len == 0) {
        return PS_JOB_OK;
    }
    PS_AUTO_JSON json_t *json = ps_json_parse(payload, len); // jansson refuses what is not UTF-8
    if (!json_is_object(json)) {
        return refuse(refusal, PS_JOB_INVALID_JSON, "The message is not a JSON object in UTF-8");
    }
    const json_t *token = json_object_get(json, "clientToken");
    if (json_is_string(token) && json_string_length(token) <= 64) {
        request->token = ps_strdup(json_string_value(token));
    } else if (token != NULL && !json_is_null(token)) {
        return refuse(refusal, PS_JOB_INVALID_REQUEST, "Invalid value at 'clientToken'");
    }
    PsJobCode code = take_status(json, request, refusal);
    if (code == PS_JOB_OK) {
        code = take_details(json, request, refusal);
    }
    if (code == PS_JOB_OK) {
        code =
            take_number(json, "expectedVersion", 0, INT64_MAX, &request->expected_version, refusal);
    }
    if (code == PS_JOB_OK) {
        code = take_number(json, "executionNumber", 0, INT64_MAX, &request->number, refusal);
    }
    if (code == PS_JOB_OK) {
        code = take_step(json, request, refusal);
    }
    if (code == PS_JOB_OK) {
        code = take_flag(json, "includeJobExecutionState", &request->include_state, refusal);
    }
    if (code == PS_JOB_OK) {
        code = take_flag(json, "includeJobDocument", &request->include_document, refusal);
    }
    return code;
}

// ---- changes

static void change(PsJobExecution *execution, PsJobStatus status, const json_t *details,
                   int64_t now_ms) {
    execution->status = status;
    execution->updated_ms = now_ms;
    execution->version++;
    if (details != NULL) {
        json_decref(execution->details);
        execution->details = json_object_size(details) > 0 ? json_deep_copy(details) : NULL;
    }
}

static void set_step(PsJobExecution *execution, int64_t minutes, int64_t now_ms) {
    if (minutes > 0) {
        execution->step_deadline_ms = now_ms + minutes * MS_PER_MINUTE;
    } else if (minutes < 0) {
        execution->step_deadline_ms = 0;
    }
}

static void begin(PsJobExecution *execution, int64_t job_minutes, int64_t now_ms) {
    execution->started_ms = now_ms;
    execution->job_deadline_ms = job_minutes > 0 ? now_ms + job_minutes * MS_PER_MINUTE : 0;
}

static bool is_for_devices(PsJobStatus status) {
    return status == PS_JOB_IN_PROGRESS || status == PS_JOB_SUCCEEDED || status == PS_JOB_FAILED ||
           status == PS_JOB_REJECTED;
}

PsJobCode ps_job_update(PsJobExecution *execution, const PsJobRequest *request, int64_t job_minutes,
                        int64_t now_ms, PsJobRefusal *refusal) {
    if (!request->has_status) {
        return refuse(refusal, PS_JOB_INVALID_REQUEST,
                      "Value null at 'status' failed to satisfy constraint: Member must not be "
                      "null");
    }
    if (!is_for_devices(request->status)) {
        return refuse(refusal, PS_JOB_INVALID_REQUEST,
                      "A device may set IN_PROGRESS, SUCCEEDED, FAILED or REJECTED, not %s",
                      ps_job_statuses[request->status]);
    }
    if (request->expected_version != 0 && request->expected_version != execution->version) {
        return refuse(refusal, PS_JOB_VERSION_MISMATCH,
                      "Expected version %lld but found version %lld",
                      (long long)request->expected_version, (long long)execution->version);
    }
    if (ps_job_status_is_final(execution->status)) {
        return refuse(refusal, PS_JOB_INVALID_STATE_TRANSITION,
                      "An execution that is %s cannot become %s",
                      ps_job_statuses[execution->status], ps_job_statuses[request->status]);
    }
    if (execution->status == PS_JOB_QUEUED && request->status != PS_JOB_REJECTED) {
        begin(execution, job_minutes, now_ms);
    }
    change(execution, request->status, request->details, now_ms);
    if (ps_job_status_is_final(request->status)) {
        execution->step_deadline_ms = 0;
        execution->job_deadline_ms = 0;
    } else {
        set_step(execution, request->step_minutes, now_ms);
    }
    return PS_JOB_OK;
}

void ps_job_start(PsJobExecution *execution, const PsJobRequest *request, int64_t job_minutes,
                  int64_t now_ms) {
    if (execution->status != PS_JOB_QUEUED) {
        return;
    }
    begin(execution, job_minutes, now_ms);
    change(execution, PS_JOB_IN_PROGRESS, request->details, now_ms);
    set_step(execution, request->step_minutes, now_ms);
}

void ps_job_end(PsJobExecution *execution, PsJobStatus status, int64_t now_ms) {
    change(execution, status, NULL, now_ms);
    execution->step_deadline_ms = 0;
    execution->job_deadline_ms = 0;
}

int64_t ps_job_deadline(const PsJobExecution *execution) {
    int64_t job = execution->job_deadline_ms;
    int64_t step = execution->step_deadline_ms;
    if (execution->status != PS_JOB_IN_PROGRESS) {
        return 0;
    }
    return job == 0 || (step != 0 && step < job) ? step : job;
}

// ---- documents

static void set_seconds(json_t *json, const char *name, int64_t ms) {
    json_object_set_new(json, name, json_integer(ms / 1000));
}

json_t *ps_job_execution_json(const PsJobExecution *execution, json_t *document, bool with_thing,
                              int64_t now_ms) {
    json_t *json = json_object();
    json_object_set_new(json, "jobId", json_string(execution->job));
    if (with_thing) {
        json_object_set_new(json, "thingName", json_string(execution->thing));
    }
    json_object_set_new(json, "status", json_string(ps_job_statuses[execution->status]));
    if (execution->details != NULL) {
        json_object_set(json, "statusDetails", execution->details);
    }
    set_seconds(json, "queuedAt", execution->queued_ms);
    if (execution->started_ms != 0) {
        set_seconds(json, "startedAt", execution->started_ms);
    }
    set_seconds(json, "lastUpdatedAt", execution->updated_ms);
    json_object_set_new(json, "versionNumber", json_integer(execution->version));
    json_object_set_new(json, "executionNumber", json_integer(execution->number));
    int64_t deadline = ps_job_deadline(execution);
    if (deadline != 0) {
        int64_t left_ms = deadline > now_ms ? deadline - now_ms : 0;
        set_seconds(json, "approximateSecondsBeforeTimedOut", left_ms);
    }
    if (document != NULL) {
        json_object_set(json, "jobDocument", document);
    }
    return json;
}

json_t *ps_job_summary_json(const PsJobExecution *execution) {
    json_t *json = json_object();
    json_object_set_new(json, "jobId", json_string(execution->job));
    set_seconds(json, "queuedAt", execution->queued_ms);
    set_seconds(json, "lastUpdatedAt", execution->updated_ms);
    if (execution->started_ms != 0) {
        set_seconds(json, "startedAt", execution->started_ms);
    }
    json_object_set_new(json, "executionNumber", json_integer(execution->number));
    json_object_set_new(json, "versionNumber", json_integer(execution->version));
    return json;
}

json_t *ps_job_state_json(const PsJobExecution *execution) {
    json_t *json = json_object();
    json_object_set_new(json, "status", json_string(ps_job_statuses[execution->status]));
    if (execution->details != NULL) {
        json_object_set(json, "statusDetails", execution->details);
    }
    json_object_set_new(json, "versionNumber", json_integer(execution->version));
    return json;
}

json_t *ps_job_refusal_json(const PsJobRefusal *refusal, const char *token,
                            const PsJobExecution *execution, int64_t now_ms) {
    json_t *json = json_object();
    json_object_set_new(json, "code", json_string(codes[refusal->code]));
    json_object_set_new(json, "message", json_string(refusal->message));
    if (token != NULL) {
        json_object_set_new(json, "clientToken", json_string(token));
    }
    set_seconds(json, "timestamp", now_ms);
    bool with_state = refusal->code == PS_JOB_INVALID_STATE_TRANSITION ||
                      refusal->code == PS_JOB_VERSION_MISMATCH;
    if (with_state && execution != NULL) {
        json_object_set_new(json, "executionState", ps_job_state_json(execution));
    }
    return json;
}
