//! One reader of events. Inside src/api only. Main thread.
#pragma once

#include "access/access.h"
#include "api/live_private.h"
#include "http/server.h"

typedef struct PsApiStream PsApiStream;

/// What a reader wants.
typedef struct PsApiWants {
    PsWatch *watch; ///< NULL: no values
    bool alarms;
    bool status;
    bool log;
    PsLogLevel level;    ///< of `log`, at least
    const char *after;   ///< id of the last event that it has, or NULL
    int64_t log_after;   ///< without that: lines behind this one; -1: only new ones
    PsIdentity identity; ///< asked again and again whether it still holds
} PsApiWants;

/// Bytes that may wait for a reader.
#define PS_API_STREAM_QUEUE ((size_t)2 * 1024 * 1024)

/// To be given the HTTP stream by ps_api_stream_begin, or freed by ps_api_stream_free.
PsApiStream *ps_api_stream_new(PsApiLive *live, const PsApiWants *wants);
void ps_api_stream_begin(PsApiStream *stream, PsHttpStream *http);
/// Of the HTTP stream: it is over; frees. `ctx` is the PsApiStream.
void ps_api_stream_closed(void *ctx);
void ps_api_stream_free(PsApiStream *stream);
