//! What front.c and client*.c share. For nobody else.
#pragma once

#include "localcloud/front/front.h"
#include "localcloud/front/own.h"
#include "localcloud/front/session.h"

struct PsFront {
    const PsFrontWorld *world;
    PsStore *store;
    PsFaults *faults;
    PsLimits limits;
    PsReactions reactions;
    PsSessions sessions;
    PsClient *clients;
    PsBucket connects;
    PsMono next_tick;
    PsMono next_sweep;
    PsBuf scratch; ///< for one call
    PsOwn *hub;    ///< the cloud's own messages
    PsFrontTap *taps;
    size_t wipes; ///< sessions that are being ended at the broker
    PsFrontNumbers numbers;
    bool stopping;
};

static inline PsMono ps_front_now(const PsFront *front) {
    return front->world->now(front->world->ctx);
}

static inline PsWall ps_front_wall(const PsFront *front) {
    return front->world->wall(front->world->ctx);
}

/// Makes sure of a tick at `when`.
void ps_front_want(PsFront *front, PsMono when);
/// The bytes as terminated text, until the next call.
const char *ps_front_text(PsFront *front, PsBytes bytes);
/// Ends the session at the broker; ps_client_wiped follows for the client that waits for it.
void ps_front_wipe(PsFront *front, PsSession *session);
void ps_front_link(PsFront *front, PsClient *client);
void ps_front_unlink(PsFront *front, PsClient *client);
