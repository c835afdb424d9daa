//! The server's inside, for the files of this folder.
#pragma once

#include "base/buf.h"
#include "base/time.h"
#include "http/server.h"

#include <microhttpd.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

/// What a connection does at the moment; each has a time after which it is cut.
typedef enum PsHttpPhase {
    PS_HTTP_SHAKING,   ///< TLS is agreed on; MHD does not know it yet
    PS_HTTP_IDLE,      ///< between requests, or nothing of one is known yet
    PS_HTTP_ARRIVING,  ///< the first line of a request is here
    PS_HTTP_WAITING,   ///< suspended until the request is answered; no time of its own
    PS_HTTP_ANSWERING, ///< takes the answer
    PS_HTTP_STREAMING, ///< takes a stream; cut by MHD when it takes nothing
} PsHttpPhase;

typedef struct PsHttpTls PsHttpTls;

/// One connection.
typedef struct PsHttpPlace {
    PsHttpServer *server;
    struct PsHttpPlace *next;
    struct PsHttpPlace *before;
    PsHttpPeer peer;
    int fd;         ///< MHD's end; -1 while it has none
    PsHttpTls *tls; ///< what stands between the client and `fd`, or NULL
    bool known;     ///< to MHD, which closes it
    PsHttpPhase phase;
    PsMono since;           ///< the phase began
    PsMono deadline;        ///< never in WAITING and STREAMING
    bool used;              ///< a request has been on it
    bool unread;            ///< answered while bytes of its body were still to come
    bool left;              ///< the server stops; its request is not MHD's any more
    PsHttpRequest *request; ///< the one that waits for its answer, or NULL
    PsHttpStream *stream;   ///< or NULL
} PsHttpPlace;

struct PsHttpRequest {
    PsHttpServer *server;
    PsHttpPlace *place;                ///< NULL: the server has stopped meanwhile
    struct MHD_Connection *connection; ///< as long as there is a place
    PsHttpPeer peer;
    char *method;
    char *target;
    PsBuf body;
    size_t body_max;
    uint64_t body_left; ///< said by Content-Length and not here yet
    uint64_t discarded; ///< bytes of a body that is too long
    int refusal;        ///< status
    bool begun;         ///< on_head has been called
    bool handed;        ///< on_request has been called
    bool answered;      ///< by the caller
    bool gone_told;     ///< `gone` has been called
    bool in_call;       ///< inside on_request
    int status;         ///< of the answer
    size_t answer_len;  ///< 0 for a stream
    struct MHD_Response *response;
    PsHttpStream *stream;
    void (*gone)(void *ctx);
    void *gone_ctx;
    void *data;
};

struct PsHttpServer {
    uv_loop_t *loop;
    PsHttpSetup setup; ///< its texts are not kept
    struct MHD_Daemon *daemon;
    int listener;
    uint16_t port;
    SSL_CTX *tls;     ///< or NULL
    char socket[108]; ///< removed at the end; "" when TCP
    uv_poll_t accepting;
    bool accepts; ///< not while all places are taken
    uv_poll_t poll;
    uv_timer_t timer;  ///< MHD's own time-outs, and runs that were asked for
    uv_timer_t tick;   ///< while there are connections
    int open_handles;  ///< of this server and of those that linger
    size_t requests;   ///< not freed yet
    size_t body_bytes; ///< of all requests
    PsHttpPlace *places;
    unsigned place_count;
    unsigned stream_count;
    struct PsHttpLinger *lingers;
    unsigned lingering;
    PsHttpTls *tunnels;
    unsigned tunnel_count;
    struct pollfd *watched; ///< room for one look at all that wait
    PsHttpPlace **watched_places;
    int running; ///< inside MHD
    bool stop_wanted;
    bool stopped; ///< MHD is gone
    bool closed_told;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

// ---- server.c

/// Lets MHD run soon.
void ps_http_kick(PsHttpServer *server);
/// Looks at the places from time to time, as long as there are some.
void ps_http_look_soon(PsHttpServer *server);
/// Frees the server when nothing of it is left.
void ps_http_release(PsHttpServer *server);
void ps_http_handle_closed(PsHttpServer *server);

// ---- accept.c

/// Goes on accepting when there is room again.
void ps_http_accept_more(PsHttpServer *server);

// ---- place.c

PsHttpPlace *ps_http_place_new(PsHttpServer *server);
/// Gives it to MHD: `fd` is MHD's from here on. `address` is of the socket itself.
void ps_http_place_open(PsHttpPlace *place, int fd, const struct sockaddr *address, socklen_t len);
/// MHD has closed it, or never knew it.
void ps_http_place_end(PsHttpPlace *place);
void ps_http_place_notice(void *ctx, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode code);
PsHttpPlace *ps_http_place_of(struct MHD_Connection *connection);
void ps_http_place_enter(PsHttpPlace *place, PsHttpPhase phase, int64_t allowed_ns);
/// No request is on it.
void ps_http_place_rest(PsHttpPlace *place);
/// Cuts those whose time is over, tells about clients that have gone, makes room.
void ps_http_places_look(PsHttpServer *server);

// ---- request.c: what MHD calls

void *ps_http_request_begin(void *ctx, const char *target, struct MHD_Connection *connection);
enum MHD_Result ps_http_request_take(void *ctx, struct MHD_Connection *connection, const char *url,
                                     const char *method, const char *version, const char *bytes,
                                     size_t *len, void **slot);
void ps_http_request_end(void *ctx, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode why);
/// Tells `gone`, once.
void ps_http_request_tell_gone(PsHttpRequest *request);
/// The server stops: the request stays until it is answered.
void ps_http_request_leave(PsHttpRequest *request);
/// Its answer or stream is there: goes on with it.
void ps_http_request_resume(PsHttpRequest *request);
void ps_http_request_free(PsHttpRequest *request);

// ---- answer.c

/// Adds headers; false (and a log line) when one could not be sent as it is.
bool ps_http_add_headers(struct MHD_Response *response, const PsHttpHeader *headers, size_t count);

// ---- stream.c

/// The client has gone, or the server stops.
void ps_http_stream_break(PsHttpStream *stream);

// ---- listen.c

/// A listening socket of the setup, not blocking. `ret_port` is 0 for a Unix socket.
PsErr ps_http_listen(const PsHttpSetup *setup, int *ret_fd, uint16_t *ret_port, PsDiag *diag);

// ---- tunnel.c

/// TLS on `fd`, which it owns, for a place that has nothing yet.
void ps_http_tunnel_start(PsHttpPlace *place, int fd);
/// Its place is gone: what MHD has written still goes out.
void ps_http_tunnel_leave(PsHttpTls *tls);
/// At once: a handshake that takes too long, the server's end.
void ps_http_tunnel_break(PsHttpTls *tls);
PsHttpTls *ps_http_tunnel_next(const PsHttpTls *tls);
/// The client's socket.
int ps_http_tunnel_fd(const PsHttpTls *tls);

// ---- linger.c

/// A connection is about to be closed with bytes of its request unread: takes them for a moment, so
/// that the client reads the answer instead of a reset. Owns `fd`.
void ps_http_linger(PsHttpServer *server, int fd);
/// The server stops.
void ps_http_linger_end(PsHttpServer *server);
