// The console's event stream: what arrives on its filters, as server-sent events. Main thread; a
// stream that does not read loses messages and is told how many.
#include "localcloud/rest/http.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/text.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX ((size_t)1024 * 1024)
#define HEARTBEAT_S 10
#define BLOCK_SIZE 16384

struct PsEventStream {
    PsRest *rest;
    struct MHD_Connection *connection;
    void *subscription;
    PsBuf queue;
    size_t sent; ///< bytes of the queue that have gone
    uint64_t dropped;
    int quiet_s;
    bool suspended;
    bool ending;
};

static void wake(PsEventStream *stream) {
    if (stream->suspended) {
        stream->suspended = false;
        MHD_resume_connection(stream->connection);
        ps_http_kick(stream->rest);
    }
}

static size_t waiting(const PsEventStream *stream) {
    return stream->queue.len - stream->sent;
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
    if (text == NULL || waiting(stream) + strlen(text) > QUEUE_MAX) {
        stream->dropped++;
        return;
    }
    if (stream->dropped > 0) {
        ps_buf_printf(&stream->queue, "event: dropped\ndata: %llu\n\n",
                      (unsigned long long)stream->dropped);
        stream->dropped = 0;
    }
    ps_buf_printf(&stream->queue, "event: message\ndata: %s\n\n", text);
    wake(stream);
}

static ssize_t read_stream(void *ctx, uint64_t position, char *out, size_t most) {
    PsEventStream *stream = ctx;
    size_t len = waiting(stream);
    if (len == 0 && stream->ending) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    if (len == 0) {
        stream->suspended = true;
        MHD_suspend_connection(stream->connection);
        return 0;
    }
    len = len < most ? len : most;
    memcpy(out, stream->queue.data + stream->sent, len);
    stream->sent += len;
    stream->quiet_s = 0;
    if (waiting(stream) == 0) {
        ps_buf_clear(&stream->queue);
        stream->sent = 0;
    }
    return (ssize_t)len;
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
    ps_buf_deinit(&stream->queue);
    free(stream);
}

static enum MHD_Result refuse(struct MHD_Connection *connection, PsApiCode code,
                              const PsApiFault *fault) {
    PsRestAnswer answer = {0};
    const char *error_type = NULL;
    ps_rest_refuse(code, PS_API_DATA, fault, &answer, &error_type);
    return ps_http_answer(connection, &answer, error_type, NULL);
}

static enum MHD_Result start_stream(PsEventStream *stream) {
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_stream, stream, close_stream);
    if (response == NULL) {
        close_stream(stream);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", "text/event-stream");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_set_connection_option(stream->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
    enum MHD_Result result = MHD_queue_response(stream->connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result ps_events_open(PsRest *rest, struct MHD_Connection *connection,
                               const char *const *filters, size_t count) {
    PsApiFault fault = {0};
    size_t slot = 0;
    while (slot < PS_EVENT_STREAMS_MAX && rest->streams[slot] != NULL) {
        slot++;
    }
    if (slot == PS_EVENT_STREAMS_MAX) {
        PsApiCode code = ps_api_fail(PS_API_THROTTLING, &fault, "%d streams are open already",
                                     PS_EVENT_STREAMS_MAX);
        return refuse(connection, code, &fault);
    }
    const PsRestCloud *cloud = rest->setup.cloud;
    if (cloud == NULL || cloud->subscribe == NULL) {
        PsApiCode code = ps_api_fail(PS_API_UNAVAILABLE, &fault, "The message broker does not run");
        return refuse(connection, code, &fault);
    }
    PsEventStream *stream = ps_alloc(sizeof *stream);
    stream->rest = rest;
    stream->connection = connection;
    rest->streams[slot] = stream;
    ps_buf_printf(&stream->queue, ": subscribed\n\n");
    PsApiCode code = cloud->subscribe(cloud->ctx, filters, count, deliver, stream,
                                      &stream->subscription, &fault);
    if (code != PS_API_OK) {
        stream->subscription = NULL;
        close_stream(stream);
        return refuse(connection, code, &fault);
    }
    return start_stream(stream);
}

void ps_events_tick(PsRest *rest) {
    for (size_t i = 0; i < PS_EVENT_STREAMS_MAX; i++) {
        PsEventStream *stream = rest->streams[i];
        if (stream != NULL && waiting(stream) == 0 && ++stream->quiet_s >= HEARTBEAT_S) {
            ps_buf_printf(&stream->queue, ":\n\n"); // notices a browser that has gone
            wake(stream);
        }
    }
}

void ps_events_end(PsRest *rest) {
    for (size_t i = 0; i < PS_EVENT_STREAMS_MAX; i++) {
        if (rest->streams[i] != NULL) {
            rest->streams[i]->ending = true;
            wake(rest->streams[i]);
        }
    }
}
