//! The AWS services behind reserved topics (`$aws/...`): device shadows, jobs, fleet provisioning,
//! presence and subscription events, Basic Ingest. The front asks for every PUBLISH and SUBSCRIBE
//! that names such a topic and tells what its clients do; answers go out through a PsServiceOut.
//!
//! Main thread only. Calls do not wait for a peer; they read and write the registry's SQLite file.
#pragma once

#include "base/err.h"
#include "base/time.h"

#include <openssl/types.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct PsServices PsServices;

/// Where answers go. Both copy what they are given, may be called from inside ps_services_take and
/// ps_services_presence (not from other calls but ps_services_tick and the REST handlers), and must
/// not call back into the services.
typedef struct PsServiceOut {
    /// To all who subscribe to `topic`, under the same rules as a client's publish (iot:Receive,
    /// stored for sessions that are away).
    void (*publish)(void *ctx, const char *topic, const void *payload, size_t len, int qos);
    /// To this one client, also when it subscribes to nothing, if it is connected: jobs.
    void (*direct)(void *ctx, const char *client_id, const char *topic, const void *payload,
                   size_t len);
    void *ctx;
} PsServiceOut;

// ---------------------------------------------------------------------------------------------
// Which topics there are (pure)

typedef enum PsReservedUse {
    PS_RESERVED_NOT,         ///< no reserved topic: nothing here concerns it
    PS_RESERVED_ALLOWED,     ///< as the table of the developer guide says
    PS_RESERVED_UNSUPPORTED, ///< a client that does this may be disconnected (0x90, 0x8F)
} PsReservedUse;

/// May a client publish to `topic`? Every topic that begins with `$` is reserved.
PsReservedUse ps_reserved_publish(const char *topic);
/// May a client subscribe to `filter`, which may have wildcards? `$share/<name>/` is looked
/// through.
PsReservedUse ps_reserved_subscribe(const char *filter);
/// For a Basic Ingest topic, `$aws/rules/<rule>/rest`: the part that counts for the limits on
/// length and slashes ("rest", may be empty); otherwise `topic` itself. Points into `topic`.
const char *ps_reserved_counted(const char *topic);

// ---------------------------------------------------------------------------------------------
// One PUBLISH

/// Everything is borrowed for the call.
typedef struct PsServiceCall {
    const char *client_id;
    const char *certificate_id; ///< 64 hex digits, or NULL: the console, HTTPS
    const char *thing;          ///< thing of the connection, or NULL
    const char *topic;
    const void *payload;
    size_t len;
    int qos;
    PsWall now;
    EVP_PKEY *key; ///< for ps_services_needs_key; NULL: it is made on the way, which blocks
} PsServiceCall;

/// Is this a message for which a key has to be made (provisioning: CreateKeysAndCertificate)?
bool ps_services_needs_key(const char *topic);

typedef enum PsServiceTaken {
    PS_SERVICE_ROUTE,    ///< acknowledge, and give it to subscribers like any message
    PS_SERVICE_CONSUMED, ///< acknowledge; nobody else gets it
    PS_SERVICE_REFUSED,  ///< not a topic a client may publish to: `ret_why` says so
} PsServiceTaken;

/// For every accepted PUBLISH whose topic begins with `$` (after iot:Publish and the limits;
/// retained ones are the front's to refuse). Answers may be given before it returns; so the front
/// acknowledges and routes first where order matters to it. `ret_why` (may be NULL) gets a static
/// text for PS_SERVICE_REFUSED.
PsServiceTaken ps_services_take(PsServices *services, const PsServiceCall *call,
                                const PsServiceOut *out, const char **ret_why);

// ---------------------------------------------------------------------------------------------
// Presence

/// Names one connection in its events. The front keeps it with the connection.
typedef struct PsServiceSession {
    char id[37];      ///< uuid
    uint64_t version; ///< grows with each connection of a client id, from 0
} PsServiceSession;

typedef enum PsPresenceKind {
    PS_PRESENCE_CONNECTED,      ///< fills `session`; after the CONNACK
    PS_PRESENCE_DISCONNECTED,   ///< only for what was connected; `reason`
    PS_PRESENCE_CONNECT_FAILED, ///< CONNECT refused by policy (also for its will topic)
    PS_PRESENCE_SUBSCRIBED,     ///< `topics`: those of one SUBSCRIBE that were granted
    PS_PRESENCE_UNSUBSCRIBED,   ///< `topics`
} PsPresenceKind;

typedef enum PsDisconnectReason {
    PS_DISCONNECT_AUTH_ERROR, ///< no right any more: certificate left ACTIVE
    PS_DISCONNECT_CLIENT_INITIATED,
    PS_DISCONNECT_CLIENT_ERROR, ///< protocol error, a limit that closes
    PS_DISCONNECT_CONNECTION_LOST,
    PS_DISCONNECT_DUPLICATE_CLIENTID,
    PS_DISCONNECT_FORBIDDEN_ACCESS, ///< publish or subscribe refused by policy
    PS_DISCONNECT_KEEP_ALIVE_TIMEOUT,
    PS_DISCONNECT_SERVER_ERROR,
    PS_DISCONNECT_SERVER_INITIATED,
    PS_DISCONNECT_API_INITIATED,
    PS_DISCONNECT_THROTTLED,
    PS_DISCONNECT_WEBSOCKET_TTL,
    PS_DISCONNECT_CUSTOMAUTH_TTL,
} PsDisconnectReason;

/// The name AWS gives it: "CLIENT_INITIATED_DISCONNECT". Never NULL.
const char *ps_disconnect_reason_name(PsDisconnectReason reason);
/// True for all but a client's own DISCONNECT.
bool ps_disconnect_sends_will(PsDisconnectReason reason);

typedef struct PsPresence {
    PsPresenceKind kind;
    const char *client_id;
    const char *certificate_id; ///< principalIdentifier; may be NULL
    const char *thing;          ///< only with exclusive attachment, otherwise NULL
    const char *ip_address;     ///< of the peer, without port; for CONNECTED
    PsDisconnectReason reason;
    const char *const *topics;
    size_t topic_count;
    PsWall now;
} PsPresence;

/// Publishes the event at QoS 0 (none for client ids with `#` or `+`). `session` belongs to the
/// connection: filled by CONNECTED and CONNECT_FAILED, read by the others.
void ps_services_presence(PsServices *services, const PsPresence *event, PsServiceSession *session,
                          const PsServiceOut *out);

// ---------------------------------------------------------------------------------------------
// Life

/// What the services need of the registry beside its database: filled from registry.h by whoever
/// builds the program; tests have their own.
struct PsServiceRegistry;

/// Numbers that may change while it runs. 0 is the default.
typedef struct PsServiceLimits {
    unsigned shadow_depth;     ///< levels of desired and of reported; 8
    size_t shadow_bytes;       ///< of a state document; 8192
    unsigned shadow_rate;      ///< requests per second and thing; 20
    unsigned shadow_in_flight; ///< unanswered requests per thing; 10
    unsigned shadow_delay_ms;  ///< answers wait so long, which makes "in flight" visible; none
    size_t job_document_bytes; ///< 32768
    size_t ingest_bytes;       ///< of a rule's file before it becomes .1; 8 MiB
} PsServiceLimits;

typedef struct PsServicesOptions {
    const char *folder;  ///< DIR: Basic Ingest writes DIR/rules/<rule>.jsonl
    const char *region;  ///< for ARNs: "us-east-1"
    const char *account; ///< 12 digits
    PsServiceLimits limits;
    bool ingest_by_use;      ///< as ps_services_set_ingest_by_use
    bool shadow_needs_thing; ///< 404 "Thing not found" for names the registry does not have
} PsServicesOptions;

/// Makes its tables in `db` when missing. `registry` and `db` outlive the services; the options'
/// texts are copied. PS_ERR_IO: the database refused; `diag` says what to do.
PsErr ps_services_new(sqlite3 *db, const struct PsServiceRegistry *registry,
                      const PsServicesOptions *options, PsServices **ret_services, PsDiag *diag);
/// Accepts NULL.
void ps_services_free(PsServices *services);
void ps_services_set_limits(PsServices *services, const PsServiceLimits *limits);
/// Does a message make the rule it names? AWS only logs that there is none; so does this at first.
void ps_services_set_ingest_by_use(PsServices *services, bool by_use);

/// What is due at `now`: job executions that ran out of time, answers that were held back, tokens
/// that expired. Returns when to call again at the latest, a second from now: for one timer.
PsWall ps_services_tick(PsServices *services, PsWall now, const PsServiceOut *out);
