//! The simulator's commands, one line each, and the Unix socket they come by. Main thread.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "sim/server.h"
#include "sim/sides.h"

#include <stdbool.h>

/// Whom the lines are for.
typedef struct PsSimControl {
    PsSimServer *server;
    PsSimSides *sides; ///< NULL: Modbus only
} PsSimControl;

/// Carries out one command line (fault knobs, set, get, release, stats, help, or
/// the name of a side and a fault knob or stats of it; "modbus" is this side's) and appends the
/// answer with its newline: "ok", the value asked for, or "error: why". Returns false for `quit`.
bool ps_sim_control_line(const PsSimControl *control, const char *line, PsBuf *answer);

/// Reads lines from `fds` (and from each connection on the control socket) until a signal or
/// `quit`. `listen_fd` or `stdin_fd` may be -1; `signal_fd` becomes readable when it is time to
/// end. A client that sends a line longer than 255 bytes is closed; the ninth client waits.
PsErr ps_sim_control_run(const PsSimControl *control, int listen_fd, int stdin_fd, int signal_fd);

/// A Unix stream socket at `path`, mode 0600, -1 on failure. A stale socket file that nobody
/// listens on is replaced; anything else in the way is PS_ERR_EXISTS.
PsErr ps_sim_control_listen(const char *path, int *ret_fd, PsDiag *diag);
