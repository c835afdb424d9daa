//! Sessions by client id: which are connected, which the broker keeps, and what the front must
//! know of a kept one when its client returns (its filters, when it ends). Main thread.
#pragma once

#include "base/time.h"
#include "localcloud/front/bucket.h"
#include "localcloud/front/store.h"
#include "localcloud/front/subscriptions.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct PsClient PsClient;

typedef struct PsSession {
    struct PsSession *next; ///< in its bucket
    PsClient *client;       ///< connected now, or NULL
    PsSubscriptions subscriptions;
    PsBucket connects;
    uint32_t expiry_s;
    PsWall left;     ///< when its client went; 0 while it is here
    PsMono idle;     ///< when it was last of use
    uint8_t version; ///< protocol it was made with
    bool kept;       ///< the broker keeps it while the client is away
    bool wiping;     ///< it is being ended at the broker
    char client_id[];
} PsSession;

typedef struct PsSessions {
    PsSession **buckets;
    size_t bucket_count;
    size_t count;
    PsStore *store; ///< NULL: nothing outlives the process
} PsSessions;

/// Reads the kept ones from `store` (borrowed, may be NULL).
void ps_sessions_init(PsSessions *sessions, PsStore *store);
void ps_sessions_deinit(PsSessions *sessions);
/// NULL when there is none.
PsSession *ps_sessions_find(const PsSessions *sessions, const char *client_id);
/// The one that is there, or a new one.
PsSession *ps_sessions_get(PsSessions *sessions, const char *client_id);

/// Its filters and its life are as in memory: to the store, when it is kept.
void ps_session_save(PsSessions *sessions, const PsSession *session);
/// The broker has forgotten it: no filters, not kept.
void ps_session_forget(PsSessions *sessions, PsSession *session);
/// The time of a kept session without a client is over.
bool ps_session_is_over(const PsSession *session, PsWall now);

/// Calls `each` for every session; it may forget it, but nothing else. Then frees those that are
/// neither connected, kept nor of use in the last ten seconds.
void ps_sessions_sweep(PsSessions *sessions, PsMono now,
                       void (*each)(void *ctx, PsSession *session), void *ctx);
