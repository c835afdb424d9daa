//! The link thread: attempts one after the other with back-off, publishes in, events out.
//! Calls from the main thread; the thread itself only posts events. While the thread sleeps, a
//! publish runs on the main thread (docs/decisions/0008-publish-in-place.md).
#pragma once

#include "link/events.h"
#include "link/link.h"
#include "link/settings.h"

typedef struct PsLinkWorker PsLinkWorker;

/// A publish. Topic and payload are borrowed.
typedef struct PsLinkPublish {
    uint64_t id;
    uint32_t epoch; ///< the connection it is meant for; on another it is thrown away
    bool now;
    int qos;
    const char *topic;
    const void *payload;
    size_t len;
} PsLinkPublish;

/// Takes the settings over. `wake` is called, under no lock of the events, when events wait.
/// Acknowledgements of the outbox's messages call it only when half the window waits for them or
/// the oldest has waited for PS_LINK_QUIET_MS: the main thread is awake often enough to look by
/// itself.
PsLinkWorker *ps_link_worker_new(PsLinkSettings *settings, void (*wake)(void *ctx), void *ctx);
PsErr ps_link_worker_start(PsLinkWorker *worker);
/// Takes over settings for the same connection; the thread goes on with them soon, and connects
/// again when the files they name are not what they were when it connected.
void ps_link_worker_change(PsLinkWorker *worker, PsLinkSettings *settings);
/// Hands it to libmosquitto here and now while the thread sleeps, otherwise leaves a copy for the
/// thread, bounded by the window: PS_ERR_FULL, PS_ERR_NO_MEMORY. Publishes keep their order. Never
/// blocks: the socket does not, and the thread is not waited for.
PsErr ps_link_worker_publish(PsLinkWorker *worker, const PsLinkPublish *publish);
/// Reads the acknowledgements that wake nobody; from here on they would. False when the thread is
/// at work: ask again soon. To be called PS_LINK_QUIET_MS after the last publish. Never blocks.
bool ps_link_worker_drain(PsLinkWorker *worker);
/// True when an event waits, also one that woke nobody. Cheap: no lock.
bool ps_link_worker_has_events(const PsLinkWorker *worker);
/// All events so far, oldest first, linked by `next`; the caller's.
PsLinkEvent *ps_link_worker_take(PsLinkWorker *worker);
/// Asks the thread to end; PS_EVENT_STOPPED follows.
void ps_link_worker_stop(PsLinkWorker *worker);
/// Joins a thread that has posted PS_EVENT_STOPPED (or never started) and frees all that is left.
void ps_link_worker_free(PsLinkWorker *worker);
