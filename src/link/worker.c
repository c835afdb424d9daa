// The link thread's loop. It sleeps in poll on one wake descriptor and the attempt's descriptor;
// only reading certificate files can wait for the disk.
//
// Events are bounded: acknowledgements by the window; while EVENTS_HELD wait, nothing more is read
// from the socket and no attempt begins, so a slow main thread slows the server down instead of
// filling memory. Received messages past EVENTS_MAX (one read can hold many) are dropped, counted
// and logged.
#include "link/worker.h"

#include "base/backoff.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/random.h"
#include "link/attempt.h"
#include "link/files.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#define EVENTS_HELD 512
#define EVENTS_MAX 8192
#define FAILURE_LOG_INTERVAL_NS (300 * PS_NS_PER_S)

// A publish left for the thread; one block.
typedef struct Packet {
    PsLinkPublish publish; // its texts are in `bytes`
    char bytes[];
} Packet;

struct PsLinkWorker {
    _Atomic(PsLinkSettings *) next; // to go on with, for the thread; or NULL
    PsMailbox *packets;             // of Packet, for the thread

    int wake_fd;
    atomic_bool stopping;
    pthread_t thread;
    bool started;

    PsLinkEvents events;

    // Guards what follows, libmosquitto and TLS among it. The thread holds it except while it
    // sleeps in poll; the main thread takes it only when it is free, to publish.
    pthread_mutex_t session;
    PsLinkSettings *settings; // owned
    PsAttempt *attempt;
    uint8_t print[PS_LINK_PRINT_SIZE]; // of the files when the newest attempt began
    PsBackoff backoff;
    PsMono next_try;
    size_t address_first;
    uint32_t epoch; // counts connections that came up
    bool up;
    bool *refused;
    bool dropping;
    PsLinkFailure logged; // the failure last logged
    PsMono logged_at;
    uint32_t repeats; // of `logged`, not logged
};

// ---- events to the main thread

static void post_plain(PsLinkWorker *worker, PsLinkEventKind kind, uint32_t epoch) {
    PsLinkEvent *event = ps_alloc(sizeof *event);
    event->kind = kind;
    event->at = ps_wall_now();
    event->epoch = epoch;
    ps_link_events_post(&worker->events, event);
}

bool ps_link_worker_has_events(const PsLinkWorker *worker) {
    return atomic_load(&worker->events.any);
}

PsLinkEvent *ps_link_worker_take(PsLinkWorker *worker) {
    size_t count;
    PsLinkEvent *events = ps_link_events_take(&worker->events, &count);
    if (count >= EVENTS_HELD) {
        eventfd_write(worker->wake_fd, 1); // reading goes on
    }
    return events;
}

static void on_acknowledged(uint64_t id, bool now, size_t len, void *ctx) {
    PsLinkWorker *worker = ctx;
    PsLinkEvent *event = ps_alloc(sizeof *event);
    event->kind = PS_EVENT_ACKNOWLEDGED;
    event->id = id;
    event->now = now;
    event->len = len;
    if (now) {
        ps_link_events_post(&worker->events, event); // a script waits for it
    } else {
        ps_link_events_post_quietly(&worker->events, event);
    }
}

static void on_received(const struct mosquitto_message *message, void *ctx) {
    PsLinkWorker *worker = ctx;
    size_t topic_len = strlen(message->topic);
    size_t len = message->payloadlen > 0 ? (size_t)message->payloadlen : 0;
    PsLinkEvent *event = NULL;
    if (ps_link_events_waiting(&worker->events) < EVENTS_MAX) {
        event = ps_link_event_new(PS_EVENT_RECEIVED, topic_len + 1 + len);
    }
    if (event == NULL) {
        if (!worker->dropping) {
            PS_LOGE("LINK-RECEIVE-DROP", "messages from the cloud are dropped: they come faster "
                                         "than the scripts take them");
        }
        worker->dropping = true;
        return;
    }
    worker->dropping = false;
    event->qos = message->qos;
    event->topic_len = topic_len;
    event->len = len;
    memcpy(event->bytes, message->topic, topic_len + 1);
    if (len > 0) {
        memcpy(event->bytes + topic_len + 1, message->payload, len);
    }
    ps_link_events_post(&worker->events, event);
}

// ---- attempts

static void begin_attempt(PsLinkWorker *worker, PsMono now) {
    PsAttemptEvents events = {
        .acknowledged = on_acknowledged, .received = on_received, .ctx = worker};
    worker->up = false;
    ps_link_files_print(&worker->settings->cloud, worker->print);
    post_plain(worker, PS_EVENT_CONNECTING, 0);
    worker->attempt =
        ps_attempt_new(worker->settings, &events, worker->refused, worker->address_first, now);
}

static bool was_stable(const PsLinkWorker *worker, PsMono now) {
    return worker->up && ps_mono_diff_ns(now, worker->attempt->up_since) >=
                             worker->settings->times.stable_ms * PS_NS_PER_MS;
}

// A failure is logged when it is new or ends a stable connection, and else again after
// FAILURE_LOG_INTERVAL_NS with its count.
static void log_failure(PsLinkWorker *worker, const PsLinkFailure *failure, PsMono now) {
    bool same = worker->logged_at.ns != 0 && ps_link_failure_same(&worker->logged, failure) &&
                !was_stable(worker, now);
    if (same && ps_mono_diff_ns(now, worker->logged_at) < FAILURE_LOG_INTERVAL_NS) {
        worker->repeats++;
        return;
    }
    char repeated[64] = "";
    if (same && worker->repeats > 0) {
        snprintf(repeated, sizeof repeated, " (%u times more since the last line)",
                 worker->repeats);
    }
    PS_LOGE(worker->up ? "LINK-LOST" : "LINK-FAILED", "cloud '%s': %s: %s%s",
            worker->settings->cloud.endpoint, ps_link_step_name(failure->step), failure->text,
            repeated);
    worker->logged = *failure;
    worker->logged_at = now;
    worker->repeats = 0;
}

static void post_down(PsLinkWorker *worker, const PsLinkFailure *failure) {
    PsLinkEvent *event = ps_alloc(sizeof *event + PS_LINK_ERROR_SIZE);
    event->kind = PS_EVENT_DOWN;
    event->at = ps_wall_now();
    event->needs_person = failure->needs_person;
    event->hung_up = failure->step == PS_STEP_SESSION && failure->code == PS_SESSION_HUNG_UP;
    int len = snprintf(event->bytes, PS_LINK_ERROR_SIZE, "%s: %s", ps_link_step_name(failure->step),
                       failure->text);
    event->len = len > 0 ? (size_t)len : 0;
    ps_link_events_post(&worker->events, event);
}

static void end_attempt(PsLinkWorker *worker, PsMono now) {
    const PsLinkFailure failure = worker->attempt->failure;
    log_failure(worker, &failure, now);
    if (failure.step > PS_STEP_TCP) {
        worker->address_first++; // perhaps another address of the name does better
    }
    // Freed before the event: nothing of this connection is acknowledged after PS_EVENT_DOWN.
    ps_attempt_free(worker->attempt);
    worker->attempt = NULL;
    worker->up = false;
    int64_t delay = ps_backoff_down(&worker->backoff, now, (uint32_t)ps_random_up_to(UINT32_MAX));
    worker->next_try = ps_mono_add_ns(now, delay);
    PS_LOGD("LINK-WAIT", "cloud '%s': next try in %.1f s", worker->settings->cloud.endpoint,
            (double)delay / 1e9);
    post_down(worker, &failure);
}

static void came_up(PsLinkWorker *worker, PsMono now) {
    worker->up = true;
    worker->epoch++;
    ps_backoff_up(&worker->backoff, now);
    const PsTls *tls = worker->attempt->tls;
    // A connection that comes and goes is told by the repeated failure.
    bool flapping = worker->repeats > 0 && worker->logged.step == PS_STEP_SESSION;
    PS_LOG_AT(flapping ? PS_LOG_DEBUG : PS_LOG_INFO, "LINK-UP",
              "cloud '%s': connected to %s port %d as '%s'%s%s", worker->settings->cloud.endpoint,
              ps_attempt_address(worker->attempt), worker->settings->cloud.port,
              worker->settings->cloud.client_id, tls != NULL ? ", " : "",
              tls != NULL ? ps_tls_summary(tls) : "");
    if (tls != NULL && worker->epoch == 1 && ps_tls_warning(tls)[0] != '\0') {
        PS_LOGW("LINK-KEY-MODE", "cloud '%s': %s", worker->settings->cloud.endpoint,
                ps_tls_warning(tls));
    }
    post_plain(worker, PS_EVENT_UP, worker->epoch);
}

static void advance(PsLinkWorker *worker, short revents, PsMono now) {
    PsStage before = worker->attempt->stage;
    ps_attempt_step(worker->attempt, revents, now);
    if (before != PS_STAGE_UP && worker->attempt->stage == PS_STAGE_UP) {
        came_up(worker, now);
    }
    if (worker->attempt->stage == PS_STAGE_FAILED) {
        end_attempt(worker, now);
    }
}

// ---- other settings

// Refusals of filters that stay are not said again.
static bool *refused_of(const PsLinkWorker *worker, const PsLinkSettings *next) {
    const PsLinkSettings *former = worker->settings;
    bool *refused = ps_alloc_array(next->subscription_count, sizeof(bool));
    for (size_t i = 0; i < next->subscription_count; i++) {
        for (size_t k = 0; k < former->subscription_count; k++) {
            const char *topic = former->subscriptions[k].topic;
            refused[i] |= worker->refused[k] && strcmp(topic, next->subscriptions[i].topic) == 0;
        }
    }
    return refused;
}

static void connect_again(PsLinkWorker *worker, PsMono now) {
    PS_LOGI("LINK-FILES", "cloud '%s': certificate, key or password was replaced; connecting again",
            worker->settings->cloud.endpoint);
    worker->next_try = ps_mono_add_ns(now, worker->settings->times.backoff_min_ms * PS_NS_PER_MS);
    if (worker->attempt != NULL) {
        ps_attempt_free(worker->attempt);
        worker->attempt = NULL;
        worker->up = false;
        PsLinkFailure why;
        ps_link_failure_set(
            &why, PS_STEP_SESSION, 0, false,
            "ended by the gateway, since certificate, key or password was replaced");
        post_down(worker, &why);
    }
}

static void take_settings(PsLinkWorker *worker, PsMono now) {
    PsLinkSettings *next = atomic_exchange(&worker->next, NULL);
    if (next == NULL) {
        return;
    }
    bool *refused = refused_of(worker, next);
    if (worker->attempt != NULL) {
        ps_session_change(worker->attempt, next, refused, now);
    }
    free(worker->refused);
    ps_link_settings_free(worker->settings);
    worker->refused = refused;
    worker->settings = next;
    ps_link_events_set_window(&worker->events, next->window);
    uint8_t print[PS_LINK_PRINT_SIZE];
    ps_link_files_print(&next->cloud, print);
    if (memcmp(print, worker->print, sizeof print) != 0) {
        connect_again(worker, now);
    }
}

// ---- publishing

static void wake_thread(void *ctx) {
    PsLinkWorker *worker = ctx;
    eventfd_write(worker->wake_fd, 1);
}

// Needs the session.
static void publish_locked(PsLinkWorker *worker, const PsLinkPublish *publish, PsMono now) {
    if (worker->attempt != NULL && worker->attempt->stage == PS_STAGE_UP &&
        publish->epoch == worker->epoch) {
        ps_session_publish(worker->attempt, publish, now);
    }
}

static void send_packets(PsLinkWorker *worker, PsMono now) {
    Packet *packet;
    while ((packet = ps_mailbox_take(worker->packets)) != NULL) {
        publish_locked(worker, &packet->publish, now);
        free(packet);
    }
}

static PsErr leave_packet(PsLinkWorker *worker, const PsLinkPublish *publish) {
    size_t topic_size = strlen(publish->topic) + 1;
    Packet *packet = malloc(sizeof *packet + topic_size + publish->len);
    if (packet == NULL) {
        return PS_ERR_NO_MEMORY;
    }
    packet->publish = *publish;
    packet->publish.topic = memcpy(packet->bytes, publish->topic, topic_size);
    packet->publish.payload = packet->bytes + topic_size;
    if (publish->len > 0) {
        memcpy(packet->bytes + topic_size, publish->payload, publish->len);
    }
    PsErr err = ps_mailbox_put(worker->packets, packet);
    if (err != PS_OK) {
        free(packet);
    }
    return err;
}

// Takes the acknowledgements that wake nobody. Needs the session.
static void drain_locked(PsLinkWorker *worker, PsMono now) {
    PsAttempt *attempt = worker->attempt;
    if (attempt != NULL && attempt->stage == PS_STAGE_UP && attempt->quiet &&
        attempt->slots_used > 0 && ps_link_events_waiting(&worker->events) < EVENTS_HELD) {
        ps_session_drain(attempt, now);
    }
}

// True when the thread has to see to what the publish left behind. Before it is up, an attempt is
// the thread's alone, and may have no handle yet.
static bool needs_thread(const PsAttempt *attempt) {
    return attempt != NULL &&
           (attempt->stage == PS_STAGE_FAILED ||
            (attempt->stage == PS_STAGE_UP && mosquitto_want_write(attempt->handle)));
}

// Saves the wake-up of the thread, which costs more than the message.
PsErr ps_link_worker_publish(PsLinkWorker *worker, const PsLinkPublish *publish) {
    if (pthread_mutex_trylock(&worker->session) != 0) {
        return leave_packet(worker, publish);
    }
    bool first = ps_mailbox_count(worker->packets) == 0; // nothing is overtaken
    bool wake = false;
    if (first) {
        PsMono now = ps_mono_now();
        if (worker->attempt != NULL && !ps_session_has_patience(worker->attempt, now)) {
            drain_locked(worker, now);
        }
        publish_locked(worker, publish, now);
        wake = needs_thread(worker->attempt);
    }
    pthread_mutex_unlock(&worker->session);
    if (wake) {
        wake_thread(worker);
    }
    return first ? PS_OK : leave_packet(worker, publish);
}

void ps_link_worker_change(PsLinkWorker *worker, PsLinkSettings *settings) {
    ps_link_settings_free(atomic_exchange(&worker->next, settings));
    wake_thread(worker);
}

bool ps_link_worker_drain(PsLinkWorker *worker) {
    if (pthread_mutex_trylock(&worker->session) != 0) {
        return false;
    }
    drain_locked(worker, ps_mono_now());
    PsAttempt *attempt = worker->attempt;
    bool wake = needs_thread(attempt);
    if (attempt != NULL && attempt->stage == PS_STAGE_UP) {
        ps_session_listen(attempt); // what is not here yet is late: from now on it wakes the thread
    }
    pthread_mutex_unlock(&worker->session);
    if (wake) {
        wake_thread(worker);
    }
    return true;
}

// ---- the thread

static void wait_for_work(PsLinkWorker *worker, PsMono now, short *ret_revents) {
    bool hold = ps_link_events_waiting(&worker->events) >= EVENTS_HELD;
    struct pollfd waits[2] = {{.fd = worker->wake_fd, .events = POLLIN}, {.fd = -1}};
    PsMono wake = worker->next_try;
    if (worker->attempt != NULL) {
        waits[1] = ps_attempt_poll(worker->attempt, hold);
        wake = ps_attempt_wake_at(worker->attempt, now);
    }
    wake = ps_link_events_serve_quiet(&worker->events, now, wake);
    // Held back: the main thread's take wakes us.
    int timeout = worker->attempt == NULL && hold ? -1 : ps_mono_poll_ms(now, wake);
    *ret_revents = 0;
    pthread_mutex_unlock(&worker->session);
    int ready = poll(waits, PS_COUNT(waits), timeout);
    pthread_mutex_lock(&worker->session);
    if (ready > 0) {
        *ret_revents = waits[1].revents;
        if (waits[0].revents != 0) {
            eventfd_t count;
            (void)eventfd_read(worker->wake_fd, &count);
        }
    }
}

static void *run(void *argument) {
    PsLinkWorker *worker = argument;
    pthread_mutex_lock(&worker->session);
    worker->next_try = ps_mono_now();
    while (!atomic_load(&worker->stopping)) {
        short revents = 0;
        wait_for_work(worker, ps_mono_now(), &revents);
        PsMono now = ps_mono_now();
        take_settings(worker, now);
        if (worker->attempt == NULL && now.ns >= worker->next_try.ns &&
            ps_link_events_waiting(&worker->events) < EVENTS_HELD) {
            begin_attempt(worker, now);
        }
        send_packets(worker, now);
        if (worker->attempt != NULL) {
            if (revents != 0) {
                ps_session_listen(worker->attempt); // the rest of what came may be short
            }
            advance(worker, revents, now);
        }
    }
    ps_attempt_free(worker->attempt);
    worker->attempt = NULL;
    pthread_mutex_unlock(&worker->session);
    post_plain(worker, PS_EVENT_STOPPED, 0);
    return NULL;
}

PsLinkWorker *ps_link_worker_new(PsLinkSettings *settings, void (*wake)(void *ctx), void *ctx) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        ps_link_settings_free(settings);
        return NULL;
    }
    PsLinkWorker *worker = ps_alloc(sizeof *worker);
    worker->settings = settings;
    worker->wake_fd = fd;
    worker->refused = ps_alloc_array(settings->subscription_count, sizeof(bool));
    ps_link_events_init(&worker->events, settings->window, wake, ctx);
    pthread_mutex_init(&worker->session, NULL);
    worker->packets =
        ps_mailbox_new((PS_LINK_WINDOW_MAX + PS_LINK_NOW_WINDOW) * 2, wake_thread, worker);
    const PsLinkTimes *times = &settings->times;
    int64_t floor_ns = times->backoff_min_ms * PS_NS_PER_MS;
    int64_t cap_ns = times->backoff_max_ms * PS_NS_PER_MS;
    ps_backoff_init(&worker->backoff,
                    &(PsBackoffPolicy){.floor_ns = floor_ns < cap_ns ? floor_ns : cap_ns,
                                       .first_ns = 2 * floor_ns < cap_ns ? 2 * floor_ns : cap_ns,
                                       .cap_ns = cap_ns,
                                       .stable_ns = times->stable_ms * PS_NS_PER_MS});
    return worker;
}

PsErr ps_link_worker_start(PsLinkWorker *worker) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all); // SIGPIPE too: OpenSSL writes without MSG_NOSIGNAL
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&worker->thread, NULL, run, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    worker->started = failed == 0;
    return worker->started ? PS_OK : PS_ERR_IO;
}

void ps_link_worker_stop(PsLinkWorker *worker) {
    atomic_store(&worker->stopping, true);
    wake_thread(worker);
}

void ps_link_worker_free(PsLinkWorker *worker) {
    if (worker == NULL) {
        return;
    }
    if (worker->started) {
        pthread_join(worker->thread, NULL);
    }
    void *packet;
    while ((packet = ps_mailbox_take(worker->packets)) != NULL) {
        free(packet);
    }
    ps_mailbox_free(worker->packets);
    ps_link_events_deinit(&worker->events);
    pthread_mutex_destroy(&worker->session);
    close(worker->wake_fd);
    ps_link_settings_free(worker->settings);
    ps_link_settings_free(atomic_load(&worker->next));
    free(worker->refused);
    free(worker);
}
