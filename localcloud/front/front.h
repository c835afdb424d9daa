//! The message broker of the local AWS IoT Core as its clients see it: all connections, and what
//! concerns more than one of them. The routing itself is done by an unmodified MQTT broker behind
//! it. Main thread; nothing blocks but the local database.
#pragma once

#include "base/buf.h"
#include "localcloud/faults/faults.h"
#include "localcloud/front/limits.h"
#include "localcloud/front/reactions.h"
#include "localcloud/front/store.h"
#include "localcloud/front/world.h"

typedef struct PsFront PsFront;

typedef struct PsFrontOptions {
    const PsFrontWorld *world; ///< borrowed
    PsStore *store;            ///< borrowed; NULL: nothing outlives the process
    PsFaults *faults;          ///< borrowed; NULL: nothing goes wrong on command
    PsLimits limits;
    PsReactions reactions;
} PsFrontOptions;

PsFront *ps_front_new(const PsFrontOptions *options);
/// Ends all connections (MQTT 5: DISCONNECT 0x8B). The loop goes on until ps_front_is_empty.
void ps_front_stop(PsFront *front);
bool ps_front_is_empty(const PsFront *front);
/// All streams must have ended. Accepts NULL.
void ps_front_free(PsFront *front);

/// A connection whose handshake is done; the stream is the front's from now on.
void ps_front_accept(PsFront *front, PsStream *stream, const PsFrontPeer *peer);
/// Lets time pass; returns when to call it again at the latest (see PsFrontWorld.wake_at).
PsMono ps_front_tick(PsFront *front);

/// May be changed at any time; what is connected keeps what its CONNACK said.
PsLimits *ps_front_limits(PsFront *front);
PsReactions *ps_front_reactions(PsFront *front);

/// Rules of faults were taken away: answers they withheld go out.
void ps_front_faults_changed(PsFront *front);

/// Policies, groups or attachments have changed.
void ps_front_refresh(PsFront *front);
/// The certificate may not connect any more: ends its connections.
void ps_front_cut_certificate(PsFront *front, const char *certificate_id);
/// The same for every certificate that PsFrontWorld.may_connect does not know any more.
void ps_front_check_certificates(PsFront *front);
/// DeleteConnection. PS_ERR_NOT_FOUND.
PsErr ps_front_disconnect(PsFront *front, const char *client_id, bool clean_session,
                          bool prevent_will);

/// A message, given or taken.
typedef struct PsFrontMessage {
    PsBytes topic;
    PsBytes payload;
    PsBytes props; ///< encoded properties of MQTT 5 (property.h)
    uint8_t qos;   ///< 0 or 1
    bool retain;
    int64_t modified_ms; ///< of a retained one
} PsFrontMessage;

/// Publishes as the cloud itself (services, HTTPS): no policy, no limit on rates. Waits in memory,
/// bounded, until the broker's connection is up. PS_ERR_INVALID (no topic to publish to, retained
/// on a `$` topic), PS_ERR_TOO_BIG, PS_ERR_FULL.
PsErr ps_front_publish(PsFront *front, const PsFrontMessage *message, PsDiag *diag);
/// For PsServiceOut.direct: nothing happens when the client is not connected.
void ps_front_direct(PsFront *front, const char *client_id, const char *topic, PsBytes payload);

/// The retained message of `topic`, or with `after` the next one in byte order (empty: the first).
/// Borrowed until the next call.
bool ps_front_find_retained(PsFront *front, PsBytes topic, bool after, PsFrontMessage *ret_message);

/// A subscriber of the cloud's own: the console. Retained messages of exact filters come at once.
typedef struct PsFrontTap PsFrontTap;
typedef void PsFrontDeliver(void *ctx, const PsFrontMessage *message);
/// PS_ERR_INVALID: a filter that is none. PS_ERR_IO: the broker cannot be reached.
PsErr ps_front_tap(PsFront *front, const char *const *filters, size_t count,
                   PsFrontDeliver *deliver, void *ctx, PsFrontTap **ret_tap, PsDiag *diag);
/// Accepts NULL. Not from inside `deliver`.
void ps_front_untap(PsFront *front, PsFrontTap *tap);

typedef struct PsFrontNumbers {
    size_t connections; ///< including those before CONNECT
    size_t connected;
    size_t kept_sessions;
    uint64_t publishes; ///< accepted from clients
    uint64_t discarded; ///< beyond a rate
    uint64_t deliveries;
    uint64_t refused; ///< CONNECT, PUBLISH and filters refused by policy
} PsFrontNumbers;

PsFrontNumbers ps_front_numbers(const PsFront *front);
