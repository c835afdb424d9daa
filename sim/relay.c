// A relay: requests go on to a server behind it, what comes back is cut into frames and queued as
// answers. Its port's thread; nothing blocks.
#include "sim/relay.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES 65536

struct PsSimRelay {
    PsSimPort *port;
    const PsSimFraming *framing;
    struct sockaddr_in inner;
};

// The way to the server of one client.
typedef struct Way {
    PsBuf out; // requests that the server has not taken yet
    PsBuf in;  // the beginning of an answer
    bool connected;
    uint32_t watched;
} Way;

static void way_free(Way *way) {
    ps_buf_deinit(&way->out);
    ps_buf_deinit(&way->in);
    free(way);
}

static void watch(PsSimClient *client, Way *way, int fd) {
    bool reads = way->connected && !ps_sim_client_is_full(client);
    bool writes = !way->connected || way->out.len > 0;
    uint32_t wanted = (reads ? (uint32_t)EPOLLIN : 0) | (writes ? (uint32_t)EPOLLOUT : 0);
    if (wanted != way->watched || client->peer_fd < 0) {
        way->watched = wanted;
        if (!ps_sim_client_watch(client, fd, wanted)) {
            ps_sim_client_finish(client);
        }
    }
    ps_sim_client_hold(client, writes); // one after the other: no request waits in memory
}

static bool on_opened(void *owner, PsSimClient *client) {
    PsSimRelay *relay = owner;
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        (connect(fd, (struct sockaddr *)&relay->inner, sizeof relay->inner) != 0 &&
         errno != EINPROGRESS)) {
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    Way *way = ps_alloc(sizeof *way);
    client->user = way;
    watch(client, way, fd);
    ps_sim_client_settle(client);
    return true;
}

static void on_closed(void *owner, PsSimClient *client) {
    (void)owner;
    way_free(client->user);
}

static void send_requests(PsSimClient *client, Way *way) {
    size_t at = 0;
    if (way->out.len == 0) {
        return;
    }
    while (at < way->out.len) {
        ssize_t sent = send(client->peer_fd, way->out.data + at, way->out.len - at, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0) {
            if (errno != EAGAIN && errno != EWOULDBLOCK) {
                ps_sim_client_finish(client);
            }
            break;
        }
        at += (size_t)sent;
    }
    memmove(way->out.data, way->out.data + at, way->out.len - at);
    way->out.len -= at;
}

static void on_request(void *owner, PsSimClient *client, uint8_t *frame, size_t len) {
    (void)owner;
    Way *way = client->user;
    ps_buf_put(&way->out, frame, len);
    if (way->connected) {
        send_requests(client, way);
    }
    watch(client, way, client->peer_fd);
}

// The whole answers among the bytes that have come. What is no frame ends the connection.
static void take_answers(const PsSimRelay *relay, PsSimClient *client, PsBuf *in) {
    size_t at = 0;
    while (at < in->len) {
        size_t len = relay->framing->length(in->data + at, in->len - at);
        if (len > relay->framing->most) {
            ps_sim_client_finish(client);
        }
        if (len == 0 || len > in->len - at) {
            break;
        }
        ps_sim_client_answer(client, in->data + at, len, NULL);
        at += len;
    }
    memmove(in->data, in->data + at, in->len - at);
    in->len -= at;
}

static void receive_answers(const PsSimRelay *relay, PsSimClient *client, Way *way) {
    ps_buf_reserve(&way->in, READ_BYTES);
    ssize_t got = recv(client->peer_fd, way->in.data + way->in.len, READ_BYTES, 0);
    if (got > 0) {
        way->in.len += (size_t)got;
        take_answers(relay, client, &way->in);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        ps_sim_client_finish(client);
    }
}

static void on_peer(void *owner, PsSimClient *client, uint32_t events) {
    Way *way = client->user;
    if ((events & (EPOLLERR | EPOLLHUP)) != 0 && (events & EPOLLIN) == 0) {
        ps_sim_client_finish(client);
    }
    if ((events & EPOLLOUT) != 0) {
        way->connected = true;
        send_requests(client, way);
    }
    if ((events & EPOLLIN) != 0) {
        receive_answers(owner, client, way);
    }
    if (client->ending) {
        close(client->peer_fd); // else it would be told as ended for ever
        client->peer_fd = -1;
        return;
    }
    watch(client, way, client->peer_fd);
}

PsErr ps_sim_relay_new(const PsSimRelaySetup *setup, PsSimRelay **ret_relay, PsDiag *diag) {
    PsSimRelay *relay = ps_alloc(sizeof *relay);
    relay->framing = setup->framing;
    PsSimPortSetup public = {.address = setup->address,
                             .port = setup->port,
                             .connections = setup->connections,
                             .framing = setup->framing,
                             .owner = relay,
                             .opened = on_opened,
                             .request = on_request,
                             .peer = on_peer,
                             .closed = on_closed};
    PsErr err = ps_sim_port_new(&public, &relay->port, diag);
    if (err != PS_OK) {
        free(relay);
        return err;
    }
    *ret_relay = relay;
    return PS_OK;
}

PsErr ps_sim_relay_start(PsSimRelay *relay, uint16_t inner_port, PsDiag *diag) {
    relay->inner = (struct sockaddr_in){.sin_family = AF_INET,
                                        .sin_port = htons(inner_port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return ps_sim_port_start(relay->port, diag);
}

void ps_sim_relay_free(PsSimRelay *relay) {
    if (relay != NULL) {
        ps_sim_port_free(relay->port);
        free(relay);
    }
}

PsSimPort *ps_sim_relay_port(PsSimRelay *relay) {
    return relay->port;
}
