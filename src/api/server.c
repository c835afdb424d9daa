// The API on its Unix socket, and what both listeners do with a request. Owns the socket's server
// and counts the calls. Main thread; never blocks once it is open.
#include "api/answer.h"
#include "api/api.h"
#include "api/call_private.h"
#include "api/page.h"
#include "api/problem.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The Unix socket: who may open it is trusted, but programs go wrong.
#define LOCAL_CONNECTIONS 64
#define HEAD_MAX ((size_t)32 * 1024)
#define SILENCE_S 300
#define REQUEST_S 60

static const char *header_of(const char *name, void *ctx) {
    return ps_http_header(ctx, name);
}

// --- before there is a call --------------------------------------------------------------------

// Nobody from elsewhere before there is somebody who may log in.
static bool is_too_early(const PsApi *api, const PsHttpPeer *peer) {
    return !peer->loopback && api->sources.access != NULL &&
           !ps_access_is_set_up(api->sources.access);
}

static bool check(const PsApi *api, PsHttpRequest *request, const PsHttpPeer *peer,
                  const PsIdentity *identity, bool head_only, PsDispatch *ret_dispatch) {
    if (is_too_early(api, peer)) {
        *ret_dispatch = (PsDispatch){.status = 403, .err = PS_ERR_DENIED};
        bool broken = ps_access_problem(api->sources.access, NULL) != PS_OK;
        ps_diag_set(
            &ret_dispatch->diag, "gateway", NULL, "%s; %s on the gateway itself says what to do",
            broken ? "cannot read its accounts, so nobody is let in" : "has no administrator yet",
            "`penstock setup-code`");
        return false;
    }
    PsDispatchRequest asked = {.method = ps_http_method(request),
                               .target = ps_http_target(request),
                               .header = header_of,
                               .ctx = request,
                               .local = peer->local,
                               .rules = ps_web_guard(api->web),
                               .identity = identity,
                               .head_only = head_only};
    if (!head_only) {
        asked.body = ps_http_body(request, &asked.body_len);
    }
    return ps_dispatch(&asked, ret_dispatch);
}

static bool announces_body(const PsHttpRequest *request) {
    const char *length = ps_http_header(request, "Content-Length");
    return ps_http_header(request, "Transfer-Encoding") != NULL ||
           (length != NULL && strcmp(length, "0") != 0);
}

PsHttpVerdict ps_api_on_head(PsHttpRequest *request, void *ctx) {
    PsApi *api = ctx;
    PsHttpPeer peer;
    ps_http_peer(request, &peer);
    if (!ps_dispatch_is_api(ps_http_target(request))) {
        return (PsHttpVerdict){0};
    }
    PsIdentity identity;
    ps_api_identify(api, request, &peer, &identity);
    PsDispatch dispatch;
    if (!check(api, request, &peer, &identity, true, &dispatch)) {
        // Without a body there is nothing to stop, and the connection can go on.
        return (PsHttpVerdict){.status = announces_body(request) ? dispatch.status : 0};
    }
    size_t most = dispatch.match.route->body_max;
    ps_dispatch_deinit(&dispatch);
    return (PsHttpVerdict){.body_max = most > 0 ? most : PS_API_BODY_MAX};
}

// Of the server itself, which has not asked us, or not asked us any more.
static void refuse(PsHttpRequest *request, int status) {
    PsDiag diag = {0};
    PsErr err = status == 413 || status == 431 ? PS_ERR_TOO_BIG
                : status == 503                ? PS_ERR_BUSY
                : status == 403                ? PS_ERR_DENIED
                                               : PS_ERR_INVALID;
    ps_diag_set(&diag, "request", NULL, "%s",
                status == 403   ? "the gateway has no administrator who could log in"
                : status == 413 ? "the body is longer than this call takes"
                : status == 431 ? "the head is too long"
                : status == 503 ? "too many large requests at once; try again in a moment"
                                : "is not correct HTTP");
    ps_api_answer_json(request, status, NULL, 0, PS_PROBLEM_TYPE,
                       ps_problem_json(status, err, &diag, NULL));
}

static void audit_refusal(const PsApi *api, const PsDispatch *dispatch, const PsIdentity *identity,
                          const PsHttpPeer *peer) {
    const PsApiRoute *route = dispatch->match.route;
    if (api->sources.access != NULL && route != NULL && strcmp(route->method, "GET") != 0 &&
        dispatch->status == 403) {
        char who[2 * PS_ACCOUNT_NAME_MAX];
        ps_identity_show(identity, who, sizeof who);
        ps_access_audit(api->sources.access, who, peer->local ? "local" : peer->address, route->id,
                        "", "denied", dispatch->diag.text);
    }
}

static void answer_problem(PsHttpRequest *request, const PsDispatch *dispatch) {
    PsHttpHeader more[2];
    size_t count = 0;
    if (dispatch->status == 405) {
        more[count++] = (PsHttpHeader){"Allow", dispatch->match.allow};
    } else if (dispatch->status == 401) {
        more[count++] = (PsHttpHeader){"WWW-Authenticate", "Bearer"};
    }
    ps_api_answer_json(request, dispatch->status, more, count, PS_PROBLEM_TYPE,
                       ps_problem_json(dispatch->status, dispatch->err, &dispatch->diag, NULL));
}

// --- a call ------------------------------------------------------------------------------------

static void on_gone(void *ctx) {
    PsApiCall *call = ctx;
    PsApi *api = call->api;
    call->gone = true;
    if (api->long_call == call) {
        api->cancel(api->cancel_ctx);
    }
}

// With a refusal the body has not come: either we have said so for a reason that is found here once
// more, or the server has.
static void on_api_request(PsApi *api, PsHttpRequest *request, int refusal) {
    PsApiCall *call = ps_alloc(sizeof *call);
    call->api = api;
    call->request = request;
    ps_http_peer(request, &call->peer);
    ps_api_identify(api, request, &call->peer, &call->identity);
    bool whole = refusal == 0;
    if (!check(api, request, &call->peer, &call->identity, !whole, &call->dispatch)) {
        audit_refusal(api, &call->dispatch, &call->identity, &call->peer);
        answer_problem(request, &call->dispatch);
        free(call);
        return;
    }
    if (!whole) {
        ps_dispatch_deinit(&call->dispatch);
        free(call);
        refuse(request, refusal);
        return;
    }
    api->calls++;
    ps_http_on_gone(request, on_gone, call);
    call->dispatch.match.route->handler(call);
}

void ps_api_on_request(PsHttpRequest *request, void *ctx) {
    PsApi *api = ctx;
    int refusal = ps_http_refusal(request);
    if (ps_dispatch_is_api(ps_http_target(request))) {
        on_api_request(api, request, refusal);
    } else if (refusal != 0) {
        refuse(request, refusal);
    } else {
        PsHttpPeer peer;
        ps_http_peer(request, &peer);
        if (is_too_early(api, &peer)) {
            refuse(request, 403);
            return;
        }
        ps_api_page(api, request, &peer);
    }
}

// --- opening and closing -----------------------------------------------------------------------

PsErr ps_api_open(uv_loop_t *loop, const char *path, const PsApiSources *sources, PsApi **ret_api,
                  PsDiag *diag) {
    PsApi *api = ps_alloc(sizeof *api);
    api->sources = *sources;
    api->peers = ps_api_peers_new("/etc/passwd");
    api->log_hold = ps_log_hold_new(loop);
    *ret_api = api;
    PsHttpSetup setup = {.socket = path,
                         .connections_max = LOCAL_CONNECTIONS,
                         .head_max = HEAD_MAX,
                         .bodies_max = 2 * PS_API_UPLOAD_MAX,
                         .silence_s = SILENCE_S,
                         .request_s = REQUEST_S,
                         .on_head = ps_api_on_head,
                         .on_request = ps_api_on_request,
                         .ctx = api};
    return ps_http_start(loop, &setup, &api->local, diag);
}

void ps_api_set_sources(PsApi *api, const PsApiSources *sources) {
    api->sources = *sources;
    api->sources.web = api->web;
}

static bool is_set_up(void *ctx) {
    const PsApi *api = ctx;
    return api->sources.access == NULL || ps_access_is_set_up(api->sources.access);
}

static void on_set_up(void *ctx) {
    PsApi *api = ctx;
    if (api->web != NULL) {
        ps_web_look_again(api->web);
    }
}

void ps_api_open_web(PsApi *api, const PsApiWeb *setup) {
    PsWebSetup web = {.loop = api->sources.loop,
                      .folder = setup->folder,
                      .address = setup->address,
                      .port = setup->port,
                      .is_set_up = is_set_up,
                      .on_head = ps_api_on_head,
                      .on_request = ps_api_on_request,
                      .ctx = api};
    api->pages = setup->pages != NULL ? ps_api_page_files(setup->pages) : NULL;
    api->web = ps_web_new(&web, &api->sources.config->web);
    api->sources.web = api->web;
    if (api->sources.access != NULL) {
        ps_access_on_set_up(api->sources.access, on_set_up, api);
    }
}

void ps_api_configure_web(PsApi *api, const PsWeb *config) {
    if (api->web != NULL) {
        ps_web_configure(api->web, config);
    }
}

void ps_api_configure_log(PsApi *api, PsLogLevel level) {
    ps_log_hold_configure(api->log_hold, level);
}

void ps_api_part_closed(void *ctx) {
    PsApi *api = ctx;
    api->closing_parts--;
    if (api->closing && api->closing_parts == 0 && api->closed != NULL) {
        api->closed(api->closed_ctx);
    }
}

static void on_tick(uv_handle_t *handle) {
    PsApi *api = handle->data;
    free(handle);
    ps_api_part_closed(api);
}

// `closed` comes from the loop, also when there was nothing to close.
static void close_later(PsApi *api, uv_loop_t *loop) {
    uv_idle_t *idle = ps_alloc(sizeof *idle);
    uv_idle_init(loop, idle);
    idle->data = api;
    uv_close((uv_handle_t *)idle, on_tick);
}

void ps_api_close(PsApi *api, void (*closed)(void *ctx), void *ctx) {
    api->closing = true;
    api->closed = closed;
    api->closed_ctx = ctx;
    api->closing_parts++;
    close_later(api, api->sources.loop);
    if (api->web != NULL) {
        api->closing_parts++;
        ps_web_close(api->web, ps_api_part_closed, api);
        api->web = NULL;
        api->sources.web = NULL;
    }
    if (api->local != NULL) {
        api->closing_parts++;
        PsHttpServer *local = api->local;
        api->local = NULL;
        ps_http_stop(local, ps_api_part_closed, api);
    }
    ps_log_hold_close(api->log_hold);
    api->log_hold = NULL;
}

// What a call waits for may end after the API, and then answers it.
void ps_api_free(PsApi *api) {
    if (api == NULL) {
        return; // the gateway could not be started
    }
    api->freed = true;
    if (api->calls == 0) {
        ps_api_peers_free(api->peers);
        ps_http_files_free(api->pages);
        free(api);
    }
}
