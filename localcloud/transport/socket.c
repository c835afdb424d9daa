// Streams over descriptors: poll, queue, limits, orderly end. Main thread; nothing blocks.
#include "localcloud/transport/socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READS_AT_ONCE 8     // then the others have their turn
#define FLUSH_LIMIT_MS 5000 // for what is queued when the stream is closed
#define LEAVE_LIMIT_MS 1000 // for the peer's own goodbye
#define LATER_MS 10

static void serve_list(uv_prepare_t *prepare);
static void on_poll(uv_poll_t *poll, int status, int events);
static void on_timer(uv_timer_t *timer);

static PsSocket *of_stream(PsStream *stream) {
    return (PsSocket *)stream;
}

// ---- the loop's list of sockets with something to do ----

static void stay_awake(uv_idle_t *idle) {
    (void)idle;
}

void ps_socket_loop_init(PsSocketLoop *loop, uv_loop_t *uv) {
    *loop = (PsSocketLoop){.loop = uv};
    uv_prepare_init(uv, &loop->before_wait);
    uv_prepare_start(&loop->before_wait, serve_list);
    uv_idle_init(uv, &loop->busy);
    loop->before_wait.data = loop;
}

void ps_socket_loop_close(PsSocketLoop *loop) {
    PS_ASSERT(loop->open_count == 0);
    uv_close((uv_handle_t *)&loop->before_wait, NULL);
    uv_close((uv_handle_t *)&loop->busy, NULL);
}

static void list(PsSocket *socket) {
    PsSocketLoop *loop = socket->loop;
    if (socket->listed) {
        return;
    }
    socket->listed = true;
    socket->next = NULL;
    if (loop->last != NULL) {
        loop->last->next = socket;
    } else {
        loop->first = socket;
    }
    loop->last = socket;
}

static void unlist(PsSocket *socket) {
    PsSocketLoop *loop = socket->loop;
    if (!socket->listed) {
        return;
    }
    PsSocket *before = NULL;
    PsSocket *at = loop->first;
    while (at != socket) {
        before = at;
        at = at->next;
    }
    if (before != NULL) {
        before->next = socket->next;
    } else {
        loop->first = socket->next;
    }
    if (loop->last == socket) {
        loop->last = before;
    }
    socket->listed = false;
}

// ---- the end ----

static void on_handle_closed(uv_handle_t *handle) {
    PsSocket *socket = handle->data;
    socket->handles_left--;
    if (socket->handles_left > 0) {
        return;
    }
    unlist(socket);
    ps_queue_deinit(&socket->out);
    close(socket->fd);
    socket->loop->open_count--;
    if (socket->was_open) {
        socket->stream.events->on_close(socket->stream.ctx, socket->end, socket->why);
    } else {
        socket->wire->failed(socket, socket->why);
    }
    socket->wire->gone(socket);
}

static void give_back(PsSocket *socket) {
    if (socket->state == PS_SOCKET_CLOSING) {
        return;
    }
    socket->state = PS_SOCKET_CLOSING;
    socket->handles_left = 2;
    uv_close((uv_handle_t *)&socket->poll, on_handle_closed);
    uv_close((uv_handle_t *)&socket->timer, on_handle_closed);
}

// Keeps the first reason: what follows it is its consequence.
static void set_end(PsSocket *socket, PsStreamEnd end, const char *why) {
    if (socket->state <= PS_SOCKET_OPEN) {
        socket->end = end;
        snprintf(socket->why, sizeof socket->why, "%s", why);
    }
}

static void finish(PsSocket *socket, PsStreamEnd end, const char *why) {
    set_end(socket, end, why);
    give_back(socket);
}

// Waits for the peer's end before the descriptor goes: closing with bytes unread would reset the
// connection and might take a TLS alert away that the peer has not read yet.
static void leave(PsSocket *socket) {
    shutdown(socket->fd, SHUT_WR);
    socket->state = PS_SOCKET_LEAVING;
    socket->write_is_blocked = false;
    socket->read_wants_write = false;
    uv_timer_start(&socket->timer, on_timer, LEAVE_LIMIT_MS, 0);
}

static void finish_broken(PsSocket *socket) {
    char why[sizeof socket->why] = "";
    socket->wire->broken(socket, why, sizeof why);
    set_end(socket, PS_STREAM_LOST, why);
    leave(socket);
}

// ---- what poll waits for ----

static void watch(PsSocket *socket) {
    int events = 0;
    bool reads = (socket->state == PS_SOCKET_OPEN && !socket->paused) ||
                 socket->state == PS_SOCKET_LEAVING || socket->write_wants_read;
    if (reads) {
        events |= UV_READABLE;
    }
    if (socket->write_is_blocked || socket->read_wants_write) {
        events |= UV_WRITABLE;
    }
    if (socket->state == PS_SOCKET_CLOSING || events == socket->polled) {
        return;
    }
    socket->polled = events;
    if (events == 0) {
        uv_poll_stop(&socket->poll);
    } else {
        uv_poll_start(&socket->poll, events, on_poll);
    }
}

// ---- opening ----

static void wait_and_try(PsSocket *socket) {
    if (socket->opening_limit_ms <= LATER_MS) {
        finish(socket, PS_STREAM_TIMEOUT, "the other side takes no connection");
        return;
    }
    socket->opening_limit_ms -= LATER_MS;
    socket->state = PS_SOCKET_WAITING;
    uv_timer_start(&socket->timer, on_timer, LATER_MS, 0);
}

static void try_open(PsSocket *socket) {
    PsWireResult result = socket->wire->open(socket);
    socket->write_is_blocked = result == PS_WIRE_WANTS_WRITE;
    socket->write_wants_read = result == PS_WIRE_WANTS_READ;
    if (result == PS_WIRE_DONE) {
        socket->state = PS_SOCKET_OPEN;
        socket->was_open = true;
        socket->read_again = true; // the first packet may have come with the end of the handshake
        list(socket);
        uv_timer_stop(&socket->timer);
        socket->wire->opened(socket);
    } else if (result == PS_WIRE_ENDED) {
        finish(socket, PS_STREAM_LOST, "the peer went away before the connection stood");
    } else if (result == PS_WIRE_BROKEN) {
        finish_broken(socket);
    } else if (result == PS_WIRE_LATER) {
        wait_and_try(socket);
    }
    watch(socket);
}

// ---- sending ----

static void send_some(PsSocket *socket) {
    PsWireResult result = PS_WIRE_DONE;
    socket->write_is_blocked = false;
    socket->write_wants_read = false;
    while (result == PS_WIRE_DONE && ps_queue_len(&socket->out) > 0) {
        size_t sent = 0;
        result = socket->wire->write(socket, ps_queue_front(&socket->out),
                                     ps_queue_len(&socket->out), &sent);
        if (result == PS_WIRE_DONE) {
            ps_queue_take(&socket->out, sent);
        }
    }
    socket->write_is_blocked = result == PS_WIRE_WANTS_WRITE;
    socket->write_wants_read = result == PS_WIRE_WANTS_READ;
    if (result == PS_WIRE_BROKEN || result == PS_WIRE_ENDED) {
        finish_broken(socket);
        return;
    }
    if (socket->state == PS_SOCKET_FLUSHING && ps_queue_len(&socket->out) == 0) {
        if (socket->wire->shut != NULL) {
            socket->wire->shut(socket);
        }
        leave(socket);
    } else if (socket->told_high && ps_queue_len(&socket->out) < PS_STREAM_LOW) {
        socket->told_high = false;
        if (socket->state == PS_SOCKET_OPEN && socket->stream.events->on_drained != NULL) {
            socket->stream.events->on_drained(socket->stream.ctx);
        }
    }
}

// ---- receiving ----

static void receive_some(PsSocket *socket) {
    socket->read_again = false;
    for (int i = 0; socket->state == PS_SOCKET_OPEN && !socket->paused; i++) {
        if (i == READS_AT_ONCE) {
            socket->read_again = true;
            list(socket);
            return;
        }
        size_t len = 0;
        uint8_t *bytes = socket->loop->bytes;
        PsWireResult result = socket->wire->read(socket, bytes, PS_SOCKET_READ_BYTES, &len);
        socket->read_wants_write = result == PS_WIRE_WANTS_WRITE;
        if (result == PS_WIRE_DONE) {
            socket->stream.events->on_bytes(socket->stream.ctx, bytes, len);
        } else if (result == PS_WIRE_ENDED) {
            finish(socket, PS_STREAM_CLOSED_THERE, "closed by the peer");
        } else if (result == PS_WIRE_BROKEN) {
            finish_broken(socket);
        } else {
            return;
        }
    }
    socket->read_again = true; // paused: what the wire holds is asked for when it goes on
}

// Below TLS: only the peer's end is waited for.
static void receive_goodbye(PsSocket *socket) {
    ssize_t got = 0;
    for (int i = 0; i < READS_AT_ONCE; i++) {
        got = recv(socket->fd, socket->loop->bytes, PS_SOCKET_READ_BYTES, MSG_DONTWAIT);
        if (got <= 0) {
            break;
        }
    }
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        give_back(socket);
    }
}

// ---- events ----

static void on_poll(uv_poll_t *poll, int status, int events) {
    PsSocket *socket = poll->data;
    (void)events;
    if (status < 0) {
        finish(socket, PS_STREAM_LOST, uv_strerror(status));
        return;
    }
    // What the kernel reports as an error shows itself in the next read or write.
    if (socket->state == PS_SOCKET_OPENING) {
        try_open(socket);
        return;
    }
    if (socket->state == PS_SOCKET_LEAVING) {
        receive_goodbye(socket);
        return;
    }
    if (ps_queue_len(&socket->out) > 0 && (socket->write_is_blocked || socket->write_wants_read)) {
        send_some(socket);
    }
    if (socket->state == PS_SOCKET_OPEN) {
        receive_some(socket);
    }
    watch(socket);
}

static void serve(PsSocket *socket) {
    bool sends = socket->state == PS_SOCKET_OPEN || socket->state == PS_SOCKET_FLUSHING;
    if (sends && !socket->write_is_blocked && !socket->write_wants_read) {
        send_some(socket);
    }
    if (socket->state == PS_SOCKET_OPEN && !socket->paused && socket->read_again) {
        receive_some(socket);
    }
    watch(socket);
}

static void serve_list(uv_prepare_t *prepare) {
    PsSocketLoop *loop = prepare->data;
    PsSocket *last = loop->last;
    bool done = last == NULL;
    while (!done) {
        PsSocket *socket = loop->first;
        done = socket == last;
        unlist(socket);
        serve(socket); // may list sockets again, behind `last`; none goes away in here
    }
    if (loop->first != NULL) {
        uv_idle_start(&loop->busy, stay_awake);
    } else {
        uv_idle_stop(&loop->busy);
    }
}

static void on_timer(uv_timer_t *timer) {
    PsSocket *socket = timer->data;
    switch (socket->state) {
    case PS_SOCKET_WAITING:
        socket->state = PS_SOCKET_OPENING;
        uv_timer_start(timer, on_timer, socket->opening_limit_ms, 0);
        try_open(socket);
        break;
    case PS_SOCKET_OPENING:
        finish(socket, PS_STREAM_TIMEOUT, "the handshake took too long");
        break;
    case PS_SOCKET_OPEN:
        finish(socket, PS_STREAM_TIMEOUT, "nothing that was waited for came in time");
        break;
    default:
        give_back(socket);
        break;
    }
}

// ---- the stream's functions ----

static PsErr socket_write(PsStream *stream, const void *data, size_t len) {
    PsSocket *socket = of_stream(stream);
    if (socket->state > PS_SOCKET_OPEN) {
        return PS_ERR_CLOSED;
    }
    size_t pending = ps_queue_len(&socket->out);
    if (len > PS_STREAM_MAX || pending > PS_STREAM_MAX - len) {
        return PS_ERR_FULL;
    }
    ps_queue_put(&socket->out, data, len);
    socket->told_high = socket->told_high || pending + len > PS_STREAM_HIGH;
    list(socket);
    return PS_OK;
}

static size_t socket_pending_bytes(const PsStream *stream) {
    return ps_queue_len(&((const PsSocket *)stream)->out);
}

static void socket_set_paused(PsStream *stream, bool paused) {
    PsSocket *socket = of_stream(stream);
    if (socket->paused == paused) {
        return;
    }
    socket->paused = paused;
    list(socket); // poll is set, and what the wire holds is read, when the loop comes round
}

static void socket_set_limit(PsStream *stream, uint32_t limit_ms) {
    PsSocket *socket = of_stream(stream);
    if (socket->state != PS_SOCKET_OPEN) {
        return;
    }
    if (limit_ms == 0) {
        uv_timer_stop(&socket->timer);
    } else {
        uv_timer_start(&socket->timer, on_timer, limit_ms, 0);
    }
}

static void socket_close(PsStream *stream, bool flush) {
    PsSocket *socket = of_stream(stream);
    if (!flush || socket->state < PS_SOCKET_OPEN) {
        finish(socket, PS_STREAM_CLOSED_HERE, "closed here");
    } else if (socket->state == PS_SOCKET_OPEN) {
        set_end(socket, PS_STREAM_CLOSED_HERE, "closed here");
        socket->state = PS_SOCKET_FLUSHING;
        uv_timer_start(&socket->timer, on_timer, FLUSH_LIMIT_MS, 0);
        list(socket);
    }
}

static const PsStreamKind socket_kind = {
    .write = socket_write,
    .pending_bytes = socket_pending_bytes,
    .set_paused = socket_set_paused,
    .set_limit = socket_set_limit,
    .close = socket_close,
};

PsErr ps_socket_start(PsSocket *socket, PsSocketLoop *loop, const PsWire *wire, int fd,
                      uint32_t delay_ms, uint32_t limit_ms) {
    *socket = (PsSocket){
        .stream = {.kind = &socket_kind},
        .wire = wire,
        .loop = loop,
        .fd = fd,
        .opening_limit_ms = limit_ms,
        .state = PS_SOCKET_WAITING,
    };
    if (uv_poll_init(loop->loop, &socket->poll, fd) != 0) {
        close(fd);
        return PS_ERR_IO;
    }
    uv_timer_init(loop->loop, &socket->timer);
    socket->poll.data = socket;
    socket->timer.data = socket;
    loop->open_count++;
    uv_timer_start(&socket->timer, on_timer, delay_ms, 0);
    return PS_OK;
}
