// Users and tokens of others and of one's own: lists and changes. Thread of the loop.
#include "access/access_private.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

// ---- users

static json_t *show_user(PsAccess *access, const PsAccount *account) {
    json_t *row = ps_account_show(account);
    PsMono now = ps_boot_now();
    PsMono until = ps_throttle_name_until(&access->throttle, account->name, now);
    PsWall shown = {ps_wall_now().ns + until.ns - now.ns};
    json_object_set_new(row, "locked_until",
                        until.ns != 0 ? json_real(ps_wall_seconds(shown)) : json_null());
    return row;
}

bool ps_access_has_user(const PsAccess *access, const char *name) {
    return ps_accounts_find(access->accounts, name) != NULL;
}

json_t *ps_access_users(PsAccess *access) {
    json_t *rows = json_array();
    for (size_t i = 0; i < access->accounts->count; i++) {
        json_array_append_new(rows, show_user(access, &access->accounts->items[i]));
    }
    return rows;
}

static void begin_user(PsAccessJob *job) {
    job->make = job->fresh != NULL;
}

static void finish_user(PsAccessJob *job) {
    PsAccess *access = job->access;
    const PsAccount *account = ps_accounts_find(access->accounts, job->name);
    ps_sessions_end_of(&access->sessions, job->name, 0);
    if (job->fresh != NULL) {
        ps_throttle_forget(&access->throttle, job->name);
    }
    job->answer.json = account != NULL ? show_user(access, account) : json_object();
}

static PsErr judge_add(PsAccessJob *job) {
    return ps_accounts_add(ps_access_draft(job), job->name, job->role, job->made, ps_wall_now(),
                           &job->answer.diag);
}

static const PsAccessJobKind user_add = {
    .begin = begin_user, .judge = judge_add, .finish = finish_user};

void ps_access_user_add(PsAccess *access, const char *name, PsRole role, const char *password,
                        PsAccessDone *done, void *ctx) {
    PsAccessJob *job = ps_access_job_new(access, &user_add, done, ctx);
    PsErr err = ps_accounts_check_name(name, &job->answer.diag);
    err = err != PS_OK ? err : ps_password_check(password, name, &job->answer.diag);
    if (err != PS_OK) {
        ps_access_job_refuse(job, err);
        return;
    }
    snprintf(job->name, sizeof job->name, "%s", name);
    job->role = role;
    job->fresh = ps_strdup(password);
    ps_access_job_put(job);
}

static PsErr judge_user_change(PsAccessJob *job) {
    return ps_accounts_change(ps_access_draft(job), job->name, job->role,
                              job->fresh != NULL ? job->made : NULL, job->number,
                              &job->answer.diag);
}

static const PsAccessJobKind user_change = {
    .begin = begin_user, .judge = judge_user_change, .finish = finish_user};

void ps_access_user_change(PsAccess *access, const char *name, const PsUserChange *change,
                           PsAccessDone *done, void *ctx) {
    PsAccessJob *job = ps_access_job_new(access, &user_change, done, ctx);
    PsErr err = change->password != NULL
                    ? ps_password_check(change->password, name, &job->answer.diag)
                    : PS_OK;
    if (err != PS_OK) {
        ps_access_job_refuse(job, err);
        return;
    }
    snprintf(job->name, sizeof job->name, "%s", name);
    job->role = change->role;
    job->number = change->disabled;
    job->fresh = change->password != NULL ? ps_strdup(change->password) : NULL;
    ps_access_job_put(job);
}

static PsErr judge_remove(PsAccessJob *job) {
    return ps_accounts_remove(ps_access_draft(job), job->name, &job->answer.diag);
}

static const PsAccessJobKind user_remove = {.judge = judge_remove, .finish = finish_user};

void ps_access_user_remove(PsAccess *access, const char *name, PsAccessDone *done, void *ctx) {
    PsAccessJob *job = ps_access_job_new(access, &user_remove, done, ctx);
    snprintf(job->name, sizeof job->name, "%s", name);
    ps_access_job_put(job);
}

// ---- tokens

json_t *ps_access_tokens(const PsAccess *access, const char *owner) {
    json_t *rows = json_array();
    for (size_t i = 0; i < access->accounts->token_count; i++) {
        const PsApiToken *token = &access->accounts->tokens[i];
        if (owner == NULL || (owner[0] != '\0' && strcasecmp(token->owner, owner) == 0)) {
            json_array_append_new(rows, ps_token_show(token));
        }
    }
    return rows;
}

// Its text is made here, so that it is nowhere while the job waits.
static PsErr judge_token_add(PsAccessJob *job) {
    char secret[PS_SECRET_TEXT];
    char text[PS_API_TOKEN_SIZE];
    char id[PS_TOKEN_ID_SIZE];
    ps_secret_make(secret);
    snprintf(text, sizeof text, "pst_%s", secret);
    PsAccounts *draft = ps_access_draft(job);
    PsErr err = ps_accounts_add_token(draft, job->other, job->name, job->role, job->number, text,
                                      ps_wall_now(), id, &job->answer.diag);
    if (err == PS_OK) {
        job->answer.json = ps_token_show(&draft->tokens[draft->token_count - 1]);
        json_object_set_new(job->answer.json, "token", json_string(text));
    }
    ps_secret_wipe(secret, sizeof secret);
    ps_secret_wipe(text, sizeof text);
    return err;
}

static const PsAccessJobKind token_add = {.judge = judge_token_add};

void ps_access_token_add(PsAccess *access, const char *owner, const char *name, PsRole role,
                         int days, PsAccessDone *done, void *ctx) {
    PsAccessJob *job = ps_access_job_new(access, &token_add, done, ctx);
    snprintf(job->other, sizeof job->other, "%s", owner);
    snprintf(job->name, sizeof job->name, "%s", name);
    job->role = role;
    job->number = days;
    ps_access_job_put(job);
}

static PsErr judge_token_remove(PsAccessJob *job) {
    return ps_accounts_remove_token(ps_access_draft(job), job->any_owner ? NULL : job->other,
                                    job->name, &job->answer.diag);
}

static const PsAccessJobKind token_remove = {.judge = judge_token_remove};

void ps_access_token_remove(PsAccess *access, const char *owner, const char *id, PsAccessDone *done,
                            void *ctx) {
    PsAccessJob *job = ps_access_job_new(access, &token_remove, done, ctx);
    job->any_owner = owner == NULL;
    snprintf(job->other, sizeof job->other, "%s", owner != NULL ? owner : "");
    snprintf(job->name, sizeof job->name, "%s", id);
    ps_access_job_put(job);
}
