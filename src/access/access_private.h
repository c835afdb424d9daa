//! PsAccess from inside, and its jobs: log-ins and changes, one after the other, so that each sees
//! what the one before it left. Inside src/access only; thread of the loop but for the worker's
//! part.
#pragma once

#include "access/accounts.h"
#include "access/audit.h"
#include "access/audit_limit.h"
#include "access/password.h"
#include "access/sessions.h"
#include "access/setup_code.h"
#include "access/throttle.h"

#include <limits.h>

typedef struct PsAccessJob PsAccessJob;

/// What a job does on the loop; all may be NULL.
typedef struct PsAccessJobKind {
    /// Its turn has come: sets `compare` and `make`.
    void (*begin)(PsAccessJob *job);
    /// The worker has compared and hashed. Makes a `draft` of the accounts when they change.
    PsErr (*judge)(PsAccessJob *job);
    /// The draft is on the disk and in its place.
    void (*finish)(PsAccessJob *job);
    bool anonymous; ///< anybody can ask for it: such jobs take half of the queue only
} PsAccessJobKind;

struct PsAccessJob {
    PsAccess *access;
    PsAccessJob *next;
    const PsAccessJobKind *kind;
    // what is asked; texts are the job's
    char name[PS_ACCOUNT_NAME_MAX + 2]; ///< one longer than a name may be, so that it is refused
    char other[PS_ACCOUNT_NAME_MAX + 2];
    char from[PS_ADDRESS_SIZE];
    char *password; ///< compared
    char *fresh;    ///< hashed
    PsRole role;
    int number; ///< disabled, days
    uint64_t session;
    bool any_owner;
    bool counted; ///< as a failure, until it is known to be none
    // the worker's
    bool compare; ///< `password` with `hash`, or with nobody's when that is ""
    bool make;    ///< of `fresh`
    char hash[PS_PASSWORD_HASH_SIZE];
    bool fits;
    char made[PS_PASSWORD_HASH_SIZE];
    PsErr made_result;
    PsAccounts *draft;
    char *text; ///< of the draft
    PsErr written;
    PsAccessDone *done;
    void *ctx;
    PsAccessAnswer answer;
};

struct PsAccess {
    uv_loop_t *loop;
    uv_timer_t timer; // writes down times of uses now and then
    uv_work_t request;
    char path[PATH_MAX];
    PsAccounts *accounts;
    PsSessions sessions;
    PsThrottle throttle;
    PsSetupCode code;
    PsAudit *audit;
    PsAuditLimit limit;
    PsErr problem;
    PsDiag problem_diag;
    bool dirty; // times that are not on the disk
    bool closing;
    void (*changed)(void *ctx);
    void *changed_ctx;
    PsAccessJob *first; // waiting
    PsAccessJob *running;
    size_t job_count;
};

/// A job for `done`; to be filled and handed to ps_access_job_put.
PsAccessJob *ps_access_job_new(PsAccess *access, const PsAccessJobKind *kind, PsAccessDone *done,
                               void *ctx);
/// Takes the job over: queues it, or answers at once (busy, closing, accounts that cannot be read).
void ps_access_job_put(PsAccessJob *job);
/// Answers with an error and frees.
void ps_access_job_refuse(PsAccessJob *job, PsErr err);
/// The draft to change: a copy of the accounts.
PsAccounts *ps_access_draft(PsAccessJob *job);
/// How many anonymous ones of this address wait or run.
size_t ps_access_jobs_from(const PsAccess *access, const char *from);

/// What is left to do when the last job has ended after ps_access_close.
void ps_access_end(PsAccess *access);
void ps_access_say_set_up(PsAccess *access, bool before);

/// Identity of a session that holds.
void ps_access_show_session(PsAccess *access, const PsSession *session, PsIdentity *ret_identity);
/// A new session as the answer of a job.
void ps_access_begin_session(PsAccessJob *job, const PsAccount *account);
