//! What the link thread has to tell the main thread, in order, and when that is worth a wake-up.
//! Posted under the worker's session lock or on the link thread, taken on the main thread.
#pragma once

#include "base/time.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// How long an acknowledgement waits at most for a wake-up of the main thread's own. Below half the
/// shortest time after which the outbox writes a message to disk.
#define PS_LINK_QUIET_MS 200

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
    bool hung_up;      ///< down: the server ended a connection that was up
    int qos;
    size_t len;       ///< acknowledged: payload bytes; received: payload bytes
    size_t topic_len; ///< received
    char bytes[];     ///< down: text, NUL; received: topic, NUL, payload
} PsLinkEvent;

typedef struct PsLinkEvents {
    void (*wake)(void *ctx);
    void *wake_ctx;
    pthread_mutex_t lock; // guards what follows
    size_t window;
    PsLinkEvent *first;
    PsLinkEvent **last;
    size_t count;
    size_t quiet_count; // of them: posted without a wake-up since the last take
    PsMono quiet_since; // the oldest of these
    atomic_bool any;    // a copy for those who do not lock
} PsLinkEvents;

/// `wake` is called under no lock of this queue. `window` is the most acknowledgements under way.
void ps_link_events_init(PsLinkEvents *events, size_t window, void (*wake)(void *ctx), void *ctx);
void ps_link_events_set_window(PsLinkEvents *events, size_t window);
/// Frees events nobody took.
void ps_link_events_deinit(PsLinkEvents *events);

/// With room for `bytes`, stamped. NULL when there is no memory.
PsLinkEvent *ps_link_event_new(PsLinkEventKind kind, size_t bytes);

/// The queue owns the event from here on; wakes the main thread.
void ps_link_events_post(PsLinkEvents *events, PsLinkEvent *event);
/// For events that can wait a little: wakes only when half the window waits, so that the other half
/// is still under way while the main thread wakes up, and a backlog flows.
void ps_link_events_post_quietly(PsLinkEvents *events, PsLinkEvent *event);
/// Wakes the main thread when quiet events have waited for PS_LINK_QUIET_MS. Otherwise returns the
/// time at which to ask again, not later than `wake`.
PsMono ps_link_events_serve_quiet(PsLinkEvents *events, PsMono now, PsMono wake);

size_t ps_link_events_waiting(PsLinkEvents *events);
/// All so far, oldest first, linked by `next`; the caller's. `ret_count` takes their number.
PsLinkEvent *ps_link_events_take(PsLinkEvents *events, size_t *ret_count);
