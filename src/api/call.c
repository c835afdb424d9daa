// What a handler asks of its call, and its answer. Main thread; never blocks.
#include "api/call.h"

#include "api/answer.h"
#include "api/audit_words.h"
#include "api/call_private.h"
#include "api/problem.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const PsApiSources *ps_api_call_sources(const PsApiCall *call) {
    return &call->api->sources;
}

const PsApiRoute *ps_api_call_route(const PsApiCall *call) {
    return call->dispatch.match.route;
}

PsLogHold *ps_api_call_log_hold(const PsApiCall *call) {
    return call->api->log_hold;
}

const json_t *ps_api_call_arguments(const PsApiCall *call) {
    return call->dispatch.arguments;
}

const json_t *ps_api_call_body_json(const PsApiCall *call) {
    return call->dispatch.body;
}

const uint8_t *ps_api_call_body(const PsApiCall *call, size_t *ret_len) {
    return ps_http_body(call->request, ret_len);
}

const char *ps_api_call_header(const PsApiCall *call, const char *name) {
    return ps_http_header(call->request, name);
}

bool ps_api_call_cookie(const PsApiCall *call, const char *name, char *out, size_t size) {
    return ps_http_cookie(call->request, name, out, size);
}

void ps_api_call_user(const PsApiCall *call, char *out, size_t size) {
    ps_identity_show(&call->identity, out, size);
}

PsRole ps_api_call_role(const PsApiCall *call) {
    return call->identity.role;
}

const PsIdentity *ps_api_call_identity(const PsApiCall *call) {
    return &call->identity;
}

const char *ps_api_call_peer_address(const PsApiCall *call) {
    return call->peer.local ? "local" : call->peer.address;
}

bool ps_api_call_is_local(const PsApiCall *call) {
    return call->peer.local;
}

bool ps_api_call_is_loopback(const PsApiCall *call) {
    return call->peer.loopback;
}

bool ps_api_call_goes_on(PsApiCall *call, void (*cancel)(void *ctx), void *ctx) {
    PsApi *api = call->api;
    if (api->long_call != NULL) {
        return false;
    }
    api->long_call = call;
    api->cancel = cancel;
    api->cancel_ctx = ctx;
    api->closing_parts++; // the API is not closed before it is answered
    return true;
}

void ps_api_call_put_header(PsApiCall *call, const char *name, const char *value) {
    PS_ASSERT(call->header_count < PS_API_HEADERS_MAX);
    PsApiHeader *header = &call->headers[call->header_count++];
    snprintf(header->name, sizeof header->name, "%s", name);
    header->value = ps_strdup(value);
}

void ps_api_call_note(PsApiCall *call, const char *object, const char *detail) {
    if (object != NULL) {
        ps_text_format(call->note_object, sizeof call->note_object, "%s", object);
    }
    if (detail != NULL) {
        ps_text_format(call->note_detail, sizeof call->note_detail, "%s", detail);
    }
}

void ps_api_call_look_at_web(PsApiCall *call) {
    if (call->api->web != NULL) {
        ps_web_look_again(call->api->web);
    }
}

// --- the end of a call -------------------------------------------------------------------------

static void audit(const PsApiCall *call, const char *result, const json_t *answer,
                  const char *reason) {
    const PsApiRoute *route = call->dispatch.match.route;
    PsAccess *access = call->api->sources.access;
    if (access == NULL || strcmp(route->method, "GET") == 0 || (route->flags & PS_API_QUIET) != 0) {
        return;
    }
    char object[PS_API_NOTE_SIZE];
    char detail[2 * PS_API_NOTE_SIZE];
    char who[2 * PS_ACCOUNT_NAME_MAX + 16];
    snprintf(object, sizeof object, "%s", call->note_object);
    if (object[0] == '\0') {
        ps_audit_object(call->dispatch.arguments, object, sizeof object);
    }
    snprintf(detail, sizeof detail, "%s", call->note_detail);
    if (detail[0] == '\0') {
        ps_audit_detail(call->dispatch.arguments, answer, detail, sizeof detail);
    }
    char line[sizeof detail + sizeof(PsDiag)];
    snprintf(line, sizeof line, "%s%s%s", detail,
             detail[0] != '\0' && reason[0] != '\0' ? ": " : "", reason);
    ps_identity_show(&call->identity, who, sizeof who);
    ps_access_audit(access, who, ps_api_call_peer_address(call), route->id, object, result, line);
}

// Everything but the request, which has been answered.
static void end(PsApiCall *call) {
    PsApi *api = call->api;
    bool was_long = api->long_call == call;
    ps_dispatch_deinit(&call->dispatch);
    for (size_t i = 0; i < call->header_count; i++) {
        free(call->headers[i].value);
    }
    free(call);
    api->calls--;
    if (was_long) {
        api->long_call = NULL;
        ps_api_part_closed(api); // the API may be gone: it waited for this call
        return;
    }
    if (api->freed) {
        ps_api_free(api);
    }
}

static size_t headers_of(const PsApiCall *call, PsHttpHeader out[PS_API_HEADERS_MAX]) {
    for (size_t i = 0; i < call->header_count; i++) {
        out[i] = (PsHttpHeader){call->headers[i].name, call->headers[i].value};
    }
    return call->header_count;
}

void ps_api_call_reply(PsApiCall *call, json_t *result) {
    PsHttpHeader headers[PS_API_HEADERS_MAX];
    size_t count = headers_of(call, headers);
    audit(call, "ok", result, "");
    ps_api_answer_json(call->request, 200, headers, count, "application/json", result);
    end(call);
}

void ps_api_call_reply_bytes(PsApiCall *call, const char *content_type, const void *bytes,
                             size_t len) {
    PsHttpHeader headers[PS_API_HEADERS_MAX];
    size_t count = headers_of(call, headers);
    audit(call, "ok", NULL, "");
    ps_api_answer_bytes(call->request, 200, headers, count, content_type, bytes, len);
    end(call);
}

static void fail(PsApiCall *call, int status, PsErr err, const PsDiag *diag, json_t *findings) {
    PsHttpHeader headers[PS_API_HEADERS_MAX];
    size_t count = headers_of(call, headers);
    char text[sizeof *diag];
    ps_diag_format(diag, text, sizeof text);
    audit(call, ps_err_name(err), NULL, text);
    ps_api_answer_json(call->request, status, headers, count, PS_PROBLEM_TYPE,
                       ps_problem_json(status, err, diag, findings));
    end(call);
}

void ps_api_call_fail(PsApiCall *call, PsErr err, const PsDiag *diag) {
    fail(call, ps_problem_status(err), err, diag, NULL);
}

void ps_api_call_fail_status(PsApiCall *call, int status, PsErr err, const PsDiag *diag) {
    fail(call, status, err, diag, NULL);
}

void ps_api_call_fail_findings(PsApiCall *call, PsErr err, const PsDiag *diag, json_t *findings) {
    fail(call, ps_problem_status(err), err, diag, findings);
}

PsErr ps_api_call_stream(PsApiCall *call, size_t queue_max, void (*closed)(void *ctx), void *ctx,
                         PsHttpStream **ret_stream) {
    PsHttpHeader more[PS_API_HEADERS_MAX];
    PsHttpHeader headers[PS_API_ANSWER_HEADERS];
    size_t count =
        ps_api_answer_headers(more, headers_of(call, more), "text/event-stream", headers);
    PsErr err =
        ps_http_stream_open(call->request, headers, count, queue_max, closed, ctx, ret_stream);
    if (err == PS_OK) {
        end(call);
    }
    return err;
}
