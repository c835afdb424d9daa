//! Who may use the gateway's API: accounts with passwords (yescrypt), sessions, API tokens, the
//! one-time code of the first administrator, delays for wrong passwords. Owns the file
//! access.json (0600) and the audit log of the state folder. Thread of the loop; hashing and disk
//! are on worker threads.
#pragma once

#include "base/err.h"
#include "base/time.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/// Each includes those before it.
typedef enum PsRole {
    PS_ROLE_NONE,
    PS_ROLE_VIEWER,
    PS_ROLE_OPERATOR,      ///< writes to PLCs, acknowledges alarms, replays
    PS_ROLE_ENGINEER,      ///< configuration, scripts, log level
    PS_ROLE_ADMINISTRATOR, ///< users, tokens, audit log, web server
} PsRole;

/// "viewer", "operator", "engineer", "administrator", "none". Never NULL.
const char *ps_role_name(PsRole role);
/// PS_ROLE_NONE for what is none.
PsRole ps_role_of(const char *name);

#define PS_ACCOUNT_NAME_MAX 64
#define PS_COOKIE_SIZE 64 ///< session cookie's value with its NUL
#define PS_CSRF_SIZE 64
#define PS_TOKEN_SIZE 64 ///< "pst_..." with its NUL

typedef struct PsAccess PsAccess;

/// Who is asking, as found out.
typedef struct PsIdentity {
    char name[PS_ACCOUNT_NAME_MAX + 1];
    PsRole role;
    const char *by;          ///< "socket", "token", "session"
    char csrf[PS_CSRF_SIZE]; ///< session only
    PsWall idle_until;       ///< session only
    PsWall expires;          ///< session and token
} PsIdentity;

typedef struct PsAccessSetup {
    uv_loop_t *loop;
    const char *folder; ///< STATE/access, made with mode 0700
    int session_idle_min;
    int session_max_h;
} PsAccessSetup;

/// Reads the accounts; blocks, for the start. PS_ERR_CORRUPT, PS_ERR_IO.
PsErr ps_access_open(const PsAccessSetup *setup, PsAccess **ret_access, PsDiag *diag);
/// Waits for what is being written. Accepts NULL.
void ps_access_close(PsAccess *access);
/// Other limits from now on.
void ps_access_configure(PsAccess *access, int session_idle_min, int session_max_h);
/// Is there an administrator who can log in?
bool ps_access_is_set_up(const PsAccess *access);
/// Called when the answer of ps_access_is_set_up changes.
void ps_access_on_set_up(PsAccess *access, void (*changed)(void *ctx), void *ctx);

/// The session of a cookie's value, or the token; PS_ERR_DENIED when it is none or has ended. A
/// session's idle time begins anew.
PsErr ps_access_by_cookie(PsAccess *access, const char *cookie, PsIdentity *ret_identity);
PsErr ps_access_by_token(PsAccess *access, const char *token, PsIdentity *ret_identity);

/// A line of the audit log; never waits. Texts are borrowed for the call; `from` is an address.
void ps_access_audit(PsAccess *access, const char *who, const char *from, const char *what,
                     const char *object, const char *result, const char *detail);
