// The console's loop over MQTT client, standard input, signals and the broker's end. Main thread.
#include "localcloud/console.h"

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

typedef struct Console {
    const PsConsoleSetup *setup;
    PsCloudClient *client;
    PsBuf typed;
    bool typed_too_long; // inside a line that is being thrown away
    int stdin_fd;
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

static void read_typed(Console *console) {
    uint8_t bytes[4096];
    ssize_t got = read(console->stdin_fd, bytes, sizeof bytes);
    if (got > 0) {
        ps_buf_put(&console->typed, bytes, (size_t)got);
        run_typed(console);
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
        console->stdin_fd = -1;
    }
}

static void wait_once(Console *console, PsMono deadline) {
    const PsConsoleSetup *setup = console->setup;
    // Typing waits until the first connection stands, so that a script's first line is not lost.
    struct pollfd fds[] = {
        {.fd = setup->signal_fd, .events = POLLIN},
        {.fd = setup->watched_fd, .events = POLLIN},
        {.fd = console->was_ready ? console->stdin_fd : -1, .events = POLLIN},
        {.fd = ps_cloud_client_fd(console->client),
         .events = ps_cloud_client_events(console->client)},
    };
    int wait_ms = CLIENT_TICK_MS;
    if (setup->timeout_s > 0) {
        int left_ms = ps_mono_poll_ms(ps_mono_now(), deadline);
        wait_ms = left_ms < wait_ms ? left_ms : wait_ms;
    }
    if (poll(fds, PS_COUNT(fds), wait_ms) < 0 && errno != EINTR) {
        (void)ps_fail(PS_ERR_IO, console->diag, "poll", NULL, "%s", strerror(errno));
        finish(console, PS_CONSOLE_FAILED);
        return;
    }
    if (fds[0].revents != 0) {
        finish(console, PS_CONSOLE_SIGNAL);
    } else if (fds[1].revents != 0) {
        finish(console, PS_CONSOLE_WATCHED);
    } else {
        if (fds[2].revents != 0) {
            read_typed(console);
        }
        ps_cloud_client_service(console->client);
        if (setup->timeout_s > 0 && ps_mono_diff_ns(deadline, ps_mono_now()) <= 0) {
            finish(console, PS_CONSOLE_TIMEOUT);
        }
    }
}

PsConsoleEnd ps_console_run(const PsConsoleSetup *setup, PsDiag *diag) {
    Console console = {.setup = setup, .stdin_fd = setup->stdin_fd, .diag = diag};
    PsCloudClientSetup client = setup->client;
    client.on_ready = on_ready;
    client.on_lost = on_lost;
    client.on_message = on_message;
    client.on_delivered = on_delivered;
    client.ctx = &console;
    if (ps_cloud_client_new(&client, &console.client, diag) != PS_OK) {
        return PS_CONSOLE_FAILED;
    }
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), ps_seconds_to_ns(setup->timeout_s));
    while (!console.done) {
        wait_once(&console, deadline);
    }
    ps_cloud_client_free(console.client);
    ps_buf_deinit(&console.typed);
    for (size_t i = 0; i < PENDING; i++) {
        free(console.pending[i].line);
    }
    return console.end;
}
