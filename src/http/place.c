// The connections of a server: who is at the other end, how long each may take, and whether those
// that wait are still there. Loop thread.
#include "base/mem.h"
#include "http/inside.h"

#include <fcntl.h>
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

PsHttpPlace *ps_http_place_new(PsHttpServer *server) {
    PsHttpPlace *place = ps_alloc(sizeof *place);
    place->server = server;
    place->fd = -1;
    place->next = server->places;
    if (place->next != NULL) {
        place->next->before = place;
    }
    server->places = place;
    server->place_count++;
    ps_http_place_rest(place);
    return place;
}

void ps_http_place_open(PsHttpPlace *place, int fd, const struct sockaddr *address, socklen_t len) {
    PsHttpServer *server = place->server;
    place->fd = fd;
    if (MHD_add_connection(server->daemon, fd, address, len) != MHD_YES) { // which has closed it
        ps_http_place_end(place);
    }
    ps_http_kick(server);
}

void ps_http_place_end(PsHttpPlace *place) {
    PsHttpServer *server = place->server;
    if (place->tls != NULL) {
        ps_http_tunnel_leave(place->tls);
    } else if (place->unread && !place->peer.tls) {
        int copy = fcntl(place->fd, F_DUPFD_CLOEXEC, 0); // MHD closes its own
        if (copy >= 0) {
            ps_http_linger(server, copy);
        }
    }
    *(place->before != NULL ? &place->before->next : &server->places) = place->next;
    if (place->next != NULL) {
        place->next->before = place->before;
    }
    server->place_count--;
    free(place);
    ps_http_accept_more(server);
}

void ps_http_place_notice(void *ctx, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode code) {
    PsHttpServer *server = ctx;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        for (PsHttpPlace *place = server->places; place != NULL; place = place->next) {
            if (info != NULL && place->fd == info->connect_fd && !place->known) {
                place->known = true;
                *slot = place;
            }
        }
    } else if (*slot != NULL) {
        ps_http_place_end(*slot);
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

static void cut(PsHttpPlace *place) {
    if (place->phase == PS_HTTP_SHAKING) {
        ps_http_tunnel_break(place->tls);
    } else {
        shutdown(place->fd, SHUT_RDWR); // MHD sees it and closes
    }
}

// Bytes that come one by one keep MHD's own time-out away; this does not ask for bytes.
static void cut_the_slow(PsHttpServer *server, PsMono now) {
    PsHttpPlace *idlest = NULL;
    PsHttpPlace *next = NULL;
    for (PsHttpPlace *place = server->places; place != NULL; place = next) {
        next = place->next;
        if (is_watched(place)) {
            continue;
        }
        if (ps_mono_diff_ns(now, place->deadline) > 0) {
            cut(place);
        } else if (place->phase <= PS_HTTP_IDLE &&
                   (idlest == NULL || place->since.ns < idlest->since.ns)) {
            idlest = place;
        }
    }
    if (server->place_count >= server->setup.connections_max && idlest != NULL &&
        ps_mono_diff_ns(now, idlest->since) > ROOM_AFTER_NS) {
        cut(idlest);
    }
}

void ps_http_places_look(PsHttpServer *server) {
    cut_the_slow(server, ps_mono_now());
    look_for_the_gone(server);
}
