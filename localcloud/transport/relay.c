// Two streams tied together. Main thread; nothing blocks.
#include "localcloud/transport/relay.h"

#include "base/mem.h"

#include <stdlib.h>

#define CONNECT_LIMIT_MS 10000

typedef struct Relay Relay;

typedef struct Side {
    Relay *relay;
    PsStream *stream; // NULL when it is gone
    struct Side *other;
} Side;

struct Relay {
    Side client;
    Side broker;
};

static void on_bytes(void *ctx, const uint8_t *data, size_t len) {
    Side *side = ctx;
    PsStream *to = side->other->stream;
    if (to == NULL) {
        return;
    }
    if (ps_stream_write(to, data, len) == PS_ERR_FULL) {
        ps_stream_close(to, false);
    } else if (ps_stream_pending_bytes(to) > PS_STREAM_HIGH) {
        ps_stream_pause(side->stream);
    }
}

static void on_drained(void *ctx) {
    Side *side = ctx;
    if (side->other->stream != NULL) {
        ps_stream_resume(side->other->stream);
    }
}

static void on_close(void *ctx, PsStreamEnd end, const char *why) {
    Side *side = ctx;
    (void)end;
    (void)why;
    side->stream = NULL;
    if (side->other->stream != NULL) {
        ps_stream_close(side->other->stream, true);
    } else {
        free(side->relay);
    }
}

static const PsStreamEvents events = {
    .on_bytes = on_bytes, .on_drained = on_drained, .on_close = on_close};

void ps_relay_start(PsSocketLoop *loop, PsStream *client, const char *broker_path) {
    Relay *relay = ps_alloc(sizeof *relay);
    relay->client = (Side){.relay = relay, .stream = client, .other = &relay->broker};
    relay->broker = (Side){.relay = relay, .other = &relay->client};
    client->events = &events;
    client->ctx = &relay->client;
    if (ps_pipe_connect(loop, broker_path, CONNECT_LIMIT_MS, &events, &relay->broker,
                        &relay->broker.stream) != PS_OK) {
        ps_stream_close(client, false);
    }
}
