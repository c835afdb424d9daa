// Answers without an end: a bounded queue that MHD empties, suspended while it is empty. Loop
// thread.
#include "base/mem.h"
#include "http/inside.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BLOCK_SIZE 16384
#define COMPACT_AT ((size_t)64 * 1024)
// Bytes the kernel keeps beyond what the network takes: what waits there gets old.
#define UNSENT_MAX 32768

struct PsHttpStream {
    PsHttpServer *server;
    PsHttpPlace *place;
    struct MHD_Connection *connection;
    PsBuf queue;
    size_t sent; ///< bytes of the queue that have gone
    size_t queue_max;
    bool suspended;
    bool ending;
    bool broken;
    void (*closed)(void *ctx);
    void *ctx;
};

static void wake(PsHttpStream *stream) {
    if (stream->suspended) {
        stream->suspended = false;
        MHD_resume_connection(stream->connection);
        ps_http_kick(stream->server);
    }
}

size_t ps_http_stream_waiting(const PsHttpStream *stream) {
    return stream->queue.len - stream->sent;
}

static void compact(PsHttpStream *stream) {
    size_t left = ps_http_stream_waiting(stream);
    if (left > 0) {
        memmove(stream->queue.data, stream->queue.data + stream->sent, left);
    }
    stream->queue.len = left;
    stream->sent = 0;
}

static ssize_t read_stream(void *ctx, uint64_t position, char *out, size_t most) {
    PsHttpStream *stream = ctx;
    size_t len = ps_http_stream_waiting(stream);
    if (stream->broken) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (len == 0 && stream->ending) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    if (len == 0) {
        stream->suspended = true;
        MHD_suspend_connection(stream->connection);
        return 0;
    }
    len = len < most ? len : most;
    memcpy(out, stream->queue.data + stream->sent, len);
    stream->sent += len;
    if (stream->sent == stream->queue.len || stream->sent > COMPACT_AT) {
        compact(stream);
    }
    return (ssize_t)len;
}

static void close_stream(void *ctx) {
    PsHttpStream *stream = ctx;
    stream->server->stream_count--;
    if (stream->place != NULL) {
        stream->place->stream = NULL;
    }
    if (stream->closed != NULL) {
        stream->closed(stream->ctx);
    }
    ps_buf_deinit(&stream->queue);
    free(stream);
}

static void limit_unsent(const PsHttpPlace *place) {
    int unsent = UNSENT_MAX;
    int net = place->tls != NULL ? ps_http_tunnel_fd(place->tls) : place->fd;
    (void)setsockopt(net, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    if (place->tls != NULL) {
        (void)setsockopt(place->fd, SOL_SOCKET, SO_SNDBUF, &unsent, sizeof unsent);
    }
}

PsErr ps_http_stream_open(PsHttpRequest *request, const PsHttpHeader *headers, size_t count,
                          size_t queue_max, void (*closed)(void *ctx), void *ctx,
                          PsHttpStream **ret_stream) {
    PsHttpServer *server = request->server;
    PS_ASSERT(request->handed && !request->answered);
    if (request->place == NULL) {
        return PS_ERR_CLOSED;
    }
    if (server->stream_count >= (server->setup.connections_max + 1) / 2) {
        return PS_ERR_FULL;
    }
    PsHttpStream *stream = ps_alloc(sizeof *stream);
    *stream = (PsHttpStream){.server = server,
                             .place = request->place,
                             .connection = request->connection,
                             .queue_max = queue_max};
    server->stream_count++;
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_stream, stream, close_stream);
    if (response == NULL || !ps_http_add_headers(response, headers, count)) {
        if (response != NULL) {
            MHD_destroy_response(response);
        } else {
            close_stream(stream);
        }
        return PS_ERR_INTERNAL;
    }
    stream->closed = closed;
    stream->ctx = ctx;
    limit_unsent(request->place);
    request->place->stream = stream;
    request->stream = stream;
    request->answered = true;
    request->status = 200;
    request->response = response;
    *ret_stream = stream;
    ps_http_request_resume(request);
    return PS_OK;
}

PsErr ps_http_stream_put(PsHttpStream *stream, const void *bytes, size_t len) {
    if (ps_http_stream_waiting(stream) + len > stream->queue_max) {
        return PS_ERR_FULL;
    }
    ps_buf_put(&stream->queue, bytes, len);
    wake(stream);
    return PS_OK;
}

void ps_http_stream_end(PsHttpStream *stream) {
    stream->ending = true;
    wake(stream);
}

void ps_http_stream_break(PsHttpStream *stream) {
    stream->broken = true;
    wake(stream);
}
