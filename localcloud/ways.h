//! Where the parts of the running cloud meet: registry, front, services and the transport know
//! nothing of each other; here is what they tell each other. Main thread.
#pragma once

#include "localcloud/faults/faults.h"
#include "localcloud/front/front.h"
#include "localcloud/keymaker.h"
#include "localcloud/registry/registry.h"
#include "localcloud/rest/rest.h"
#include "localcloud/service/service.h"
#include "localcloud/transport/tls_peer.h"

#include <uv.h>

typedef struct PsWays {
    PsRegistry *registry; ///< borrowed
    PsSocketLoop *sockets;
    const char *broker_path;
    uv_loop_t *loop;
    PsKeymaker *keymaker; ///< borrowed
    uv_timer_t timer;
    PsFrontWorld world;
    PsServiceOut out;
    struct PsServiceRegistry *service_registry; ///< owned
    PsFaults *faults;
    PsStore *store;
    PsServices *services;
    PsFront *front;
    PsBuf topic; ///< of the message shown last
    bool running;
} PsWays;

typedef struct PsWaysSetup {
    uv_loop_t *loop;
    PsKeymaker *keymaker; ///< borrowed; stopped before the ways are
    PsSocketLoop *sockets;
    PsRegistry *registry;
    const char *broker_path;
    const char *dir;
    PsLimits limits;
    PsReactions reactions;
} PsWaysSetup;

/// On failure nothing is left. `ways` must not move afterwards.
PsErr ps_ways_start(PsWays *ways, const PsWaysSetup *setup, PsDiag *diag);
/// Ends every connection; runs the loop until they are gone.
void ps_ways_stop(PsWays *ways);

/// PsTlsSetup.admit: is the certificate ACTIVE in the registry? One of a registered CA enters it
/// here (just-in-time registration) and is refused this time: it connects once it was made ACTIVE.
PsAdmission ps_ways_admit(void *ctx, X509 *certificate, const char *id, STACK_OF(X509) * chain,
                          const char **why);
/// PsListenerSetup.on_open.
void ps_ways_accept(void *ctx, PsStream *stream, const PsPeerFacts *facts);
/// What the HTTP side asks of the front.
PsRestCloud ps_ways_rest(PsWays *ways);

/// For ways*.c: ps_services_take, later when a key has to be made for it (then what is said about
/// it is PS_SERVICE_CONSUMED).
PsServiceTaken ps_ways_take(PsWays *ways, const PsServiceCall *call, const char **ret_why);
/// For ways*.c: the front's tables hold the services' limits and reactions too.
void ps_ways_tell_services(PsWays *ways);
/// For ways*.c: what the services ask of the registry. Freed with free().
struct PsServiceRegistry *ps_ways_service_registry(PsRegistry *registry);
