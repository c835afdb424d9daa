// TLS between a client and MHD, which gets the plain text over a pair of sockets. MHD's own TLS
// turns without a pause while a client is slow with its handshake; see docs/decisions/0024-http.md.
// One tunnel has one connection; it outlives its place until everything has gone out. Loop thread.
#include "base/mem.h"
#include "http/inside.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define BLOCK 16384 // one record of TLS
#define ROUNDS 16   // blocks of one tunnel before the loop's other work has its turn
#define DRAIN_S 10  // for what MHD has written before it closed
#define PAIR_BYTES 65536

typedef struct Block {
    size_t at;
    size_t len; ///< behind `at`
    unsigned char bytes[BLOCK];
} Block;

struct PsHttpTls {
    PsHttpServer *server;
    struct PsHttpTls *next;
    PsHttpPlace *place; ///< NULL: gone
    SSL *ssl;
    int net;  ///< the client's socket
    int pair; ///< our end of the pair; -1 while there is none
    uv_poll_t net_poll;
    uv_poll_t pair_poll;
    uv_timer_t timer; ///< once MHD has closed
    int open_handles;
    int net_events; ///< what is polled for
    int pair_events;
    Block in;
    Block out;
    bool shaking;
    bool reads_wanted; ///< by OpenSSL, whatever it does
    bool writes_wanted;
    bool in_ended;     ///< the client sends no more
    bool in_passed_on; ///< and MHD knows
    bool out_ended;    ///< MHD sends no more
    bool ending;
};

// ---- end

static void on_closed(uv_handle_t *handle) {
    PsHttpTls *tls = handle->data;
    PsHttpServer *server = tls->server;
    if (--tls->open_handles > 0) {
        return;
    }
    PsHttpTls **slot = &server->tunnels;
    while (*slot != tls) {
        slot = &(*slot)->next;
    }
    *slot = tls->next;
    server->tunnel_count--;
    OPENSSL_cleanse(&tls->in, sizeof tls->in);
    OPENSSL_cleanse(&tls->out, sizeof tls->out);
    free(tls);
    ps_http_handle_closed(server);
}

// `linger`: the client may still be sending, and is to read what it got first.
static void finish(PsHttpTls *tls, bool linger) {
    if (tls->ending) {
        return;
    }
    tls->ending = true;
    uv_poll_stop(&tls->net_poll);
    uv_close((uv_handle_t *)&tls->net_poll, on_closed);
    uv_close((uv_handle_t *)&tls->timer, on_closed);
    if (tls->pair >= 0) {
        uv_poll_stop(&tls->pair_poll);
        uv_close((uv_handle_t *)&tls->pair_poll, on_closed);
        close(tls->pair); // MHD sees it and closes
    }
    SSL_free(tls->ssl);
    ERR_clear_error();
    if (linger) {
        ps_http_linger(tls->server, tls->net);
    } else {
        close(tls->net);
    }
    PsHttpPlace *place = tls->place;
    tls->place = NULL;
    if (place != NULL) {
        place->tls = NULL;
        if (tls->shaking) {
            ps_http_place_end(place); // MHD never knew it
        }
    }
}

PsHttpTls *ps_http_tunnel_next(const PsHttpTls *tls) {
    return tls->next;
}

int ps_http_tunnel_fd(const PsHttpTls *tls) {
    return tls->net;
}

void ps_http_tunnel_break(PsHttpTls *tls) {
    finish(tls, false);
}

static void on_time(uv_timer_t *timer) {
    finish(timer->data, false);
}

void ps_http_tunnel_leave(PsHttpTls *tls) {
    tls->place = NULL;
    if (!tls->ending) {
        uv_timer_start(&tls->timer, on_time, (uint64_t)DRAIN_S * 1000, 0);
    }
}

// ---- through

// Of SSL_read and SSL_write. False: nothing more comes this way.
static bool goes_on(PsHttpTls *tls, int result) {
    int error = SSL_get_error(tls->ssl, result);
    tls->reads_wanted = tls->reads_wanted || error == SSL_ERROR_WANT_READ;
    tls->writes_wanted = tls->writes_wanted || error == SSL_ERROR_WANT_WRITE;
    ERR_clear_error();
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static bool would_block(void) {
    return errno == EAGAIN || errno == EINTR;
}

static void took(Block *block, size_t len) {
    block->at += len;
    block->len -= len;
}

// Client to MHD. True when something moved.
static bool pump_in(PsHttpTls *tls) {
    bool moved = false;
    if (tls->in.len == 0 && !tls->in_ended) {
        int got = SSL_read(tls->ssl, tls->in.bytes, BLOCK);
        if (got > 0) {
            tls->in.at = 0;
            tls->in.len = (size_t)got;
        } else {
            tls->in_ended = !goes_on(tls, got);
        }
    }
    if (tls->in.len > 0) {
        ssize_t sent = send(tls->pair, tls->in.bytes + tls->in.at, tls->in.len, MSG_NOSIGNAL);
        if (sent > 0) {
            took(&tls->in, (size_t)sent);
            moved = true;
        } else if (!would_block()) {
            tls->in.len = 0; // MHD has closed; what still comes is nobody's
            moved = true;
        }
    }
    if (tls->in_ended && tls->in.len == 0 && !tls->in_passed_on) {
        tls->in_passed_on = true;
        shutdown(tls->pair, SHUT_WR);
    }
    return moved;
}

// MHD to client. *ret_broken: the client cannot be written to any more.
static bool pump_out(PsHttpTls *tls, bool *ret_broken) {
    bool moved = false;
    if (tls->out.len == 0 && !tls->out_ended) {
        ssize_t got = recv(tls->pair, tls->out.bytes, BLOCK, 0);
        if (got > 0) {
            tls->out.at = 0;
            tls->out.len = (size_t)got;
        } else {
            tls->out_ended = got == 0 || !would_block();
        }
    }
    if (tls->out.len > 0) {
        int sent = SSL_write(tls->ssl, tls->out.bytes + tls->out.at, (int)tls->out.len);
        if (sent > 0) {
            took(&tls->out, (size_t)sent);
            moved = true;
        } else {
            *ret_broken = !goes_on(tls, sent);
        }
    }
    return moved;
}

static void on_net(uv_poll_t *poll, int status, int events);
static void on_pair(uv_poll_t *poll, int status, int events);

// Polls for what can bring either direction further; each change costs the kernel a call.
static void set_polls(PsHttpTls *tls, bool more) {
    int net = (tls->reads_wanted ? UV_READABLE : 0) | (tls->writes_wanted ? UV_WRITABLE : 0);
    int pair = (tls->out.len == 0 && !tls->out_ended ? UV_READABLE : 0) |
               (tls->in.len > 0 || more ? UV_WRITABLE : 0);
    if (net != tls->net_events) {
        tls->net_events = net;
        uv_poll_start(&tls->net_poll, net, on_net); // 0 stops it
    }
    if (tls->pair >= 0 && pair != tls->pair_events) {
        tls->pair_events = pair;
        uv_poll_start(&tls->pair_poll, pair, on_pair);
    }
}

static void pump(PsHttpTls *tls) {
    bool broken = false;
    bool more = true;
    ERR_clear_error(); // what others of this thread left would be taken for ours
    for (int round = 0; more && !broken && round < ROUNDS; round++) {
        tls->reads_wanted = false;
        tls->writes_wanted = false;
        more = pump_in(tls);
        more = pump_out(tls, &broken) || more;
    }
    if (broken) {
        finish(tls, false);
    } else if (tls->out_ended && tls->out.len == 0) {
        SSL_shutdown(tls->ssl);
        finish(tls, !tls->in_ended);
    } else {
        set_polls(tls, more);
    }
}

// ---- handshake

static bool make_pair(PsHttpTls *tls) {
    int fds[2];
    int size = PAIR_BYTES;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0) {
        return false;
    }
    if (uv_poll_init(tls->server->loop, &tls->pair_poll, fds[0]) != 0) {
        close(fds[0]);
        close(fds[1]);
        return false;
    }
    tls->pair_poll.data = tls;
    tls->open_handles++;
    tls->pair = fds[0];
    (void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    PsHttpPlace *place = tls->place;
    ps_http_place_rest(place);
    ps_http_place_open(place, fds[1], (struct sockaddr *)&address, sizeof address.sun_family);
    return true;
}

static void shake(PsHttpTls *tls) {
    tls->reads_wanted = false;
    tls->writes_wanted = false;
    ERR_clear_error();
    int result = SSL_accept(tls->ssl);
    if (result == 1) {
        tls->shaking = false;
        if (make_pair(tls)) {
            pump(tls);
        } else {
            tls->shaking = true;
            finish(tls, false);
        }
    } else if (goes_on(tls, result)) {
        set_polls(tls, false);
    } else {
        finish(tls, false);
    }
}

static void on_net(uv_poll_t *poll, int status, int events) {
    PsHttpTls *tls = poll->data;
    if (tls->shaking) {
        shake(tls);
    } else {
        pump(tls);
    }
}

static void on_pair(uv_poll_t *poll, int status, int events) {
    pump(poll->data);
}

void ps_http_tunnel_start(PsHttpPlace *place, int fd) {
    PsHttpServer *server = place->server;
    PsHttpTls *tls = ps_alloc(sizeof *tls);
    *tls = (PsHttpTls){.server = server, .place = place, .net = fd, .pair = -1, .shaking = true};
    tls->ssl = SSL_new(server->tls);
    if (tls->ssl == NULL || SSL_set_fd(tls->ssl, fd) != 1 ||
        uv_poll_init(server->loop, &tls->net_poll, fd) != 0) {
        SSL_free(tls->ssl);
        close(fd);
        free(tls);
        ps_http_place_end(place);
        return;
    }
    uv_timer_init(server->loop, &tls->timer);
    tls->net_poll.data = tls;
    tls->timer.data = tls;
    tls->open_handles = 2;
    tls->next = server->tunnels;
    server->tunnels = tls;
    server->tunnel_count++;
    server->open_handles++;
    place->tls = tls;
    ps_http_place_enter(place, PS_HTTP_SHAKING, (int64_t)server->setup.request_s * PS_NS_PER_S);
    shake(tls);
}
