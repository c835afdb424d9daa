// The control plane of job executions. Main thread.
#include "localcloud/service/service_routes.h"

#include <stdlib.h>
#include <string.h>

static json_t *summary(const PsJobExecution *execution) {
    json_t *json = json_object();
    json_object_set_new(json, "status", json_string(ps_job_status_name(execution->status)));
    json_object_set_new(json, "queuedAt", ps_registry_time(execution->queued_ms));
    if (execution->started_ms != 0) {
        json_object_set_new(json, "startedAt", ps_registry_time(execution->started_ms));
    }
    json_object_set_new(json, "lastUpdatedAt", ps_registry_time(execution->updated_ms));
    json_object_set_new(json, "executionNumber", json_integer(execution->number));
    json_object_set_new(json, "retryAttempt", json_integer(0));
    return json;
}

static json_t *thing_arn(const PsRestCall *call, const PsJobExecution *execution) {
    char arn[PS_JOB_ARN_SIZE];
    ps_jobs_arn(ps_services_of(call)->jobs, "thing", execution->thing, arn, sizeof arn);
    return json_string(arn);
}

// One page of executions of a job (`of_job`) or of a thing.
static PsApiCode list(const PsRestCall *call, const char *job, const char *thing,
                      PsRestAnswer *answer, PsApiFault *fault) {
    const char *status_name = ps_rest_query(call, "status");
    PsJobStatus status = PS_JOB_QUEUED;
    PsPage page;
    PsApiCode code = ps_page_read(call, PS_PAGE_TOKEN, &page, fault);
    if (code != PS_API_OK) {
        return code;
    }
    if (status_name != NULL && !ps_job_status_find(status_name, &status)) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault, "'%s' is no status of a job execution",
                           status_name);
    }
    PsJobFilter filter = {
        .job = job != NULL ? job : ps_rest_query(call, "jobId"),
        .thing = thing,
        .status = status_name != NULL ? (int)status : -1,
        .below = page.after,
        .limit = (size_t)page.limit + 1,
    };
    PsJobExecutionList found = {0};
    if (ps_job_execution_list(ps_services_of(call)->db, &filter, &found) != PS_OK) {
        return ps_service_failed(fault);
    }
    PsListed listed = {.items = json_array()};
    for (size_t i = 0; i < found.count && (int64_t)i < page.limit; i++) {
        const PsJobExecution *execution = &found.items[i];
        json_t *item = json_object();
        if (job != NULL) {
            json_object_set_new(item, "thingArn", thing_arn(call, execution));
        } else {
            json_object_set_new(item, "jobId", json_string(execution->job));
        }
        json_object_set_new(item, "jobExecutionSummary", summary(execution));
        json_array_append_new(listed.items, item);
        listed.next = found.count > (size_t)page.limit ? execution->row : 0;
    }
    ps_job_execution_list_deinit(&found);
    ps_page_answer(&listed, PS_PAGE_TOKEN, "executionSummaries", answer);
    return PS_API_OK;
}

PS_SERVICE_HANDLER(ps_service_list_executions_for_job) {
    PsJob job = {0};
    PsErr err = ps_job_find(ps_services_of(call)->db, call->parameters[0], &job);
    ps_job_deinit(&job);
    if (err == PS_ERR_NOT_FOUND) {
        return ps_api_fail(PS_API_NOT_FOUND, fault, "Job %s cannot be found.", call->parameters[0]);
    }
    return err == PS_OK ? list(call, call->parameters[0], NULL, answer, fault)
                        : ps_service_failed(fault);
}

PS_SERVICE_HANDLER(ps_service_list_executions_for_thing) {
    if (!ps_jobs_thing_exists(ps_services_of(call)->jobs, call->parameters[0])) {
        return ps_api_fail(PS_API_NOT_FOUND, fault, "Thing %s cannot be found.",
                           call->parameters[0]);
    }
    return list(call, NULL, call->parameters[0], answer, fault);
}

// The execution of the path: thing, job, and a number from the path or the query.
static PsApiCode find(const PsRestCall *call, long long number, PsJobExecution *execution,
                      PsApiFault *fault) {
    PsErr err = ps_job_execution_find(ps_services_of(call)->db, call->parameters[1],
                                      call->parameters[0], number, execution);
    if (err == PS_ERR_NOT_FOUND) {
        return ps_api_fail(PS_API_NOT_FOUND, fault, "There is no execution of job %s for thing %s.",
                           call->parameters[1], call->parameters[0]);
    }
    return err == PS_OK ? PS_API_OK : ps_service_failed(fault);
}

PS_SERVICE_HANDLER(ps_service_describe_execution) {
    long long number = 0;
    PsJobExecution execution = {0};
    PsApiCode code = ps_rest_query_int(call, "executionNumber", 1, INT64_MAX, 0, &number, fault);
    code = code == PS_API_OK ? find(call, number, &execution, fault) : code;
    if (code == PS_API_OK) {
        json_t *json = summary(&execution);
        json_object_del(json, "retryAttempt");
        json_object_set_new(json, "jobId", json_string(execution.job));
        json_object_set_new(json, "thingArn", thing_arn(call, &execution));
        json_object_set_new(json, "versionNumber", json_integer(execution.version));
        json_object_set_new(json, "forceCanceled", json_boolean(execution.forced));
        json_t *details =
            execution.details != NULL ? json_incref(execution.details) : json_object();
        json_object_set_new(json, "statusDetails", json_pack("{s:o}", "detailsMap", details));
        int64_t deadline = ps_job_deadline(&execution);
        if (deadline != 0) {
            int64_t left_ms = deadline - ps_wall_now().ns / PS_NS_PER_MS;
            json_object_set_new(json, "approximateSecondsBeforeTimedOut",
                                json_integer(left_ms > 0 ? left_ms / 1000 : 0));
        }
        answer->json = json_pack("{s:o}", "execution", json);
    }
    ps_job_execution_deinit(&execution);
    return code;
}

static PsApiCode check_details(json_t *body, json_t **ret_details, PsApiFault *fault) {
    json_t *details = json_object_get(body, "statusDetails");
    PsJobRefusal refusal = {0};
    if (details != NULL && ps_job_details_check(details, &refusal) != PS_JOB_OK) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault, "%s", refusal.message);
    }
    *ret_details = details;
    return PS_API_OK;
}

static PsApiCode may_cancel(const PsJobExecution *execution, const json_t *body, bool force,
                            PsApiFault *fault) {
    const json_t *expected = json_object_get(body, "expectedVersion");
    if (expected != NULL && json_integer_value(expected) != execution->version) {
        return ps_api_fail(PS_API_VERSION_CONFLICT, fault,
                           "The execution has version %lld, not %lld",
                           (long long)execution->version, (long long)json_integer_value(expected));
    }
    if (ps_job_status_is_final(execution->status) ||
        (execution->status == PS_JOB_IN_PROGRESS && !force)) {
        return ps_api_fail(PS_API_STATE_CONFLICT, fault, "The execution is %s%s",
                           ps_job_status_name(execution->status),
                           execution->status == PS_JOB_IN_PROGRESS ? "; cancel it with force" : "");
    }
    return PS_API_OK;
}

PS_SERVICE_HANDLER(ps_service_cancel_execution) {
    json_t *body = NULL;
    json_t *details = NULL;
    bool force = false;
    PsJobExecution execution = {0};
    PsApiCode code = ps_rest_query_bool(call, "force", false, &force, fault);
    code = code == PS_API_OK ? ps_rest_body(call, &body, fault) : code;
    code = code == PS_API_OK ? check_details(body, &details, fault) : code;
    code = code == PS_API_OK ? find(call, 0, &execution, fault) : code;
    code = code == PS_API_OK ? may_cancel(&execution, body, force, fault) : code;
    if (code == PS_API_OK) {
        PsJobStatus was = execution.status;
        PsWall now = ps_wall_now();
        ps_job_end(&execution, PS_JOB_CANCELED, now.ns / PS_NS_PER_MS);
        execution.forced = was == PS_JOB_IN_PROGRESS;
        if (details != NULL) {
            json_decref(execution.details);
            execution.details = json_incref(details);
        }
        PsErr err = ps_jobs_keep(ps_services_of(call)->jobs, &execution, was, false, now,
                                 ps_service_out_of(call));
        code = err == PS_OK ? PS_API_OK : ps_service_failed(fault);
    }
    ps_job_execution_deinit(&execution);
    json_decref(body);
    return code;
}

PS_SERVICE_HANDLER(ps_service_delete_execution) {
    bool force = false;
    PsJobExecution execution = {0};
    long long number = strtoll(call->parameters[2], NULL, 10);
    PsApiCode code = ps_rest_query_bool(call, "force", false, &force, fault);
    if (code == PS_API_OK && number < 1) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault, "executionNumber is a number from 1 on");
    }
    code = code == PS_API_OK ? find(call, number, &execution, fault) : code;
    if (code == PS_API_OK && execution.status == PS_JOB_IN_PROGRESS && !force) {
        code = ps_api_fail(PS_API_STATE_CONFLICT, fault,
                           "The execution is IN_PROGRESS; delete it with force");
    }
    if (code == PS_API_OK) {
        PsErr err = ps_jobs_keep(ps_services_of(call)->jobs, &execution, execution.status, true,
                                 ps_wall_now(), ps_service_out_of(call));
        code = err == PS_OK ? PS_API_OK : ps_service_failed(fault);
    }
    ps_job_execution_deinit(&execution);
    return code;
}
