//! One connection from name resolution to its end: a fresh libmosquitto handle each time, so that
//! nothing of an earlier connection is sent again behind our back. Whoever holds the worker's
//! session: the link thread, for a publish also the main thread.
//! connect.c brings it up (the steps before CONNACK), session.c lives with it afterwards.
#pragma once

#include "base/time.h"
#include "link/reason.h"
#include "link/resolve.h"
#include "link/settings.h"
#include "link/tls.h"
#include "link/worker.h"

#include <mosquitto.h>
#include <poll.h>

typedef enum PsStage {
    PS_STAGE_RESOLVING,
    PS_STAGE_TCP,
    PS_STAGE_TLS,
    PS_STAGE_CONNACK,
    PS_STAGE_UP,
    PS_STAGE_FAILED,
} PsStage;

/// One publish on its way. `mid` is libmosquitto's.
typedef struct PsSlot {
    bool used;
    bool now; ///< id is a ticket of publish_now
    int mid;
    uint64_t id;
    size_t len;
    PsMono sent;
} PsSlot;

/// What the session tells its worker; called inside libmosquitto callbacks, so they must not call
/// back into the attempt.
typedef struct PsAttemptEvents {
    void (*acknowledged)(uint64_t id, bool now, size_t len, void *ctx);
    void (*received)(const struct mosquitto_message *message, void *ctx);
    void *ctx;
} PsAttemptEvents;

typedef struct PsAttempt {
    const PsLinkSettings *settings; ///< borrowed
    PsAttemptEvents events;
    bool *refused; ///< one for each subscription; outlives attempts, so that a refusal is said once

    PsStage stage;
    PsMono deadline; ///< of the stage; of the SUBACKs when up
    PsLinkFailure failure;
    PsResolve *resolve;
    PsAddresses addresses;
    size_t address_first; ///< rotates, so that one bad address is not always the first
    size_t address_tried;
    char tcp_story[192]; ///< "192.0.2.1 timed out, ..." of the addresses that failed
    PsTls *tls;
    struct mosquitto *handle;
    int connack;   ///< -1 until received
    int tcp_error; ///< errno that ended this address, 0 none yet
    int tcp_errno; ///< errno as libmosquitto's connect call left it
    int tcp_worst; ///< errno the failure is explained by

    PsSlot slots[PS_LINK_WINDOW_MAX + PS_LINK_NOW_WINDOW];
    size_t slots_used;
    size_t slots_now;    ///< of them, those a script waits for
    int *subscribe_mids; ///< 0 once answered
    size_t subscribes_waiting;
    PsMono up_since;
    PsMono looked; ///< when nothing was in flight or the socket was last read by the main thread
    bool quiet;    ///< the socket does not wake the thread for the acknowledgements that may wait
} PsAttempt;

/// Starts with name resolution. Never fails here: see the stage.
PsAttempt *ps_attempt_new(const PsLinkSettings *settings, const PsAttemptEvents *events,
                          bool *refused, size_t address_first, PsMono now);

/// Descriptor and events to wait for (fd -1 when there is nothing); reading is left out when
/// `hold_reading`.
struct pollfd ps_attempt_poll(const PsAttempt *attempt, bool hold_reading);
/// When to call step at the latest.
PsMono ps_attempt_wake_at(const PsAttempt *attempt, PsMono now);
/// Goes on after poll; the stage tells what became of it.
void ps_attempt_step(PsAttempt *attempt, short revents, PsMono now);

/// Numeric address in use; "" before TCP.
const char *ps_attempt_address(const PsAttempt *attempt);

/// Says DISCONNECT when up, closes. Accepts NULL.
void ps_attempt_free(PsAttempt *attempt);

/// failure.c: the first failure counts.
void ps_attempt_fail(PsAttempt *attempt, const PsLinkFailure *failure);
/// After a libmosquitto call failed with `code` (MOSQ_ERR_); decides the words by the stage.
void ps_attempt_fail_library(PsAttempt *attempt, int code, int error_number);

void ps_session_callbacks(struct mosquitto *handle);
/// Subscribes; called once when CONNACK 0 came.
void ps_session_begin(PsAttempt *attempt, PsMono now);
/// Goes on with other settings for the same connection: subscribes and unsubscribes the difference,
/// once it is up. `refused` is theirs. The former settings are not looked at afterwards.
void ps_session_change(PsAttempt *attempt, const PsLinkSettings *settings, bool *refused,
                       PsMono now);
/// Timers of SUBACK and PUBACK.
void ps_session_check(PsAttempt *attempt, PsMono now);
PsMono ps_session_wake_at(const PsAttempt *attempt, PsMono now);
/// Reads what has come, without waiting. For the main thread, when `quiet`.
void ps_session_drain(PsAttempt *attempt, PsMono now);
/// May `quiet` go on for another publish with nothing read before?
bool ps_session_has_patience(const PsAttempt *attempt, PsMono now);
/// Ends `quiet`: the socket wakes the thread for every byte.
void ps_session_listen(PsAttempt *attempt);
/// Hands one publish to libmosquitto; a failure fails the attempt.
void ps_session_publish(PsAttempt *attempt, const PsLinkPublish *publish, PsMono now);
