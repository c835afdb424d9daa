// A linked list under one lock; the order of posting is the order of taking.
#include "link/events.h"

#include "base/time.h"

#include <stdlib.h>

void ps_link_events_init(PsLinkEvents *events, size_t window, void (*wake)(void *ctx), void *ctx) {
    *events = (PsLinkEvents){.wake = wake, .wake_ctx = ctx, .window = window};
    events->last = &events->first;
    pthread_mutex_init(&events->lock, NULL);
}

void ps_link_events_set_window(PsLinkEvents *events, size_t window) {
    pthread_mutex_lock(&events->lock);
    events->window = window;
    pthread_mutex_unlock(&events->lock);
}

void ps_link_events_deinit(PsLinkEvents *events) {
    for (PsLinkEvent *event = events->first; event != NULL;) {
        PsLinkEvent *next = event->next;
        free(event);
        event = next;
    }
    pthread_mutex_destroy(&events->lock);
}

PsLinkEvent *ps_link_event_new(PsLinkEventKind kind, size_t bytes) {
    PsLinkEvent *event = malloc(sizeof *event + bytes);
    if (event != NULL) {
        *event = (PsLinkEvent){.kind = kind, .at = ps_wall_now()};
    }
    return event;
}

static void append_locked(PsLinkEvents *events, PsLinkEvent *event) {
    *events->last = event;
    events->last = &event->next;
    events->count++;
    atomic_store(&events->any, true);
}

void ps_link_events_post(PsLinkEvents *events, PsLinkEvent *event) {
    pthread_mutex_lock(&events->lock);
    append_locked(events, event);
    pthread_mutex_unlock(&events->lock);
    events->wake(events->wake_ctx);
}

void ps_link_events_post_quietly(PsLinkEvents *events, PsLinkEvent *event) {
    pthread_mutex_lock(&events->lock);
    append_locked(events, event);
    if (events->quiet_count++ == 0) {
        events->quiet_since = ps_mono_now();
    }
    bool enough = events->quiet_count * 2 >= events->window;
    pthread_mutex_unlock(&events->lock);
    if (enough) {
        events->wake(events->wake_ctx);
    }
}

PsMono ps_link_events_serve_quiet(PsLinkEvents *events, PsMono now, PsMono wake) {
    pthread_mutex_lock(&events->lock);
    PsMono due = ps_mono_add_ns(events->quiet_since, PS_LINK_QUIET_MS * PS_NS_PER_MS);
    bool any = events->quiet_count > 0;
    bool late = any && due.ns <= now.ns;
    if (late) {
        events->quiet_count = 0; // told once
    }
    pthread_mutex_unlock(&events->lock);
    if (late) {
        events->wake(events->wake_ctx);
    }
    return any && !late && due.ns < wake.ns ? due : wake;
}

size_t ps_link_events_waiting(PsLinkEvents *events) {
    pthread_mutex_lock(&events->lock);
    size_t count = events->count;
    pthread_mutex_unlock(&events->lock);
    return count;
}

PsLinkEvent *ps_link_events_take(PsLinkEvents *events, size_t *ret_count) {
    pthread_mutex_lock(&events->lock);
    PsLinkEvent *first = events->first;
    *ret_count = events->count;
    events->first = NULL;
    events->last = &events->first;
    events->count = 0;
    events->quiet_count = 0;
    atomic_store(&events->any, false);
    pthread_mutex_unlock(&events->lock);
    return first;
}
