// Handlers of log-in, log-out, the session and one's own password; and how answers of PsAccess
// become answers of the API. Main thread.
#include "api/handlers_access.h"

#include "access/secret.h"
#include "api/values.h"

#include <stdio.h>
#include <string.h>

// __Host-: only over TLS, from this host, for every path (RFC 6265bis, section 4.1.3.2).
#define COOKIE "__Host-penstock"
#define COOKIE_RULES "; Path=/; Secure; HttpOnly; SameSite=Strict"

PsAccess *ps_api_access_of(PsApiCall *call) {
    PsAccess *access = ps_api_call_sources(call)->access;
    if (access == NULL) {
        PsDiag diag = {0};
        ps_diag_set(&diag, "gateway", NULL, "has no accounts");
        ps_api_call_fail(call, PS_ERR_UNSUPPORTED, &diag);
    }
    return access;
}

PsAccess *ps_api_access_read(PsApiCall *call) {
    PsAccess *access = ps_api_access_of(call);
    PsDiag diag = {0};
    PsErr err = access != NULL ? ps_access_problem(access, &diag) : PS_OK;
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
        return NULL;
    }
    return access;
}

void ps_api_access_fail(PsApiCall *call, const PsAccessAnswer *answer) {
    if (answer->retry_after_s > 0) {
        char seconds[16];
        snprintf(seconds, sizeof seconds, "%d", answer->retry_after_s);
        ps_api_call_put_header(call, "Retry-After", seconds);
        ps_api_call_fail_status(call, 429, answer->err, &answer->diag);
    } else {
        ps_api_call_fail(call, answer->err, &answer->diag);
    }
}

void ps_api_access_done(const PsAccessAnswer *answer, void *ctx) {
    PsApiCall *call = ctx;
    if (answer->err != PS_OK) {
        ps_api_access_fail(call, answer);
    } else {
        ps_api_call_reply(call, answer->json != NULL ? json_incref(answer->json) : json_object());
    }
}

static json_t *show(const PsIdentity *identity) {
    json_t *result = json_pack("{s:s, s:s, s:s}", "name", identity->name, "role",
                               ps_role_name(identity->role), "by", identity->by);
    if (identity->csrf[0] != '\0') {
        json_object_set_new(result, "csrf", json_string(identity->csrf));
        json_object_set_new(result, "idle_until", ps_api_time(identity->idle_until));
    }
    if (identity->expires.ns != 0) {
        json_object_set_new(result, "expires", ps_api_time(identity->expires));
    }
    return result;
}

void ps_api_session_begun(PsApiCall *call, const PsAccessAnswer *answer) {
    char cookie[sizeof COOKIE "=" COOKIE_RULES + PS_COOKIE_SIZE];
    snprintf(cookie, sizeof cookie, COOKIE "=%s" COOKIE_RULES, answer->cookie);
    ps_api_call_put_header(call, "Set-Cookie", cookie);
    ps_secret_wipe(cookie, sizeof cookie);
    // The session that the browser had before, if any, ends: it would only be left lying about.
    ps_access_log_out(ps_api_call_sources(call)->access, ps_api_call_identity(call));
    ps_api_call_reply(call, show(&answer->identity));
}

void ps_api_session_audit(PsApiCall *call, const PsAccessAnswer *answer, const char *name) {
    PsAccess *access = ps_api_call_sources(call)->access;
    const char *result = answer->err == PS_OK           ? "ok"
                         : answer->retry_after_s > 0    ? "throttled"
                         : answer->err == PS_ERR_DENIED ? "denied"
                                                        : ps_err_name(answer->err);
    bool known = ps_access_has_user(access, name);
    ps_access_audit(access, answer->err == PS_OK ? answer->identity.name : "",
                    ps_api_call_peer_address(call), ps_api_call_route(call)->id,
                    known ? name : "(no user's name)", result,
                    answer->err == PS_OK ? NULL : answer->diag.text);
}

static void on_log_in(const PsAccessAnswer *answer, void *ctx) {
    PsApiCall *call = ctx;
    ps_api_session_audit(call, answer, ps_api_call_text(call, "name"));
    if (answer->err == PS_OK) {
        ps_api_session_begun(call, answer);
    } else if (answer->err == PS_ERR_DENIED) {
        ps_api_call_fail_status(call, 401, answer->err, &answer->diag);
    } else {
        ps_api_access_fail(call, answer);
    }
}

void ps_api_log_in(PsApiCall *call) {
    PsAccess *access = ps_api_access_of(call);
    if (access != NULL) {
        ps_access_log_in(access, ps_api_call_text(call, "name"), ps_api_call_text(call, "password"),
                         ps_api_call_peer_address(call), on_log_in, call);
    }
}

void ps_api_session(PsApiCall *call) {
    ps_api_call_reply(call, show(ps_api_call_identity(call)));
}

void ps_api_log_out(PsApiCall *call) {
    PsAccess *access = ps_api_access_of(call);
    if (access == NULL) {
        return;
    }
    ps_access_log_out(access, ps_api_call_identity(call));
    ps_api_call_put_header(call, "Set-Cookie", COOKIE "=; Max-Age=0" COOKIE_RULES);
    ps_api_call_reply(call, json_object());
}

void ps_api_password(PsApiCall *call) {
    PsAccess *access = ps_api_access_of(call);
    if (access != NULL) {
        ps_access_change_password(access, ps_api_call_identity(call), ps_api_call_text(call, "old"),
                                  ps_api_call_text(call, "new"), ps_api_call_peer_address(call),
                                  ps_api_access_done, call);
    }
}
