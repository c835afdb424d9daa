//! The way to the broker: a Unix socket, as a PsStream. Main thread; nothing blocks.
#pragma once

#include "localcloud/transport/socket.h"

/// Begins to connect; what is written before on_open leaves after it. When the broker takes no
/// connection within `limit_ms`, on_close comes without on_open. PS_ERR_TOO_BIG (path),
/// PS_ERR_IO (no descriptor left): nothing has begun, no event comes.
PsErr ps_pipe_connect(PsSocketLoop *loop, const char *path, uint32_t limit_ms,
                      const PsStreamEvents *events, void *ctx, PsStream **ret_stream);
