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

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#define EVENTS_HELD 512
#define EVENTS_MAX 8192
#define FAILURE_LOG_INTERVAL_NS (300 * PS_NS_PER_S)

struct PsLinkWorker {
    const PsLinkSettings *settings;
    void (*wake)(void *ctx);
    void *wake_ctx;
    PsMailbox *packets;
    int wake_fd;
    atomic_bool stopping;
    pthread_t thread;
    bool started;

    pthread_mutex_t lock; // guards the events
    PsLinkEvent *first;
    PsLinkEvent **last;
    size_t event_count;
    size_t quiet_count;     // of them: posted without a wake-up since the last take
    PsMono quiet_since;     // the oldest of these
    atomic_bool has_events; // a copy for those who do not lock

    // Link thread only from here.
    PsAttempt *attempt;
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

static PsLinkEvent *event_new(PsLinkEventKind kind, size_t bytes) {
    PsLinkEvent *event = malloc(sizeof *event + bytes);
    if (event != NULL) {
        *event = (PsLinkEvent){.kind = kind, .at = ps_wall_now()};
    }
    return event;
}

static void append_locked(PsLinkWorker *worker, PsLinkEvent *event) {
    *worker->last = event;
    worker->last = &event->next;
    worker->event_count++;
    atomic_store(&worker->has_events, true);
}

static void post(PsLinkWorker *worker, PsLinkEvent *event) {
    pthread_mutex_lock(&worker->lock);
    append_locked(worker, event);
    pthread_mutex_unlock(&worker->lock);
    worker->wake(worker->wake_ctx);
}

// For events that can wait a little. Half the window: the other half is still under way while the
// main thread wakes up, so that a backlog flows.
static void post_quietly(PsLinkWorker *worker, PsLinkEvent *event) {
    pthread_mutex_lock(&worker->lock);
    append_locked(worker, event);
    if (worker->quiet_count++ == 0) {
        worker->quiet_since = ps_mono_now();
    }
    bool enough = worker->quiet_count * 2 >= worker->settings->window;
    pthread_mutex_unlock(&worker->lock);
    if (enough) {
        worker->wake(worker->wake_ctx);
    }
}

// When quiet events have waited long enough: wakes the main thread. Otherwise the time at which to
// ask again is not later than `wake`.
static PsMono serve_quiet(PsLinkWorker *worker, PsMono now, PsMono wake) {
    pthread_mutex_lock(&worker->lock);
    PsMono due = ps_mono_add_ns(worker->quiet_since, PS_LINK_QUIET_MS * PS_NS_PER_MS);
    bool any = worker->quiet_count > 0;
    bool late = any && due.ns <= now.ns;
    if (late) {
        worker->quiet_count = 0; // told once
    }
    pthread_mutex_unlock(&worker->lock);
    if (late) {
        worker->wake(worker->wake_ctx);
    }
    return any && !late && due.ns < wake.ns ? due : wake;
}

static void post_plain(PsLinkWorker *worker, PsLinkEventKind kind, uint32_t epoch) {
    PsLinkEvent *event = ps_alloc(sizeof *event);
    event->kind = kind;
    event->at = ps_wall_now();
    event->epoch = epoch;
    post(worker, event);
}

static size_t events_waiting(PsLinkWorker *worker) {
    pthread_mutex_lock(&worker->lock);
    size_t count = worker->event_count;
    pthread_mutex_unlock(&worker->lock);
    return count;
}

bool ps_link_worker_has_events(const PsLinkWorker *worker) {
    return atomic_load(&worker->has_events);
}

PsLinkEvent *ps_link_worker_take(PsLinkWorker *worker) {
    pthread_mutex_lock(&worker->lock);
    PsLinkEvent *events = worker->first;
    bool held = worker->event_count >= EVENTS_HELD;
    worker->first = NULL;
    worker->last = &worker->first;
    worker->event_count = 0;
    worker->quiet_count = 0;
    atomic_store(&worker->has_events, false);
    pthread_mutex_unlock(&worker->lock);
    if (held) {
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
        post(worker, event); // a script waits for it
    } else {
        post_quietly(worker, event);
    }
}

static void on_received(const struct mosquitto_message *message, void *ctx) {
    PsLinkWorker *worker = ctx;
    size_t topic_len = strlen(message->topic);
    size_t len = message->payloadlen > 0 ? (size_t)message->payloadlen : 0;
    PsLinkEvent *event = NULL;
    if (events_waiting(worker) < EVENTS_MAX) {
        event = event_new(PS_EVENT_RECEIVED, topic_len + 1 + len);
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
    post(worker, event);
}

// ---- attempts

static void begin_attempt(PsLinkWorker *worker, PsMono now) {
    PsAttemptEvents events = {
        .acknowledged = on_acknowledged, .received = on_received, .ctx = worker};
    worker->up = false;
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
    int len = snprintf(event->bytes, PS_LINK_ERROR_SIZE, "%s: %s", ps_link_step_name(failure->step),
                       failure->text);
    event->len = len > 0 ? (size_t)len : 0;
    post(worker, event);
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

static void send_packets(PsLinkWorker *worker, PsMono now) {
    PsLinkPacket *packet;
    while ((packet = ps_mailbox_take(worker->packets)) != NULL) {
        bool sendable = worker->attempt != NULL && worker->attempt->stage == PS_STAGE_UP &&
                        packet->epoch == worker->epoch;
        if (sendable) {
            ps_session_publish(worker->attempt, packet->id, packet->now, packet->bytes,
                               packet->bytes + packet->topic_len + 1, packet->len, packet->qos,
                               now);
        }
        free(packet);
    }
}

// ---- the thread

static void wait_for_work(PsLinkWorker *worker, PsMono now, short *ret_revents) {
    bool hold = events_waiting(worker) >= EVENTS_HELD;
    struct pollfd waits[2] = {{.fd = worker->wake_fd, .events = POLLIN}, {.fd = -1}};
    PsMono wake = worker->next_try;
    if (worker->attempt != NULL) {
        waits[1] = ps_attempt_poll(worker->attempt, hold);
        wake = ps_attempt_wake_at(worker->attempt, now);
    }
    wake = serve_quiet(worker, now, wake);
    // Held back: the main thread's take wakes us.
    int timeout = worker->attempt == NULL && hold ? -1 : ps_mono_poll_ms(now, wake);
    *ret_revents = 0;
    if (poll(waits, PS_COUNT(waits), timeout) > 0) {
        *ret_revents = waits[1].revents;
        if (waits[0].revents != 0) {
            eventfd_t count;
            (void)eventfd_read(worker->wake_fd, &count);
        }
    }
}

static void *run(void *argument) {
    PsLinkWorker *worker = argument;
    worker->next_try = ps_mono_now();
    while (!atomic_load(&worker->stopping)) {
        short revents = 0;
        wait_for_work(worker, ps_mono_now(), &revents);
        PsMono now = ps_mono_now();
        if (worker->attempt == NULL && now.ns >= worker->next_try.ns &&
            events_waiting(worker) < EVENTS_HELD) {
            begin_attempt(worker, now);
        }
        send_packets(worker, now);
        if (worker->attempt != NULL) {
            advance(worker, revents, now);
        }
    }
    ps_attempt_free(worker->attempt);
    worker->attempt = NULL;
    post_plain(worker, PS_EVENT_STOPPED, 0);
    return NULL;
}

static void wake_thread(void *ctx) {
    PsLinkWorker *worker = ctx;
    eventfd_write(worker->wake_fd, 1);
}

PsLinkWorker *ps_link_worker_new(const PsLinkSettings *settings, void (*wake)(void *ctx),
                                 void *ctx) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        return NULL;
    }
    PsLinkWorker *worker = ps_alloc(sizeof *worker);
    worker->settings = settings;
    worker->wake = wake;
    worker->wake_ctx = ctx;
    worker->wake_fd = fd;
    worker->last = &worker->first;
    worker->refused = ps_alloc_array(settings->subscription_count, sizeof(bool));
    pthread_mutex_init(&worker->lock, NULL);
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

PsErr ps_link_worker_put(PsLinkWorker *worker, PsLinkPacket *packet) {
    return ps_mailbox_put(worker->packets, packet);
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
    for (PsLinkEvent *event = worker->first; event != NULL;) {
        PsLinkEvent *next = event->next;
        free(event);
        event = next;
    }
    ps_mailbox_free(worker->packets);
    pthread_mutex_destroy(&worker->lock);
    close(worker->wake_fd);
    free(worker->refused);
    free(worker);
}
