// The local cloud's HTTP side: what a request is (API call, page, event stream) and AWS's shape of
// answers. Main thread. Limits: 64 connections, 64 KiB of headers, 8 MiB of body, 15 s of silence,
// 30 s for a request.
#include "localcloud/rest/http.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "http/guard.h"
#include "http/target.h"
#include "localcloud/registry/account.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 64
#define SILENCE_S 15
#define REQUEST_S 30
#define HEADERS_MAX ((size_t)64 * 1024)
#define BODIES_MAX ((size_t)64 * 1024 * 1024)
#define FILES_MAX ((size_t)16 * 1024 * 1024)
#define POLICY                                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "                    \
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "              \
    "frame-ancestors 'none'"

// ---- answers

void ps_rest_send(PsHttpRequest *request, PsRestAnswer *answer, const char *error_type,
                  const char *location) {
    PsHttpHeader headers[6];
    size_t count = 0;
    bool json = answer->json != NULL;
    char *text = json ? json_dumps(answer->json, JSON_COMPACT) : NULL;
    size_t len = text != NULL ? strlen(text) : answer->bytes.len;
    char id[PS_UUID_SIZE];
    ps_uuid_make(id);
    headers[count++] = (PsHttpHeader){"x-amzn-RequestId", id};
    headers[count++] = (PsHttpHeader){"X-Content-Type-Options", "nosniff"};
    headers[count++] = (PsHttpHeader){"Cache-Control", "no-store"};
    if (len > 0) {
        headers[count++] = (PsHttpHeader){"Content-Type", answer->content_type != NULL && !json
                                                              ? answer->content_type
                                                              : "application/json"};
    }
    if (error_type != NULL) {
        headers[count++] = (PsHttpHeader){"x-amzn-errortype", error_type};
    }
    if (location != NULL) {
        headers[count++] = (PsHttpHeader){"Location", location};
    }
    ps_http_answer(request, answer->status, headers, count,
                   text != NULL ? (const void *)text : answer->bytes.data, len);
    if (text != NULL) {
        OPENSSL_cleanse(text, len); // it may be a private key
        free(text);
    }
    ps_rest_answer_deinit(answer);
}

static void refuse(PsHttpRequest *request, int status, PsApiCode code, const char *why) {
    PsApiFault fault = {0};
    PsRestAnswer answer = {0};
    const char *error_type = NULL;
    PsApiCode failed = ps_api_fail(code, &fault, "%s", why);
    ps_rest_refuse(failed, PS_API_CONTROL, &fault, &answer, &error_type);
    answer.status = status;
    ps_rest_send(request, &answer, error_type, NULL);
}

// ---- what is not an API call

static void open_events(PsRest *rest, PsHttpRequest *request, const PsTarget *target) {
    const char *filters[PS_TARGET_QUERY];
    size_t count = 0;
    for (size_t i = 0; i < target->query_count; i++) {
        if (strcmp(target->query[i].name, "filter") == 0) {
            filters[count++] = target->query[i].value;
        }
    }
    if (count == 0) {
        filters[count++] = "#";
    }
    ps_events_open(rest, request, filters, count);
}

// False: an API call.
static bool answer_page(PsRest *rest, PsHttpRequest *request) {
    PS_AUTO_FREE PsTarget *target = ps_alloc(sizeof *target);
    if (ps_target_read(ps_http_target(request), target) != PS_OK || target->segment_count == 0) {
        return false;
    }
    const char *first = target->segments[0];
    bool console = strcmp(first, "console") == 0;
    if (target->segment_count == 1 && (first[0] == '\0' || console)) {
        PsRestAnswer answer = {.status = 302};
        ps_rest_send(request, &answer, NULL, "/console/");
        return true;
    }
    if (!console) {
        return false;
    }
    if (target->segment_count == 2 && strcmp(target->segments[1], "events") == 0) {
        open_events(rest, request, target);
    } else {
        ps_http_files_answer(rest->files, request, target, 1);
    }
    return true;
}

static const char *header(void *ctx, const char *name) {
    return ps_http_header(ctx, name);
}

// `key` may be NULL.
static void dispatch(PsRest *rest, PsHttpRequest *request, EVP_PKEY *key) {
    PsRestRequest call = {.method = ps_http_method(request),
                          .target = ps_http_target(request),
                          .header = header,
                          .header_ctx = request,
                          .key = key};
    PsRestAnswer answer;
    const char *error_type = NULL;
    call.body = ps_http_body(request, &call.body_len);
    ps_rest_dispatch(&rest->setup, &call, &answer, &error_type);
    ps_rest_send(request, &answer, error_type, NULL);
}

// ---- calls that wait for a key

typedef struct KeyCall {
    PsRest *rest;
    PsHttpRequest *request;
} KeyCall;

static void refuse_key(PsHttpRequest *request, PsErr err, const char *why) {
    PsApiCode code = err == PS_ERR_FULL     ? PS_API_THROTTLING
                     : err == PS_ERR_CLOSED ? PS_API_UNAVAILABLE
                                            : PS_API_INTERNAL;
    refuse(request, ps_api_status(code, PS_API_CONTROL), code, why);
}

static void on_key(void *ctx, PsErr err, EVP_PKEY *key, const PsDiag *diag) {
    KeyCall call = *(KeyCall *)ctx;
    free(ctx);
    if (err == PS_OK) {
        dispatch(call.rest, call.request, key);
    } else {
        refuse_key(call.request, err, err == PS_ERR_CLOSED ? "The cloud is stopping" : diag->text);
    }
}

static void answer_call(PsRest *rest, PsHttpRequest *request) {
    PsRestRequest asked = {.method = ps_http_method(request), .target = ps_http_target(request)};
    if (!ps_rest_needs_key(&rest->setup, &asked)) {
        dispatch(rest, request, NULL);
        return;
    }
    KeyCall *call = ps_alloc(sizeof *call);
    *call = (KeyCall){rest, request};
    PsErr err = ps_keymaker_order(rest->setup.keymaker, on_key, call);
    if (err != PS_OK) {
        free(call);
        refuse_key(request, err,
                   err == PS_ERR_FULL ? "Too many keys are being made" : "The cloud is stopping");
    }
}

// ---- requests

static const char *objection_to(PsHttpRequest *request) {
    static const PsGuardRules rules = {.loopback_hosts = true};
    PsGuardFacts facts = {.method = ps_http_method(request),
                          .host = ps_http_header(request, "Host"),
                          .origin = ps_http_header(request, "Origin"),
                          .fetch_site = ps_http_header(request, "Sec-Fetch-Site")};
    return ps_guard_objects(&rules, &facts);
}

static PsHttpVerdict on_head(PsHttpRequest *request, void *ctx) {
    return (PsHttpVerdict){.body_max = PS_REST_BODY_MAX,
                           .status = objection_to(request) != NULL ? 403 : 0};
}

static void on_request(PsHttpRequest *request, void *ctx) {
    PsRest *rest = ctx;
    const char *method = ps_http_method(request);
    int refusal = ps_http_refusal(request);
    if (refusal == 403) {
        refuse(request, 403, PS_API_FORBIDDEN, objection_to(request));
    } else if (refusal == 413) {
        refuse(request, 413, PS_API_TOO_LARGE, "The request body is larger than 8 MiB");
    } else if (refusal == 503) {
        refuse(request, 503, PS_API_UNAVAILABLE, "Too many large requests at once");
    } else if (refusal != 0) {
        refuse(request, refusal, PS_API_INVALID_REQUEST,
               refusal == 431 ? "The request's headers are too long"
                              : "The request cannot be understood in one way only");
    } else if (strcmp(method, "GET") != 0 || !answer_page(rest, request)) {
        answer_call(rest, request);
    }
}

// ---- life

static void on_tick(uv_timer_t *timer) {
    ps_events_tick(timer->data);
}

PsErr ps_rest_start(uv_loop_t *loop, const PsRestSetup *setup, PsRest **ret_rest, PsDiag *diag) {
    PsRest *rest = ps_alloc(sizeof *rest);
    rest->setup = *setup;
    PsHttpSetup http = {.address = "127.0.0.1",
                        .port = setup->port,
                        .connections_max = CONNECTIONS_MAX,
                        .head_max = HEADERS_MAX,
                        .silence_s = SILENCE_S,
                        .request_s = REQUEST_S,
                        .bodies_max = BODIES_MAX,
                        .on_head = on_head,
                        .on_request = on_request,
                        .ctx = rest};
    PsErr err = ps_http_start(loop, &http, &rest->server, diag);
    if (err != PS_OK) {
        free(rest);
        return err;
    }
    rest->files = ps_http_files_new(setup->console_dir, POLICY, FILES_MAX);
    uv_timer_init(loop, &rest->tick);
    rest->tick.data = rest;
    rest->open_parts = 2;
    uv_timer_start(&rest->tick, on_tick, 1000, 1000);
    *ret_rest = rest;
    return PS_OK;
}

uint16_t ps_rest_port(const PsRest *rest) {
    return ps_http_port(rest->server);
}

static void on_part_closed(void *ctx) {
    PsRest *rest = ctx;
    if (--rest->open_parts == 0) {
        ps_http_files_free(rest->files);
        free(rest);
    }
}

static void on_tick_closed(uv_handle_t *handle) {
    on_part_closed(handle->data);
}

void ps_rest_stop(PsRest *rest) {
    if (rest == NULL || rest->stopping) {
        return;
    }
    rest->stopping = true;
    ps_http_stop(rest->server, on_part_closed, rest);
    uv_close((uv_handle_t *)&rest->tick, on_tick_closed);
}
