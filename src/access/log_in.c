// Log-in, log-out, the first administrator, and changing one's own password. Thread of the loop.
#include "access/access_private.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define WAITING_EACH 4 // log-ins of one address that wait at once

static PsErr fail_log_in(PsDiag *diag) {
    return ps_fail(PS_ERR_DENIED, diag, "log-in", NULL, "the name or the password is wrong");
}

void ps_access_begin_session(PsAccessJob *job, const PsAccount *account) {
    PsAccess *access = job->access;
    const PsSession *session =
        ps_sessions_begin(&access->sessions, account->name, ps_boot_now(), job->answer.cookie);
    ps_access_show_session(access, session, &job->answer.identity);
}

// ---- log-in

static void begin_log_in(PsAccessJob *job) {
    const PsAccount *account = ps_accounts_find(job->access->accounts, job->name);
    job->compare = true; // against nobody's, too
    if (account != NULL) {
        memcpy(job->hash, account->password, sizeof job->hash);
    }
}

static PsErr judge_log_in(PsAccessJob *job) {
    PsAccess *access = job->access;
    PsAccount *account = ps_accounts_find(access->accounts, job->name);
    if (account == NULL || !job->fits || account->disabled) {
        return fail_log_in(&job->answer.diag);
    }
    ps_throttle_good(&access->throttle, job->name, job->from);
    account->last_login = ps_wall_now();
    access->dirty = true;
    ps_access_begin_session(job, account);
    return PS_OK;
}

static const PsAccessJobKind log_in = {
    .begin = begin_log_in,
    .judge = judge_log_in,
    .anonymous = true,
};

// What can be refused without looking at the password. True: the job is answered.
static bool is_held_off(PsAccess *access, PsAccessJob *job) {
    int64_t wait_ns = 0;
    if (ps_access_jobs_from(access, job->from) >= WAITING_EACH) {
        wait_ns = 2 * PS_NS_PER_S;
    } else if (!access->closing && access->problem == PS_OK) {
        wait_ns = ps_throttle_begin(&access->throttle, job->name, job->from, ps_boot_now());
    }
    if (wait_ns <= 0) {
        job->counted = true;
        return false;
    }
    int seconds = (int)((wait_ns + PS_NS_PER_S - 1) / PS_NS_PER_S);
    ps_diag_set(&job->answer.diag, "log-in", NULL,
                "too many log-ins failed; try again in %d seconds", seconds);
    job->answer.retry_after_s = seconds;
    ps_access_job_refuse(job, PS_ERR_BUSY);
    return true;
}

void ps_access_log_in(PsAccess *access, const char *name, const char *password, const char *from,
                      PsAccessDone *done, void *ctx) {
    PsAccessJob *job = ps_access_job_new(access, &log_in, done, ctx);
    // What is too long for a name is nobody's, as is none.
    snprintf(job->name, PS_ACCOUNT_NAME_MAX + 1, "%s", name[0] != '\0' ? name : "-");
    if (strlen(name) > PS_ACCOUNT_NAME_MAX) {
        job->name[0] = '-';
    }
    ps_throttle_address(from, job->from);
    if (is_held_off(access, job)) {
        return;
    }
    char given[PS_PASSWORD_MOST + 2]; // one byte more is enough to be wrong
    snprintf(given, sizeof given, "%s", password);
    job->password = ps_strdup(given);
    ps_secret_wipe(given, sizeof given);
    ps_access_job_put(job);
}

void ps_access_log_out(PsAccess *access, const PsIdentity *identity) {
    PsSession *session = strcmp(identity->by, "session") == 0
                             ? ps_sessions_by_id(&access->sessions, identity->id, ps_boot_now())
                             : NULL;
    if (session != NULL) {
        ps_session_end(session);
    }
}

// ---- the first administrator

static void begin_set_up(PsAccessJob *job) {
    job->make = true;
}

static PsErr judge_set_up(PsAccessJob *job) {
    PsAccess *access = job->access;
    if (ps_access_is_set_up(access)) { // while it waited
        return ps_fail(PS_ERR_REFUSED, &job->answer.diag, "set-up", NULL,
                       "there is an administrator already; log in");
    }
    PsWall now = ps_wall_now();
    PsAccounts *draft = ps_access_draft(job);
    PsErr err =
        ps_accounts_add(draft, job->name, PS_ROLE_ADMINISTRATOR, job->made, now, &job->answer.diag);
    if (err == PS_OK) {
        ps_accounts_find(draft, job->name)->last_login = now;
    }
    return err;
}

static void finish_set_up(PsAccessJob *job) {
    PsAccess *access = job->access;
    ps_throttle_good(&access->throttle, job->name, job->from);
    ps_access_begin_session(job, ps_accounts_find(access->accounts, job->name));
    PS_LOGI("SETUP", "the first administrator is '%s'", job->name);
}

static const PsAccessJobKind set_up = {
    .begin = begin_set_up,
    .judge = judge_set_up,
    .finish = finish_set_up,
};

static PsErr check_code(PsAccess *access, const char *code, PsDiag *diag) {
    char kept[PS_SETUP_CODE_SIZE];
    PsWall expires;
    PsErr err =
        ps_access_setup_code(access, kept, sizeof kept, &expires, diag); // not one that ended
    ps_secret_wipe(kept, sizeof kept);
    if (err != PS_OK) {
        return err;
    }
    if (ps_setup_code_try(&access->code, code, ps_boot_now())) {
        return PS_OK;
    }
    if (ps_setup_code_is_over(&access->code, ps_boot_now())) {
        err = ps_access_setup_code(access, kept, sizeof kept, &expires, diag);
        ps_secret_wipe(kept, sizeof kept);
        PS_LOGW("SETUP", "too many wrong set-up codes: there is a new one");
    }
    return ps_fail(PS_ERR_DENIED, diag, "set-up", "code",
                   "is wrong or has ended; `penstock setup-code` on the gateway shows the one that "
                   "holds");
}

void ps_access_set_up(PsAccess *access, const char *code, const char *name, const char *password,
                      const char *from, PsAccessDone *done, void *ctx) {
    PsAccessJob *job = ps_access_job_new(access, &set_up, done, ctx);
    PsErr err = check_code(access, code, &job->answer.diag);
    err = err != PS_OK ? err : ps_accounts_check_name(name, &job->answer.diag);
    err = err != PS_OK ? err : ps_password_check(password, name, &job->answer.diag);
    if (err != PS_OK) {
        ps_access_job_refuse(job, err);
        return;
    }
    snprintf(job->name, sizeof job->name, "%s", name);
    ps_throttle_address(from, job->from);
    job->fresh = ps_strdup(password);
    ps_access_job_put(job);
}

// ---- one's own password

static void begin_change(PsAccessJob *job) {
    begin_log_in(job);
    job->make = true;
}

static PsErr judge_change(PsAccessJob *job) {
    PsAccess *access = job->access;
    const PsSession *session = ps_sessions_by_id(&access->sessions, job->session, ps_boot_now());
    if (session == NULL) {
        return ps_fail(PS_ERR_DENIED, &job->answer.diag, "session", NULL, "has ended; log in anew");
    }
    if (!job->fits) {
        return ps_fail(PS_ERR_DENIED, &job->answer.diag, "user", "old",
                       "is not the present password");
    }
    ps_throttle_good(&access->throttle, job->name, job->from);
    return ps_accounts_change(ps_access_draft(job), job->name, PS_ROLE_NONE, job->made, -1,
                              &job->answer.diag);
}

static void finish_change(PsAccessJob *job) {
    ps_sessions_end_of(&job->access->sessions, job->name, job->session);
}

static const PsAccessJobKind change_password = {
    .begin = begin_change,
    .judge = judge_change,
    .finish = finish_change,
};

void ps_access_change_password(PsAccess *access, const PsIdentity *identity, const char *old,
                               const char *fresh, const char *from, PsAccessDone *done, void *ctx) {
    PsAccessJob *job = ps_access_job_new(access, &change_password, done, ctx);
    snprintf(job->name, sizeof job->name, "%s", identity->name);
    ps_throttle_address(from, job->from);
    job->session = identity->id;
    if (strcmp(identity->by, "session") != 0) {
        ps_access_job_refuse(job, ps_fail(PS_ERR_REFUSED, &job->answer.diag, "user", NULL,
                                          "only somebody who has logged in has an own password"));
        return;
    }
    PsErr err = ps_password_check(fresh, job->name, &job->answer.diag);
    if (err != PS_OK) {
        snprintf(job->answer.diag.field, sizeof job->answer.diag.field, "new");
        ps_access_job_refuse(job, err);
        return;
    }
    if (is_held_off(access, job)) { // a stolen session is no way to guess the password
        return;
    }
    job->password = ps_strdup(old);
    job->fresh = ps_strdup(fresh);
    ps_access_job_put(job);
}
