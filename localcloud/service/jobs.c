// Job executions: made for targets, changed, ended by time, and told to their things. A change and
// what follows from it is one transaction; messages go out after it.
#include "localcloud/service/jobs.h"

#include "base/map.h"
#include "base/mem.h"
#include "localcloud/service/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTIFY_MAX 15 // executions in one notification
#define FOLLOW_EVERY_NS (5 * PS_NS_PER_S)
#define ARN_PREFIX "arn:aws:iot:"

struct PsJobs {
    sqlite3 *db;
    const PsServiceRegistry *registry;
    char *region;
    char *account;
};

// What a thing would get next; told when it becomes another.
typedef struct Front {
    char job[PS_JOB_ID_MAX + 1];
    int64_t number;
} Front;

PsErr ps_jobs_new(sqlite3 *db, const PsServiceRegistry *registry, const char *region,
                  const char *account, PsJobs **ret_jobs, PsDiag *diag) {
    PsErr err = ps_job_store_prepare(db, diag);
    if (err != PS_OK) {
        return err;
    }
    PsJobs *jobs = ps_alloc(sizeof *jobs);
    *jobs = (PsJobs){
        .db = db,
        .registry = registry,
        .region = ps_strdup(region),
        .account = ps_strdup(account),
    };
    *ret_jobs = jobs;
    return PS_OK;
}

void ps_jobs_free(PsJobs *jobs) {
    if (jobs != NULL) {
        free(jobs->region);
        free(jobs->account);
        free(jobs);
    }
}

sqlite3 *ps_jobs_db(PsJobs *jobs) {
    return jobs->db;
}

// ---- ARNs

void ps_jobs_arn(const PsJobs *jobs, const char *kind, const char *name, char *out, size_t size) {
    (void)snprintf(out, size, ARN_PREFIX "%s:%s:%s/%s", jobs->region, jobs->account, kind, name);
}

const char *ps_jobs_target(const char *arn, const char **ret_kind) {
    static const char *const kinds[] = {"thing", "thinggroup"};
    if (strncmp(arn, ARN_PREFIX, sizeof ARN_PREFIX - 1) != 0) {
        return NULL;
    }
    const char *at = strchr(arn + sizeof ARN_PREFIX - 1, ':'); // behind the region
    at = at != NULL ? strchr(at + 1, ':') : NULL;              // behind the account
    for (size_t i = 0; at != NULL && i < PS_COUNT(kinds); i++) {
        size_t len = strlen(kinds[i]);
        if (strncmp(at + 1, kinds[i], len) == 0 && at[1 + len] == '/' &&
            ps_name_is_thing(at + 2 + len)) {
            *ret_kind = kinds[i];
            return at + 2 + len;
        }
    }
    return NULL;
}

bool ps_jobs_target_exists(PsJobs *jobs, const char *arn) {
    const char *kind = "";
    const char *name = ps_jobs_target(arn, &kind);
    const PsServiceRegistry *registry = jobs->registry;
    return name != NULL &&
           (strcmp(kind, "thing") == 0 ? registry->thing_exists(registry->ctx, name)
                                       : registry->group_exists(registry->ctx, name));
}

bool ps_jobs_thing_exists(PsJobs *jobs, const char *thing) {
    return jobs->registry->thing_exists(jobs->registry->ctx, thing);
}

// ---- telling things

static Front front_of(PsJobs *jobs, const char *thing) {
    Front front = {0};
    PsJobExecutionList list = {0};
    if (ps_job_pending(jobs->db, thing, 1, &list) == PS_OK && list.count > 0) {
        (void)snprintf(front.job, sizeof front.job, "%s", list.items[0].job);
        front.number = list.items[0].number;
    }
    ps_job_execution_list_deinit(&list);
    return front;
}

static void publish(const char *thing, const char *tail, const json_t *json,
                    const PsServiceOut *out) {
    char topic[256];
    (void)snprintf(topic, sizeof topic, "$aws/things/%s/jobs/%s", thing, tail);
    PS_AUTO_BUF PsBuf text = {0};
    ps_json_text(json, &text);
    out->publish(out->ctx, topic, text.data, text.len, 1);
}

static json_t *stamped(PsWall now) {
    json_t *json = json_object();
    json_object_set_new(json, "timestamp", json_integer(now.ns / PS_NS_PER_S));
    return json;
}

static void tell_list(const PsJobExecutionList *list, const char *thing, PsWall now,
                      const PsServiceOut *out) {
    json_t *by_status = json_object();
    for (size_t i = 0; i < list->count; i++) {
        const char *status = ps_job_status_name(list->items[i].status);
        if (json_object_get(by_status, status) == NULL) {
            json_object_set_new(by_status, status, json_array());
        }
        json_array_append_new(json_object_get(by_status, status),
                              ps_job_summary_json(&list->items[i]));
    }
    PS_AUTO_JSON json_t *json = stamped(now);
    json_object_set_new(json, "jobs", by_status);
    publish(thing, "notify", json, out);
}

static void tell_next(PsJobs *jobs, const PsJobExecutionList *list, const char *thing, PsWall now,
                      const PsServiceOut *out) {
    PS_AUTO_JSON json_t *json = stamped(now);
    PsJob job = {0};
    if (list->count > 0 && ps_job_find(jobs->db, list->items[0].job, &job) == PS_OK) {
        PS_AUTO_JSON json_t *document = ps_json_parse(job.document, strlen(job.document));
        json_object_set_new(
            json, "execution",
            ps_job_execution_json(&list->items[0], document, false, now.ns / PS_NS_PER_MS));
    }
    ps_job_deinit(&job);
    publish(thing, "notify-next", json, out);
}

// `listed`: an execution came into the list of what is pending, or left it.
static void tell(PsJobs *jobs, const char *thing, const Front *before, bool listed, PsWall now,
                 const PsServiceOut *out) {
    PsJobExecutionList list = {0};
    if (out == NULL || ps_job_pending(jobs->db, thing, NOTIFY_MAX, &list) != PS_OK) {
        return;
    }
    if (listed) {
        tell_list(&list, thing, now, out);
    }
    const char *next = list.count > 0 ? list.items[0].job : "";
    int64_t number = list.count > 0 ? list.items[0].number : 0;
    if (strcmp(next, before->job) != 0 || number != before->number) {
        tell_next(jobs, &list, thing, now, out);
    }
    ps_job_execution_list_deinit(&list);
}

// ---- changes

// A job that was given out once is completed when nothing of it is pending.
static PsErr settle(PsJobs *jobs, const char *id, PsWall now) {
    PsJob job = {0};
    int64_t counts[PS_JOB_STATUSES] = {0};
    PsErr err = ps_job_find(jobs->db, id, &job);
    if (err == PS_OK) {
        err = ps_job_count(jobs->db, id, counts);
    }
    if (err == PS_OK && !job.continuous && job.phase == PS_JOB_PHASE_IN_PROGRESS &&
        counts[PS_JOB_QUEUED] + counts[PS_JOB_IN_PROGRESS] == 0) {
        job.phase = PS_JOB_PHASE_COMPLETED;
        job.completed_ms = job.updated_ms = now.ns / PS_NS_PER_MS;
        err = ps_job_save(jobs->db, &job);
    }
    ps_job_deinit(&job);
    return err == PS_ERR_NOT_FOUND ? PS_OK : err;
}

PsErr ps_jobs_keep(PsJobs *jobs, const PsJobExecution *execution, PsJobStatus was, bool drop,
                   PsWall now, const PsServiceOut *out) {
    Front before = front_of(jobs, execution->thing);
    PsErr err = ps_sql_savepoint(jobs->db);
    if (err != PS_OK) {
        return err;
    }
    err = drop ? ps_job_execution_drop(jobs->db, execution)
               : ps_job_execution_save(jobs->db, execution);
    bool final = drop || ps_job_status_is_final(execution->status);
    if (err == PS_OK && final) {
        err = settle(jobs, execution->job, now);
    }
    err = ps_sql_release(jobs->db, err);
    if (err == PS_OK) {
        tell(jobs, execution->thing, &before, final && !ps_job_status_is_final(was), now, out);
    }
    return err;
}

// An execution of the job for one thing, unless it has one already. Messages may go out although
// the caller's transaction then fails: a device that hears of a job asks for it.
static PsErr deal_one(PsJobs *jobs, const PsJob *job, const char *thing, PsWall now,
                      const PsServiceOut *out) {
    PsJobExecution former = {0};
    PsErr err = ps_job_execution_find(jobs->db, job->id, thing, 0, &former);
    int64_t number = err == PS_OK ? former.number + 1 : 1;
    bool again = err == PS_OK && former.status == PS_JOB_REMOVED;
    ps_job_execution_deinit(&former);
    if (err != PS_ERR_NOT_FOUND && !again) {
        return err;
    }
    Front before = front_of(jobs, thing);
    int64_t now_ms = now.ns / PS_NS_PER_MS;
    PsJobExecution execution = {
        .number = number, .queued_ms = now_ms, .updated_ms = now_ms, .version = 1};
    (void)snprintf(execution.job, sizeof execution.job, "%s", job->id);
    (void)snprintf(execution.thing, sizeof execution.thing, "%s", thing);
    err = ps_job_execution_insert(jobs->db, &execution);
    if (err == PS_OK) {
        tell(jobs, thing, &before, true, now, out);
    }
    return err;
}

typedef struct Members {
    PsMap names;
    char **texts;
    size_t count;
} Members;

static void add_member(void *ctx, const char *thing) {
    Members *members = ctx;
    if (ps_map_find(&members->names, NULL, thing) != PS_MAP_NONE) {
        return;
    }
    members->texts = ps_grow_array(members->texts, members->count + 1, sizeof(char *));
    members->texts[members->count] = ps_strdup(thing);
    (void)ps_map_put(&members->names, NULL, members->texts[members->count], 1);
    members->count++;
}

static void members_deinit(Members *members) {
    for (size_t i = 0; i < members->count; i++) {
        free(members->texts[i]);
    }
    free(members->texts);
    ps_map_deinit(&members->names);
}

static void members_of(PsJobs *jobs, const PsJob *job, Members *members) {
    const PsServiceRegistry *registry = jobs->registry;
    for (size_t i = 0; i < json_array_size(job->targets); i++) {
        const char *kind = "";
        const char *arn = json_string_value(json_array_get(job->targets, i));
        const char *name = arn != NULL ? ps_jobs_target(arn, &kind) : NULL;
        if (name != NULL && strcmp(kind, "thing") == 0) {
            add_member(members, name);
        } else if (name != NULL) {
            registry->group_things(registry->ctx, name, add_member, members);
        }
    }
}

// The registry is asked before: it has transactions of its own.
static PsErr deal_out(PsJobs *jobs, const PsJob *job, const Members *members, PsWall now,
                      const PsServiceOut *out) {
    PsErr err = PS_OK;
    for (size_t i = 0; i < members->count && err == PS_OK; i++) {
        err = deal_one(jobs, job, members->texts[i], now, out);
    }
    return err;
}

PsErr ps_jobs_create(PsJobs *jobs, PsJob *job, PsWall now, const PsServiceOut *out) {
    Members members = {0};
    members_of(jobs, job, &members);
    PsErr err = ps_sql_savepoint(jobs->db);
    if (err == PS_OK) {
        job->created_ms = job->updated_ms = now.ns / PS_NS_PER_MS;
        err = ps_job_insert(jobs->db, job);
        if (err == PS_OK) {
            err = deal_out(jobs, job, &members, now, out);
        }
        if (err == PS_OK) {
            err = settle(jobs, job->id, now);
        }
        err = ps_sql_release(jobs->db, err);
    }
    members_deinit(&members);
    return err;
}

PsErr ps_jobs_add_targets(PsJobs *jobs, PsJob *job, const json_t *targets, PsWall now,
                          const PsServiceOut *out) {
    json_array_extend(job->targets, (json_t *)(uintptr_t)targets);
    job->updated_ms = now.ns / PS_NS_PER_MS;
    Members members = {0};
    members_of(jobs, job, &members);
    PsErr err = ps_sql_savepoint(jobs->db);
    if (err == PS_OK) {
        err = ps_job_save(jobs->db, job);
        if (err == PS_OK) {
            err = deal_out(jobs, job, &members, now, out);
        }
        err = ps_sql_release(jobs->db, err);
    }
    members_deinit(&members);
    return err;
}

PsErr ps_jobs_cancel(PsJobs *jobs, PsJob *job, bool force, PsWall now, const PsServiceOut *out) {
    job->phase = PS_JOB_PHASE_CANCELED;
    job->forced = force;
    job->updated_ms = now.ns / PS_NS_PER_MS;
    job->completed_ms = job->updated_ms;
    PsJobExecutionList list = {0};
    PsErr err = ps_job_save(jobs->db, job);
    if (err == PS_OK) {
        err = ps_job_execution_list(jobs->db, &(PsJobFilter){.job = job->id, .status = -1}, &list);
    }
    for (size_t i = 0; i < list.count && err == PS_OK; i++) {
        PsJobExecution *execution = &list.items[i];
        PsJobStatus was = execution->status;
        if (was == PS_JOB_QUEUED || (force && was == PS_JOB_IN_PROGRESS)) {
            ps_job_end(execution, PS_JOB_CANCELED, now.ns / PS_NS_PER_MS);
            execution->forced = was == PS_JOB_IN_PROGRESS;
            err = ps_jobs_keep(jobs, execution, was, false, now, out);
        }
    }
    ps_job_execution_list_deinit(&list);
    return err;
}

PsErr ps_jobs_delete(PsJobs *jobs, const PsJob *job, PsWall now, const PsServiceOut *out) {
    PsJobExecutionList list = {0};
    PsErr err =
        ps_job_execution_list(jobs->db, &(PsJobFilter){.job = job->id, .status = -1}, &list);
    for (size_t i = 0; i < list.count && err == PS_OK; i++) {
        err = ps_jobs_keep(jobs, &list.items[i], list.items[i].status, true, now, out);
    }
    ps_job_execution_list_deinit(&list);
    return err == PS_OK ? ps_job_drop(jobs->db, job->id) : err;
}

// ---- time

static PsErr remove_gone(PsJobs *jobs, const PsJob *job, const Members *members, PsWall now,
                         const PsServiceOut *out) {
    PsJobExecutionList list = {0};
    PsErr err =
        ps_job_execution_list(jobs->db, &(PsJobFilter){.job = job->id, .status = -1}, &list);
    for (size_t i = 0; i < list.count && err == PS_OK; i++) {
        PsJobExecution *execution = &list.items[i];
        PsJobStatus was = execution->status;
        if (!ps_job_status_is_final(was) &&
            ps_map_find(&members->names, NULL, execution->thing) == PS_MAP_NONE) {
            ps_job_end(execution, PS_JOB_REMOVED, now.ns / PS_NS_PER_MS);
            err = ps_jobs_keep(jobs, execution, was, false, now, out);
        }
    }
    ps_job_execution_list_deinit(&list);
    return err;
}

static PsErr continuous_jobs(PsJobs *jobs, PsJobList *list) {
    return ps_job_list(jobs->db,
                       &(PsJobFilter){.status = PS_JOB_PHASE_IN_PROGRESS, .continuous = 1}, list);
}

PsErr ps_jobs_follow(PsJobs *jobs, PsWall now, const PsServiceOut *out) {
    PsJobList list = {0};
    PsErr err = continuous_jobs(jobs, &list);
    for (size_t i = 0; i < list.count && err == PS_OK; i++) {
        Members members = {0};
        members_of(jobs, &list.items[i], &members);
        err = deal_out(jobs, &list.items[i], &members, now, out);
        if (err == PS_OK) {
            err = remove_gone(jobs, &list.items[i], &members, now, out);
        }
        members_deinit(&members);
    }
    ps_job_list_deinit(&list);
    return err;
}

PsWall ps_jobs_tick(PsJobs *jobs, PsWall now, const PsServiceOut *out) {
    PsJobExecutionList overdue = {0};
    int64_t now_ms = now.ns / PS_NS_PER_MS;
    PsErr err = ps_job_overdue(jobs->db, now_ms, &overdue);
    for (size_t i = 0; i < overdue.count && err == PS_OK; i++) {
        ps_job_end(&overdue.items[i], PS_JOB_TIMED_OUT, now_ms);
        err = ps_jobs_keep(jobs, &overdue.items[i], PS_JOB_IN_PROGRESS, false, now, out);
    }
    ps_job_execution_list_deinit(&overdue);
    int64_t next_ms = ps_job_next_deadline(jobs->db);
    PsWall next = {next_ms * PS_NS_PER_MS};
    PsJobList followed = {0};
    err = continuous_jobs(jobs, &followed);
    if (err == PS_OK && followed.count > 0) {
        err = ps_jobs_follow(jobs, now, out);
        if (next.ns == 0 || next.ns > now.ns + FOLLOW_EVERY_NS) {
            next.ns = now.ns + FOLLOW_EVERY_NS;
        }
    }
    ps_job_list_deinit(&followed);
    return next;
}
