//! What the files of apply share. Inside src/daemon only.
#pragma once

#include "daemon/apply.h"
#include "daemon/candidate.h"
#include "daemon/upload.h"

/// What runs on the worker thread: a change, or the end of a time of trial.
typedef struct PsApplyJob {
    struct PsApply *apply;
    uv_work_t work;
    PsCandidate *candidate; ///< NULL: the revision that is tried out stays
    PsApiChangeDone *done;  ///< NULL: nobody waits
    void *done_ctx;
    char who[64];
    PsWall begun;
} PsApplyJob;

struct PsApply {
    PsApplySetup setup;
    PsApiChanges changes;
    PsCandidateTools tools; ///< of the worker thread while there is a job
    char *folder;
    char problem[sizeof((PsStartConfig *)0)->problem];
    json_t *list;          ///< the kept revisions, newest first
    PsRevision running;    ///< number 0: none is kept
    PsProbation probation; ///< number 0: none is tried out
    PsApplyJob *job;
    PsUploads uploads;
    uv_signal_t hangup;
    uv_timer_t timer; ///< end of the probation
    bool overdue;     ///< it came while something else was being done
    bool hung_up;     ///< so did a SIGHUP
    bool failed_back; ///< going back did not work; told once
    bool closing;
};

/// What is kept, anew from the store; only while there is no job.
void ps_apply_refresh(PsApply *apply);
/// Begins a job; PS_ERR_BUSY with a diagnosis that names who is at it.
PsErr ps_apply_begin(PsApply *apply, PsCandidate *candidate, const char *who, PsApiChangeDone *done,
                     void *done_ctx, PsDiag *diag);
/// PS_ERR_UNSUPPORTED without a store.
PsErr ps_apply_check_store(const PsApply *apply, PsDiag *diag);

/// The time of trial: armed for what is left of it, or stopped when there is none.
void ps_apply_arm(PsApply *apply, uint32_t grace_ms);
void ps_apply_on_timer(uv_timer_t *timer);
/// Milliseconds that are left.
int64_t ps_apply_left_ms(const PsApply *apply);

/// Answers as JSON, each the caller's.
json_t *ps_apply_answer(const PsApply *apply, const PsCandidate *candidate, const char *restarted);
json_t *ps_apply_probation_json(const PsApply *apply);
json_t *ps_apply_running(void *ctx);
json_t *ps_apply_progress(void *ctx);
json_t *ps_apply_revisions(void *ctx);
PsErr ps_apply_revision(uint32_t number, PsApiChangeDone *done, void *done_ctx, void *ctx,
                        PsDiag *diag);
