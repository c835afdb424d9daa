// Opening, closing, and the questions of each request. Thread of the loop; opening blocks on the
// disk, closing writes a small file.
#include "access/access_private.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_NAME "access.json"
#define TIMES_MS (15 * 60000) // how often last log-ins and uses are written down: flash wears out

// ---- opening

static PsErr read_accounts(PsAccess *access, PsDiag *diag) {
    PS_AUTO_BUF PsBuf text = {0};
    PsErr err = ps_file_read(access->path, PS_ACCOUNTS_TEXT_MAX, &text, diag);
    if (err == PS_ERR_NOT_FOUND) {
        return PS_OK; // the first start
    }
    if (err != PS_OK) {
        return err;
    }
    PsDiag found = {0};
    char place[sizeof found];
    err = ps_accounts_read(text.data, text.len, access->accounts, &found);
    ps_secret_wipe(text.data, text.len);
    if (err != PS_OK) {
        ps_diag_format(&found, place, sizeof place);
        return ps_fail(err, diag, access->path, NULL,
                       "%.200s. Nobody can log in. Put a copy from before in its place, or move it "
                       "away, start the gateway anew and run `penstock setup-code`",
                       place);
    }
    return PS_OK;
}

static void keep_private(PsAccess *access) {
    struct stat status;
    if (stat(access->path, &status) == 0 && (status.st_mode & 077) != 0) {
        PS_LOGW("ACCESS", "%s could be read or changed by other users (mode %03o); it is 600 again",
                access->path, status.st_mode & 0777);
        ps_file_keep_private(access->path);
    }
}

static PsErr open_folder(PsAccess *access, const char *folder, PsDiag *diag) {
    int length = snprintf(access->path, sizeof access->path, "%s/" FILE_NAME, folder);
    if (length < 0 || (size_t)length >= sizeof access->path) {
        return ps_fail(PS_ERR_TOO_BIG, diag, folder, NULL, "the path is too long");
    }
    PsErr err = ps_dir_make(folder, 0700, diag);
    if (err != PS_OK) {
        return err;
    }
    if (chmod(folder, 0700) != 0) {
        PS_LOGW("ACCESS", "%s: its mode cannot be set to 700: %s", folder, strerror(errno));
    }
    keep_private(access);
    return read_accounts(access, diag);
}

static void make_code(PsAccess *access) {
    uint8_t random[PS_SETUP_CODE_BYTES];
    ps_secret_random(random, sizeof random);
    ps_setup_code_make(&access->code, random, ps_boot_now());
    ps_secret_wipe(random, sizeof random);
}

static const PsAccessJobKind times_job;

static void on_timer(uv_timer_t *timer) {
    PsAccess *access = timer->data;
    if (access->dirty && access->running == NULL) {
        ps_access_job_put(ps_access_job_new(access, &times_job, NULL, NULL));
    }
}

PsErr ps_access_open(const PsAccessSetup *setup, PsAccess **ret_access, PsDiag *diag) {
    PsAccess *access = ps_alloc(sizeof *access);
    access->loop = setup->loop;
    access->accounts = ps_alloc(sizeof *access->accounts);
    access->request.data = access;
    access->problem = open_folder(access, setup->folder, &access->problem_diag);
    access->audit = ps_audit_open(setup->loop, setup->folder);
    ps_access_configure(access, setup->session_idle_min, setup->session_max_h);
    uv_timer_init(setup->loop, &access->timer);
    access->timer.data = access;
    uv_timer_start(&access->timer, on_timer, TIMES_MS, TIMES_MS);
    uv_unref((uv_handle_t *)&access->timer);
    if (access->problem != PS_OK) {
        char text[sizeof access->problem_diag];
        ps_diag_format(&access->problem_diag, text, sizeof text);
        PS_LOGE("ACCESS", "%s", text);
    } else if (!ps_access_is_set_up(access)) {
        make_code(access);
        PS_LOGW("SETUP", "there is no administrator yet, and only this machine is answered over "
                         "HTTPS: run `penstock setup-code` here and open the gateway's page");
    }
    *ret_access = access;
    return PS_OK;
}

void ps_access_configure(PsAccess *access, int session_idle_min, int session_max_h) {
    access->sessions.idle_ns = session_idle_min * INT64_C(60) * PS_NS_PER_S;
    access->sessions.longest_ns = session_max_h * INT64_C(3600) * PS_NS_PER_S;
}

PsErr ps_access_problem(const PsAccess *access, PsDiag *diag) {
    if (access->problem != PS_OK && diag != NULL) {
        *diag = access->problem_diag;
    }
    return access->problem;
}

// ---- closing

static PsErr judge_times(PsAccessJob *job) {
    (void)ps_access_draft(job);
    job->access->dirty = false; // what comes now is noted again
    return PS_OK;
}

static const PsAccessJobKind times_job = {.judge = judge_times};

static void on_closed(uv_handle_t *handle) {
    PsAccess *access = handle->data;
    ps_secret_wipe(access->accounts, sizeof *access->accounts);
    free(access->accounts);
    ps_secret_wipe(access, sizeof *access);
    free(access);
}

void ps_access_end(PsAccess *access) {
    if (access->dirty && access->problem == PS_OK) {
        char *text = ps_accounts_write(access->accounts);
        PsErr err = ps_file_write(access->path, text, strlen(text), 0600, NULL);
        (void)err; // only when somebody was last here is lost
        ps_secret_free(text);
    }
    ps_audit_close(access->audit);
    uv_close((uv_handle_t *)&access->timer, on_closed);
}

void ps_access_close(PsAccess *access) {
    if (access == NULL || access->closing) {
        return;
    }
    access->closing = true;
    uv_timer_stop(&access->timer);
    while (access->first != NULL) {
        PsAccessJob *job = access->first;
        access->first = job->next;
        access->job_count--;
        ps_diag_set(&job->answer.diag, "gateway", NULL, "is stopping; ask again later");
        ps_access_job_refuse(job, PS_ERR_CANCELLED);
    }
    if (access->running == NULL) {
        ps_access_end(access);
    }
}

// ---- is it set up

bool ps_access_is_set_up(const PsAccess *access) {
    return ps_accounts_has_administrator(access->accounts, NULL);
}

void ps_access_on_set_up(PsAccess *access, void (*changed)(void *ctx), void *ctx) {
    access->changed = changed;
    access->changed_ctx = ctx;
}

void ps_access_say_set_up(PsAccess *access, bool before) {
    bool now = ps_access_is_set_up(access);
    if (now) {
        ps_setup_code_wipe(&access->code);
    }
    if (now != before && access->changed != NULL && !access->closing) {
        access->changed(access->changed_ctx);
    }
}

PsErr ps_access_setup_code(PsAccess *access, char *out, size_t size, PsWall *ret_expires,
                           PsDiag *diag) {
    if (access->problem != PS_OK) {
        return ps_access_problem(access, diag);
    }
    if (ps_access_is_set_up(access)) {
        return ps_fail(PS_ERR_REFUSED, diag, "set-up", NULL,
                       "is done: there is an administrator. `penstock users password NAME` gives "
                       "one whose password was forgotten another");
    }
    PsMono now = ps_boot_now();
    if (ps_setup_code_is_over(&access->code, now)) {
        make_code(access);
    }
    snprintf(out, size, "%s", access->code.text);
    *ret_expires = (PsWall){ps_wall_now().ns + access->code.ends.ns - now.ns};
    return PS_OK;
}

// ---- who asks

void ps_access_show_session(PsAccess *access, const PsSession *session, PsIdentity *ret_identity) {
    int64_t shift = ps_wall_now().ns - ps_boot_now().ns; // ends are shown on the wall clock
    const PsAccount *account = ps_accounts_find(access->accounts, session->name);
    *ret_identity = (PsIdentity){
        .role = account != NULL ? account->role : PS_ROLE_NONE,
        .by = "session",
        .idle_until = {ps_sessions_idle_end(&access->sessions, session).ns + shift},
        .expires = {ps_sessions_last_end(&access->sessions, session).ns + shift},
        .id = session->id,
    };
    snprintf(ret_identity->name, sizeof ret_identity->name, "%s", session->name);
    snprintf(ret_identity->csrf, sizeof ret_identity->csrf, "%s", session->csrf);
}

// Sessions of such accounts were ended; a second look costs nothing.
static bool may_be_used(PsAccess *access, const PsSession *session) {
    const PsAccount *account =
        session != NULL ? ps_accounts_find(access->accounts, session->name) : NULL;
    return account != NULL && !account->disabled;
}

PsErr ps_access_by_cookie(PsAccess *access, const char *cookie, PsIdentity *ret_identity) {
    PsMono now = ps_boot_now();
    PsSession *session = ps_sessions_find(&access->sessions, cookie, now);
    if (!may_be_used(access, session)) {
        return PS_ERR_DENIED;
    }
    session->used = now;
    ps_access_show_session(access, session, ret_identity);
    return PS_OK;
}

PsErr ps_access_by_token(PsAccess *access, const char *token, PsIdentity *ret_identity) {
    uint8_t hash[PS_SECRET_HASH];
    PsRole role = PS_ROLE_NONE;
    PsWall now = ps_wall_now();
    ps_secret_hash(token, hash);
    PsApiToken *found = ps_accounts_token_of(access->accounts, hash, now, &role);
    if (found == NULL) {
        return PS_ERR_DENIED;
    }
    found->last_used = now;
    access->dirty = true;
    *ret_identity = (PsIdentity){
        .role = role, .by = "token", .expires = found->expires, .id = ps_token_number(found)};
    snprintf(ret_identity->name, sizeof ret_identity->name, "%s",
             found->owner[0] != '\0' ? found->owner : found->name);
    snprintf(ret_identity->token, sizeof ret_identity->token, "%s", found->name);
    return PS_OK;
}

bool ps_access_is_valid(PsAccess *access, const PsIdentity *identity) {
    if (strcmp(identity->by, "session") == 0) {
        const PsSession *session =
            ps_sessions_by_id(&access->sessions, identity->id, ps_boot_now());
        return may_be_used(access, session) &&
               ps_accounts_find(access->accounts, session->name)->role == identity->role;
    }
    if (strcmp(identity->by, "token") == 0) {
        PsRole role = PS_ROLE_NONE;
        return ps_accounts_token_by_number(access->accounts, identity->id, ps_wall_now(), &role) !=
                   NULL &&
               role == identity->role;
    }
    return strcmp(identity->by, "socket") == 0;
}

bool ps_access_csrf_fits(const PsIdentity *identity, const char *csrf) {
    return csrf != NULL && identity->csrf[0] != '\0' && ps_secret_equal_text(identity->csrf, csrf);
}

void ps_identity_show(const PsIdentity *identity, char *out, size_t size) {
    if (identity->token[0] == '\0') {
        snprintf(out, size, "%s", identity->name);
    } else if (strcmp(identity->token, identity->name) == 0) {
        snprintf(out, size, "token %s", identity->token);
    } else {
        snprintf(out, size, "%s (token %s)", identity->name, identity->token);
    }
}

// ---- the audit log

void ps_access_audit(PsAccess *access, const char *who, const char *from, const char *what,
                     const char *object, const char *result, const char *detail) {
    char longer[500];
    if (result != NULL && strcmp(result, "ok") != 0) {
        if (!ps_audit_limit_take(&access->limit, ps_boot_now())) {
            return;
        }
        if (access->limit.left_out > 0) {
            snprintf(longer, sizeof longer, "%.300s%s(before it %llu more refusals are left out)",
                     detail != NULL ? detail : "", detail != NULL && detail[0] != '\0' ? " " : "",
                     (unsigned long long)access->limit.left_out);
            access->limit.left_out = 0;
            detail = longer;
        }
    }
    ps_audit_put(access->audit, &(PsAuditLine){who, from, what, object, result, detail},
                 ps_wall_now());
}

void ps_access_audit_find(PsAccess *access, const PsAuditQuery *query, PsAccessDone *done,
                          void *ctx) {
    ps_audit_find(access->audit, query, done, ctx);
}
