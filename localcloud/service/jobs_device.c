// The device API of jobs, over MQTT and over HTTP: get, start-next, <jobId>/get, <jobId>/update.
#include "localcloud/service/jobs.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PENDING_MAX 250 // in one list

__attribute__((format(printf, 3, 4))) static json_t *refuse(PsJobRefusal *refusal, PsJobCode code,
                                                            const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(refusal->message, sizeof refusal->message, fmt, args);
    va_end(args);
    refusal->code = code;
    return NULL;
}

static json_t *refuse_inside(PsJobRefusal *refusal) {
    return refuse(refusal, PS_JOB_INTERNAL, "The database failed");
}

static json_t *document_of(const PsJob *job, const PsJobAsk *ask) {
    return ask->document_as_text ? json_string(job->document)
                                 : ps_json_parse(job->document, strlen(job->document));
}

static bool wants_document(const PsJobAsk *ask, const PsJobRequest *request) {
    return ask->include_document >= 0 ? ask->include_document != 0 : request->include_document;
}

static json_t *with_execution(PsJobs *jobs, const PsJobAsk *ask, const PsJobRequest *request,
                              const PsJobExecution *execution, const PsJob *job) {
    PS_AUTO_JSON json_t *document = wants_document(ask, request) ? document_of(job, ask) : NULL;
    json_t *json = json_object();
    json_object_set_new(
        json, "execution",
        ps_job_execution_json(execution, document, true, ask->now.ns / PS_NS_PER_MS));
    return json;
}

// The next pending execution with its job; PS_ERR_NOT_FOUND.
static PsErr find_next(PsJobs *jobs, const char *thing, PsJobExecution *execution, PsJob *job) {
    PsJobExecutionList list = {0};
    PsErr err = ps_job_pending(ps_jobs_db(jobs), thing, 1, &list);
    if (err == PS_OK && list.count == 0) {
        err = PS_ERR_NOT_FOUND;
    }
    if (err == PS_OK) {
        *execution = list.items[0];
        list.items[0] = (PsJobExecution){0};
        err = ps_job_find(ps_jobs_db(jobs), execution->job, job);
    }
    ps_job_execution_list_deinit(&list);
    return err;
}

static json_t *get_pending(PsJobs *jobs, const PsJobAsk *ask, PsJobRefusal *refusal) {
    PsJobExecutionList list = {0};
    if (ps_job_pending(ps_jobs_db(jobs), ask->thing, PENDING_MAX, &list) != PS_OK) {
        return refuse_inside(refusal);
    }
    json_t *in_progress = json_array();
    json_t *queued = json_array();
    for (size_t i = 0; i < list.count; i++) {
        bool is_queued = list.items[i].status == PS_JOB_QUEUED;
        json_array_append_new(is_queued ? queued : in_progress,
                              ps_job_summary_json(&list.items[i]));
    }
    ps_job_execution_list_deinit(&list);
    json_t *json = json_object();
    json_object_set_new(json, "inProgressJobs", in_progress);
    json_object_set_new(json, "queuedJobs", queued);
    return json;
}

static json_t *start_next(PsJobs *jobs, const PsJobAsk *ask, const PsJobRequest *request,
                          PsJobExecution *execution, PsJob *job, const PsServiceOut *out,
                          PsJobRefusal *refusal) {
    PsErr err = find_next(jobs, ask->thing, execution, job);
    if (err == PS_ERR_NOT_FOUND) {
        return json_object();
    }
    if (err == PS_OK && execution->status == PS_JOB_QUEUED) {
        ps_job_start(execution, request, ps_job_minutes(job), ask->now.ns / PS_NS_PER_MS);
        err = ps_jobs_keep(jobs, execution, PS_JOB_QUEUED, false, ask->now, out);
    }
    return err == PS_OK ? with_execution(jobs, ask, request, execution, job)
                        : refuse_inside(refusal);
}

// The execution that is meant, or a refusal.
static PsErr find_meant(PsJobs *jobs, const PsJobAsk *ask, const PsJobRequest *request,
                        PsJobExecution *execution, PsJob *job, PsJobRefusal *refusal) {
    int64_t number = ask->number != 0 ? ask->number : request->number;
    PsErr err = ps_job_execution_find(ps_jobs_db(jobs), ask->job, ask->thing, number, execution);
    if (err == PS_OK) {
        err = ps_job_find(ps_jobs_db(jobs), ask->job, job);
    }
    if (err == PS_ERR_NOT_FOUND) {
        (void)refuse(refusal, PS_JOB_NOT_FOUND, "No execution of job '%s' for thing '%s'", ask->job,
                     ask->thing);
    } else if (err != PS_OK) {
        (void)refuse_inside(refusal);
    }
    return err;
}

static json_t *describe(PsJobs *jobs, const PsJobAsk *ask, const PsJobRequest *request,
                        PsJobExecution *execution, PsJob *job, PsJobRefusal *refusal) {
    if (strcmp(ask->job, "$next") == 0) {
        PsErr err = find_next(jobs, ask->thing, execution, job);
        if (err == PS_ERR_NOT_FOUND) {
            return json_object();
        }
        return err == PS_OK ? with_execution(jobs, ask, request, execution, job)
                            : refuse_inside(refusal);
    }
    if (find_meant(jobs, ask, request, execution, job, refusal) != PS_OK) {
        return NULL;
    }
    if (ps_job_status_is_final(execution->status)) {
        return refuse(refusal, PS_JOB_TERMINAL_STATE, "The execution is %s",
                      ps_job_status_name(execution->status));
    }
    return with_execution(jobs, ask, request, execution, job);
}

static json_t *update(PsJobs *jobs, const PsJobAsk *ask, const PsJobRequest *request,
                      PsJobExecution *execution, PsJob *job, const PsServiceOut *out,
                      PsJobRefusal *refusal) {
    if (find_meant(jobs, ask, request, execution, job, refusal) != PS_OK) {
        return NULL;
    }
    PsJobStatus was = execution->status;
    if (ps_job_update(execution, request, ps_job_minutes(job), ask->now.ns / PS_NS_PER_MS,
                      refusal) != PS_JOB_OK) {
        return NULL;
    }
    if (ps_jobs_keep(jobs, execution, was, false, ask->now, out) != PS_OK) {
        return refuse_inside(refusal);
    }
    json_t *json = json_object();
    if (request->include_state) {
        json_object_set_new(json, "executionState", ps_job_state_json(execution));
    }
    if (wants_document(ask, request)) {
        json_object_set_new(json, "jobDocument", document_of(job, ask));
    }
    return json;
}

json_t *ps_jobs_ask(PsJobs *jobs, const PsJobAsk *ask, const PsServiceOut *out, char **ret_token,
                    PsJobExecution *ret_execution, PsJobRefusal *refusal) {
    PsJobRequest request = {0};
    PsJob job = {0};
    json_t *json = NULL;
    if (ps_job_request_parse(ask->payload, ask->len, ask->verb != PS_JOB_UPDATE, &request,
                             refusal) == PS_JOB_OK) {
        if (!ps_jobs_thing_exists(jobs, ask->thing)) {
            json = refuse(refusal, PS_JOB_NOT_FOUND, "Thing '%s' not found", ask->thing);
        } else if (ps_jobs_follow(jobs, ask->now, out) != PS_OK) {
            json = refuse_inside(refusal);
        } else if (ask->verb == PS_JOB_GET_PENDING) {
            json = get_pending(jobs, ask, refusal);
        } else if (ask->verb == PS_JOB_START_NEXT) {
            json = start_next(jobs, ask, &request, ret_execution, &job, out, refusal);
        } else if (ask->verb == PS_JOB_DESCRIBE) {
            json = describe(jobs, ask, &request, ret_execution, &job, refusal);
        } else {
            json = update(jobs, ask, &request, ret_execution, &job, out, refusal);
        }
    }
    *ret_token = request.token;
    request.token = NULL;
    ps_job_request_deinit(&request);
    ps_job_deinit(&job);
    return json;
}

// ---- over MQTT

// Which call the topic names; false: none. Levels: $aws things THING jobs ...
static bool find_verb(const PsLevels *levels, PsJobVerb *ret_verb, const char **ret_job) {
    const char *first = levels->at[4];
    const char *second = levels->at[5];
    if (levels->count == 5 && strcmp(first, "get") == 0) {
        *ret_verb = PS_JOB_GET_PENDING;
        return true;
    }
    if (levels->count == 5 && strcmp(first, "start-next") == 0) {
        *ret_verb = PS_JOB_START_NEXT;
        return true;
    }
    bool is_next = strcmp(first, "$next") == 0;
    *ret_job = first;
    if (levels->count == 6 && strcmp(second, "get") == 0 && (is_next || ps_name_is_job(first))) {
        *ret_verb = PS_JOB_DESCRIBE;
        return true;
    }
    if (levels->count == 6 && strcmp(second, "update") == 0 && ps_name_is_job(first)) {
        *ret_verb = PS_JOB_UPDATE;
        return true;
    }
    return false;
}

typedef struct LaterMessage {
    struct LaterMessage *next;
    char *topic;
    PsBuf payload;
    int qos;
} LaterMessage;

// Keeps what is published until the answer is out: a device hears `accepted` before `notify`.
typedef struct Later {
    LaterMessage *first;
    LaterMessage **end;
} Later;

static void publish_later(void *ctx, const char *topic, const void *payload, size_t len, int qos) {
    Later *later = ctx;
    LaterMessage *message = ps_alloc(sizeof *message);
    message->topic = ps_strdup(topic);
    message->qos = qos;
    ps_buf_put(&message->payload, payload, len);
    *later->end = message;
    later->end = &message->next;
}

static void publish_now(Later *later, const PsServiceOut *out) {
    while (later->first != NULL) {
        LaterMessage *message = later->first;
        later->first = message->next;
        out->publish(out->ctx, message->topic, message->payload.data, message->payload.len,
                     message->qos);
        free(message->topic);
        ps_buf_deinit(&message->payload);
        free(message);
    }
}

void ps_jobs_take(PsJobs *jobs, const PsServiceCall *call, const PsLevels *levels,
                  const PsServiceOut *out) {
    PsJobAsk ask = {
        .thing = levels->at[2],
        .payload = call->payload,
        .len = call->len,
        .include_document = -1,
        .now = call->now,
    };
    Later later = {.end = &later.first};
    PsServiceOut after = {.publish = publish_later, .direct = out->direct, .ctx = &later};
    char *token = NULL;
    PsJobExecution execution = {0};
    PsJobRefusal refusal = {0};
    json_t *json = NULL;
    if (!find_verb(levels, &ask.verb, &ask.job)) {
        (void)refuse(&refusal, PS_JOB_INVALID_TOPIC, "No jobs API has the topic %s", call->topic);
    } else {
        json = ps_jobs_ask(jobs, &ask, &after, &token, &execution, &refusal);
    }
    int64_t now_ms = call->now.ns / PS_NS_PER_MS;
    bool accepted = json != NULL;
    if (accepted) {
        if (token != NULL) {
            json_object_set_new(json, "clientToken", json_string(token));
        }
        json_object_set_new(json, "timestamp", json_integer(now_ms / 1000));
    } else {
        json =
            ps_job_refusal_json(&refusal, token, execution.version > 0 ? &execution : NULL, now_ms);
    }
    PS_AUTO_BUF PsBuf topic = {0};
    ps_buf_printf(&topic, "%s/%s", call->topic, accepted ? "accepted" : "rejected");
    PS_AUTO_BUF PsBuf text = {0};
    ps_json_text(json, &text);
    out->direct(out->ctx, call->client_id, (const char *)topic.data, text.data, text.len);
    publish_now(&later, out);
    json_decref(json);
    free(token);
    ps_job_execution_deinit(&execution);
}
