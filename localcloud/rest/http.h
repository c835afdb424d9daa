//! The server's inside, for http.c and events.c.
#pragma once

#include "http/files.h"
#include "http/server.h"
#include "localcloud/rest/rest.h"

#define PS_EVENT_STREAMS_MAX 8

typedef struct PsEventStream PsEventStream;

struct PsRest {
    PsRestSetup setup;
    PsHttpServer *server;
    PsHttpFiles *files;
    uv_timer_t tick; ///< each second: heartbeats of streams
    int open_parts;  ///< server and timer
    bool stopping;
    PsEventStream *streams[PS_EVENT_STREAMS_MAX];
};

/// Answers GET /console/events?filter=…: a stream of messages, or a refusal.
void ps_events_open(PsRest *rest, PsHttpRequest *request, const char *const *filters, size_t count);
/// Each second.
void ps_events_tick(PsRest *rest);

/// Sends an answer (and drops it). `error_type`, `location` may be NULL.
void ps_rest_send(PsHttpRequest *request, PsRestAnswer *answer, const char *error_type,
                  const char *location);
