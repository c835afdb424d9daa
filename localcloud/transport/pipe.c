// Unix sockets as streams. Main thread; nothing blocks.
#include "localcloud/transport/pipe.h"

#include "base/cleanup.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct Pipe {
    PsSocket socket; // first
    struct sockaddr_un address;
    int error; // errno of the last failure
} Pipe;

static Pipe *of_socket(PsSocket *socket) {
    return (Pipe *)socket;
}

// Of a call that failed.
static PsWireResult result_of(Pipe *pipe, PsWireResult again) {
    if (errno == EAGAIN || errno == EINTR) {
        return again;
    }
    pipe->error = errno;
    return PS_WIRE_BROKEN;
}

static PsWireResult pipe_open(PsSocket *socket) {
    Pipe *pipe = of_socket(socket);
    if (connect(socket->fd, (struct sockaddr *)&pipe->address, sizeof pipe->address) == 0) {
        return PS_WIRE_DONE;
    }
    return result_of(pipe, PS_WIRE_LATER); // EAGAIN: the broker's queue of connections is full
}

static PsWireResult pipe_read(PsSocket *socket, uint8_t *data, size_t size, size_t *ret_len) {
    ssize_t got = recv(socket->fd, data, size, 0);
    if (got < 0) {
        return result_of(of_socket(socket), PS_WIRE_WANTS_READ);
    }
    *ret_len = (size_t)got;
    return got > 0 ? PS_WIRE_DONE : PS_WIRE_ENDED;
}

static PsWireResult pipe_write(PsSocket *socket, const uint8_t *data, size_t len, size_t *ret_len) {
    ssize_t sent = send(socket->fd, data, len, MSG_NOSIGNAL);
    if (sent < 0) {
        return result_of(of_socket(socket), PS_WIRE_WANTS_WRITE);
    }
    *ret_len = (size_t)sent;
    return PS_WIRE_DONE;
}

static void pipe_broken(PsSocket *socket, char *why, size_t size) {
    snprintf(why, size, "%s", strerror(of_socket(socket)->error));
}

static void pipe_opened(PsSocket *socket) {
    if (socket->stream.events->on_open != NULL) {
        socket->stream.events->on_open(socket->stream.ctx);
    }
}

static void pipe_failed(PsSocket *socket, const char *why) {
    socket->stream.events->on_close(socket->stream.ctx, socket->end, why);
}

static void pipe_gone(PsSocket *socket) {
    free(of_socket(socket));
}

static const PsWire pipe_wire = {
    .open = pipe_open,
    .read = pipe_read,
    .write = pipe_write,
    .broken = pipe_broken,
    .opened = pipe_opened,
    .failed = pipe_failed,
    .gone = pipe_gone,
};

PsErr ps_pipe_connect(PsSocketLoop *loop, const char *path, uint32_t limit_ms,
                      const PsStreamEvents *events, void *ctx, PsStream **ret_stream) {
    PS_AUTO_FREE Pipe *pipe = ps_alloc(sizeof *pipe);
    struct sockaddr_un *address = &pipe->address;
    if (strlen(path) >= sizeof address->sun_path) {
        return PS_ERR_TOO_BIG;
    }
    address->sun_family = AF_UNIX;
    snprintf(address->sun_path, sizeof address->sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return PS_ERR_IO;
    }
    PsErr err = ps_socket_start(&pipe->socket, loop, &pipe_wire, fd, 0, limit_ms);
    if (err != PS_OK) {
        return err;
    }
    pipe->socket.stream.events = events;
    pipe->socket.stream.ctx = ctx;
    *ret_stream = &pipe->socket.stream;
    pipe = NULL;
    return PS_OK;
}
