//! The console: prints what arrives, sends what is typed. Main thread; runs a libuv loop.
#pragma once

#include "base/err.h"
#include "localcloud/client.h"
#include "localcloud/payload.h"

#include <stdbool.h>
#include <uv.h>

/// Why the console came back.
typedef enum PsConsoleEnd {
    PS_CONSOLE_SIGNAL,  ///< `signal_fd` became readable
    PS_CONSOLE_QUIT,    ///< `quit` was typed
    PS_CONSOLE_WATCHED, ///< `watched_fd` became readable: the broker has ended
    PS_CONSOLE_COUNT,   ///< `count` messages have arrived
    PS_CONSOLE_TIMEOUT, ///< `timeout_s` is over
    PS_CONSOLE_FAILED,  ///< `on_ready` said so, or the client could not be made; see the diagnosis
} PsConsoleEnd;

typedef struct PsConsoleSetup {
    uv_loop_t *loop; ///< may hold other things, which run as well
    /// Connection and filters; the callbacks are the console's. Without a host there is no client:
    /// the console only waits.
    PsCloudClientSetup client;
    PsPayloadFormat format;
    int stdin_fd;     ///< lines "TOPIC PAYLOAD", "help", "quit"; -1: none are read
    int signal_fd;    ///< signalfd of the signals that end it
    int watched_fd;   ///< pidfd of the broker, or -1
    uint64_t count;   ///< end after so many messages; 0: no limit
    double timeout_s; ///< end after so long; 0: never
    PsErr (*on_ready)(void *ctx, PsDiag *diag); ///< once, when subscribed; may be NULL
    void *ctx;
} PsConsoleSetup;

/// Runs until one of the ends above. The end of standard input only ends the typing. A line longer
/// than the payload limit is refused whole.
PsConsoleEnd ps_console_run(const PsConsoleSetup *setup, PsDiag *diag);
