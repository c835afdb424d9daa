// A hostile worker: any bytes on its socket, taken by the streams, the decoder and the handlers of
// penstockd as if a script had sent them in the middle of a call. The first byte chooses which kind
// of message, whether its module is built, and how the bytes are cut into pieces.
#include "base/log.h"
#include "script/entry.h"
#include "script/host.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CALLS 3 // inputs that wait for the worker

typedef struct Victim {
    uv_loop_t loop;
    PsScriptHost *host;
    PsScriptShared *shared; // the host's first member
    PsScriptEntry *entry;
    int worker; // the script's end of the socket
    int errors;
    unsigned seen; // of the bytes handed on; volatile reads would be optimised away otherwise
} Victim;

static unsigned touch(const void *bytes, size_t len) {
    const uint8_t *at = bytes;
    unsigned sum = 0;
    for (size_t i = 0; i < len; i++) {
        sum += at[i];
    }
    return sum;
}

static bool on_publish(const PsScriptPublish *publish, void *ctx) {
    Victim *victim = ctx;
    victim->seen += touch(publish->payload, publish->payload_len) + (unsigned)publish->topic[0];
    PS_ASSERT(publish->qos >= 0 && publish->qos <= 2);
    return publish->payload_len % 3 != 0;
}

// Every second one is answered; the others leave the script waiting.
static bool on_publish_now(const PsScriptPublish *publish, uint64_t ticket, void *ctx) {
    Victim *victim = ctx;
    (void)on_publish(publish, ctx);
    if (publish->payload_len % 2 == 0) {
        ps_script_host_publish_now_done(victim->host, ticket, true);
    }
    return true;
}

static PsErr on_write(uint32_t variable, PsValue value, PsMono deadline, PsScriptWriteDone *done,
                      void *done_ctx, void *ctx, PsDiag *diag) {
    Victim *victim = ctx;
    PS_ASSERT(variable < victim->shared->setup.config->variable_count);
    victim->seen += value.kind == PS_VALUE_TEXT ? touch(value.text, value.text_len) : 0;
    done(PS_OK, NULL, value, done_ctx);
    return PS_OK;
}

static void on_recall(PsMono deadline, PsScriptRecallDone *done, void *done_ctx, void *ctx) {
    const Victim *victim = ctx;
    PsUpload all = {.group = victim->shared->setup.config->group_count};
    done(PS_OK, &all, done_ctx);
}

static void on_frame(const PsWireFrame *frame, void *ctx) {
    Victim *victim = ctx;
    if (!victim->entry->doomed) {
        ps_script_entry_take_frame(victim->entry, frame);
    }
}

static void on_error_line(const char *line, size_t len, void *ctx) {
    Victim *victim = ctx;
    victim->seen += touch(line, len);
}

static void on_broken(PsErr err, void *ctx) {
    Victim *victim = ctx;
    ps_script_entry_doom(victim->entry, false, "broken");
}

static void on_nothing(void *ctx) {
}

static const PsScriptStreamsEvents events = {
    .frame = on_frame,
    .error_line = on_error_line,
    .broken = on_broken,
    .ended = on_nothing,
    .closed = on_nothing,
};

static PsDevice device = {.name = "D"};
static PsGroup upload_group = {.name = "default"};
static PsVariable variable = {.name = "v", .device_name = "D", .access = PS_ACCESS_READ_WRITE};
static PsPublish publish = {.name = "p", .topic = "t", .main_function = "main", .timeout = 30};
static PsSubscribe subscribe = {.name = "s", .topic = "t", .main_function = "main", .timeout = 30};
static const PsConfig config = {.devices = &device,
                                .device_count = 1,
                                .groups = &upload_group,
                                .group_count = 1,
                                .variables = &variable,
                                .variable_count = 1,
                                .publish = &publish,
                                .publish_count = 1,
                                .subscribe = &subscribe,
                                .subscribe_count = 1,
                                .cloud.type = PS_CLOUD_AWS_IOT};

static void open_victim(Victim *victim, PsScriptKind kind, bool built) {
    uv_loop_init(&victim->loop);
    PsScriptHostSetup setup = {.loop = &victim->loop,
                               .config = &config,
                               .program = "/bin/sh", // never started
                               .ctx = victim,
                               .on_publish = on_publish,
                               .on_publish_now = on_publish_now,
                               .on_write = on_write,
                               .on_recall = on_recall};
    PsErr err = ps_script_host_new(&setup, &victim->host, NULL);
    PS_ASSERT(err == PS_OK);
    victim->shared = ps_script_host_shared(victim->host);
    victim->entry = victim->shared->entries[kind];
    victim->entry->aws = true;
    ps_script_writes_open(&victim->shared->writes);
    ps_script_entry_open(victim->entry);
    int fds[2];
    err = ps_script_streams_new(&victim->loop, &events, victim, &victim->entry->streams, fds);
    PS_ASSERT(err == PS_OK);
    victim->worker = fds[0];
    victim->errors = fds[1];
    victim->entry->state = built ? PS_WORKER_RUNNING : PS_WORKER_STARTING;
    PsUploadItem item = {.variable = 0, .good = true, .value = ps_value_int(7)};
    PsUpload upload = {.item_count = 1, .items = &item};
    for (int i = 0; i < CALLS; i++) {
        err = kind == PS_SCRIPT_PUBLISH
                  ? ps_script_host_collect(victim->host, 0, &upload)
                  : ps_script_host_receive(victim->host, 0, "t", "payload", 7, 1);
        PS_ASSERT(err == PS_OK);
    }
}

static void on_closed(uv_handle_t *handle) {
}

static void close_victim(Victim *victim) {
    if (victim->entry->streams != NULL) {
        ps_script_streams_close(victim->entry->streams);
        victim->entry->streams = NULL;
    }
    ps_script_entry_close(victim->entry);
    ps_script_writes_close(&victim->shared->writes, on_closed);
    uv_run(&victim->loop, UV_RUN_DEFAULT);
    int busy = uv_loop_close(&victim->loop);
    PS_ASSERT(busy == 0); // nothing was left on it
    close(victim->worker);
    close(victim->errors);
    ps_script_host_free(victim->host);
}

static void send_bytes(Victim *victim, const uint8_t *data, size_t size, size_t step) {
    for (size_t at = 0; at < size && victim->entry->streams != NULL; at += step) {
        size_t len = size - at < step ? size - at : step;
        ssize_t sent = send(victim->worker, data + at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < (ssize_t)len) {
            return;
        }
        uv_run(&victim->loop, UV_RUN_NOWAIT);
        uint8_t answers[4096]; // the worker reads what it is sent
        while (recv(victim->worker, answers, sizeof answers, MSG_DONTWAIT) > 0) {
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    ps_log_set_level(PS_LOG_ERROR);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    ps_log_set_fd(null);
    Victim victim = {0};
    open_victim(&victim, data[0] & 1 ? PS_SCRIPT_SUBSCRIBE : PS_SCRIPT_PUBLISH, data[0] & 2);
    send_bytes(&victim, data + 1, size - 1, (size_t)(data[0] >> 2) * 64 + 1);
    close_victim(&victim);
    ps_log_set_fd(STDERR_FILENO);
    close(null);
    return 0;
}
