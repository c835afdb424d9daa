//! Job executions: their states, what a device may ask, and the documents that tell of them. Pure:
//! times come in as milliseconds since 1970, documents have whole seconds.
#pragma once

#include "localcloud/service/json_text.h"
#include "localcloud/service/names.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum PsJobStatus {
    PS_JOB_QUEUED,
    PS_JOB_IN_PROGRESS,
    PS_JOB_SUCCEEDED,
    PS_JOB_FAILED,
    PS_JOB_TIMED_OUT,
    PS_JOB_REJECTED,
    PS_JOB_REMOVED,
    PS_JOB_CANCELED,
    PS_JOB_STATUSES,
} PsJobStatus;

/// Their names, and NULL behind them.
extern const char *const ps_job_statuses[PS_JOB_STATUSES + 1];

/// "IN_PROGRESS". Never NULL.
const char *ps_job_status_name(PsJobStatus status);
bool ps_job_status_find(const char *name, PsJobStatus *ret_status);
/// No device changes it any more.
bool ps_job_status_is_final(PsJobStatus status);

#define PS_JOB_DOCUMENT_BYTES ((size_t)32768)
#define PS_JOB_TIMEOUT_MAX_MINUTES ((int64_t)10080) ///< seven days

/// Zero-initialised is none.
typedef struct PsJobExecution {
    int64_t row; ///< of the store: order in which they were queued
    char job[PS_JOB_ID_MAX + 1];
    char thing[PS_THING_NAME_MAX + 1];
    int64_t number; ///< executionNumber, from 1
    PsJobStatus status;
    json_t *details; ///< object of texts, or NULL
    int64_t queued_ms;
    int64_t started_ms; ///< 0: not started
    int64_t updated_ms;
    int64_t version;
    bool forced;              ///< canceled although in progress
    int64_t job_deadline_ms;  ///< of timeoutConfig; 0: none
    int64_t step_deadline_ms; ///< of stepTimeoutInMinutes; 0: none
} PsJobExecution;

void ps_job_execution_deinit(PsJobExecution *execution);

/// Error codes of the jobs device API, as they stand in `rejected`.
typedef enum PsJobCode {
    PS_JOB_OK,
    PS_JOB_INVALID_TOPIC,
    PS_JOB_INVALID_JSON,
    PS_JOB_INVALID_REQUEST,
    PS_JOB_INVALID_STATE_TRANSITION, ///< with executionState
    PS_JOB_NOT_FOUND,
    PS_JOB_VERSION_MISMATCH, ///< with executionState
    PS_JOB_INTERNAL,
    PS_JOB_THROTTLED,
    PS_JOB_TERMINAL_STATE,
} PsJobCode;

/// "InvalidRequest".
const char *ps_job_code_name(PsJobCode code);

typedef struct PsJobRefusal {
    PsJobCode code;
    char message[256];
} PsJobRefusal;

/// What a device sent; fields of all its requests. Zero-initialise.
typedef struct PsJobRequest {
    char *token;
    bool has_status;
    PsJobStatus status;
    json_t *details;          ///< NULL: leave what is there
    int64_t expected_version; ///< 0: any
    int64_t number;           ///< 0: the latest execution
    int64_t step_minutes;     ///< 0: leave the timer, -1: stop it
    bool include_state;
    bool include_document; ///< absent: `document_by_default`
} PsJobRequest;

void ps_job_request_deinit(PsJobRequest *request);
/// PS_JOB_OK, PS_JOB_INVALID_JSON, PS_JOB_INVALID_REQUEST. Nothing at all is an empty request.
PsJobCode ps_job_request_parse(const void *payload, size_t len, bool document_by_default,
                               PsJobRequest *request, PsJobRefusal *refusal);
/// Are these status details? Object of at most 10 texts of up to 1024 characters.
PsJobCode ps_job_details_check(const json_t *details, PsJobRefusal *refusal);

/// A device's update. `job_minutes`: timeoutConfig of the job, 0: none. Refused, `execution` is as
/// before: PS_JOB_INVALID_REQUEST, PS_JOB_INVALID_STATE_TRANSITION, PS_JOB_VERSION_MISMATCH.
PsJobCode ps_job_update(PsJobExecution *execution, const PsJobRequest *request, int64_t job_minutes,
                        int64_t now_ms, PsJobRefusal *refusal);
/// start-next: what is queued begins; what is in progress stays as it is.
void ps_job_start(PsJobExecution *execution, const PsJobRequest *request, int64_t job_minutes,
                  int64_t now_ms);
/// Ends it for another reason: TIMED_OUT, CANCELED, REMOVED.
void ps_job_end(PsJobExecution *execution, PsJobStatus status, int64_t now_ms);
/// The earlier of the deadlines; 0: none, or not in progress.
int64_t ps_job_deadline(const PsJobExecution *execution);

/// JobExecution of the device API. `document` (may be NULL) is put in as it is given.
json_t *ps_job_execution_json(const PsJobExecution *execution, json_t *document, bool with_thing,
                              int64_t now_ms);
/// JobExecutionSummary.
json_t *ps_job_summary_json(const PsJobExecution *execution);
/// JobExecutionState.
json_t *ps_job_state_json(const PsJobExecution *execution);
/// A refusal as it is published. `execution` may be NULL.
json_t *ps_job_refusal_json(const PsJobRefusal *refusal, const char *token,
                            const PsJobExecution *execution, int64_t now_ms);
