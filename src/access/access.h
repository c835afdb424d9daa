//! Who may use the gateway's API: accounts with passwords (yescrypt), sessions, API tokens, the
//! one-time code of the first administrator, delays for wrong passwords. Owns the file
//! access.json (0600) and the audit log of the state folder. Thread of the loop; hashing and disk
//! are on worker threads.
//!
//! Bounds: PS_ACCOUNTS_MAX accounts, PS_API_TOKENS_MAX tokens, PS_SESSIONS_MAX sessions (of one
//! account PS_SESSIONS_EACH: the one longest unused ends), PS_ACCESS_JOBS_MAX log-ins and changes
//! that wait; a further one is refused with PS_ERR_BUSY.
#pragma once

#include "access/role.h"
#include "base/err.h"
#include "base/time.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define PS_ACCOUNT_NAME_MAX 64
#define PS_COOKIE_SIZE 64 ///< session cookie's value with its NUL
#define PS_CSRF_SIZE 64
#define PS_API_TOKEN_SIZE 64 ///< "pst_..." with its NUL

#define PS_ACCOUNTS_MAX 100
#define PS_API_TOKENS_MAX 200
#define PS_SESSIONS_MAX 256
#define PS_SESSIONS_EACH 16
#define PS_ACCESS_JOBS_MAX 32

typedef struct PsAccess PsAccess;

/// Who is asking, as found out.
typedef struct PsIdentity {
    char name[PS_ACCOUNT_NAME_MAX + 1]; ///< of the account; of a token without one, its own
    PsRole role;
    const char *by;                      ///< "socket", "token", "session"
    char token[PS_ACCOUNT_NAME_MAX + 1]; ///< token only: its name
    char csrf[PS_CSRF_SIZE];             ///< session only
    PsWall idle_until;                   ///< session only
    PsWall expires;                      ///< session and token
    uint64_t id;                         ///< session and token: which one, for ps_access_is_valid
} PsIdentity;

typedef struct PsAccessSetup {
    uv_loop_t *loop;
    const char *folder; ///< STATE/access, made with mode 0700; borrowed during open
    int session_idle_min;
    int session_max_h;
} PsAccessSetup;

/// Reads the accounts; blocks, for the start. Where they cannot be read (damaged, no rights), that
/// is no failure: the gateway collects all the same. Then nobody is let in, nothing is changed, and
/// there is no set-up code; ps_access_problem has the reason. PS_ERR_IO: no descriptor is left.
PsErr ps_access_open(const PsAccessSetup *setup, PsAccess **ret_access, PsDiag *diag);
/// What waits is answered with PS_ERR_CANCELLED; what is being written is finished while the loop
/// runs on until nothing is left, and the memory goes then. Accepts NULL.
void ps_access_close(PsAccess *access);
/// Other limits from now on, also for the sessions there are.
void ps_access_configure(PsAccess *access, int session_idle_min, int session_max_h);
/// PS_OK, or why the accounts could not be read.
PsErr ps_access_problem(const PsAccess *access, PsDiag *diag);

/// Is there an administrator who can log in?
bool ps_access_is_set_up(const PsAccess *access);
/// Called when the answer of ps_access_is_set_up changes.
void ps_access_on_set_up(PsAccess *access, void (*changed)(void *ctx), void *ctx);

// ---- who asks: at each request

/// The session of a cookie's value, or the token; PS_ERR_DENIED when it is none or has ended. A
/// session's idle time begins anew.
PsErr ps_access_by_cookie(PsAccess *access, const char *cookie, PsIdentity *ret_identity);
PsErr ps_access_by_token(PsAccess *access, const char *token, PsIdentity *ret_identity);
/// Does the session or token still hold, with that role? For answers without an end: asked now and
/// then, they end with it. Idle time goes on. True for the Unix socket.
bool ps_access_is_valid(PsAccess *access, const PsIdentity *identity);
/// Is `csrf` (may be NULL) the session's? In the same time for every wrong one.
bool ps_access_csrf_fits(const PsIdentity *identity, const char *csrf);
/// "anna", "anna (token line 3)": for logs. Always terminated.
void ps_identity_show(const PsIdentity *identity, char *out, size_t size);

// ---- what takes a while

typedef struct PsAccessAnswer {
    PsErr err;
    PsDiag diag;                 ///< unless PS_OK
    int retry_after_s;           ///< with PS_ERR_BUSY: not before so many seconds
    PsIdentity identity;         ///< log-in and set-up
    char cookie[PS_COOKIE_SIZE]; ///< log-in and set-up
    json_t *json;                ///< users and tokens; a new token's text is its "token". Borrowed
} PsAccessAnswer;

/// Called exactly once, from the loop (also before the call that asks returns) or from close. The
/// answer is borrowed until it returns, and its secrets are wiped then.
typedef void PsAccessDone(const PsAccessAnswer *answer, void *ctx);

/// `from` is the address of the client, for delays and the audit log: all texts are copied.
/// PS_ERR_DENIED for whatever is wrong, after the same time; PS_ERR_BUSY with retry_after_s.
void ps_access_log_in(PsAccess *access, const char *name, const char *password, const char *from,
                      PsAccessDone *done, void *ctx);
void ps_access_log_out(PsAccess *access, const PsIdentity *identity);

/// The code for the first administrator, in groups for reading; `ret_expires` its end.
/// PS_ERR_REFUSED when there is an administrator, the reason when accounts cannot be read.
#define PS_SETUP_CODE_SIZE 48
PsErr ps_access_setup_code(PsAccess *access, char *out, size_t size, PsWall *ret_expires,
                           PsDiag *diag);
/// Makes the first administrator and logs him in. PS_ERR_DENIED (the code), PS_ERR_REFUSED (there
/// is one), PS_ERR_INVALID (name, password).
void ps_access_set_up(PsAccess *access, const char *code, const char *name, const char *password,
                      const char *from, PsAccessDone *done, void *ctx);

/// The session's own password; its other sessions end. PS_ERR_DENIED: `old` is wrong.
void ps_access_change_password(PsAccess *access, const PsIdentity *identity, const char *old,
                               const char *fresh, const char *from, PsAccessDone *done, void *ctx);

/// Whether a name is a user's: what was typed for a name and is none may be a password, and does
/// not belong into logs.
bool ps_access_has_user(const PsAccess *access, const char *name);
/// [{"name","role","created","last_login","disabled","locked_until"}]; the caller owns it.
json_t *ps_access_users(PsAccess *access);
/// PS_ERR_EXISTS, PS_ERR_INVALID, PS_ERR_FULL.
void ps_access_user_add(PsAccess *access, const char *name, PsRole role, const char *password,
                        PsAccessDone *done, void *ctx);
typedef struct PsUserChange {
    PsRole role;          ///< PS_ROLE_NONE: as it is
    const char *password; ///< NULL: as it is
    int disabled;         ///< -1: as it is
} PsUserChange;
/// The user's sessions end. PS_ERR_NOT_FOUND; PS_ERR_REFUSED for the last administrator.
void ps_access_user_change(PsAccess *access, const char *name, const PsUserChange *change,
                           PsAccessDone *done, void *ctx);
/// With the user's tokens.
void ps_access_user_remove(PsAccess *access, const char *name, PsAccessDone *done, void *ctx);

/// [{"id","name","owner","role","created","expires","last_used"}] of one account, NULL for all; the
/// caller owns it. Those of the command line have the owner null.
json_t *ps_access_tokens(const PsAccess *access, const char *owner);
/// `owner` "" for the command line. Its role is never more than the owner's has become.
/// PS_ERR_EXISTS (the owner has one of this name), PS_ERR_FULL, PS_ERR_INVALID.
void ps_access_token_add(PsAccess *access, const char *owner, const char *name, PsRole role,
                         int days, PsAccessDone *done, void *ctx);
/// `owner` NULL: whoever's. PS_ERR_NOT_FOUND also for another's.
void ps_access_token_remove(PsAccess *access, const char *owner, const char *id, PsAccessDone *done,
                            void *ctx);

// ---- the audit log

/// A line of the audit log; never waits. Texts are borrowed for the call and may be NULL; `from` is
/// an address. Lines wait in memory (PS_AUDIT_WAITING_MAX) while the disk takes none; further ones
/// are lost, counted, and the count is written. `result` is "ok", or what kept it from happening:
/// of those, more than one a second in the long run are only counted, so that knocking at the door
/// does not wash the log away.
void ps_access_audit(PsAccess *access, const char *who, const char *from, const char *what,
                     const char *object, const char *result, const char *detail);

typedef struct PsAuditQuery {
    int64_t before;     ///< only ids below; 0: from the newest
    int64_t after;      ///< unless -1: ids above, oldest first
    int limit;          ///< 1..1000
    const char *who;    ///< NULL: whoever; else exactly
    const char *what;   ///< NULL: whatever; else how it begins
    const char *search; ///< NULL; else found in any text, whatever the case
} PsAuditQuery;

/// Newest first, unless `after` is given. The answer's json is {"items":[{"id","time","who","from",
/// "what","object","result","detail"}],"next":id or null}: `next` is the `before` (or `after`) of
/// the next page. Sees everything that was put before. PS_ERR_BUSY when eight others wait.
void ps_access_audit_find(PsAccess *access, const PsAuditQuery *query, PsAccessDone *done,
                          void *ctx);
