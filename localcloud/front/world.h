//! What the front needs of the rest of the cloud: the broker, policies, services, time. A vtable,
//! so that the packet level can be tested with none of them, and knows none of them.
#pragma once

#include "base/time.h"
#include "localcloud/front/property.h"
#include "localcloud/policy/policy.h"
#include "localcloud/service/service.h"
#include "localcloud/transport/stream.h"

#include <stdbool.h>
#include <stddef.h>

#define PS_CERTIFICATE_ID_LEN ((size_t)64)

/// Who is at the other end of a client's stream, as the transport knows it. Borrowed for the call;
/// `user` is the world's own (a certificate) and lives as long as the stream.
typedef struct PsFrontPeer {
    const char *certificate_id; ///< 64 hex digits
    const char *address;        ///< without port
    const char *domain_name;    ///< SNI; "" without
    void *user;
} PsFrontPeer;

/// What a CONNECT says, for policies.
typedef struct PsFrontConnect {
    const char *client_id;
    bool persistent;
    PsBytes will_topic; ///< empty: no will
} PsFrontConnect;

typedef struct PsFrontWorld {
    void *ctx;
    PsMono (*now)(void *ctx);
    PsWall (*wall)(void *ctx);
    /// ps_front_tick is to be called at this time, which is earlier than it said.
    void (*wake_at)(void *ctx, PsMono when);
    /// A new stream to the broker, which opens later; NULL: the broker cannot be reached.
    PsStream *(*open_broker)(void *ctx);

    /// Is the certificate ACTIVE?
    bool (*may_connect)(void *ctx, const char *certificate_id);
    /// The one who connects: what policies hold for it, and which thing it is. NULL: the registry
    /// failed, nobody may connect.
    void *(*principal_new)(void *ctx, const PsFrontPeer *peer, const PsFrontConnect *connect);
    void (*principal_free)(void *ctx, void *principal);
    /// Policies or attachments have changed: reads them again.
    void (*principal_refresh)(void *ctx, void *principal);
    /// May it? `name` is a client id, topic or filter.
    bool (*allows)(void *ctx, void *principal, PsPolicyAction action, PsBytes name);
    /// Name of the principal's thing, or NULL; `exclusive`: only when attached exclusively.
    const char *(*thing)(void *ctx, void *principal, bool exclusive);

    /// service.h: ps_services_take and ps_services_presence.
    PsServiceTaken (*take)(void *ctx, const PsServiceCall *call, const char **ret_why);
    void (*presence)(void *ctx, const PsPresence *event, PsServiceSession *session);
    PsReservedUse (*reserved_subscribe)(void *ctx, const char *filter);
} PsFrontWorld;
