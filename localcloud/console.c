// The console on a libuv loop: MQTT client, standard input, signals, the broker's end. Main thread.
#include "localcloud/console.h"

#include "base/mem.h"
#include "base/time.h"
#include "localcloud/broker.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONGEST_LINE (PS_CLOUD_PAYLOAD_MAX + 1024)
#define CLIENT_TICK_MS 200
#define PENDING 64 // messages sent and not yet acknowledged; more are refused

typedef struct Pending {
    int ticket;
    char *line; // as it will be shown; NULL: free
} Pending;

// A descriptor in the loop. On the heap: libuv gives it back only when the loop comes round.
typedef struct Watch {
    uv_poll_t poll;
    int fd;
    int events;
} Watch;

typedef struct Console {
    const PsConsoleSetup *setup;
    PsCloudClient *client;
    Watch *client_watch; // NULL while there is no socket
    Watch *typed_watch;
    Watch *signal_watch;
    Watch *watched_watch;
    uv_timer_t *tick;
    uv_timer_t *limit;
    PsBuf typed;
    bool typed_too_long; // inside a line that is being thrown away
    bool was_ready;
    bool done;
    PsConsoleEnd end;
    uint64_t arrived;
    Pending pending[PENDING];
    PsDiag *diag;
} Console;

static void finish(Console *console, PsConsoleEnd end) {
    if (!console->done) {
        console->done = true;
        console->end = end;
    }
}

static void on_ready(void *ctx) {
    Console *console = ctx;
    if (console->was_ready) {
        fprintf(stderr, "penstock-cloud: connected again\n");
        return;
    }
    console->was_ready = true;
    if (console->setup->on_ready != NULL &&
        console->setup->on_ready(console->setup->ctx, console->diag) != PS_OK) {
        finish(console, PS_CONSOLE_FAILED);
    }
}

static void on_lost(void *ctx, const char *why) {
    (void)ctx;
    fprintf(stderr, "penstock-cloud: the broker cannot be reached: %s; trying again\n", why);
}

static void on_message(void *ctx, const PsCloudMessage *message) {
    Console *console = ctx;
    if (console->done) {
        return;
    }
    PS_AUTO_BUF PsBuf line = {0};
    ps_payload_put(&line, console->setup->format, ps_wall_now(), false, message);
    fwrite(line.data, 1, line.len, stdout);
    fflush(stdout);
    console->arrived++;
    if (console->arrived == console->setup->count) {
        finish(console, PS_CONSOLE_COUNT);
    }
}

static void on_delivered(void *ctx, int ticket) {
    Console *console = ctx;
    for (size_t i = 0; i < PENDING; i++) {
        Pending *pending = &console->pending[i];
        if (pending->line != NULL && pending->ticket == ticket) {
            fputs(pending->line, stdout);
            fflush(stdout);
            free(pending->line);
            pending->line = NULL;
        }
    }
}

static Pending *find_free(Console *console) {
    for (size_t i = 0; i < PENDING; i++) {
        if (console->pending[i].line == NULL) {
            return &console->pending[i];
        }
    }
    return NULL;
}

static void send_line(Console *console, const char *topic, const char *payload, size_t len) {
    Pending *pending = find_free(console);
    PsErr err = pending != NULL ? ps_cloud_client_publish(console->client, topic, payload, len, 1,
                                                          &pending->ticket)
                                : PS_ERR_FULL;
    if (err != PS_OK) {
        const char *why = err == PS_ERR_CLOSED    ? "not connected"
                          : err == PS_ERR_TOO_BIG ? "the payload is longer than 131072 bytes"
                          : err == PS_ERR_FULL    ? "too many messages are on their way"
                                                  : "this is no topic to publish to";
        fprintf(stderr, "penstock-cloud: not sent to '%s': %s\n", topic, why);
        return;
    }
    PsCloudMessage message = {.topic = topic, .payload = payload, .len = len, .qos = 1};
    PsBuf line = {0};
    ps_payload_put(&line, console->setup->format, ps_wall_now(), true, &message);
    pending->line = (char *)line.data; // shown once the broker has it
}

static void run_line(Console *console, char *line) {
    line += strspn(line, " \t");
    size_t topic_len = strcspn(line, " \t\r");
    if (topic_len == 0) {
        return;
    }
    bool alone = line[topic_len + strspn(line + topic_len, " \t\r")] == '\0';
    if (alone && strncmp(line, "quit", topic_len) == 0 && topic_len == 4) {
        finish(console, PS_CONSOLE_QUIT);
    } else if (alone) {
        fprintf(stderr, "penstock-cloud: type TOPIC PAYLOAD to send a message, quit to end\n");
    } else {
        line[topic_len] = '\0';
        char *payload = line + topic_len + 1;
        payload += strspn(payload, " \t");
        send_line(console, line, payload, strlen(payload));
    }
}

static void run_typed(Console *console) {
    char *end = NULL;
    while (!console->done && console->typed.len > 0 &&
           (end = memchr(console->typed.data, '\n', console->typed.len)) != NULL) {
        *end = '\0';
        if (!console->typed_too_long) {
            run_line(console, (char *)console->typed.data);
        }
        console->typed_too_long = false;
        size_t used = (size_t)(end - (char *)console->typed.data) + 1;
        console->typed.len -= used;
        memmove(console->typed.data, console->typed.data + used, console->typed.len);
    }
    if (console->typed.len > LONGEST_LINE) {
        if (!console->typed_too_long) {
            fprintf(stderr, "penstock-cloud: a line of more than %d bytes is not sent\n",
                    LONGEST_LINE);
        }
        console->typed_too_long = true;
        ps_buf_clear(&console->typed);
    }
}

// ---- the loop ----

// The handle is the first member of what was allocated.
static void free_handle(uv_handle_t *handle) {
    free(handle);
}

static void end_watch(Watch **watch) {
    if (*watch != NULL) {
        uv_close((uv_handle_t *)&(*watch)->poll, free_handle);
        *watch = NULL;
    }
}

static void end_timer(uv_timer_t **timer) {
    if (*timer != NULL) {
        uv_close((uv_handle_t *)*timer, free_handle);
        *timer = NULL;
    }
}

// NULL when the descriptor cannot be waited for (a file).
static Watch *begin_watch(Console *console, int fd, int events, uv_poll_cb on_event) {
    Watch *watch = ps_alloc(sizeof *watch);
    if (fd < 0 || uv_poll_init(console->setup->loop, &watch->poll, fd) != 0) {
        free(watch);
        return NULL;
    }
    watch->fd = fd;
    watch->events = events;
    watch->poll.data = console;
    uv_poll_start(&watch->poll, events, on_event);
    return watch;
}

static uv_timer_t *begin_timer(Console *console, uv_timer_cb on_time, uint64_t first_ms,
                               uint64_t repeat_ms) {
    uv_timer_t *timer = ps_alloc(sizeof *timer);
    uv_timer_init(console->setup->loop, timer);
    timer->data = console;
    uv_timer_start(timer, on_time, first_ms, repeat_ms);
    return timer;
}

// False at the end of the input.
static bool read_typed(Console *console) {
    uint8_t bytes[4096];
    ssize_t got = read(console->setup->stdin_fd, bytes, sizeof bytes);
    if (got > 0) {
        ps_buf_put(&console->typed, bytes, (size_t)got);
        run_typed(console);
    }
    return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

static void on_typed(uv_poll_t *poll, int status, int events) {
    Console *console = poll->data;
    (void)status;
    (void)events;
    if (!read_typed(console)) {
        end_watch(&console->typed_watch);
    }
}

// Typing waits until the first connection stands, so that a script's first line is not lost.
static void begin_typing(Console *console) {
    int fd = console->setup->stdin_fd;
    console->typed_watch = begin_watch(console, fd, UV_READABLE, on_typed);
    while (console->typed_watch == NULL && fd >= 0 && !console->done && read_typed(console)) {
        // a file gives everything at once
    }
}

static void on_client(uv_poll_t *poll, int status, int events);

// libmosquitto opens and closes its socket as it likes.
static void watch_client(Console *console) {
    int fd = ps_cloud_client_fd(console->client);
    int events =
        ps_cloud_client_events(console->client) & POLLOUT ? UV_READABLE | UV_WRITABLE : UV_READABLE;
    Watch *watch = console->client_watch;
    if (watch != NULL && watch->fd != fd) {
        end_watch(&console->client_watch);
        watch = NULL;
    }
    if (watch == NULL) {
        console->client_watch = begin_watch(console, fd, events, on_client);
    } else if (watch->events != events) {
        watch->events = events;
        uv_poll_start(&watch->poll, events, on_client);
    }
}

static void serve_client(Console *console) {
    bool was_ready = console->was_ready;
    ps_cloud_client_service(console->client);
    watch_client(console);
    if (console->was_ready && !was_ready && !console->done) {
        begin_typing(console);
    }
}

static void on_client(uv_poll_t *poll, int status, int events) {
    (void)status;
    (void)events;
    serve_client(poll->data);
}

static void on_tick(uv_timer_t *timer) {
    serve_client(timer->data);
}

static void on_signal(uv_poll_t *poll, int status, int events) {
    (void)status;
    (void)events;
    finish(poll->data, PS_CONSOLE_SIGNAL);
}

static void on_watched(uv_poll_t *poll, int status, int events) {
    (void)status;
    (void)events;
    finish(poll->data, PS_CONSOLE_WATCHED);
}

static void on_limit(uv_timer_t *timer) {
    finish(timer->data, PS_CONSOLE_TIMEOUT);
}

static PsErr begin(Console *console, PsDiag *diag) {
    const PsConsoleSetup *setup = console->setup;
    PsCloudClientSetup client = setup->client;
    client.on_ready = on_ready;
    client.on_lost = on_lost;
    client.on_message = on_message;
    client.on_delivered = on_delivered;
    client.ctx = console;
    console->signal_watch = begin_watch(console, setup->signal_fd, UV_READABLE, on_signal);
    console->watched_watch = begin_watch(console, setup->watched_fd, UV_READABLE, on_watched);
    if (setup->timeout_s > 0) {
        console->limit =
            begin_timer(console, on_limit, (uint64_t)(setup->timeout_s * 1000.0) + 1, 0);
    }
    if (client.host == NULL) {
        on_ready(console);
        return PS_OK;
    }
    console->tick = begin_timer(console, on_tick, 0, CLIENT_TICK_MS);
    return ps_cloud_client_new(&client, &console->client, diag);
}

static void end(Console *console) {
    end_watch(&console->client_watch);
    ps_cloud_client_free(console->client);
    end_watch(&console->typed_watch);
    end_watch(&console->signal_watch);
    end_watch(&console->watched_watch);
    end_timer(&console->tick);
    end_timer(&console->limit);
    uv_run(console->setup->loop, UV_RUN_NOWAIT); // gives the handles back
    ps_buf_deinit(&console->typed);
    for (size_t i = 0; i < PENDING; i++) {
        free(console->pending[i].line);
    }
}

PsConsoleEnd ps_console_run(const PsConsoleSetup *setup, PsDiag *diag) {
    Console console = {.setup = setup, .diag = diag};
    if (begin(&console, diag) != PS_OK) {
        finish(&console, PS_CONSOLE_FAILED);
    }
    while (!console.done) {
        uv_run(setup->loop, UV_RUN_ONCE);
    }
    end(&console);
    return console.end;
}
