// Connections that were answered before their request had been read (RFC 9112 9.6): the answer is
// sent and our half closed, but a close with bytes unread would be a reset that can overtake it. So
// what comes is taken for a moment. Loop thread.
#include "base/mem.h"
#include "http/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGERING_MAX 16
#define LINGER_MS 2000
#define LINGER_BYTES ((size_t)8 * 1024 * 1024)

typedef struct PsHttpLinger {
    struct PsHttpLinger *next;
    PsHttpServer *server;
    uv_poll_t poll;
    uv_timer_t timer;
    int fd;
    int open_handles;
    size_t taken;
    bool ending;
} Linger;

static void on_closed(uv_handle_t *handle) {
    Linger *linger = handle->data;
    if (--linger->open_handles == 0) {
        PsHttpServer *server = linger->server;
        struct PsHttpLinger **slot = &server->lingers;
        while (*slot != linger) {
            slot = &(*slot)->next;
        }
        *slot = linger->next;
        server->lingering--;
        free(linger);
        ps_http_handle_closed(server);
    }
}

static void finish(Linger *linger) {
    if (!linger->ending) {
        linger->ending = true;
        uv_poll_stop(&linger->poll);
        close(linger->fd);
        uv_close((uv_handle_t *)&linger->poll, on_closed);
        uv_close((uv_handle_t *)&linger->timer, on_closed);
    }
}

static void on_time(uv_timer_t *timer) {
    finish(timer->data);
}

static void on_bytes(uv_poll_t *poll, int status, int events) {
    Linger *linger = poll->data;
    char bytes[16384];
    ssize_t got = status == 0 ? recv(linger->fd, bytes, sizeof bytes, MSG_DONTWAIT) : 0;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    linger->taken += got > 0 ? (size_t)got : 0;
    if (got <= 0 || linger->taken > LINGER_BYTES) {
        finish(linger);
    }
}

void ps_http_linger(PsHttpServer *server, int fd) {
    if (server->lingering >= LINGERING_MAX || server->stop_wanted) {
        close(fd);
        return;
    }
    shutdown(fd, SHUT_WR);
    Linger *linger = ps_alloc(sizeof *linger);
    linger->server = server;
    linger->fd = fd;
    if (uv_poll_init(server->loop, &linger->poll, fd) != 0) {
        close(fd);
        free(linger);
        return;
    }
    uv_timer_init(server->loop, &linger->timer);
    linger->poll.data = linger;
    linger->timer.data = linger;
    linger->open_handles = 2;
    server->open_handles++;
    server->lingering++;
    linger->next = server->lingers;
    server->lingers = linger;
    uv_timer_start(&linger->timer, on_time, LINGER_MS, 0);
    uv_poll_start(&linger->poll, UV_READABLE, on_bytes);
}

void ps_http_linger_end(PsHttpServer *server) {
    for (Linger *linger = server->lingers; linger != NULL; linger = linger->next) {
        finish(linger);
    }
}
