//! One program that `penstock demo` runs: started, its output taken line by line, stopped by
//! process id. On the demo's loop.
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <uv.h>

typedef struct DemoChild DemoChild;

struct DemoChild {
    const char *label; ///< printed before its lines: "plant"
    uv_process_t process;
    uv_pipe_t input;
    uv_pipe_t output;
    PsBuf line;
    bool running;
    /// A line of its standard output or error, without the newline.
    void (*on_line)(DemoChild *child, const char *line);
    void (*on_exit)(DemoChild *child, int64_t status, int signal);
    void *ctx;
};

/// `arguments` ends with NULL and begins with the program's path. PS_ERR_IO with `diag`.
PsErr demo_child_start(DemoChild *child, uv_loop_t *loop, char **arguments, PsDiag *diag);
/// Sends a line to its standard input.
void demo_child_send(DemoChild *child, const char *line);
/// SIGTERM; on_exit follows. Harmless when it has ended.
void demo_child_stop(DemoChild *child);
