// Listeners and clients behind TLS. Main thread; nothing blocks.
#include "localcloud/transport/tls_peer.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024
#define ACCEPTS_AT_ONCE 32
#define NO_ROOM_WAIT_MS 100 // after the system had no descriptor left

typedef struct Peer Peer;

struct PsListener {
    PsListenerSetup setup;
    uv_poll_t poll;
    uv_timer_t again;
    int fd;
    uint16_t port;
    size_t peer_count;
    Peer *opening; // those in a handshake
    int handles_left;
    bool closed;
};

struct Peer {
    PsSocket socket; // first
    PsListener *listener;
    SSL *ssl;
    PsTlsSession session;
    PsPeerFacts facts;
    int ssl_error;
    int error; // errno beside it
    Peer *next_opening;
};

static void wait_for_clients(PsListener *listener);

static Peer *of_socket(PsSocket *socket) {
    return (Peer *)socket;
}

// ---- the wire ----

static PsWireResult result_of(Peer *peer, int result) {
    int error = SSL_get_error(peer->ssl, result);
    switch (error) {
    case SSL_ERROR_WANT_READ:
        return PS_WIRE_WANTS_READ;
    case SSL_ERROR_WANT_WRITE:
        return PS_WIRE_WANTS_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return PS_WIRE_ENDED;
    default:
        peer->ssl_error = error;
        peer->error = errno;
        return PS_WIRE_BROKEN;
    }
}

static PsWireResult peer_open(PsSocket *socket) {
    Peer *peer = of_socket(socket);
    ERR_clear_error();
    int result = SSL_do_handshake(peer->ssl);
    return result == 1 ? PS_WIRE_DONE : result_of(peer, result);
}

static PsWireResult peer_read(PsSocket *socket, uint8_t *data, size_t size, size_t *ret_len) {
    Peer *peer = of_socket(socket);
    ERR_clear_error();
    int result = SSL_read_ex(peer->ssl, data, size, ret_len);
    return result == 1 ? PS_WIRE_DONE : result_of(peer, result);
}

static PsWireResult peer_write(PsSocket *socket, const uint8_t *data, size_t len, size_t *ret_len) {
    Peer *peer = of_socket(socket);
    ERR_clear_error();
    int result = SSL_write_ex(peer->ssl, data, len, ret_len);
    return result == 1 ? PS_WIRE_DONE : result_of(peer, result);
}

static void peer_shut(PsSocket *socket) {
    Peer *peer = of_socket(socket);
    ERR_clear_error();
    (void)SSL_shutdown(peer->ssl); // one try: who does not take it is leaving anyway
}

static void peer_broken(PsSocket *socket, char *why, size_t size) {
    Peer *peer = of_socket(socket);
    const char *words = peer->session.why;
    if (words == NULL) {
        words = ERR_reason_error_string(ERR_peek_last_error());
    }
    if (words == NULL && peer->ssl_error == SSL_ERROR_SYSCALL && peer->error != 0) {
        words = strerror(peer->error);
    }
    snprintf(why, size, "%s", words != NULL ? words : "the connection broke");
    ERR_clear_error();
}

static void leave_opening(Peer *peer) {
    Peer **at = &peer->listener->opening;
    while (*at != NULL && *at != peer) {
        at = &(*at)->next_opening;
    }
    if (*at == peer) {
        *at = peer->next_opening;
    }
}

static void peer_opened(PsSocket *socket) {
    Peer *peer = of_socket(socket);
    PsListener *listener = peer->listener;
    leave_opening(peer);
    // Nothing is to be sent now, so the kernel would acknowledge the end of the handshake late, and
    // a client without TCP_NODELAY would keep its first packet back until then: 40 ms.
    int on = 1;
    setsockopt(socket->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    peer->facts.certificate = SSL_get0_peer_certificate(peer->ssl);
    peer->facts.certificate_id = peer->session.certificate_id;
    peer->facts.server_name = peer->session.server_name;
    peer->facts.alpn = peer->session.alpn;
    listener->setup.on_open(listener->setup.ctx, &socket->stream, &peer->facts);
}

static void peer_failed(PsSocket *socket, const char *why) {
    const Peer *peer = of_socket(socket);
    const PsListenerSetup *setup = &peer->listener->setup;
    if (setup->on_refused != NULL && !peer->listener->closed) {
        setup->on_refused(setup->ctx, peer->facts.address, peer->session.certificate_id, why);
    }
}

static void free_when_done(PsListener *listener) {
    if (listener->closed && listener->handles_left == 0 && listener->peer_count == 0) {
        free(listener);
    }
}

static void peer_gone(PsSocket *socket) {
    Peer *peer = of_socket(socket);
    PsListener *listener = peer->listener;
    leave_opening(peer);
    SSL_free(peer->ssl);
    free(peer);
    listener->peer_count--;
    free_when_done(listener);
}

static const PsWire peer_wire = {
    .open = peer_open,
    .read = peer_read,
    .write = peer_write,
    .shut = peer_shut,
    .broken = peer_broken,
    .opened = peer_opened,
    .failed = peer_failed,
    .gone = peer_gone,
};

// ---- accepting ----

static void put_address(const struct sockaddr_in *from, PsPeerFacts *facts) {
    inet_ntop(AF_INET, &from->sin_addr, facts->address, sizeof facts->address);
    facts->port = ntohs(from->sin_port);
}

static void take_client(PsListener *listener, int fd, const struct sockaddr_in *from) {
    const PsListenerSetup *setup = &listener->setup;
    if (listener->peer_count >= setup->most_peers) {
        close(fd);
        return;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Peer *peer = ps_alloc(sizeof *peer);
    PsGreeting greeting = {0};
    put_address(from, &peer->facts);
    if (setup->greet != NULL) {
        setup->greet(setup->ctx, peer->facts.address, &greeting);
    }
    if (greeting.refuse) {
        close(fd);
        free(peer);
        return;
    }
    peer->facts.listener_port = listener->port;
    if (ps_socket_start(&peer->socket, setup->loop, &peer_wire, fd, greeting.delay_ms,
                        setup->handshake_limit_ms) != PS_OK) {
        free(peer);
        return;
    }
    peer->listener = listener;
    peer->next_opening = listener->opening;
    listener->opening = peer;
    listener->peer_count++;
    peer->ssl = ps_tls_accept(setup->tls, &peer->session, fd, greeting.identity, setup->needs_alpn);
    PS_ASSERT(peer->ssl != NULL); // only memory can be missing, and only a few kilobytes
}

static void on_rest(uv_timer_t *timer) {
    wait_for_clients(timer->data);
}

static void on_client(uv_poll_t *poll, int status, int events) {
    PsListener *listener = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        struct sockaddr_in from = {0};
        socklen_t size = sizeof from;
        int fd =
            accept4(listener->fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take_client(listener, fd, &from);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            uv_poll_stop(&listener->poll); // else the loop would spin on the client that waits
            uv_timer_start(&listener->again, on_rest, NO_ROOM_WAIT_MS, 0);
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

static void wait_for_clients(PsListener *listener) {
    uv_poll_start(&listener->poll, UV_READABLE, on_client);
}

// ---- the listener ----

static PsErr bind_port(PsListener *listener, PsDiag *diag) {
    const PsListenerSetup *setup = &listener->setup;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(setup->port), .sin_addr.s_addr = setup->address};
    socklen_t size = sizeof address;
    int on = 1;
    listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool bound = listener->fd >= 0 &&
                 setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                 bind(listener->fd, (struct sockaddr *)&address, size) == 0 &&
                 listen(listener->fd, BACKLOG) == 0 &&
                 getsockname(listener->fd, (struct sockaddr *)&address, &size) == 0;
    if (bound) {
        listener->port = ntohs(address.sin_port);
        return PS_OK;
    }
    int error = errno;
    if (listener->fd >= 0) {
        close(listener->fd);
    }
    if (error == EADDRINUSE) {
        return ps_fail(PS_ERR_IO, diag, "penstock-cloud", "port",
                       "port %u is in use; stop what listens there, or choose another (0: free)",
                       setup->port);
    }
    return ps_fail(PS_ERR_IO, diag, "penstock-cloud", "port", "port %u cannot be used: %s",
                   setup->port, strerror(error));
}

PsErr ps_listener_open(const PsListenerSetup *setup, PsListener **ret_listener, PsDiag *diag) {
    PsListener *listener = ps_alloc(sizeof *listener);
    listener->setup = *setup;
    PsErr err = bind_port(listener, diag);
    if (err != PS_OK) {
        free(listener);
        return err;
    }
    uv_loop_t *loop = setup->loop->loop;
    int failed = uv_poll_init(loop, &listener->poll, listener->fd);
    PS_ASSERT(failed == 0); // a listening socket can be watched
    uv_timer_init(loop, &listener->again);
    listener->poll.data = listener;
    listener->again.data = listener;
    listener->handles_left = 2;
    wait_for_clients(listener);
    *ret_listener = listener;
    return PS_OK;
}

uint16_t ps_listener_port(const PsListener *listener) {
    return listener->port;
}

static void on_closed(uv_handle_t *handle) {
    PsListener *listener = handle->data;
    listener->handles_left--;
    if (listener->handles_left == 0) {
        close(listener->fd);
    }
    free_when_done(listener);
}

void ps_listener_close(PsListener *listener) {
    listener->closed = true;
    for (Peer *peer = listener->opening; peer != NULL; peer = peer->next_opening) {
        ps_stream_close(&peer->socket.stream, false);
    }
    uv_close((uv_handle_t *)&listener->poll, on_closed);
    uv_close((uv_handle_t *)&listener->again, on_closed);
}
