// The main thread's side of the link: window, events to callbacks, life cycle. Never blocks,
// apart from joining a thread that has said it is done.
#include "link/link.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/wake.h"
#include "link/library.h"
#include "link/settings.h"
#include "link/worker.h"

#include <limits.h>
#include <mosquitto.h>
#include <stdio.h>
#include <string.h>

struct PsLink {
    PsLinkSetup setup; // callbacks; its borrowed texts are not used after new
    PsLinkSettings *settings;
    PsLinkWorker *worker;
    PsWake wake;
    uv_timer_t quiet; // after the last publish: fetches acknowledgements that wake nobody
    uv_check_t check; // looks for events that woke nobody, whenever the loop is awake
    unsigned open_handles;
    PsLinkStatus status;
    uint32_t epoch; // of the connection that is up, 0 when none is
    size_t in_flight;
    uint64_t tickets[PS_LINK_NOW_WINDOW];
    size_t ticket_count;
    bool started;
    bool stopping;
    bool stopped;
    bool closed; // freed by its owner; memory goes when the loop has closed the handle
};

static const char *const state_names[] = {
    [PS_LINK_NOT_ENABLED] = "Not Enabled",
    [PS_LINK_CONNECTING] = "Connecting",
    [PS_LINK_CONNECTED] = "Connection Successful",
    [PS_LINK_DISCONNECTED] = "Disconnect",
    [PS_LINK_FAILED] = "Unknown Error",
};

const char *ps_link_state_name(PsLinkState state) {
    size_t index = (size_t)state;
    return index < PS_COUNT(state_names) ? state_names[index] : "Unknown Error";
}

static void enter(PsLink *link, PsLinkState state, PsWall at) {
    if (link->status.state == state) {
        return;
    }
    link->status.state = state;
    link->status.since = at;
    if (!link->stopping && link->setup.on_state != NULL) {
        link->setup.on_state(&link->status, link->setup.ctx);
    }
}

// ---- events, one handler each

static void on_connecting(PsLink *link, const PsLinkEvent *event) {
    link->status.connect_attempts++;
    enter(link, PS_LINK_CONNECTING, event->at);
}

static void on_up(PsLink *link, const PsLinkEvent *event) {
    link->status.connects++;
    link->epoch = event->epoch;
    enter(link, PS_LINK_CONNECTED, event->at);
}

static void answer_ticket(PsLink *link, uint64_t ticket, bool ok) {
    for (size_t i = 0; i < link->ticket_count; i++) {
        if (link->tickets[i] == ticket) {
            link->tickets[i] = link->tickets[--link->ticket_count];
            if (!link->stopping && link->setup.on_published_now != NULL) {
                link->setup.on_published_now(ticket, ok, link->setup.ctx);
            }
            return;
        }
    }
}

static void on_down(PsLink *link, const PsLinkEvent *event) {
    link->epoch = 0;
    link->in_flight = 0;
    link->status.hung_up = event->hung_up;
    ps_text_format(link->status.last_error, sizeof link->status.last_error, "%s", event->bytes);
    link->status.last_error_at = event->at;
    enter(link, event->needs_person ? PS_LINK_FAILED : PS_LINK_DISCONNECTED, event->at);
    while (link->ticket_count > 0) {
        answer_ticket(link, link->tickets[0], false);
    }
}

static void on_acknowledged(PsLink *link, const PsLinkEvent *event) {
    link->status.acknowledged++;
    link->status.sent_bytes += event->len;
    if (event->now) {
        answer_ticket(link, event->id, true);
        return;
    }
    PS_ASSERT(link->in_flight > 0);
    link->in_flight--;
    if (!link->stopping && link->setup.on_acknowledged != NULL) {
        link->setup.on_acknowledged(event->id, link->setup.ctx);
    }
}

static void on_received(PsLink *link, const PsLinkEvent *event) {
    link->status.received++;
    if (link->setup.on_received != NULL) { // also while stopping: the server was told it is here
        link->setup.on_received(event->bytes, event->bytes + event->topic_len + 1, event->len,
                                event->qos, link->setup.ctx);
    }
}

static void finish_stop(PsLink *link) {
    link->stopped = true;
    link->epoch = 0;
    link->in_flight = 0;
    link->ticket_count = 0;
    enter(link, PS_LINK_NOT_ENABLED, ps_wall_now());
    if (link->setup.on_stopped != NULL) {
        link->setup.on_stopped(link->setup.ctx); // may free the link
    }
}

typedef void EventHandler(PsLink *link, const PsLinkEvent *event);

static EventHandler *const handlers[PS_EVENT_COUNT] = {
    [PS_EVENT_CONNECTING] = on_connecting,
    [PS_EVENT_UP] = on_up,
    [PS_EVENT_DOWN] = on_down,
    [PS_EVENT_ACKNOWLEDGED] = on_acknowledged,
    [PS_EVENT_RECEIVED] = on_received,
};

static void take_events(PsLink *link) {
    if (link->stopped) {
        return;
    }
    bool done = link->stopping && !link->started;
    for (PsLinkEvent *event = ps_link_worker_take(link->worker); event != NULL;) {
        PsLinkEvent *next = event->next;
        if (event->kind == PS_EVENT_STOPPED) {
            done = true;
        } else {
            handlers[event->kind](link, event);
        }
        free(event);
        event = next;
    }
    if (done) {
        finish_stop(link);
    }
}

static void on_wake(PsWake *wake) {
    take_events(wake->data);
}

static void on_check(uv_check_t *check) {
    PsLink *link = check->data;
    if (ps_link_worker_has_events(link->worker)) {
        take_events(link);
    }
}

#define BUSY_MS 10

static void on_quiet(uv_timer_t *timer) {
    PsLink *link = timer->data;
    if (link->stopped) {
        return;
    }
    if (!ps_link_worker_drain(link->worker)) {
        uv_timer_start(timer, on_quiet, BUSY_MS, 0);
    }
    take_events(link); // may free the link
}

static void wake_main(void *ctx) {
    PsLink *link = ctx;
    ps_wake_send(&link->wake);
}

// ---- life cycle

PsErr ps_link_new(const PsLinkSetup *setup, PsLink **ret_link, PsDiag *diag) {
    PsLink *link = ps_alloc(sizeof *link);
    PsErr err = ps_link_settings_new(setup, &link->settings, diag);
    if (err != PS_OK) {
        free(link);
        return err;
    }
    link->setup = *setup;
    link->status.since = ps_wall_now();
    link->check.data = link;
    ps_link_library_open();
    PsLinkSettings *for_worker = NULL; // of its own, since it looks at them on its thread
    err = ps_link_settings_new(setup, &for_worker, diag);
    link->worker = err == PS_OK ? ps_link_worker_new(for_worker, wake_main, link) : NULL;
    if (link->worker == NULL || ps_wake_init(&link->wake, setup->loop, on_wake, link) != PS_OK) {
        ps_link_worker_free(link->worker);
        ps_link_settings_free(link->settings);
        free(link);
        return ps_fail(PS_ERR_IO, diag, "cloud", NULL,
                       "no descriptor left for the link; raise the limit of open files");
    }
    uv_check_init(setup->loop, &link->check);
    uv_check_start(&link->check, on_check);
    uv_timer_init(setup->loop, &link->quiet);
    link->quiet.data = link;
    link->open_handles = 3;
    *ret_link = link;
    return PS_OK;
}

PsErr ps_link_start(PsLink *link, PsDiag *diag) {
    PS_ASSERT(!link->started && !link->stopping);
    PsErr err = ps_link_worker_start(link->worker);
    if (err != PS_OK) {
        return ps_fail(err, diag, "cloud", NULL, "no thread for the link: limit reached");
    }
    link->started = true;
    return PS_OK;
}

bool ps_link_apply(PsLink *link, const PsLinkSetup *setup) {
    PsLinkSettings *mine = NULL;
    PsLinkSettings *for_worker = NULL;
    bool same = !link->stopping && ps_link_settings_new(setup, &mine, NULL) == PS_OK &&
                ps_link_settings_same_connection(link->settings, mine) &&
                ps_link_settings_new(setup, &for_worker, NULL) == PS_OK;
    if (!same) {
        ps_link_settings_free(mine);
        return false;
    }
    ps_link_settings_free(link->settings);
    link->settings = mine;
    ps_link_worker_change(link->worker, for_worker);
    return true;
}

void ps_link_stop(PsLink *link) {
    if (link->stopping) {
        return;
    }
    // What is acknowledged by now must not be sent again after a restart.
    (void)ps_link_worker_drain(link->worker); // a thread at work reads by itself
    take_events(link);
    while (link->ticket_count > 0) { // scripts that wait may go on, with another link perhaps
        answer_ticket(link, link->tickets[0], false);
    }
    link->stopping = true;
    if (link->started) {
        ps_link_worker_stop(link->worker);
    } else {
        ps_wake_send(&link->wake);
    }
}

static void handle_closed(PsLink *link) {
    if (--link->open_handles == 0) {
        free(link);
    }
}

static void on_quiet_closed(uv_handle_t *handle) {
    handle_closed(handle->data);
}

static void on_check_closed(uv_handle_t *handle) {
    handle_closed(handle->data);
}

static void on_wake_closed(PsWake *wake) {
    handle_closed(wake->data);
}

void ps_link_free(PsLink *link) {
    if (link == NULL) {
        return;
    }
    PS_ASSERT(!link->started || link->stopped);
    PS_ASSERT(!link->closed);
    link->closed = true;
    link->stopped = true; // a wake-up already under way finds nothing to do
    ps_link_worker_free(link->worker);
    ps_link_settings_free(link->settings);
    ps_link_library_close();
    uv_close((uv_handle_t *)&link->check, on_check_closed);
    uv_close((uv_handle_t *)&link->quiet, on_quiet_closed);
    ps_wake_close(&link->wake, on_wake_closed);
}

// ---- publishing

static PsErr check_message(const PsLink *link, const char *topic, size_t len, int qos) {
    if (link->epoch == 0 || link->stopping) {
        return PS_ERR_CLOSED;
    }
    size_t topic_len = strlen(topic);
    bool bad = topic_len == 0 || qos < 0 || qos > 2 ||
               mosquitto_pub_topic_check(topic) != MOSQ_ERR_SUCCESS ||
               !ps_text_is_utf8(topic, topic_len);
    // MQTT's remaining length is 268,435,455 at most (3.1.1 section 2.2.3).
    return bad || len > (size_t)256 * 1024 * 1024 - 70000 ? PS_ERR_INVALID : PS_OK;
}

PsErr ps_link_publish(PsLink *link, uint64_t id, const char *topic, const void *payload, size_t len,
                      int qos) {
    PsErr err = check_message(link, topic, len, qos);
    if (err != PS_OK) {
        return err;
    }
    if (ps_link_room(link) == 0) {
        return PS_ERR_FULL;
    }
    PsLinkPublish publish = {
        .id = id, .epoch = link->epoch, .qos = qos, .topic = topic, .payload = payload, .len = len};
    err = ps_link_worker_publish(link->worker, &publish);
    if (err == PS_OK) {
        link->in_flight++;
        uv_timer_start(&link->quiet, on_quiet, PS_LINK_QUIET_MS, 0);
    }
    return err;
}

PsErr ps_link_publish_now(PsLink *link, uint64_t ticket, const char *topic, const void *payload,
                          size_t len, int qos) {
    PsErr err = check_message(link, topic, len, qos);
    if (err != PS_OK) {
        return err;
    }
    if (link->ticket_count == PS_COUNT(link->tickets)) {
        return PS_ERR_FULL;
    }
    PsLinkPublish publish = {.id = ticket,
                             .epoch = link->epoch,
                             .now = true,
                             .qos = qos,
                             .topic = topic,
                             .payload = payload,
                             .len = len};
    err = ps_link_worker_publish(link->worker, &publish);
    if (err == PS_OK) {
        link->tickets[link->ticket_count++] = ticket;
    }
    return err;
}

size_t ps_link_room(const PsLink *link) {
    if (link->epoch == 0 || link->stopping) {
        return 0;
    }
    size_t window = link->settings->window; // it may have become smaller
    return window > link->in_flight ? window - link->in_flight : 0;
}

const PsLinkStatus *ps_link_status(const PsLink *link) {
    return &link->status;
}
