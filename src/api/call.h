//! One call of a client: what it asks, who asks, how it is answered; and the handlers. Inside
//! src/api only. Main thread.
#pragma once

#include "api/api.h"
#include "api/log_hold.h"
#include "api/route.h"
#include "http/server.h"

/// Lives until it is answered, even when the client goes away first.
const PsApiSources *ps_api_call_sources(const PsApiCall *call);
const PsApiRoute *ps_api_call_route(const PsApiCall *call);

// ---- what is asked

/// Path and query parameters, of their declared types, and the members of a JSON object as the
/// body, in one object; of equal names the path's counts, then the query's. What the route declares
/// was checked: types, limits, required ones, nothing unknown. Borrowed.
const json_t *ps_api_call_arguments(const PsApiCall *call);
/// The body alone; JSON null when there is none. Borrowed.
const json_t *ps_api_call_body_json(const PsApiCall *call);
/// The body's bytes. Borrowed.
const uint8_t *ps_api_call_body(const PsApiCall *call, size_t *ret_len);
/// A header or cookie of the request; NULL and false when there is none.
const char *ps_api_call_header(const PsApiCall *call, const char *name);
bool ps_api_call_cookie(const PsApiCall *call, const char *name, char *out, size_t size);

/// Shorthands for ps_api_call_arguments: NULL, `fallback`, false when it is not there.
const char *ps_api_call_text(const PsApiCall *call, const char *name);
int64_t ps_api_call_integer(const PsApiCall *call, const char *name, int64_t fallback);
double ps_api_call_number(const PsApiCall *call, const char *name, double fallback);
bool ps_api_call_flag(const PsApiCall *call, const char *name);

// ---- who asks

/// On the Unix socket the user as the system says ("uid 1001" without a name here), else the
/// account's name; "" for nobody (public routes).
void ps_api_call_user(const PsApiCall *call, char *out, size_t size);
PsRole ps_api_call_role(const PsApiCall *call);
/// Never NULL; `by` is "" and the role PS_ROLE_NONE for nobody.
const PsIdentity *ps_api_call_identity(const PsApiCall *call);
/// For people and the audit log: an address, or "local" on the Unix socket.
const char *ps_api_call_peer_address(const PsApiCall *call);
bool ps_api_call_is_local(const PsApiCall *call);    ///< Unix socket
bool ps_api_call_is_loopback(const PsApiCall *call); ///< that, or this machine's own address

/// What sets the log level; borrowed.
PsLogHold *ps_api_call_log_hold(const PsApiCall *call);

// ---- the answer
// Each call is answered exactly once, at once or later on the main thread; afterwards it is gone.

/// Adds a header to the answer, such as Set-Cookie; copies. At most PS_API_HEADERS_MAX.
void ps_api_call_put_header(PsApiCall *call, const char *name, const char *value);
#define PS_API_HEADERS_MAX 8
/// The audit log's line about this call gets this as its object, or detail; copies. NULL leaves it.
void ps_api_call_note(PsApiCall *call, const char *object, const char *detail);

/// 200 with JSON. Takes over `result`.
void ps_api_call_reply(PsApiCall *call, json_t *result);
/// 200 with something else. Copies.
void ps_api_call_reply_bytes(PsApiCall *call, const char *content_type, const void *bytes,
                             size_t len);
/// A problem; the status follows from `err`.
void ps_api_call_fail(PsApiCall *call, PsErr err, const PsDiag *diag);
/// The same with another status: 401, 429 ...
void ps_api_call_fail_status(PsApiCall *call, int status, PsErr err, const PsDiag *diag);
/// The same with the findings of a check: [{"severity","object","field","text"}], taken over.
void ps_api_call_fail_findings(PsApiCall *call, PsErr err, const PsDiag *diag, json_t *findings);
/// Server-sent events: 200 text/event-stream, and the call is gone. Else PS_ERR_FULL, and the call
/// is still to be answered. See ps_http_stream_open.
PsErr ps_api_call_stream(PsApiCall *call, size_t queue_max, void (*closed)(void *ctx), void *ctx,
                         PsHttpStream **ret_stream);

/// The call takes a while: at most one does, of all clients. `cancel` is called when its client
/// goes away or the API closes; the call must still be answered, later. False when another is under
/// way.
bool ps_api_call_goes_on(PsApiCall *call, void (*cancel)(void *ctx), void *ctx);

/// The ledger row of a message; PS_ERR_NOT_FOUND with a diagnosis.
PsErr ps_api_find_message(const PsOutbox *outbox, const char *name, size_t *ret_message,
                          PsDiag *diag);

/// Asks for the change and answers the call when it is through. Who, why, base and dry_run are
/// those of the call.
void ps_api_change(PsApiCall *call, PsApiChange change);
/// The web server looks whether its certificate is another one.
void ps_api_call_look_at_web(PsApiCall *call);
/// Answers the call that is `ctx`.
void ps_api_change_done(PsErr result, const PsDiag *diag, json_t *answer, void *ctx);

/// What the call `status` answers; the caller owns it.
json_t *ps_api_status_of(const PsApiSources *sources);
