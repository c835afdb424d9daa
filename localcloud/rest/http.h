//! The server's inside, for http.c and events.c.
#pragma once

#include "base/time.h"
#include "localcloud/rest/rest.h"

#include <microhttpd.h>

#define PS_HTTP_CONNECTIONS_MAX 64
#define PS_EVENT_STREAMS_MAX 8

typedef struct PsEventStream PsEventStream;

/// One TCP connection, to cut those that never finish a request.
typedef struct PsHttpPeer {
    int fd; ///< -1: free
    PsMono since;
    bool streaming;
} PsHttpPeer;

struct PsRest {
    uv_loop_t *loop;
    PsRestSetup setup;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t timer; ///< MHD's own time-outs, and runs that were asked for
    uv_timer_t tick;  ///< each second: peers that are too slow, heartbeats
    int open_handles;
    bool stopping;
    PsHttpPeer peers[PS_HTTP_CONNECTIONS_MAX];
    PsEventStream *streams[PS_EVENT_STREAMS_MAX];
};

/// Lets MHD run soon.
void ps_http_kick(PsRest *rest);

/// Answers GET /console/events?filter=…: a stream of messages, or a refusal.
enum MHD_Result ps_events_open(PsRest *rest, struct MHD_Connection *connection,
                               const char *const *filters, size_t count);
/// Each second.
void ps_events_tick(PsRest *rest);
/// Ends all streams; before MHD stops.
void ps_events_end(PsRest *rest);

/// Sends an answer (and drops it). `error_type`, `location` may be NULL.
enum MHD_Result ps_http_answer(struct MHD_Connection *connection, PsRestAnswer *answer,
                               const char *error_type, const char *location);
