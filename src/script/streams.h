//! What ties penstockd to one worker process: its socket and its standard error. One object per
//! process life; it frees itself after close. Loop thread; never blocks.
#pragma once

#include "script/messages.h"

#include <uv.h>

typedef struct PsScriptStreams PsScriptStreams;

typedef struct PsScriptStreamsEvents {
    void (*frame)(const PsWireFrame *frame, void *ctx); ///< may close the streams
    void (*error_line)(const char *line, size_t len, void *ctx);
    void (*broken)(PsErr err, void *ctx); ///< the worker sent rubbish; nothing more is read
    void (*ended)(void *ctx);             ///< both streams are at their end
    void (*closed)(void *ctx);            ///< after close, last of all
} PsScriptStreamsEvents;

/// Makes socket and pipe. `ret_fds` are the worker's ends, the caller's to pass on and close.
/// PS_ERR_IO when the system has no more descriptors. `events` is borrowed.
PsErr ps_script_streams_new(uv_loop_t *loop, const PsScriptStreamsEvents *events, void *ctx,
                            PsScriptStreams **ret_streams, int ret_fds[2]);
/// Sends up to two whole frames (NULL: none). What the socket does not take at once is copied.
void ps_script_streams_send(PsScriptStreams *streams, const PsBuf *first, const PsBuf *second);
/// Bytes that wait because the worker does not read.
size_t ps_script_streams_waiting(const PsScriptStreams *streams);
/// No event but `closed` comes after this.
void ps_script_streams_close(PsScriptStreams *streams);
