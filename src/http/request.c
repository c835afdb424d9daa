// A request as MHD gives it, piece by piece, until it is whole, and then until it is answered. Loop
// thread, inside MHD but for the questions about it.
#include "base/mem.h"
#include "http/head.h"
#include "http/inside.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define DISCARD_MAX (16ULL * 1024 * 1024) // of a body that is refused; then the connection is cut
#define RESERVE_MAX ((size_t)64 * 1024)   // taken at once for a body of a known length
#define ANSWER_BYTES_S 16384              // slowest reader of a long answer

// ---- questions

const char *ps_http_method(const PsHttpRequest *request) {
    return request->method;
}

const char *ps_http_target(const PsHttpRequest *request) {
    return request->target;
}

const char *ps_http_header(const PsHttpRequest *request, const char *name) {
    return request->place != NULL
               ? MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name)
               : NULL;
}

bool ps_http_cookie(const PsHttpRequest *request, const char *name, char *out, size_t size) {
    return ps_http_cookie_find(ps_http_header(request, "Cookie"), name, out, size);
}

const uint8_t *ps_http_body(const PsHttpRequest *request, size_t *ret_len) {
    *ret_len = request->body.len;
    return request->body.data;
}

void ps_http_peer(const PsHttpRequest *request, PsHttpPeer *ret_peer) {
    *ret_peer = request->peer;
}

int ps_http_refusal(const PsHttpRequest *request) {
    return request->refusal;
}

void ps_http_set_data(PsHttpRequest *request, void *data) {
    request->data = data;
}

void *ps_http_data(const PsHttpRequest *request) {
    return request->data;
}

void ps_http_on_gone(PsHttpRequest *request, void (*gone)(void *ctx), void *ctx) {
    request->gone = gone;
    request->gone_ctx = ctx;
}

// ---- life

void *ps_http_request_begin(void *ctx, const char *target, struct MHD_Connection *connection) {
    PsHttpServer *server = ctx;
    PsHttpPlace *place = ps_http_place_of(connection);
    PsHttpRequest *request = ps_alloc(sizeof *request);
    request->server = server;
    request->place = place;
    request->connection = connection;
    request->target = ps_strdup(target);
    server->requests++;
    if (place != NULL) {
        request->peer = place->peer;
        PsMono since = place->since;
        int64_t allowed = (int64_t)server->setup.request_s * PS_NS_PER_S;
        ps_http_place_enter(place, PS_HTTP_ARRIVING, allowed);
        if (!place->used) { // its first line is in that time too
            place->deadline = ps_mono_add_ns(since, allowed);
        }
        place->used = true;
    }
    return request;
}

static void drop_body(PsHttpRequest *request) {
    request->server->body_bytes -= request->body.len;
    if (request->body.len > 0) {
        OPENSSL_cleanse(request->body.data, request->body.len); // it may be a password
    }
    ps_buf_deinit(&request->body);
}

void ps_http_request_free(PsHttpRequest *request) {
    PsHttpServer *server = request->server;
    drop_body(request);
    if (request->response != NULL) {
        MHD_destroy_response(request->response);
    }
    free(request->method);
    free(request->target);
    free(request);
    server->requests--;
    ps_http_release(server);
}

void ps_http_request_tell_gone(PsHttpRequest *request) {
    if (!request->answered && !request->gone_told && request->gone != NULL) {
        request->gone_told = true;
        request->gone(request->gone_ctx);
    }
}

void ps_http_request_leave(PsHttpRequest *request) {
    request->place->request = NULL;
    request->place->left = true;
    request->place = NULL;
    request->connection = NULL;
    ps_http_request_tell_gone(request); // which may answer it
}

void ps_http_request_end(void *ctx, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode why) {
    PsHttpServer *server = ctx;
    PsHttpRequest *request = *slot;
    PsHttpPlace *place = ps_http_place_of(connection);
    *slot = NULL;
    if (place != NULL) {
        place->request = NULL;
        ps_http_place_rest(place);
    }
    if (request == NULL || (place != NULL && place->left)) {
        return; // left to whoever answers it, who may have done so
    }
    if (request->begun && !request->handed && server->setup.on_dropped != NULL) {
        server->setup.on_dropped(request, server->setup.ctx);
    }
    ps_http_request_free(request);
}

// ---- answering

static enum MHD_Result queue(PsHttpRequest *request, struct MHD_Connection *connection) {
    PsHttpPlace *place = request->place;
    struct MHD_Response *response = request->response;
    request->response = NULL;
    place->request = NULL;
    place->unread = request->body_left > 0;
    if (request->stream != NULL) {
        ps_http_place_enter(place, PS_HTTP_STREAMING, 0);
    } else {
        ps_http_place_enter(
            place, PS_HTTP_ANSWERING,
            (int64_t)(request->server->setup.request_s + request->answer_len / ANSWER_BYTES_S) *
                PS_NS_PER_S);
    }
    drop_body(request);
    if (request->refusal != 0 && !request->begun) { // where the next request begins is not known
        (void)MHD_add_response_header(response, "Connection", "close");
    }
    enum MHD_Result result =
        MHD_queue_response(connection, (unsigned int)request->status, response);
    MHD_destroy_response(response);
    return result;
}

void ps_http_request_resume(PsHttpRequest *request) {
    PsHttpServer *server = request->server;
    if (request->place == NULL) {
        ps_http_request_free(request);
    } else if (!request->in_call) {
        MHD_resume_connection(request->connection);
        ps_http_kick(server);
    }
}

static enum MHD_Result hand_over(PsHttpRequest *request, struct MHD_Connection *connection) {
    PsHttpServer *server = request->server;
    request->handed = true;
    request->in_call = true;
    server->setup.on_request(request, server->setup.ctx);
    request->in_call = false;
    if (request->answered) {
        return queue(request, connection);
    }
    request->place->request = request;
    ps_http_place_enter(request->place, PS_HTTP_WAITING, 0);
    MHD_suspend_connection(connection);
    return MHD_YES;
}

// ---- arriving

typedef struct Framed {
    const char *length;
    const char *coding;
    size_t count;
} Framed;

static enum MHD_Result note_framing(void *ctx, enum MHD_ValueKind kind, const char *name,
                                    const char *value) {
    Framed *framed = ctx;
    bool length = strcasecmp(name, "Content-Length") == 0;
    bool coding = strcasecmp(name, "Transfer-Encoding") == 0;
    framed->count += length || coding;
    framed->length = length ? value : framed->length;
    framed->coding = coding ? value : framed->coding;
    return MHD_YES;
}

// 0, or the status of a refusal.
static int judge_head(PsHttpRequest *request, struct MHD_Connection *connection) {
    PsHttpServer *server = request->server;
    Framed framed = {0};
    PsHttpFraming framing = {0};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, note_framing, &framed);
    PsErr err = ps_http_framing_read(framed.length, framed.coding, framed.count, &framing);
    request->body_left = framing.chunked || err != PS_OK ? UINT64_MAX : framing.length;
    if (err != PS_OK) {
        return err == PS_ERR_TOO_BIG ? 413 : 400;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (info != NULL && info->header_size > server->setup.head_max) {
        return 431;
    }
    PsHttpVerdict verdict = server->setup.on_head(request, server->setup.ctx);
    request->begun = true;
    request->body_max = verdict.body_max;
    if (verdict.status != 0) {
        return verdict.status;
    }
    if (!framing.chunked && framing.length > verdict.body_max) {
        return 413;
    }
    size_t wanted = framing.chunked ? 0 : (size_t)framing.length;
    if (server->body_bytes + wanted > server->setup.bodies_max) {
        return 503;
    }
    ps_buf_reserve(&request->body, wanted < RESERVE_MAX ? wanted : RESERVE_MAX);
    return 0;
}

static enum MHD_Result take_head(PsHttpRequest *request, struct MHD_Connection *connection,
                                 const char *method) {
    request->method = ps_strdup(method);
    request->refusal = judge_head(request, connection);
    if (request->refusal == 0) {
        return MHD_YES;
    }
    return hand_over(request, connection);
}

static enum MHD_Result take_bytes(PsHttpRequest *request, const char *bytes, size_t len) {
    PsHttpServer *server = request->server;
    request->body_left -= request->body_left == UINT64_MAX || len > request->body_left ? 0 : len;
    if (request->refusal == 0 && request->body.len + len > request->body_max) {
        request->refusal = 413;
    } else if (request->refusal == 0 && server->body_bytes + len > server->setup.bodies_max) {
        request->refusal = 503;
    }
    if (request->refusal == 0) {
        ps_buf_put(&request->body, bytes, len);
        server->body_bytes += len;
        return MHD_YES;
    }
    // Only chunks: no answer can be given in the middle of them.
    drop_body(request);
    request->discarded += len;
    return request->discarded > DISCARD_MAX ? MHD_NO : MHD_YES;
}

enum MHD_Result ps_http_request_take(void *ctx, struct MHD_Connection *connection, const char *url,
                                     const char *method, const char *version, const char *bytes,
                                     size_t *len, void **slot) {
    PsHttpRequest *request = *slot;
    if (request == NULL || ps_http_place_of(connection) == NULL) {
        return MHD_NO;
    }
    if (request->answered) { // resumed
        return request->response != NULL ? queue(request, connection) : MHD_YES;
    }
    if (request->handed) {
        return MHD_YES;
    }
    if (request->method == NULL) {
        return take_head(request, connection, method);
    }
    if (*len > 0) {
        size_t count = *len;
        *len = 0;
        return take_bytes(request, bytes, count);
    }
    request->body_left = 0;
    return hand_over(request, connection);
}
