//! Handlers of the routes of routes_access.c: accounts, sessions, tokens and the audit log. Inside
//! src/api only. Main thread; hashing and disk are PsAccess' worker threads.
#pragma once

#include "api/call.h"

PsApiHandler ps_api_setup;
PsApiHandler ps_api_setup_code;
PsApiHandler ps_api_set_up;
PsApiHandler ps_api_log_in;
PsApiHandler ps_api_session;
PsApiHandler ps_api_log_out;
PsApiHandler ps_api_password;
PsApiHandler ps_api_users;
PsApiHandler ps_api_user_add;
PsApiHandler ps_api_user_change;
PsApiHandler ps_api_user_remove;
PsApiHandler ps_api_tokens;
PsApiHandler ps_api_token_add;
PsApiHandler ps_api_token_remove;
PsApiHandler ps_api_audit;

/// The accounts; NULL after the call was answered with PS_ERR_UNSUPPORTED, where there are none.
PsAccess *ps_api_access_of(PsApiCall *call);
/// Also NULL, and the call answered, where they could not be read.
PsAccess *ps_api_access_read(PsApiCall *call);
/// Answers the call that is `ctx` with what came: its JSON ({} without), or a problem (429 with
/// Retry-After for what has to wait).
void ps_api_access_done(const PsAccessAnswer *answer, void *ctx);
void ps_api_access_fail(PsApiCall *call, const PsAccessAnswer *answer);
/// The new session of an answer: cookie and body, as POST /session gives it.
void ps_api_session_begun(PsApiCall *call, const PsAccessAnswer *answer);
/// A line of the audit log about a log-in or set-up of `name`: a name that is no user's is not
/// written down, it may be a password.
void ps_api_session_audit(PsApiCall *call, const PsAccessAnswer *answer, const char *name);
