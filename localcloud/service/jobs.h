//! Jobs of the account: what happens to executions, and who is told. The device API is in
//! jobs_device.c, the control plane in rest_jobs.c.
#pragma once

#include "localcloud/service/job_store.h"
#include "localcloud/service/service.h"
#include "localcloud/service/service_registry.h"

typedef struct PsJobs PsJobs;

PsErr ps_jobs_new(sqlite3 *db, const PsServiceRegistry *registry, const char *region,
                  const char *account, PsJobs **ret_jobs, PsDiag *diag);
void ps_jobs_free(PsJobs *jobs);
sqlite3 *ps_jobs_db(PsJobs *jobs);

/// "arn:aws:iot:REGION:ACCOUNT:KIND/NAME"; KIND is "job", "thing" or "thinggroup".
#define PS_JOB_ARN_SIZE 320
void ps_jobs_arn(const PsJobs *jobs, const char *kind, const char *name, char *out, size_t size);
/// What a target's ARN names: "thing" or "thinggroup", and the name behind it. NULL: neither.
const char *ps_jobs_target(const char *arn, const char **ret_kind);
/// Does it exist?
bool ps_jobs_target_exists(PsJobs *jobs, const char *arn);

bool ps_jobs_thing_exists(PsJobs *jobs, const char *thing);

/// Makes the job and an execution for each thing it is for. PS_ERR_EXISTS. `out` may be NULL here
/// and below: nobody is connected.
PsErr ps_jobs_create(PsJobs *jobs, PsJob *job, PsWall now, const PsServiceOut *out);
/// Queued executions (all that are not final with `force`) become CANCELED, and so does the job.
PsErr ps_jobs_cancel(PsJobs *jobs, PsJob *job, bool force, PsWall now, const PsServiceOut *out);
PsErr ps_jobs_delete(PsJobs *jobs, const PsJob *job, PsWall now, const PsServiceOut *out);
/// Adds targets of a continuous job.
PsErr ps_jobs_add_targets(PsJobs *jobs, PsJob *job, const json_t *targets, PsWall now,
                          const PsServiceOut *out);
/// Writes an execution that has been changed (or drops it), tells the thing, and completes the job
/// when nothing is left to do. `was` is the status before.
PsErr ps_jobs_keep(PsJobs *jobs, const PsJobExecution *execution, PsJobStatus was, bool drop,
                   PsWall now, const PsServiceOut *out);

/// Makes what continuous jobs need for things that joined or left their groups.
PsErr ps_jobs_follow(PsJobs *jobs, PsWall now, const PsServiceOut *out);
/// Ends what ran out of time. Returns when to call again; ns 0: nothing waits.
PsWall ps_jobs_tick(PsJobs *jobs, PsWall now, const PsServiceOut *out);

// ---- the device API

typedef enum PsJobVerb {
    PS_JOB_GET_PENDING,
    PS_JOB_START_NEXT,
    PS_JOB_DESCRIBE,
    PS_JOB_UPDATE,
} PsJobVerb;

typedef struct PsJobAsk {
    PsJobVerb verb;
    const char *thing;
    const char *job; ///< "$next" for DESCRIBE; NULL for the first two
    const void *payload;
    size_t len;
    int64_t number;        ///< over HTTP from the query; 0: what the payload says
    int include_document;  ///< over HTTP from the query: 0, 1; -1: what the payload says
    bool document_as_text; ///< HTTP; over MQTT it is an object
    PsWall now;
} PsJobAsk;

/// The answer's document without clientToken and timestamp, or NULL with `refusal`. *ret_token gets
/// the request's clientToken (free()), *ret_execution what the refusal is about.
json_t *ps_jobs_ask(PsJobs *jobs, const PsJobAsk *ask, const PsServiceOut *out, char **ret_token,
                    PsJobExecution *ret_execution, PsJobRefusal *refusal);
/// A PUBLISH to $aws/things/THING/jobs/...; `levels` is its topic. Answers go to the sender alone.
void ps_jobs_take(PsJobs *jobs, const PsServiceCall *call, const PsLevels *levels,
                  const PsServiceOut *out);
