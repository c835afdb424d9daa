// Standard error of penstock-script and its workers, as lines. Loop thread.
#include "script/error_lines.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void tell_hidden(PsErrorLines *lines) {
    if (lines->hidden > 0) {
        char text[64];
        int len = snprintf(text, sizeof text, "(%u more lines were not shown)", lines->hidden);
        lines->hidden = 0;
        lines->on_line(text, (size_t)len, lines->ctx);
    }
}

static void finish_line(PsErrorLines *lines) {
    uint64_t second = uv_now(lines->pipe.loop) / 1000;
    if (second != lines->second) {
        tell_hidden(lines);
        lines->second = second;
        lines->shown = 0;
    }
    if (lines->shown >= PS_ERROR_LINES_BURST) {
        lines->hidden++;
    } else if (lines->used > 0) {
        lines->shown++;
        lines->on_line(lines->line, lines->used, lines->ctx);
    }
    lines->used = 0;
}

static void take(PsErrorLines *lines, const char *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\n') {
            finish_line(lines);
            continue;
        }
        if (lines->used == sizeof lines->line) {
            finish_line(lines);
        }
        lines->line[lines->used++] = bytes[i];
    }
}

// What is read into it is taken before anything else is read, so that one serves all.
static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    static _Thread_local char chunk[2048];
    *buf = uv_buf_init(chunk, sizeof chunk);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf) {
    PsErrorLines *lines = stream->data;
    if (got > 0) {
        take(lines, buf->base, (size_t)got);
    } else if (got < 0) {
        uv_read_stop(stream);
        finish_line(lines);
        tell_hidden(lines);
        if (lines->on_end != NULL) {
            lines->on_end(lines->ctx);
        }
    }
}

void ps_error_lines_open(PsErrorLines *lines, uv_loop_t *loop, int fd, PsErrorLine *on_line,
                         void (*on_end)(void *ctx), void *ctx) {
    lines->on_line = on_line;
    lines->on_end = on_end;
    lines->ctx = ctx;
    uv_pipe_init(loop, &lines->pipe, 0);
    lines->pipe.data = lines;
    int failure = uv_pipe_open(&lines->pipe, fd);
    PS_ASSERT(failure == 0); // a fresh pipe of our own
    uv_read_start((uv_stream_t *)&lines->pipe, on_room, on_read);
}

static void on_pipe_closed(uv_handle_t *handle) {
    PsErrorLines *lines = handle->data;
    lines->on_closed(lines->ctx);
}

void ps_error_lines_close(PsErrorLines *lines, void (*on_closed)(void *ctx)) {
    lines->on_closed = on_closed;
    uv_close((uv_handle_t *)&lines->pipe, on_pipe_closed);
}
