// Starting penstock-script and talking to it. One PsSpawnerLife per process: its handles close
// asynchronously and the next life may begin before the last handle of the previous is gone.
#include "script/spawner.h"

#include "base/log.h"
#include "base/mem.h"
#include "script/error_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKET_MAX 256
#define CONTROL_FD 3
#define DELAY_MAX_MS 60000
#define FAILURES_MAX 16
// Asked to end, penstock-script ends its workers and removes their scratch folders in this time.
#define END_LIMIT_MS 1000

struct PsSpawnerLife {
    PsScriptSpawner *spawner;
    uv_process_t process;
    uv_poll_t control_poll;
    int control;
    PsErrorLines errors;
    uint32_t handles;
    bool alive; // started and not yet reaped
};

void ps_script_spawner_init(PsScriptSpawner *spawner, uv_loop_t *loop, const char *program,
                            const char *scratch, uint32_t delay_min_ms,
                            const PsScriptSpawnerEvents *events, void *ctx) {
    *spawner = (PsScriptSpawner){.loop = loop,
                                 .program = ps_strdup(program),
                                 .scratch = scratch != NULL ? ps_strdup(scratch) : NULL,
                                 .events = events,
                                 .ctx = ctx,
                                 .delay_min_ms = delay_min_ms};
}

void ps_script_spawner_deinit(PsScriptSpawner *spawner) {
    free(spawner->program);
    free(spawner->scratch);
    spawner->program = NULL;
    spawner->scratch = NULL;
}

static void handle_gone(PsScriptSpawner *spawner) {
    if (--spawner->handles == 0) {
        spawner->events->stopped(spawner->ctx);
    }
}

static void on_restart_closed(uv_handle_t *handle) {
    handle_gone(handle->data);
}

static void life_handle_gone(PsSpawnerLife *life) {
    if (--life->handles > 0) {
        return;
    }
    close(life->control);
    PsScriptSpawner *spawner = life->spawner;
    free(life);
    handle_gone(spawner);
}

static void on_life_handle_closed(uv_handle_t *handle) {
    life_handle_gone(handle->data);
}

static void on_errors_closed(void *ctx) {
    life_handle_gone(ctx);
}

static void on_error_line(const char *line, size_t len, void *ctx) {
    PS_LOGW("SCRIPT-STDERR", "penstock-script: %.*s", (int)len, line);
}

static void on_restart(uv_timer_t *timer) {
    ps_script_spawner_start(timer->data);
}

static uint32_t next_delay_ms(PsScriptSpawner *spawner) {
    uint64_t delay = (uint64_t)spawner->delay_min_ms << spawner->failures;
    spawner->failures += spawner->failures < FAILURES_MAX;
    return delay < DELAY_MAX_MS ? (uint32_t)delay : DELAY_MAX_MS;
}

// The process is gone (or useless): everything of this life is taken off the loop.
static void end_life(PsScriptSpawner *spawner, const char *reason) {
    PsSpawnerLife *life = spawner->life;
    if (life == NULL) {
        return;
    }
    spawner->life = NULL;
    spawner->ready = false;
    if (life->alive && spawner->stopping) {
        shutdown(life->control, SHUT_RDWR); // it ends by itself
    } else if (life->alive) {
        uv_process_kill(&life->process, SIGKILL); // its handle stays until it has been reaped
    } else {
        uv_close((uv_handle_t *)&life->process, on_life_handle_closed);
    }
    uv_close((uv_handle_t *)&life->control_poll, on_life_handle_closed);
    ps_error_lines_close(&life->errors, on_errors_closed);
    if (!spawner->stopping) {
        uint32_t delay_ms = next_delay_ms(spawner);
        PS_LOGE("SCRIPT-LOST",
                "penstock-script %s; all scripts stand still and start again in %u ms", reason,
                delay_ms);
        uv_timer_start(&spawner->restart, on_restart, delay_ms, 0);
    }
    spawner->events->lost(spawner->ctx);
}

static void on_process_exit(uv_process_t *process, int64_t status, int signal) {
    PsSpawnerLife *life = process->data;
    PsScriptSpawner *spawner = life->spawner;
    life->alive = false;
    if (spawner->ending == life) {
        spawner->ending = NULL;
        uv_close((uv_handle_t *)&spawner->restart, on_restart_closed);
    }
    if (spawner->life != life) {
        uv_close((uv_handle_t *)process, on_life_handle_closed);
        return;
    }
    char reason[64];
    if (signal != 0) {
        snprintf(reason, sizeof reason, "was ended by signal %d", signal);
    } else {
        snprintf(reason, sizeof reason, "ended with status %lld", (long long)status);
    }
    end_life(spawner, reason);
}

static void tell_missing_holds(PsScriptSpawner *spawner, PsWireHolds holds) {
    if (spawner->holds_told) {
        return;
    }
    spawner->holds_told = true;
    if (holds.landlock == 0) {
        PS_LOGW("SCRIPT-OPEN", "this system has no Landlock (Linux 5.13, `lsm=landlock,...`): a "
                               "script can read what the gateway can read, keys included");
    }
    if (holds.call_filter == 0) {
        PS_LOGW("SCRIPT-OPEN", "this system has no seccomp filters: a script can start programs, "
                               "send signals and connect to the network");
    }
}

static void on_starter_ready(PsScriptSpawner *spawner, const PsWireFrame *frame) {
    PsWireHolds holds;
    if (ps_wire_get_ready(frame, &holds) != PS_OK) {
        end_life(spawner, "sent an unreadable frame");
        return;
    }
    tell_missing_holds(spawner, holds);
    spawner->ready = true;
    spawner->failures = 0;
    spawner->events->ready(spawner->ctx);
}

static void dispatch(PsScriptSpawner *spawner, const PsWireFrame *frame) {
    if (frame->type == PS_WIRE_READY) {
        on_starter_ready(spawner, frame);
        return;
    }
    PsWireChild child;
    PsErr err = ps_wire_get_child(frame, &child);
    if (err != PS_OK) {
        end_life(spawner, "sent an unreadable frame");
        return;
    }
    if (frame->type == PS_WIRE_FORKED) {
        spawner->events->forked(child, spawner->ctx);
    } else if (frame->type == PS_WIRE_FORK_FAILED) {
        spawner->events->fork_failed(child, spawner->ctx);
    } else if (frame->type == PS_WIRE_OVER_LIMIT) {
        spawner->events->over_limit(child, spawner->ctx);
    } else {
        spawner->events->exited(child, spawner->ctx);
    }
}

// One packet is one frame.
static void on_packet(PsScriptSpawner *spawner, const uint8_t *packet, size_t len) {
    PsWireDecoder decoder;
    ps_wire_decoder_init(&decoder, PS_WIRE_FROM_STARTER);
    size_t room = 0;
    memcpy(ps_wire_decoder_room(&decoder, &room), packet, len);
    ps_wire_decoder_added(&decoder, len);
    PsWireFrame frame;
    PsErr err = ps_wire_decoder_next(&decoder, &frame);
    if (err == PS_OK) {
        dispatch(spawner, &frame);
    } else {
        end_life(spawner, "sent an unreadable frame");
    }
    ps_wire_decoder_deinit(&decoder);
}

static void on_control(uv_poll_t *poll, int status, int events) {
    PsSpawnerLife *life = poll->data;
    PsScriptSpawner *spawner = life->spawner;
    while (spawner->life == life) {
        uint8_t packet[PACKET_MAX];
        ssize_t got = recv(life->control, packet, sizeof packet, MSG_DONTWAIT);
        if (got > 0) {
            on_packet(spawner, packet, (size_t)got);
            continue;
        }
        bool waiting = got < 0 && (errno == EAGAIN || errno == EINTR);
        if (!waiting) {
            uv_poll_stop(poll); // the exit itself, with its cause, is reported by the process
            if (life->alive) {
                uv_process_kill(&life->process, SIGKILL);
            }
        }
        return;
    }
}

// Only what Python needs to find its way; nothing of the gateway's own environment.
static char *environment[] = {
    (char[]){"PATH=/usr/local/bin:/usr/bin:/bin"},
    (char[]){"LANG=C.UTF-8"},
    (char[]){"HOME=/nonexistent"},
    NULL,
};

static PsErr spawn(PsSpawnerLife *life, const int control[2], const int errors[2]) {
    PsScriptSpawner *spawner = life->spawner;
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = errors[1]},
        {.flags = UV_INHERIT_FD, .data.fd = errors[1]},
        [CONTROL_FD] = {.flags = UV_INHERIT_FD, .data.fd = control[1]},
    };
    char option[] = "--scratch";
    char *arguments[] = {spawner->program, spawner->scratch != NULL ? option : NULL,
                         spawner->scratch, NULL};
    uv_process_options_t options = {
        .file = spawner->program,
        .args = arguments,
        .env = environment,
        .exit_cb = on_process_exit,
        .stdio_count = (int)PS_COUNT(stdio),
        .stdio = stdio,
    };
    int failure = uv_spawn(spawner->loop, &life->process, &options);
    if (failure != 0) {
        PS_LOGE("SCRIPT-SPAWN", "cannot start '%s': %s; no script can run", spawner->program,
                uv_strerror(failure));
        return PS_ERR_IO;
    }
    life->alive = true;
    return PS_OK;
}

// Takes over control[0] and errors[0]; the other ends stay with the caller.
static void begin_life(PsScriptSpawner *spawner, const int control[2], const int errors[2]) {
    PsSpawnerLife *life = ps_alloc(sizeof *life);
    life->spawner = spawner;
    life->control = control[0];
    life->process.data = life;
    life->handles = 3;
    spawner->life = life;
    spawner->handles++;
    PsErr spawned = spawn(life, control, errors);
    uv_poll_init(spawner->loop, &life->control_poll, life->control);
    life->control_poll.data = life;
    ps_error_lines_open(&life->errors, spawner->loop, errors[0], on_error_line, NULL, life);
    if (spawned != PS_OK) {
        end_life(spawner, "could not be started");
        return;
    }
    uv_poll_start(&life->control_poll, UV_READABLE, on_control);
}

static void close_pair(const int pair[2]) {
    close(pair[0]);
    close(pair[1]);
}

void ps_script_spawner_start(PsScriptSpawner *spawner) {
    if (spawner->handles == 0) {
        uv_timer_init(spawner->loop, &spawner->restart);
        spawner->restart.data = spawner;
        spawner->handles = 1;
    }
    int control[2];
    int errors[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0) {
        PS_LOGE("SCRIPT-SPAWN", "no socket pair for penstock-script: %s", strerror(errno));
        uv_timer_start(&spawner->restart, on_restart, next_delay_ms(spawner), 0);
        return;
    }
    if (pipe2(errors, O_CLOEXEC) < 0) {
        PS_LOGE("SCRIPT-SPAWN", "no pipe for penstock-script: %s", strerror(errno));
        close_pair(control);
        uv_timer_start(&spawner->restart, on_restart, next_delay_ms(spawner), 0);
        return;
    }
    begin_life(spawner, control, errors);
    close(control[1]);
    close(errors[1]);
}

static PsErr send_order(PsScriptSpawner *spawner, const PsBuf *order, const int *fds,
                        size_t count) {
    if (spawner->life == NULL || !spawner->ready) {
        return PS_ERR_CLOSED;
    }
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } ancillary = {0};
    struct iovec vector = {order->data, order->len};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = ancillary.bytes;
        message.msg_controllen = CMSG_SPACE(count * sizeof *fds);
        struct cmsghdr *control = CMSG_FIRSTHDR(&message);
        control->cmsg_level = SOL_SOCKET;
        control->cmsg_type = SCM_RIGHTS;
        control->cmsg_len = CMSG_LEN(count * sizeof *fds);
        memcpy(CMSG_DATA(control), fds, count * sizeof *fds);
    }
    ssize_t sent = sendmsg(spawner->life->control, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
        return PS_OK;
    }
    return errno == EAGAIN ? PS_ERR_BUSY : PS_ERR_CLOSED;
}

PsErr ps_script_spawner_fork(PsScriptSpawner *spawner, PsWireFork order, const int fds[2]) {
    PS_AUTO_BUF PsBuf packet = {0};
    ps_wire_put_fork(&packet, order);
    return send_order(spawner, &packet, fds, 2);
}

void ps_script_spawner_kill(PsScriptSpawner *spawner, uint32_t slot, uint32_t generation,
                            int signal) {
    PS_AUTO_BUF PsBuf packet = {0};
    ps_wire_put_child(&packet, PS_WIRE_KILL, (PsWireChild){slot, generation, (uint32_t)signal});
    PsErr err = send_order(spawner, &packet, NULL, 0);
    if (err == PS_ERR_BUSY) {
        // It does not read its orders: then the worker goes the hard way, with all others.
        end_life(spawner, "does not take orders");
    }
}

static void on_end_limit(uv_timer_t *timer) {
    PsScriptSpawner *spawner = timer->data;
    uv_process_kill(&spawner->ending->process, SIGKILL);
}

void ps_script_spawner_stop(PsScriptSpawner *spawner) {
    spawner->stopping = true;
    if (spawner->handles == 0) {
        spawner->events->stopped(spawner->ctx);
        return;
    }
    PsSpawnerLife *life = spawner->life;
    end_life(spawner, "is stopped");
    if (life != NULL && life->alive) {
        spawner->ending = life;
        uv_timer_start(&spawner->restart, on_end_limit, END_LIMIT_MS, 0);
    } else {
        uv_close((uv_handle_t *)&spawner->restart, on_restart_closed);
    }
}
