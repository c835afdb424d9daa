// The console's event stream: what arrives on its filters, as server-sent events. Main thread; a
// stream that does not read loses messages and is told how many.
#include "localcloud/rest/http.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX ((size_t)1024 * 1024)
#define HEARTBEAT_S 10

struct PsEventStream {
    PsRest *rest;
    PsHttpStream *stream; ///< NULL while the subscription is made
    PsBuf first;          ///< what came meanwhile
    void *subscription;
    uint64_t dropped;
    int quiet_s;
};

// False when the queue has no room for it.
static bool put(PsEventStream *stream, const PsBuf *text) {
    if (stream->stream != NULL) {
        return ps_http_stream_put(stream->stream, text->data, text->len) == PS_OK;
    }
    if (stream->first.len + text->len > QUEUE_MAX) {
        return false;
    }
    ps_buf_put(&stream->first, text->data, text->len);
    return true;
}

static json_t *payload_base64(const PsRestMessage *message) {
    PS_AUTO_BUF PsBuf text = {0};
    ps_buf_reserve(&text, message->len / 3 * 4 + 8);
    int len = EVP_EncodeBlock(text.data, message->payload, (int)message->len);
    return json_stringn((const char *)text.data, (size_t)len);
}

static char *event_text(const PsRestMessage *message) {
    json_t *json =
        json_pack("{s:s, s:i, s:b, s:I}", "topic", message->topic, "qos", message->qos, "retain",
                  message->retain, "time_ms", (json_int_t)(ps_wall_now().ns / PS_NS_PER_MS));
    if (message->len == 0 || ps_text_is_utf8(message->payload, message->len)) {
        json_object_set_new(json, "payload",
                            json_stringn(message->len > 0 ? message->payload : "", message->len));
    } else {
        json_object_set_new(json, "payloadBase64", payload_base64(message));
    }
    char *text = json_dumps(json, JSON_COMPACT); // one line, as an event's data must be
    json_decref(json);
    return text;
}

static void deliver(void *ctx, const PsRestMessage *message) {
    PsEventStream *stream = ctx;
    PS_AUTO_FREE char *text = event_text(message);
    PS_AUTO_BUF PsBuf event = {0};
    if (stream->dropped > 0) {
        ps_buf_printf(&event, "event: dropped\ndata: %llu\n\n",
                      (unsigned long long)stream->dropped);
    }
    if (text != NULL) {
        ps_buf_printf(&event, "event: message\ndata: %s\n\n", text);
    }
    if (text != NULL && put(stream, &event)) {
        stream->dropped = 0;
        stream->quiet_s = 0;
    } else {
        stream->dropped++;
    }
}

static void close_stream(void *ctx) {
    PsEventStream *stream = ctx;
    const PsRestCloud *cloud = stream->rest->setup.cloud;
    if (stream->subscription != NULL) {
        cloud->unsubscribe(cloud->ctx, stream->subscription);
    }
    for (size_t i = 0; i < PS_EVENT_STREAMS_MAX; i++) {
        if (stream->rest->streams[i] == stream) {
            stream->rest->streams[i] = NULL;
        }
    }
    ps_buf_deinit(&stream->first);
    free(stream);
}

static void refuse(PsHttpRequest *request, PsApiCode code, const PsApiFault *fault) {
    PsRestAnswer answer = {0};
    const char *error_type = NULL;
    ps_rest_refuse(code, PS_API_DATA, fault, &answer, &error_type);
    ps_rest_send(request, &answer, error_type, NULL);
}

static PsApiCode start_stream(PsEventStream *stream, PsHttpRequest *request, PsApiFault *fault) {
    static const PsHttpHeader headers[] = {
        {"Content-Type", "text/event-stream"},
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
    };
    PsErr err = ps_http_stream_open(request, headers, PS_COUNT(headers), QUEUE_MAX, close_stream,
                                    stream, &stream->stream);
    if (err != PS_OK) {
        return ps_api_fail(PS_API_UNAVAILABLE, fault, "The stream cannot be opened");
    }
    err = ps_http_stream_put(stream->stream, stream->first.data, stream->first.len);
    PS_ASSERT(err == PS_OK); // it was bounded by the same size
    ps_buf_deinit(&stream->first);
    return PS_API_OK;
}

void ps_events_open(PsRest *rest, PsHttpRequest *request, const char *const *filters,
                    size_t count) {
    PsApiFault fault = {0};
    size_t slot = 0;
    while (slot < PS_EVENT_STREAMS_MAX && rest->streams[slot] != NULL) {
        slot++;
    }
    if (slot == PS_EVENT_STREAMS_MAX) {
        PsApiCode code = ps_api_fail(PS_API_THROTTLING, &fault, "%d streams are open already",
                                     PS_EVENT_STREAMS_MAX);
        refuse(request, code, &fault);
        return;
    }
    const PsRestCloud *cloud = rest->setup.cloud;
    if (cloud == NULL || cloud->subscribe == NULL) {
        PsApiCode code = ps_api_fail(PS_API_UNAVAILABLE, &fault, "The message broker does not run");
        refuse(request, code, &fault);
        return;
    }
    PsEventStream *stream = ps_alloc(sizeof *stream);
    stream->rest = rest;
    rest->streams[slot] = stream;
    ps_buf_printf(&stream->first, ": subscribed\n\n");
    PsApiCode code = cloud->subscribe(cloud->ctx, filters, count, deliver, stream,
                                      &stream->subscription, &fault);
    if (code != PS_API_OK) {
        stream->subscription = NULL;
    } else {
        code = start_stream(stream, request, &fault);
    }
    if (code != PS_API_OK) {
        close_stream(stream);
        refuse(request, code, &fault);
    }
}

void ps_events_tick(PsRest *rest) {
    static const char heartbeat[] = ":\n\n"; // keeps what stands between from closing it
    for (size_t i = 0; i < PS_EVENT_STREAMS_MAX; i++) {
        PsEventStream *stream = rest->streams[i];
        if (stream != NULL && ++stream->quiet_s >= HEARTBEAT_S &&
            ps_http_stream_waiting(stream->stream) == 0 &&
            ps_http_stream_put(stream->stream, heartbeat, sizeof heartbeat - 1) == PS_OK) {
            stream->quiet_s = 0;
        }
    }
}
