//! An HTTP/1.1 server in a libuv loop: one TCP listener (with or without TLS) or one Unix socket.
//! libmicrohttpd does the protocol; what is here are the limits, whole requests, answers that come
//! later, and event streams. It knows nothing of what is asked. Thread of the loop; never blocks.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

typedef struct PsHttpServer PsHttpServer;
/// One request, whole. Lives until it has been answered and its connection has taken the answer.
typedef struct PsHttpRequest PsHttpRequest;
/// An answer without an end, such as server-sent events.
typedef struct PsHttpStream PsHttpStream;

/// Who is at the other end.
typedef struct PsHttpPeer {
    bool local;       ///< Unix socket; `uid` is who
    uid_t uid;        ///< local only
    char address[64]; ///< "192.168.2.7", "::1"; "" when local
    bool loopback;    ///< local, 127.0.0.0/8 or ::1
    bool tls;
} PsHttpPeer;

/// What the head of a request is answered with before its body is read.
typedef struct PsHttpVerdict {
    size_t body_max; ///< bytes; a longer body is refused with 413
    int status;      ///< 0: go on; else the request is handed over at once, without its body, for a
                     ///< refusal of this status
} PsHttpVerdict;

typedef struct PsHttpSetup {
    const char *address;              ///< "127.0.0.1", "::", ...; NULL: no TCP
    uint16_t port;                    ///< 0: a free one
    const char *socket;               ///< path of a Unix socket, made with mode 0660; NULL: none
    const char *cert;                 ///< PEM text of certificate and chain; NULL: no TLS
    const char *key;                  ///< PEM text
    unsigned connections_max;         ///< further ones are not accepted
    unsigned connections_per_address; ///< 0: no limit of its own
    size_t head_max;                  ///< bytes of the head
    unsigned silence_s;               ///< a connection without a byte for so long is closed
    unsigned request_s;               ///< a request must have arrived whole within this
    size_t bodies_max;                ///< bytes of all bodies at once; further ones get 503
    /// The head is here; called once a request.
    PsHttpVerdict (*on_head)(PsHttpRequest *request, void *ctx);
    /// The request is whole. To be answered exactly once, now or later.
    void (*on_request)(PsHttpRequest *request, void *ctx);
    /// May be NULL. A request whose head was seen will not come whole: its data can go; it is void
    /// afterwards.
    void (*on_dropped)(PsHttpRequest *request, void *ctx);
    void *ctx;
} PsHttpSetup;

/// PS_ERR_BUSY: the address is taken; PS_ERR_IO, PS_ERR_DENIED, PS_ERR_INVALID (address,
/// certificate), PS_ERR_EXISTS (the socket's path is something else), PS_ERR_TOO_BIG (its path).
/// The setup's texts are not kept. With TLS the process must ignore SIGPIPE. Blocks for a moment
/// when a socket file is there already.
PsErr ps_http_start(uv_loop_t *loop, const PsHttpSetup *setup, PsHttpServer **ret_server,
                    PsDiag *diag);
/// Ends connections and streams at once; requests that are not answered yet are told (`gone`) and
/// must still be answered, also later than `closed`, which is called in one of the loop's next
/// turns and may be NULL. Accepts NULL (and calls nothing).
void ps_http_stop(PsHttpServer *server, void (*closed)(void *ctx), void *ctx);
uint16_t ps_http_port(const PsHttpServer *server);
/// Connections at the moment.
unsigned ps_http_connections(const PsHttpServer *server);

// ---- a request

const char *ps_http_method(const PsHttpRequest *request);
/// As it was sent: path and query, percent-encoded. See http/target.h.
const char *ps_http_target(const PsHttpRequest *request);
/// NULL when it has none. Borrowed until it is answered or the server stops (then always NULL).
const char *ps_http_header(const PsHttpRequest *request, const char *name);
/// Value of a cookie into `out`; false when there is none or it does not fit.
bool ps_http_cookie(const PsHttpRequest *request, const char *name, char *out, size_t size);
const uint8_t *ps_http_body(const PsHttpRequest *request, size_t *ret_len);
void ps_http_peer(const PsHttpRequest *request, PsHttpPeer *ret_peer);
/// The status of a refusal: of on_head, 413 (body), 431 (head), 400 (a head that can be understood
/// in two ways), 503 (no memory for its body); 0 for a request that is whole. on_head has not seen
/// those with 400 and 431, and some with 413.
int ps_http_refusal(const PsHttpRequest *request);
/// The caller's pointer, kept with the request.
void ps_http_set_data(PsHttpRequest *request, void *data);
void *ps_http_data(const PsHttpRequest *request);
/// `gone` is called when the client goes away before the answer, which must be given all the same.
/// A client that closes its sending half counts as gone, and gets the answer if it still reads.
void ps_http_on_gone(PsHttpRequest *request, void (*gone)(void *ctx), void *ctx);

typedef struct PsHttpHeader {
    const char *name;
    const char *value;
} PsHttpHeader;

/// Answers; everything is copied, and wiped once it is sent. Content-Length, Date and what concerns
/// the connection are set by themselves. A header that could not be sent as it is (a line break in
/// its value) makes a 500 of the answer. The request is void afterwards.
void ps_http_answer(PsHttpRequest *request, int status, const PsHttpHeader *headers, size_t count,
                    const void *bytes, size_t len);
/// The same with bytes that stay as they are until `release`.
void ps_http_answer_kept(PsHttpRequest *request, int status, const PsHttpHeader *headers,
                         size_t count, const void *bytes, size_t len, void (*release)(void *ctx),
                         void *ctx);

// ---- a stream

/// Answers with 200 and no end. `closed` is called once when the client has gone or the server
/// stops, from the loop or from within ps_http_stop; the stream is void after it. The request is
/// void afterwards. PS_ERR_FULL when there are too many streams (half of the connections),
/// PS_ERR_CLOSED when the server has stopped: then the request is still to be answered.
PsErr ps_http_stream_open(PsHttpRequest *request, const PsHttpHeader *headers, size_t count,
                          size_t queue_max, void (*closed)(void *ctx), void *ctx,
                          PsHttpStream **ret_stream);
/// Copies. PS_ERR_FULL when the queue would be longer than `queue_max`: nothing was put then.
PsErr ps_http_stream_put(PsHttpStream *stream, const void *bytes, size_t len);
/// Bytes that wait.
size_t ps_http_stream_waiting(const PsHttpStream *stream);
/// After what waits; `closed` is called.
void ps_http_stream_end(PsHttpStream *stream);
