//! Passes a client's bytes to the broker and back, one to one. Main thread.
#pragma once

#include "localcloud/transport/pipe.h"

/// Takes over a client that is open: sets its events and connects to the broker's Unix socket.
/// When one side ends, what it sent is still passed on, then the other ends too.
void ps_relay_start(PsSocketLoop *loop, PsStream *client, const char *broker_path);
