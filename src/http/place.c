// The connections of a server: who is at the other end, how long each may take, and whether those
// that wait are still there. Loop thread.
#include "base/mem.h"
#include "http/inside.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ROOM_AFTER_NS (2 * PS_NS_PER_S) // idle for so long, a connection makes room for a new one

PsHttpPlace *ps_http_place_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

void ps_http_place_enter(PsHttpPlace *place, PsHttpPhase phase, int64_t allowed_ns) {
    place->phase = phase;
    place->since = ps_mono_now();
    place->deadline = ps_mono_add_ns(place->since, allowed_ns);
}

// Until the first line of a request is known. A connection that has had one may be silent first.
void ps_http_place_rest(PsHttpPlace *place) {
    const PsHttpSetup *setup = &place->server->setup;
    ps_http_place_enter(place, PS_HTTP_IDLE,
                        (int64_t)(setup->request_s + (place->used ? setup->silence_s : 0)) *
                            PS_NS_PER_S);
}

static void start(PsHttpServer *server, struct MHD_Connection *connection, void **slot) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    PsHttpPlace *place = ps_alloc(sizeof *place);
    place->server = server;
    place->fd = info != NULL ? info->connect_fd : -1;
    place->next = server->places;
    if (place->next != NULL) {
        place->next->before = place;
    }
    server->places = place;
    server->place_count++;
    ps_http_place_rest(place);
    *slot = place;
}

static void end(PsHttpServer *server, PsHttpPlace *place) {
    if (place->unread && place->fd >= 0) {
        ps_http_linger(server, place->fd);
    }
    *(place->before != NULL ? &place->before->next : &server->places) = place->next;
    if (place->next != NULL) {
        place->next->before = place->before;
    }
    server->place_count--;
    free(place);
}

void ps_http_place_notice(void *ctx, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode code) {
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        start(ctx, connection, slot);
    } else if (*slot != NULL) {
        end(ctx, *slot);
        *slot = NULL;
    }
}

// ---- each quarter of a second

// Those that are suspended are not looked at by MHD.
static bool is_watched(const PsHttpPlace *place) {
    return place->phase == PS_HTTP_WAITING || place->phase == PS_HTTP_STREAMING;
}

static void lose(PsHttpPlace *place) {
    PsHttpRequest *request = place->request;
    if (place->stream != NULL) {
        ps_http_stream_break(place->stream);
    } else if (request != NULL) {
        ps_http_request_tell_gone(request);
    }
}

static void look_for_the_gone(PsHttpServer *server) {
    unsigned count = 0;
    for (PsHttpPlace *place = server->places; place != NULL; place = place->next) {
        if (is_watched(place) && count < server->setup.connections_max) {
            server->watched[count] = (struct pollfd){.fd = place->fd, .events = POLLRDHUP};
            server->watched_places[count++] = place;
        }
    }
    if (count == 0 || poll(server->watched, count, 0) <= 0) {
        return;
    }
    // Nothing is freed meanwhile: places go inside MHD only.
    for (unsigned i = 0; i < count && !server->stopped; i++) {
        if ((server->watched[i].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) {
            lose(server->watched_places[i]);
        }
    }
}

// Bytes that come one by one keep MHD's own time-out away; this does not ask for bytes.
static void cut_the_slow(PsHttpServer *server, PsMono now) {
    PsHttpPlace *idlest = NULL;
    for (PsHttpPlace *place = server->places; place != NULL; place = place->next) {
        if (is_watched(place)) {
            continue;
        }
        if (ps_mono_diff_ns(now, place->deadline) > 0) {
            shutdown(place->fd, SHUT_RDWR); // MHD sees it and closes
        } else if (place->phase == PS_HTTP_IDLE &&
                   (idlest == NULL || place->since.ns < idlest->since.ns)) {
            idlest = place;
        }
    }
    if (server->place_count >= server->setup.connections_max && idlest != NULL &&
        ps_mono_diff_ns(now, idlest->since) > ROOM_AFTER_NS) {
        shutdown(idlest->fd, SHUT_RDWR);
    }
}

void ps_http_places_look(PsHttpServer *server) {
    cut_the_slow(server, ps_mono_now());
    look_for_the_gone(server);
}

// ---- who it is

static void name_address(const struct sockaddr *address, PsHttpPeer *peer) {
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &v4->sin_addr, peer->address, sizeof peer->address);
        peer->loopback = (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
            inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], peer->address, sizeof peer->address);
            peer->loopback = v6->sin6_addr.s6_addr[12] == 127;
        } else {
            inet_ntop(AF_INET6, &v6->sin6_addr, peer->address, sizeof peer->address);
            peer->loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
        }
    }
}

void ps_http_peer(const PsHttpRequest *request, PsHttpPeer *ret_peer) {
    PsHttpPeer peer = {.uid = (uid_t)-1, .tls = request->server->tls};
    if (request->place == NULL) {
        *ret_peer = peer; // gone with the server
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (request->server->socket[0] != '\0') {
        struct ucred user = {0};
        socklen_t len = sizeof user;
        peer.local = getsockopt(request->place->fd, SOL_SOCKET, SO_PEERCRED, &user, &len) == 0;
        peer.loopback = true;
        peer.uid = peer.local ? user.uid : (uid_t)-1;
    } else if (info != NULL && info->client_addr != NULL) {
        name_address(info->client_addr, &peer);
    }
    *ret_peer = peer;
}
