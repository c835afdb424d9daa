//! The way to a connected TCP socket, the same for every protocol over TCP: each step has its own
//! words, each address of a name is tried, and an interrupt ends the wait.
#pragma once

#include "base/err.h"

#include <stdint.h>

typedef struct PsTcpTarget {
    const char *host;
    int port;
    const char *server; ///< what should listen there, for people: "Modbus server"
    int wake_fd;        ///< readable: stop waiting
} PsTcpTarget;

/// A connected, blocking socket, at most `timeout_ns` for each address of the host (and what the
/// system's resolver takes, which nothing cuts short). PS_ERR_NOT_FOUND: no such name.
/// PS_ERR_TIMEOUT, PS_ERR_CLOSED (refused), PS_ERR_IO, PS_ERR_CANCELLED. `diag` names the step and
/// the cure. Blocks.
PsErr ps_tcp_connect(const PsTcpTarget *target, int64_t timeout_ns, int *ret_fd, PsDiag *diag);

/// PS_ERR_CANCELLED in words, the same for all drivers.
PsErr ps_tcp_fail_cancelled(PsDiag *diag);
