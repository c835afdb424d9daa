// The control plane of jobs: making, describing and ending them. Main thread.
#include "localcloud/service/service_routes.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTION_MAX 2028
#define REASON_MAX 128
#define TARGETS_MAX 100

// Members that are kept as they came and given back by DescribeJob.
static const char *const options[] = {
    "presignedUrlConfig", "jobExecutionsRolloutConfig", "abortConfig",        "timeoutConfig",
    "schedulingConfig",   "jobExecutionsRetryConfig",   "documentParameters", "namespaceId",
};

static PsApiCode check_id(const PsRestCall *call, PsApiFault *fault) {
    return ps_service_check_name(ps_name_is_job(call->parameters[0]), "jobId",
                                 "1 to 64 of [a-zA-Z0-9_-]", fault);
}

static PsApiCode find(const PsRestCall *call, PsJob *job, PsApiFault *fault) {
    PsApiCode code = check_id(call, fault);
    if (code != PS_API_OK) {
        return code;
    }
    PsErr err = ps_job_find(ps_services_of(call)->db, call->parameters[0], job);
    if (err == PS_ERR_NOT_FOUND) {
        return ps_api_fail(PS_API_NOT_FOUND, fault, "Job %s cannot be found.", call->parameters[0]);
    }
    return err == PS_OK ? PS_API_OK : ps_service_failed(fault);
}

static void answer_brief(const PsRestCall *call, const PsJob *job, PsRestAnswer *answer) {
    char arn[PS_JOB_ARN_SIZE];
    ps_jobs_arn(ps_services_of(call)->jobs, "job", job->id, arn, sizeof arn);
    answer->json = json_object();
    json_object_set_new(answer->json, "jobArn", json_string(arn));
    json_object_set_new(answer->json, "jobId", json_string(job->id));
    if (job->description != NULL) {
        json_object_set_new(answer->json, "description", json_string(job->description));
    }
}

// ---- CreateJob

static PsApiCode check_targets(const PsRestCall *call, const json_t *targets, PsApiFault *fault) {
    if (json_array_size(targets) == 0 || json_array_size(targets) > TARGETS_MAX) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "targets is a list of 1 to %d ARNs of things and thing groups",
                           TARGETS_MAX);
    }
    for (size_t i = 0; i < json_array_size(targets); i++) {
        const char *arn = json_string_value(json_array_get(targets, i));
        const char *kind = "";
        if (arn == NULL || ps_jobs_target(arn, &kind) == NULL) {
            return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                               "'%s' is not the ARN of a thing or a thing group",
                               arn != NULL ? arn : "");
        }
        if (!ps_jobs_target_exists(ps_services_of(call)->jobs, arn)) {
            return ps_api_fail(PS_API_NOT_FOUND, fault, "The target %s does not exist", arn);
        }
    }
    return PS_API_OK;
}

static PsApiCode take_document(const PsRestCall *call, const json_t *body, PsJob *job,
                               PsApiFault *fault) {
    if (json_object_get(body, "documentSource") != NULL ||
        json_object_get(body, "jobTemplateArn") != NULL) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "documentSource and jobTemplateArn need S3 and job templates, which the "
                           "local cloud does not have; give the document itself");
    }
    const char *text = NULL;
    PsApiCode code = ps_rest_text(body, "document", true, &text, fault);
    if (code != PS_API_OK) {
        return code;
    }
    size_t set = ps_services_of(call)->job_document_bytes;
    size_t most = set > 0 ? set : PS_JOB_DOCUMENT_BYTES;
    if (strlen(text) > most) {
        return ps_api_fail(PS_API_LIMIT_EXCEEDED, fault,
                           "The job document is larger than %zu bytes", most);
    }
    PS_AUTO_JSON json_t *json = ps_json_parse(text, strlen(text));
    if (!json_is_object(json)) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault, "The job document is not a JSON object");
    }
    job->document = ps_strdup(text);
    return PS_API_OK;
}

static PsApiCode take_options(const json_t *body, PsJob *job, PsApiFault *fault) {
    if (job->options == NULL) {
        job->options = json_object();
    }
    for (size_t i = 0; i < PS_COUNT(options); i++) {
        json_t *member = json_object_get(body, options[i]);
        if (member != NULL && !json_is_null(member)) {
            json_object_set(job->options, options[i], member);
        }
    }
    const json_t *timeout = json_object_get(job->options, "timeoutConfig");
    const json_t *minutes = json_object_get(timeout, "inProgressTimeoutInMinutes");
    if (minutes != NULL && (!json_is_integer(minutes) || json_integer_value(minutes) < 1 ||
                            json_integer_value(minutes) > PS_JOB_TIMEOUT_MAX_MINUTES)) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "inProgressTimeoutInMinutes is a number from 1 to %d",
                           (int)PS_JOB_TIMEOUT_MAX_MINUTES);
    }
    return PS_API_OK;
}

static PsApiCode take_selection(const json_t *body, PsJob *job, PsApiFault *fault) {
    const char *selection = NULL;
    PsApiCode code = ps_rest_text(body, "targetSelection", false, &selection, fault);
    job->continuous = selection != NULL && strcmp(selection, "CONTINUOUS") == 0;
    if (code == PS_API_OK && selection != NULL && !job->continuous &&
        strcmp(selection, "SNAPSHOT") != 0) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "targetSelection is CONTINUOUS or SNAPSHOT");
    }
    return code;
}

static PsApiCode make(const PsRestCall *call, PsJob *job, PsApiFault *fault) {
    PsErr err =
        ps_jobs_create(ps_services_of(call)->jobs, job, ps_wall_now(), ps_service_out_of(call));
    if (err == PS_ERR_EXISTS) {
        PsApiCode code =
            ps_api_fail(PS_API_ALREADY_EXISTS, fault, "Job %s already exists.", job->id);
        (void)snprintf(fault->resource_id, sizeof fault->resource_id, "%s", job->id);
        ps_jobs_arn(ps_services_of(call)->jobs, "job", job->id, fault->resource_arn,
                    sizeof fault->resource_arn);
        return code;
    }
    return err == PS_OK ? PS_API_OK : ps_service_failed(fault);
}

PS_SERVICE_HANDLER(ps_service_create_job) {
    PsJob job = {0};
    json_t *body = NULL;
    PsApiCode code = check_id(call, fault);
    code = code == PS_API_OK ? ps_rest_body(call, &body, fault) : code;
    if (code == PS_API_OK) {
        (void)snprintf(job.id, sizeof job.id, "%s", call->parameters[0]);
        job.targets = json_incref(json_object_get(body, "targets"));
        code = check_targets(call, job.targets, fault);
    }
    code = code == PS_API_OK ? take_document(call, body, &job, fault) : code;
    code = code == PS_API_OK ? take_options(body, &job, fault) : code;
    code = code == PS_API_OK ? take_selection(body, &job, fault) : code;
    if (code == PS_API_OK) {
        code = ps_service_take_text(body, "description", DESCRIPTION_MAX, &job.description, fault);
    }
    code = code == PS_API_OK ? make(call, &job, fault) : code;
    if (code == PS_API_OK) {
        answer_brief(call, &job, answer);
    }
    ps_job_deinit(&job);
    json_decref(body);
    return code;
}

// ---- looking

static json_t *summary(const PsRestCall *call, const PsJob *job) {
    char arn[PS_JOB_ARN_SIZE];
    ps_jobs_arn(ps_services_of(call)->jobs, "job", job->id, arn, sizeof arn);
    json_t *json = json_object();
    json_object_set_new(json, "jobArn", json_string(arn));
    json_object_set_new(json, "jobId", json_string(job->id));
    json_object_set_new(json, "targetSelection",
                        json_string(job->continuous ? "CONTINUOUS" : "SNAPSHOT"));
    json_object_set_new(json, "status", json_string(ps_job_phase_name(job->phase)));
    json_object_set_new(json, "createdAt", ps_registry_time(job->created_ms));
    json_object_set_new(json, "lastUpdatedAt", ps_registry_time(job->updated_ms));
    if (job->completed_ms != 0) {
        json_object_set_new(json, "completedAt", ps_registry_time(job->completed_ms));
    }
    json_object_set_new(json, "isConcurrent", json_false());
    return json;
}

static PsApiCode put_counts(const PsRestCall *call, const PsJob *job, json_t *json,
                            PsApiFault *fault) {
    static const char *const names[PS_JOB_STATUSES] = {
        [PS_JOB_QUEUED] = "numberOfQueuedThings",
        [PS_JOB_IN_PROGRESS] = "numberOfInProgressThings",
        [PS_JOB_SUCCEEDED] = "numberOfSucceededThings",
        [PS_JOB_FAILED] = "numberOfFailedThings",
        [PS_JOB_TIMED_OUT] = "numberOfTimedOutThings",
        [PS_JOB_REJECTED] = "numberOfRejectedThings",
        [PS_JOB_REMOVED] = "numberOfRemovedThings",
        [PS_JOB_CANCELED] = "numberOfCanceledThings",
    };
    int64_t counts[PS_JOB_STATUSES];
    if (ps_job_count(ps_services_of(call)->db, job->id, counts) != PS_OK) {
        return ps_service_failed(fault);
    }
    json_t *details = json_object();
    for (size_t i = 0; i < PS_JOB_STATUSES; i++) {
        json_object_set_new(details, names[i], json_integer(counts[i]));
    }
    json_object_set_new(json, "jobProcessDetails", details);
    return PS_API_OK;
}

PS_SERVICE_HANDLER(ps_service_describe_job) {
    PsJob job = {0};
    PsApiCode code = find(call, &job, fault);
    if (code == PS_API_OK) {
        json_t *json = summary(call, &job);
        json_object_set(json, "targets", job.targets);
        json_object_update(json, job.options);
        if (job.forced) {
            json_object_set_new(json, "forceCanceled", json_true());
        }
        const struct {
            const char *name;
            const char *text;
        } texts[] = {
            {"description", job.description}, {"reasonCode", job.reason}, {"comment", job.comment}};
        for (size_t i = 0; i < PS_COUNT(texts); i++) {
            if (texts[i].text != NULL) {
                json_object_set_new(json, texts[i].name, json_string(texts[i].text));
            }
        }
        code = put_counts(call, &job, json, fault);
        answer->json = json_object();
        json_object_set_new(answer->json, "job", json);
    }
    ps_job_deinit(&job);
    return code;
}

PS_SERVICE_HANDLER(ps_service_get_job_document) {
    PsJob job = {0};
    PsApiCode code = find(call, &job, fault);
    if (code == PS_API_OK) {
        answer->json = json_object();
        json_object_set_new(answer->json, "document", json_string(job.document));
    }
    ps_job_deinit(&job);
    return code;
}

static PsApiCode read_list_filter(const PsRestCall *call, PsJobFilter *filter, PsPage *page,
                                  PsApiFault *fault) {
    const char *status = ps_rest_query(call, "status");
    const char *selection = ps_rest_query(call, "targetSelection");
    PsJobPhase phase = PS_JOB_PHASE_IN_PROGRESS;
    PsApiCode code = ps_page_read(call, PS_PAGE_TOKEN, page, fault);
    if (code == PS_API_OK && status != NULL && !ps_job_phase_find(status, &phase)) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "status is IN_PROGRESS, CANCELED or COMPLETED, not '%s'", status);
    }
    *filter = (PsJobFilter){
        .status = status != NULL ? (int)phase : -1,
        .continuous = selection == NULL ? -1 : strcmp(selection, "CONTINUOUS") == 0,
        .below = page->after,
        .limit = (size_t)page->limit + 1,
    };
    return code;
}

PS_SERVICE_HANDLER(ps_service_list_jobs) {
    PsJobFilter filter;
    PsPage page;
    PsJobList list = {0};
    PsApiCode code = read_list_filter(call, &filter, &page, fault);
    if (code != PS_API_OK) {
        return code;
    }
    if (ps_job_list(ps_services_of(call)->db, &filter, &list) != PS_OK) {
        return ps_service_failed(fault);
    }
    PsListed listed = {.items = json_array()};
    for (size_t i = 0; i < list.count && (int64_t)i < page.limit; i++) {
        json_array_append_new(listed.items, summary(call, &list.items[i]));
        listed.next = list.count > (size_t)page.limit ? list.items[i].row : 0;
    }
    ps_job_list_deinit(&list);
    ps_page_answer(&listed, PS_PAGE_TOKEN, "jobs", answer);
    return PS_API_OK;
}

// ---- changes

PS_SERVICE_HANDLER(ps_service_update_job) {
    PsJob job = {0};
    json_t *body = NULL;
    PsApiCode code = find(call, &job, fault);
    code = code == PS_API_OK ? ps_rest_body(call, &body, fault) : code;
    code = code == PS_API_OK ? take_options(body, &job, fault) : code;
    if (code == PS_API_OK) {
        code = ps_service_take_text(body, "description", DESCRIPTION_MAX, &job.description, fault);
    }
    if (code == PS_API_OK) {
        job.updated_ms = ps_wall_now().ns / PS_NS_PER_MS;
        code = ps_job_save(ps_services_of(call)->db, &job) == PS_OK ? PS_API_OK
                                                                    : ps_service_failed(fault);
    }
    ps_job_deinit(&job);
    json_decref(body);
    return code;
}

PS_SERVICE_HANDLER(ps_service_cancel_job) {
    PsJob job = {0};
    json_t *body = NULL;
    bool force = false;
    PsApiCode code = find(call, &job, fault);
    code = code == PS_API_OK ? ps_rest_query_bool(call, "force", false, &force, fault) : code;
    code = code == PS_API_OK ? ps_rest_body(call, &body, fault) : code;
    if (code == PS_API_OK && job.phase == PS_JOB_PHASE_COMPLETED) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "Job %s is COMPLETED and cannot be canceled", job.id);
    }
    if (code == PS_API_OK) {
        code = ps_service_take_text(body, "reasonCode", REASON_MAX, &job.reason, fault);
    }
    if (code == PS_API_OK) {
        code = ps_service_take_text(body, "comment", DESCRIPTION_MAX, &job.comment, fault);
    }
    if (code == PS_API_OK) {
        PsErr err = ps_jobs_cancel(ps_services_of(call)->jobs, &job, force, ps_wall_now(),
                                   ps_service_out_of(call));
        code = err == PS_OK ? PS_API_OK : ps_service_failed(fault);
    }
    if (code == PS_API_OK) {
        answer_brief(call, &job, answer);
    }
    ps_job_deinit(&job);
    json_decref(body);
    return code;
}

PS_SERVICE_HANDLER(ps_service_delete_job) {
    PsJob job = {0};
    bool force = false;
    PsApiCode code = find(call, &job, fault);
    code = code == PS_API_OK ? ps_rest_query_bool(call, "force", false, &force, fault) : code;
    if (code == PS_API_OK && job.phase == PS_JOB_PHASE_IN_PROGRESS && !force) {
        code =
            ps_api_fail(PS_API_STATE_CONFLICT, fault,
                        "Job %s is IN_PROGRESS; cancel it first, or delete it with force", job.id);
    }
    if (code == PS_API_OK) {
        PsErr err = ps_jobs_delete(ps_services_of(call)->jobs, &job, ps_wall_now(),
                                   ps_service_out_of(call));
        code = err == PS_OK ? PS_API_OK : ps_service_failed(fault);
    }
    ps_job_deinit(&job);
    return code;
}

PS_SERVICE_HANDLER(ps_service_associate_targets) {
    PsJob job = {0};
    json_t *body = NULL;
    PsApiCode code = find(call, &job, fault);
    code = code == PS_API_OK ? ps_rest_body(call, &body, fault) : code;
    const json_t *targets = json_object_get(body, "targets");
    code = code == PS_API_OK ? check_targets(call, targets, fault) : code;
    if (code == PS_API_OK && (!job.continuous || job.phase != PS_JOB_PHASE_IN_PROGRESS)) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "Only a CONTINUOUS job that is IN_PROGRESS takes further targets");
    }
    if (code == PS_API_OK) {
        PsErr err = ps_jobs_add_targets(ps_services_of(call)->jobs, &job, targets, ps_wall_now(),
                                        ps_service_out_of(call));
        code = err == PS_OK ? PS_API_OK : ps_service_failed(fault);
    }
    if (code == PS_API_OK) {
        answer_brief(call, &job, answer);
    }
    ps_job_deinit(&job);
    json_decref(body);
    return code;
}
