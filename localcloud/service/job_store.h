//! Jobs and their executions in the database. Every call waits for it; PS_ERR_IO: it refused (and
//! has been logged), PS_ERR_NOT_FOUND.
#pragma once

#include "localcloud/service/job_doc.h"

#include <sqlite3.h>

typedef enum PsJobPhase {
    PS_JOB_PHASE_IN_PROGRESS,
    PS_JOB_PHASE_CANCELED,
    PS_JOB_PHASE_COMPLETED,
    PS_JOB_PHASES,
} PsJobPhase;

/// Their names, and NULL behind them.
extern const char *const ps_job_phases[PS_JOB_PHASES + 1];

/// "IN_PROGRESS". Never NULL.
const char *ps_job_phase_name(PsJobPhase phase);
bool ps_job_phase_find(const char *name, PsJobPhase *ret_phase);

/// Zero-initialised is none.
typedef struct PsJob {
    int64_t row;
    char id[PS_JOB_ID_MAX + 1];
    bool continuous;
    PsJobPhase phase;
    json_t *targets;   ///< array of ARNs
    char *description; ///< NULL: none
    char *document;    ///< JSON text, as it was given
    json_t *options;   ///< timeoutConfig and others that are given back as they came
    int64_t created_ms;
    int64_t updated_ms;
    int64_t completed_ms; ///< 0: not yet
    bool forced;
    char *reason; ///< reasonCode and comment of CancelJob, or NULL
    char *comment;
} PsJob;

void ps_job_deinit(PsJob *job);
/// timeoutConfig.inProgressTimeoutInMinutes; 0: none.
int64_t ps_job_minutes(const PsJob *job);

PsErr ps_job_store_prepare(sqlite3 *db, PsDiag *diag);

/// Sets `row`. PS_ERR_EXISTS.
PsErr ps_job_insert(sqlite3 *db, PsJob *job);
/// Writes what changes: targets, description, options, phase and what goes with it.
PsErr ps_job_save(sqlite3 *db, const PsJob *job);
PsErr ps_job_find(sqlite3 *db, const char *id, PsJob *ret_job);
/// With its executions.
PsErr ps_job_drop(sqlite3 *db, const char *id);

typedef struct PsJobFilter {
    const char *job;   ///< NULL: any
    const char *thing; ///< NULL: any
    int status;        ///< PsJobStatus, PsJobPhase; -1: any
    int continuous;    ///< of jobs: 0, 1; -1: any
    int64_t below;     ///< row; 0: from the newest
    size_t limit;      ///< 0: all
} PsJobFilter;

typedef struct PsJobList {
    PsJob *items;
    size_t count;
} PsJobList;

typedef struct PsJobExecutionList {
    PsJobExecution *items;
    size_t count;
} PsJobExecutionList;

void ps_job_list_deinit(PsJobList *list);
void ps_job_execution_list_deinit(PsJobExecutionList *list);

/// Newest first.
PsErr ps_job_list(sqlite3 *db, const PsJobFilter *filter, PsJobList *ret_list);
PsErr ps_job_execution_list(sqlite3 *db, const PsJobFilter *filter, PsJobExecutionList *ret_list);
/// Those of a thing that are not final: in progress, then queued, each by the time of queueing.
PsErr ps_job_pending(sqlite3 *db, const char *thing, size_t limit, PsJobExecutionList *ret_list);
/// In progress with a deadline up to `until_ms`.
PsErr ps_job_overdue(sqlite3 *db, int64_t until_ms, PsJobExecutionList *ret_list);
/// The earliest deadline; 0: none.
int64_t ps_job_next_deadline(sqlite3 *db);

/// Sets `row`.
PsErr ps_job_execution_insert(sqlite3 *db, PsJobExecution *execution);
PsErr ps_job_execution_save(sqlite3 *db, const PsJobExecution *execution);
PsErr ps_job_execution_drop(sqlite3 *db, const PsJobExecution *execution);
/// `number` 0: the latest.
PsErr ps_job_execution_find(sqlite3 *db, const char *job, const char *thing, int64_t number,
                            PsJobExecution *ret_execution);
/// How many executions of the job have each status.
PsErr ps_job_count(sqlite3 *db, const char *job, int64_t ret_counts[PS_JOB_STATUSES]);
