//! The link thread: attempts one after the other with back-off, publishes in, events out.
//! Calls from the main thread; the thread itself only posts events.
#pragma once

#include "link/link.h"
#include "link/settings.h"

typedef struct PsLinkWorker PsLinkWorker;

/// Below half the shortest time after which the outbox writes a message to disk.
#define PS_LINK_QUIET_MS 200

/// A publish on its way to the thread; one block, freed with free().
typedef struct PsLinkPacket {
    uint64_t id;
    uint32_t epoch; ///< the connection it is meant for; on another it is thrown away
    bool now;
    int qos;
    size_t len;
    size_t topic_len;
    char bytes[]; ///< topic, NUL, payload
} PsLinkPacket;

typedef enum PsLinkEventKind {
    PS_EVENT_CONNECTING,
    PS_EVENT_UP,   ///< `epoch` is the new connection's
    PS_EVENT_DOWN, ///< the attempt or the connection ended; `text` says why
    PS_EVENT_ACKNOWLEDGED,
    PS_EVENT_RECEIVED,
    PS_EVENT_STOPPED, ///< the last one
    PS_EVENT_COUNT,
} PsLinkEventKind;

/// One block, freed with free().
typedef struct PsLinkEvent {
    struct PsLinkEvent *next;
    PsLinkEventKind kind;
    PsWall at;
    uint64_t id; ///< acknowledged: id or ticket
    uint32_t epoch;
    bool now;
    bool needs_person; ///< down
    int qos;
    size_t len;       ///< acknowledged: payload bytes; received: payload bytes
    size_t topic_len; ///< received
    char bytes[];     ///< down: text, NUL; received: topic, NUL, payload
} PsLinkEvent;

/// `wake` is called on the link thread when events wait (under no lock). Acknowledgements of the
/// outbox's messages call it only when half the window waits for them or the oldest has waited for
/// PS_LINK_QUIET_MS: the main thread is awake often enough to look by itself.
PsLinkWorker *ps_link_worker_new(const PsLinkSettings *settings, void (*wake)(void *ctx),
                                 void *ctx);
PsErr ps_link_worker_start(PsLinkWorker *worker);
/// The worker owns the packet on PS_OK. Bounded by the window; PS_ERR_FULL leaves it.
PsErr ps_link_worker_put(PsLinkWorker *worker, PsLinkPacket *packet);
/// True when an event waits, also one that woke nobody. Cheap: no lock.
bool ps_link_worker_has_events(const PsLinkWorker *worker);
/// All events so far, oldest first, linked by `next`; the caller's.
PsLinkEvent *ps_link_worker_take(PsLinkWorker *worker);
/// Asks the thread to end; PS_EVENT_STOPPED follows.
void ps_link_worker_stop(PsLinkWorker *worker);
/// Joins a thread that has posted PS_EVENT_STOPPED (or never started) and frees all that is left.
void ps_link_worker_free(PsLinkWorker *worker);
