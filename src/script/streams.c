// The streams of one worker process. Frames are cut from the socket as bytes come; writing tries
// the socket first and keeps a copy only of what it does not take. Loop thread.
#include "script/streams.h"

#include "base/mem.h"
#include "script/error_lines.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct PsScriptStreams {
    uv_pipe_t socket;
    PsErrorLines errors;
    uv_write_t request;
    PsWireDecoder decoder;
    PsBuf sending; // in the hands of libuv while `busy`
    PsBuf waiting;
    bool busy;
    bool closing;
    uint32_t ends;    // streams at their end
    uint32_t handles; // not yet closed
    const PsScriptStreamsEvents *events;
    void *ctx;
};

static void stream_ended(PsScriptStreams *streams) {
    if (++streams->ends == 2 && !streams->closing) {
        streams->events->ended(streams->ctx);
    }
}

static void on_errors_end(void *ctx) {
    stream_ended(ctx);
}

static void on_error_line(const char *line, size_t len, void *ctx) {
    PsScriptStreams *streams = ctx;
    if (!streams->closing) {
        streams->events->error_line(line, len, streams->ctx);
    }
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    PsScriptStreams *streams = handle->data;
    size_t size = 0;
    char *room = ps_wire_decoder_room(&streams->decoder, &size);
    *buf = uv_buf_init(room, (unsigned)size);
}

static void cut_frames(PsScriptStreams *streams) {
    while (!streams->closing) {
        PsWireFrame frame;
        PsErr err = ps_wire_decoder_next(&streams->decoder, &frame);
        if (err == PS_ERR_BUSY) {
            return;
        }
        if (err != PS_OK) {
            uv_read_stop((uv_stream_t *)&streams->socket);
            streams->events->broken(err, streams->ctx);
            return;
        }
        streams->events->frame(&frame, streams->ctx);
    }
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf) {
    PsScriptStreams *streams = stream->data;
    if (got > 0) {
        ps_wire_decoder_added(&streams->decoder, (size_t)got);
        cut_frames(streams);
        ps_wire_decoder_rest(&streams->decoder);
    } else if (got < 0) {
        uv_read_stop(stream);
        stream_ended(streams);
    }
}

PsErr ps_script_streams_new(uv_loop_t *loop, const PsScriptStreamsEvents *events, void *ctx,
                            PsScriptStreams **ret_streams, int ret_fds[2]) {
    int pair[2];
    int errors[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        return PS_ERR_IO;
    }
    if (pipe2(errors, O_CLOEXEC) < 0) {
        close(pair[0]);
        close(pair[1]);
        return PS_ERR_IO;
    }
    PsScriptStreams *streams = ps_alloc(sizeof *streams);
    streams->events = events;
    streams->ctx = ctx;
    streams->handles = 2;
    ps_wire_decoder_init(&streams->decoder, PS_WIRE_FROM_WORKER);
    uv_pipe_init(loop, &streams->socket, 0);
    streams->socket.data = streams;
    int failure = uv_pipe_open(&streams->socket, pair[0]);
    PS_ASSERT(failure == 0); // a fresh socket of our own
    uv_read_start((uv_stream_t *)&streams->socket, on_room, on_read);
    ps_error_lines_open(&streams->errors, loop, errors[0], on_error_line, on_errors_end, streams);
    ret_fds[0] = pair[1];
    ret_fds[1] = errors[1];
    *ret_streams = streams;
    return PS_OK;
}

static void send_waiting(PsScriptStreams *streams);

static void on_written(uv_write_t *request, int status) {
    PsScriptStreams *streams = request->data;
    streams->busy = false;
    if (status == 0 && !streams->closing) {
        send_waiting(streams);
    }
}

static void send_waiting(PsScriptStreams *streams) {
    if (streams->busy || streams->waiting.len == 0) {
        return;
    }
    PsBuf swap = streams->sending;
    streams->sending = streams->waiting;
    streams->waiting = swap;
    ps_buf_clear(&streams->waiting);
    uv_buf_t buf = uv_buf_init((char *)streams->sending.data, (unsigned)streams->sending.len);
    streams->request.data = streams;
    streams->busy =
        uv_write(&streams->request, (uv_stream_t *)&streams->socket, &buf, 1, on_written) == 0;
}

void ps_script_streams_send(PsScriptStreams *streams, const PsBuf *first, const PsBuf *second) {
    uv_buf_t bufs[2];
    unsigned count = 0;
    const PsBuf *frames[] = {first, second};
    for (size_t i = 0; i < PS_COUNT(frames); i++) {
        if (frames[i] != NULL && frames[i]->len > 0) {
            bufs[count++] = uv_buf_init((char *)frames[i]->data, (unsigned)frames[i]->len);
        }
    }
    size_t sent = 0;
    if (!streams->busy && count > 0) {
        int written = uv_try_write((uv_stream_t *)&streams->socket, bufs, count);
        sent = written > 0 ? (size_t)written : 0;
    }
    for (unsigned i = 0; i < count; i++) {
        size_t skip = sent < bufs[i].len ? sent : bufs[i].len;
        sent -= skip;
        ps_buf_put(&streams->waiting, bufs[i].base + skip, bufs[i].len - skip);
    }
    send_waiting(streams);
}

size_t ps_script_streams_waiting(const PsScriptStreams *streams) {
    return streams->waiting.len + (streams->busy ? streams->sending.len : 0);
}

static void handle_closed(PsScriptStreams *streams) {
    if (--streams->handles > 0) {
        return;
    }
    const PsScriptStreamsEvents *events = streams->events;
    void *ctx = streams->ctx;
    ps_wire_decoder_deinit(&streams->decoder);
    ps_buf_deinit(&streams->sending);
    ps_buf_deinit(&streams->waiting);
    free(streams);
    events->closed(ctx);
}

static void on_socket_closed(uv_handle_t *handle) {
    handle_closed(handle->data);
}

static void on_errors_closed(void *ctx) {
    handle_closed(ctx);
}

void ps_script_streams_close(PsScriptStreams *streams) {
    streams->closing = true;
    uv_close((uv_handle_t *)&streams->socket, on_socket_closed);
    ps_error_lines_close(&streams->errors, on_errors_closed);
}
