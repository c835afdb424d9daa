//! The read end of a process's standard error, cut into lines. Loop thread.
//! Lines longer than PS_ERROR_LINE_MAX come in pieces; more than PS_ERROR_LINES_BURST lines a
//! second are counted and the count is handed out as a line.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define PS_ERROR_LINE_MAX 1000
#define PS_ERROR_LINES_BURST 100

typedef void PsErrorLine(const char *line, size_t len, void *ctx);

typedef struct PsErrorLines {
    uv_pipe_t pipe;
    PsErrorLine *on_line;
    void (*on_end)(void *ctx); ///< may be NULL: the other side closed its end
    void (*on_closed)(void *ctx);
    void *ctx;
    uint64_t second; ///< of the loop's clock that `shown` counts for
    uint32_t shown;
    uint32_t hidden;
    size_t used;
    char line[PS_ERROR_LINE_MAX];
} PsErrorLines;

/// Takes `fd` over.
void ps_error_lines_open(PsErrorLines *lines, uv_loop_t *loop, int fd, PsErrorLine *on_line,
                         void (*on_end)(void *ctx), void *ctx);
/// Asynchronous; `on_closed` is called once, then the memory is the owner's again.
void ps_error_lines_close(PsErrorLines *lines, void (*on_closed)(void *ctx));
