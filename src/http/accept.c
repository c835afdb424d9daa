// Takes new connections: who is at the other end, whether there is a place for them, and on to TLS
// or MHD. Loop thread.
#include "base/log.h"
#include "http/inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AT_ONCE 16 // of a queue of connections; then the loop's other work has its turn

static void name_v6(const struct in6_addr *address, PsHttpPeer *peer) {
    if (IN6_IS_ADDR_V4MAPPED(address)) {
        inet_ntop(AF_INET, &address->s6_addr[12], peer->address, sizeof peer->address);
        peer->loopback = address->s6_addr[12] == 127;
    } else {
        inet_ntop(AF_INET6, address, peer->address, sizeof peer->address);
        peer->loopback = IN6_IS_ADDR_LOOPBACK(address);
    }
}

static void name_peer(int fd, const struct sockaddr_storage *address, PsHttpPeer *peer) {
    peer->uid = (uid_t)-1;
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &v4->sin_addr, peer->address, sizeof peer->address);
        peer->loopback = (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
    } else if (address->ss_family == AF_INET6) {
        name_v6(&((const struct sockaddr_in6 *)address)->sin6_addr, peer);
    } else {
        struct ucred user = {0};
        socklen_t len = sizeof user;
        peer->local = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &len) == 0;
        peer->loopback = true;
        peer->uid = peer->local ? user.uid : (uid_t)-1;
    }
}

static bool has_enough(const PsHttpServer *server, const PsHttpPeer *peer) {
    unsigned count = 0;
    if (server->setup.connections_per_address == 0 || peer->local) {
        return false;
    }
    for (const PsHttpPlace *place = server->places; place != NULL; place = place->next) {
        count += strcmp(place->peer.address, peer->address) == 0;
    }
    return count >= server->setup.connections_per_address;
}

static void take(PsHttpServer *server, int fd, const struct sockaddr_storage *address,
                 socklen_t len) {
    PsHttpPeer peer = {.tls = server->tls != NULL};
    name_peer(fd, address, &peer);
    // A tunnel outlives its place by what still has to go out.
    if (has_enough(server, &peer) || server->tunnel_count > server->setup.connections_max * 2) {
        close(fd);
        return;
    }
    PsHttpPlace *place = ps_http_place_new(server);
    place->peer = peer;
    if (server->tls != NULL) {
        ps_http_tunnel_start(place, fd);
    } else {
        ps_http_place_open(place, fd, (const struct sockaddr *)address, len);
    }
}

static void pause_accepting(PsHttpServer *server) {
    if (server->accepts) {
        server->accepts = false;
        uv_poll_stop(&server->accepting);
    }
}

static void on_connection(uv_poll_t *poll, int status, int events) {
    PsHttpServer *server = poll->data;
    for (int i = 0; i < AT_ONCE && !server->stop_wanted; i++) {
        if (server->place_count >= server->setup.connections_max) {
            pause_accepting(server);
            break;
        }
        struct sockaddr_storage address = {0};
        socklen_t len = sizeof address;
        int fd = accept4(server->listener, (struct sockaddr *)&address, &len,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            take(server, fd, &address, len);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            PS_LOGW("HTTP-ACCEPT", "no new connection can be taken for now: %s", strerror(errno));
            pause_accepting(server); // until the next look at the places
            break;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            break;
        }
    }
    ps_http_look_soon(server);
}

void ps_http_accept_more(PsHttpServer *server) {
    if (!server->accepts && !server->stop_wanted &&
        server->place_count < server->setup.connections_max) {
        server->accepts = uv_poll_start(&server->accepting, UV_READABLE, on_connection) == 0;
    }
}
