//! One call of a client, and the table of all calls. Inside src/api only.
#pragma once

#include "api/api.h"
#include "api/log_hold.h"

/// Lives until it is answered, even when the client goes away first.
typedef struct PsApiCall PsApiCall;

const PsApiSources *ps_api_call_sources(const PsApiCall *call);
/// The call's line as JSON; borrowed.
const json_t *ps_api_call_arguments(const PsApiCall *call);

/// The user at the other end, as the system says, or "uid 1001" when it has no name here. While the
/// handler runs.
void ps_api_call_user(const PsApiCall *call, char *out, size_t size);

/// What sets the log level; borrowed.
PsLogHold *ps_api_call_log_hold(const PsApiCall *call);

/// Each call is answered exactly once, at once or later on the main thread; afterwards it is gone.
/// Takes over `result`.
void ps_api_call_reply(PsApiCall *call, json_t *result);
void ps_api_call_fail(PsApiCall *call, PsErr err, const PsDiag *diag);

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
/// Answers the call that is `ctx`.
void ps_api_change_done(PsErr result, const PsDiag *diag, json_t *answer, void *ctx);

typedef void PsApiHandler(PsApiCall *call);

typedef struct PsApiRoute {
    const char *name;
    PsApiHandler *handler;
} PsApiRoute;

/// What the call `status` answers; the caller owns it.
json_t *ps_api_status_of(const PsApiSources *sources);

/// All calls; `name` NULL at the end.
extern const PsApiRoute ps_api_routes[];

PsApiHandler ps_api_status;
PsApiHandler ps_api_metrics;
PsApiHandler ps_api_tags;
PsApiHandler ps_api_alarms;
PsApiHandler ps_api_alarm_ack;
PsApiHandler ps_api_alarm_history;
PsApiHandler ps_api_alarm_shelve;
PsApiHandler ps_api_alarm_unshelve;
PsApiHandler ps_api_write;
PsApiHandler ps_api_log;
PsApiHandler ps_api_log_level;
PsApiHandler ps_api_dead;
PsApiHandler ps_api_clear;
PsApiHandler ps_api_replay;
PsApiHandler ps_api_replay_stop;
PsApiHandler ps_api_replay_status;
PsApiHandler ps_api_script_messages;
PsApiHandler ps_api_script_release;
PsApiHandler ps_api_script_run;
PsApiHandler ps_api_canary_start;
PsApiHandler ps_api_canary_status;
PsApiHandler ps_api_canary_stop;
PsApiHandler ps_api_apply;
PsApiHandler ps_api_apply_upload;
PsApiHandler ps_api_apply_progress;
PsApiHandler ps_api_confirm;
PsApiHandler ps_api_revert;
PsApiHandler ps_api_revisions;
PsApiHandler ps_api_revision;
