// A child process of the demo: spawn, lines out, lines in, stop. On the demo's loop.
#include "cli/demo_child.h"

#include "base/mem.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    DemoChild *child = handle->data;
    ps_buf_reserve(&child->line, (size_t)16 * 1024);
    *buffer = uv_buf_init((char *)child->line.data + child->line.len, 16 * 1024);
}

static void cut_lines(DemoChild *child) {
    size_t start = 0;
    for (size_t i = 0; i < child->line.len; i++) {
        if (child->line.data[i] == '\n') {
            child->line.data[i] = '\0';
            child->on_line(child, (const char *)child->line.data + start);
            start = i + 1;
        }
    }
    child->line.len -= start;
    memmove(child->line.data, child->line.data + start, child->line.len);
}

static void on_output_closed(uv_handle_t *handle) {
    DemoChild *child = handle->data;
    ps_buf_deinit(&child->line);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
    DemoChild *child = stream->data;
    if (got < 0) {
        uv_close((uv_handle_t *)stream, on_output_closed);
        return;
    }
    child->line.len += (size_t)got;
    cut_lines(child);
}

static void on_process_exit(uv_process_t *process, int64_t status, int signal) {
    DemoChild *child = process->data;
    child->running = false;
    uv_close((uv_handle_t *)process, NULL);
    uv_close((uv_handle_t *)&child->input, NULL);
    child->on_exit(child, status, signal);
}

PsErr demo_child_start(DemoChild *child, uv_loop_t *loop, char **arguments, PsDiag *diag) {
    uv_pipe_init(loop, &child->input, 0);
    uv_pipe_init(loop, &child->output, 0);
    child->process.data = child->input.data = child->output.data = child;
    // Standard output and error share one pipe, so that their lines keep their order.
    uv_file ends[2];
    int result = uv_pipe(ends, UV_NONBLOCK_PIPE, 0);
    uv_stdio_container_t stdio[3] = {
        {.flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_READABLE_PIPE),
         .data.stream = (uv_stream_t *)&child->input},
        {.flags = UV_INHERIT_FD, .data.fd = ends[1]},
        {.flags = UV_INHERIT_FD, .data.fd = ends[1]},
    };
    uv_process_options_t options = {.file = arguments[0],
                                    .args = arguments,
                                    .exit_cb = on_process_exit,
                                    .stdio_count = 3,
                                    .stdio = stdio,
                                    // Its own session: Ctrl-C reaches the demo, which stops the
                                    // children in order.
                                    .flags = UV_PROCESS_DETACHED};
    if (result == 0) {
        result = uv_spawn(loop, &child->process, &options);
        close(ends[1]);
        (void)uv_pipe_open(&child->output, ends[0]);
        (void)uv_read_start((uv_stream_t *)&child->output, on_alloc, on_read);
    }
    if (result != 0) {
        return ps_fail(PS_ERR_IO, diag, arguments[0], NULL, "cannot be started: %s",
                       uv_strerror(result));
    }
    child->running = true;
    return PS_OK;
}

typedef struct Line {
    uv_write_t request;
    char *text;
} Line;

static void on_line_written(uv_write_t *request, int status) {
    Line *line = request->data;
    free(line->text);
    free(line);
}

void demo_child_send(DemoChild *child, const char *text) {
    if (!child->running) {
        return;
    }
    Line *line = ps_alloc(sizeof *line);
    line->text = ps_strdup(text);
    line->request.data = line;
    uv_buf_t parts[2] = {uv_buf_init(line->text, (unsigned)strlen(text)),
                         uv_buf_init((char *)(uintptr_t)"\n", 1)};
    if (uv_write(&line->request, (uv_stream_t *)&child->input, parts, 2, on_line_written) != 0) {
        on_line_written(&line->request, 0);
    }
}

void demo_child_stop(DemoChild *child) {
    if (child->running) {
        (void)uv_process_kill(&child->process, SIGTERM);
    }
}
