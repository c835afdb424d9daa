//! The connection to the cloud: MQTT 3.1.1 (or 3.1) through libmosquitto on a thread of its own.
//!
//! Main thread: every function and every callback here. The link thread resolves names, connects,
//! does TLS and MQTT; it never waits for the main thread and the main thread never waits for it
//! (except ps_link_free, which joins a thread that has said it is done).
//!
//! Call order: new, start, any number of publish calls, stop, wait for on_stopped, free.
//! The link keeps no message beyond the window: what is not acknowledged when a connection ends is
//! the caller's to send again (the outbox does).
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "model/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

typedef struct PsLink PsLink;

/// Words of Device Supervisor's "Cloud Status".
typedef enum PsLinkState {
    PS_LINK_NOT_ENABLED,  ///< not started, or stopped
    PS_LINK_CONNECTING,   ///< an attempt is under way
    PS_LINK_CONNECTED,    ///< CONNACK 0 was received
    PS_LINK_DISCONNECTED, ///< waiting for the next attempt; network or server trouble
    PS_LINK_FAILED,       ///< waiting too, but a person must act: file, certificate, refusal
} PsLinkState;

/// "Not Enabled", "Connecting", "Connection Successful", "Disconnect", "Unknown Error".
const char *ps_link_state_name(PsLinkState state);

#define PS_LINK_ERROR_SIZE 512

typedef struct PsLinkStatus {
    PsLinkState state;
    PsWall since;                        ///< when `state` was entered
    char last_error[PS_LINK_ERROR_SIZE]; ///< "STEP: cause; cure", kept after recovery; "" if none
    PsWall last_error_at;
    uint32_t connect_attempts;
    uint32_t connects; ///< attempts that reached CONNACK 0
    uint64_t acknowledged;
    uint64_t received;
    uint64_t sent_bytes; ///< payload bytes of acknowledged publishes
    bool hung_up;        ///< the newest connection was up, and the server ended it
} PsLinkStatus;

typedef struct PsLinkSubscription {
    const char *topic; ///< filter, ${parameter} already expanded
    int qos;
} PsLinkSubscription;

/// Default and largest number of messages in flight (AWS IoT holds at most 100 unacknowledged
/// publishes of one connection; PS_LINK_NOW_WINDOW of them are kept free for publish_now).
#define PS_LINK_WINDOW_DEFAULT 20
#define PS_LINK_WINDOW_MAX 92
#define PS_LINK_NOW_WINDOW 8

/// Limits of the steps in milliseconds; 0 takes the default beside it.
typedef struct PsLinkTimes {
    int resolve_ms;     ///< 10,000
    int tcp_ms;         ///< 10,000 for each address
    int tls_ms;         ///< 15,000
    int connack_ms;     ///< 15,000; the same for each SUBACK
    int puback_ms;      ///< 30,000: then the connection counts as dead
    int backoff_min_ms; ///< 1,000 (AWS IoT: one CONNECT per second and client id)
    int backoff_max_ms; ///< 30,000
    int stable_ms;      ///< 30,000 connected before the back-off starts over
} PsLinkTimes;

/// All of it is copied by ps_link_new.
typedef struct PsLinkSetup {
    uv_loop_t *loop;      ///< borrowed; outlives the link
    const PsCloud *cloud; ///< endpoint, files, versions; copied
    const PsLinkSubscription *subscriptions;
    size_t subscription_count;
    size_t window; ///< 0 = PS_LINK_WINDOW_DEFAULT; larger than PS_LINK_WINDOW_MAX is cut to it
    PsLinkTimes times;

    /// The state changed. A change away from PS_LINK_CONNECTED means that every id without
    /// on_acknowledged is not delivered: call ps_outbox_link_lost. `status` is borrowed.
    void (*on_state)(const PsLinkStatus *status, void *ctx);
    /// QoS 1: PUBACK; QoS 2: PUBCOMP; QoS 0: all its bytes are with the socket. Never called for
    /// a connection whose end on_state has already told.
    void (*on_acknowledged)(uint64_t id, void *ctx);
    /// Once for each successful ps_link_publish_now.
    void (*on_published_now)(uint64_t ticket, bool ok, void *ctx);
    /// A message of a subscription. Borrowed until it returns; `topic` is NUL-terminated.
    void (*on_received)(const char *topic, const void *payload, size_t len, int qos, void *ctx);
    /// After ps_link_stop: the thread has let go of everything; ps_link_free may be called here.
    void (*on_stopped)(void *ctx);
    void *ctx;
} PsLinkSetup;

/// Checks the shape only (lengths, numbers); files and names are looked at when connecting.
PsErr ps_link_new(const PsLinkSetup *setup, PsLink **ret_link, PsDiag *diag);

/// Starts the thread and the first attempt. PS_ERR_NO_MEMORY, PS_ERR_IO when there is no thread.
PsErr ps_link_start(PsLink *link, PsDiag *diag);

/// Goes on with another configuration: subscriptions are added and taken away on the living
/// connection, window and times count from now on. Where the files have other contents than when it
/// connected, it connects again by itself. False, and nothing changed, when cloud and credentials
/// ask for a new link, or it is stopping. Only cloud, subscriptions, window and times of the setup
/// are looked at.
bool ps_link_apply(PsLink *link, const PsLinkSetup *setup);

/// Asynchronous: a connected link says DISCONNECT, then on_stopped is called, within 1 s even
/// while resolving or connecting. Events up to here are told before it returns, and open tickets
/// answered with false; then callbacks other than on_received and on_stopped end: the server has
/// been told that a message is here. A link that was never started calls on_stopped from the loop,
/// too.
void ps_link_stop(PsLink *link);

/// Accepts NULL and links that were stopped; PS_ASSERTs on a running one. May be called inside
/// on_stopped. The loop must still run once afterwards (a libuv handle closes).
void ps_link_free(PsLink *link);

/// Sends one message of the outbox. The bytes are copied. `id` is the caller's, unique among those
/// in flight. PS_ERR_CLOSED when not connected, PS_ERR_FULL when the window is used up,
/// PS_ERR_INVALID for a topic MQTT does not allow.
PsErr ps_link_publish(PsLink *link, uint64_t id, const char *topic, const void *payload, size_t len,
                      int qos);

/// Sends past the outbox (mqtt_publish of scripts): on_published_now says true once the broker has
/// it, false on failure or when the connection ends first. Errors as ps_link_publish; then
/// on_published_now is not called.
PsErr ps_link_publish_now(PsLink *link, uint64_t ticket, const char *topic, const void *payload,
                          size_t len, int qos);

/// How many more ps_link_publish calls succeed now; 0 when not connected.
size_t ps_link_room(const PsLink *link);

/// Borrowed, as of the last callback.
const PsLinkStatus *ps_link_status(const PsLink *link);
