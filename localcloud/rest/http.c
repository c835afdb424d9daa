// The HTTP server: libmicrohttpd without threads, its epoll descriptor watched by the uv loop. Main
// thread. Limits: 64 connections, 64 KiB of headers, 8 MiB of body, 15 s of silence, 30 s for a
// request.
#include "localcloud/rest/http.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "http/guard.h"
#include "http/target.h"
#include "localcloud/registry/account.h"
#include "localcloud/rest/files.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SILENCE_S 15
#define REQUEST_S 30
#define HEADERS_MAX ((size_t)64 * 1024)

// One request while it arrives.
typedef struct Request {
    PsRest *rest;
    char *target; // as it was sent
    PsBuf body;
    bool begun;
    bool too_large;
} Request;

// ---- answers

static void put_security(struct MHD_Response *response, const PsRestAnswer *answer) {
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (answer->content_type != NULL && strncmp(answer->content_type, "text/html", 9) == 0) {
        MHD_add_response_header(response, "Content-Security-Policy",
                                "default-src 'none'; script-src 'self'; "
                                "style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
                                "connect-src 'self'; base-uri 'none'; form-action 'none'; "
                                "frame-ancestors 'none'");
    }
}

enum MHD_Result ps_http_answer(struct MHD_Connection *connection, PsRestAnswer *answer,
                               const char *error_type, const char *location) {
    char nothing[1] = "";
    bool json = answer->json != NULL;
    char *text = json ? json_dumps(answer->json, JSON_COMPACT) : NULL;
    size_t len = text != NULL ? strlen(text) : answer->bytes.len;
    void *bytes = text != NULL ? (void *)text : answer->bytes.data;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, len > 0 ? bytes : nothing, MHD_RESPMEM_MUST_COPY);
    if (text != NULL) {
        OPENSSL_cleanse(text, len); // it may be a private key
        free(text);
    }
    if (response == NULL) {
        ps_rest_answer_deinit(answer);
        return MHD_NO;
    }
    char id[PS_UUID_SIZE];
    ps_uuid_make(id);
    MHD_add_response_header(response, "x-amzn-RequestId", id);
    if (len > 0) {
        MHD_add_response_header(response, "Content-Type",
                                answer->content_type != NULL && !json ? answer->content_type
                                                                      : "application/json");
    }
    if (error_type != NULL) {
        MHD_add_response_header(response, "x-amzn-errortype", error_type);
    }
    if (location != NULL) {
        MHD_add_response_header(response, "Location", location);
    }
    put_security(response, answer);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned int)answer->status, response);
    MHD_destroy_response(response);
    ps_rest_answer_deinit(answer);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, PsApiCode code, const char *why) {
    PsApiFault fault = {0};
    PsRestAnswer answer = {0};
    const char *error_type = NULL;
    ps_api_fault_set(code, &fault, "%s", why);
    ps_rest_refuse(code, PS_API_CONTROL, &fault, &answer, &error_type);
    return ps_http_answer(connection, &answer, error_type, NULL);
}

static const char *header(void *ctx, const char *name) {
    return MHD_lookup_connection_value(ctx, MHD_HEADER_KIND, name);
}

// ---- what is not an API call

static PsHttpPeer *find_peer(PsRest *rest, struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    for (size_t i = 0; info != NULL && i < PS_HTTP_CONNECTIONS_MAX; i++) {
        if (rest->peers[i].fd == info->connect_fd) {
            return &rest->peers[i];
        }
    }
    return NULL;
}

static enum MHD_Result open_events(PsRest *rest, struct MHD_Connection *connection,
                                   const PsTarget *target) {
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
    PsHttpPeer *peer = find_peer(rest, connection);
    if (peer != NULL) {
        peer->streaming = true;
    }
    return ps_events_open(rest, connection, filters, count);
}

// MHD_NO and *ret_taken false: an API call.
static enum MHD_Result answer_page(PsRest *rest, struct MHD_Connection *connection,
                                   const char *target_text, bool *ret_taken) {
    PS_AUTO_FREE PsTarget *target = ps_alloc(sizeof *target);
    *ret_taken = false;
    if (ps_target_read(target_text, target) != PS_OK) {
        return MHD_NO;
    }
    if (target->segment_count == 2 && strcmp(target->segments[0], "console") == 0 &&
        strcmp(target->segments[1], "events") == 0) {
        *ret_taken = true;
        return open_events(rest, connection, target);
    }
    PsRestAnswer answer = {0};
    const char *location = NULL;
    if (!ps_files_answer(rest->setup.console_dir, target, &answer, &location)) {
        return MHD_NO;
    }
    *ret_taken = true;
    return ps_http_answer(connection, &answer, NULL, location);
}

static enum MHD_Result answer_request(Request *request, struct MHD_Connection *connection,
                                      const char *method) {
    if (strcmp(method, "GET") == 0) {
        bool taken = false;
        enum MHD_Result result = answer_page(request->rest, connection, request->target, &taken);
        if (taken) {
            return result;
        }
    }
    PsRestRequest call = {.method = method,
                          .target = request->target,
                          .header = header,
                          .header_ctx = connection,
                          .body = request->body.data,
                          .body_len = request->body.len};
    PsRestAnswer answer;
    const char *error_type = NULL;
    ps_rest_dispatch(&request->rest->setup, &call, &answer, &error_type);
    return ps_http_answer(connection, &answer, error_type, NULL);
}

// ---- requests as MHD gives them

static void *begin_request(void *ctx, const char *target, struct MHD_Connection *connection) {
    Request *request = ps_alloc(sizeof *request);
    request->rest = ctx;
    request->target = ps_strdup(target);
    return request;
}

static void end_request(void *ctx, struct MHD_Connection *connection, void **slot,
                        enum MHD_RequestTerminationCode why) {
    Request *request = *slot;
    PsHttpPeer *peer = find_peer(ctx, connection);
    if (peer != NULL) {
        peer->since = ps_mono_now();
        peer->streaming = false;
    }
    if (request != NULL) {
        free(request->target);
        ps_buf_deinit(&request->body);
        free(request);
    }
    *slot = NULL;
}

// Before anything of the body is read. MHD_YES: go on.
static enum MHD_Result check_head(struct MHD_Connection *connection, const char *method,
                                  bool *ret_refused) {
    PsGuardFacts facts = {.method = method,
                          .host = header(connection, "Host"),
                          .origin = header(connection, "Origin"),
                          .fetch_site = header(connection, "Sec-Fetch-Site")};
    static const PsGuardRules rules = {.loopback_hosts = true};
    const char *objection = ps_guard_objects(&rules, &facts);
    const char *length = header(connection, "Content-Length");
    *ret_refused = true;
    if (objection != NULL) {
        return refuse(connection, PS_API_FORBIDDEN, objection);
    }
    if (length != NULL && strtoull(length, NULL, 10) > PS_REST_BODY_MAX) {
        return refuse(connection, PS_API_TOO_LARGE, "The request body is larger than 8 MiB");
    }
    *ret_refused = false;
    return MHD_YES;
}

static enum MHD_Result take_request(void *ctx, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *bytes,
                                    size_t *len, void **slot) {
    Request *request = *slot;
    if (request == NULL) {
        return MHD_NO;
    }
    if (!request->begun) {
        request->begun = true;
        bool refused = false;
        return check_head(connection, method, &refused);
    }
    if (*len > 0) {
        request->too_large = request->too_large || request->body.len + *len > PS_REST_BODY_MAX;
        if (!request->too_large) {
            ps_buf_put(&request->body, bytes, *len);
        }
        *len = 0;
        return MHD_YES;
    }
    return request->too_large
               ? refuse(connection, PS_API_TOO_LARGE, "The request body is larger than 8 MiB")
               : answer_request(request, connection, method);
}

static void note_peer(void *ctx, struct MHD_Connection *connection, void **slot,
                      enum MHD_ConnectionNotificationCode code) {
    PsRest *rest = ctx;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    int fd = info != NULL ? info->connect_fd : -1;
    bool starts = code == MHD_CONNECTION_NOTIFY_STARTED;
    for (size_t i = 0; i < PS_HTTP_CONNECTIONS_MAX; i++) {
        if (rest->peers[i].fd == (starts ? -1 : fd)) {
            rest->peers[i] = (PsHttpPeer){.fd = starts ? fd : -1, .since = ps_mono_now()};
            return;
        }
    }
}

// ---- the loop

static void run_daemon(PsRest *rest) {
    MHD_run(rest->daemon);
    MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
    if (MHD_get_timeout(rest->daemon, &timeout_ms) == MHD_YES) {
        uv_timer_start(&rest->timer, rest->timer.timer_cb, timeout_ms, 0);
    } else {
        uv_timer_stop(&rest->timer);
    }
}

static void on_readable(uv_poll_t *poll, int status, int events) {
    run_daemon(poll->data);
}

static void on_timer(uv_timer_t *timer) {
    run_daemon(timer->data);
}

void ps_http_kick(PsRest *rest) {
    if (!rest->stopping) {
        uv_timer_start(&rest->timer, on_timer, 0, 0);
    }
}

static void on_tick(uv_timer_t *timer) {
    PsRest *rest = timer->data;
    PsMono now = ps_mono_now();
    for (size_t i = 0; i < PS_HTTP_CONNECTIONS_MAX; i++) {
        PsHttpPeer *peer = &rest->peers[i];
        // Bytes that come one by one keep MHD's own time-out away; this does not ask for bytes.
        if (peer->fd >= 0 && !peer->streaming &&
            ps_mono_diff_ns(now, peer->since) > REQUEST_S * PS_NS_PER_S) {
            shutdown(peer->fd, SHUT_RDWR);
        }
    }
    ps_events_tick(rest);
}

static struct MHD_Daemon *start_daemon(PsRest *rest) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(rest->setup.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, rest->setup.port, NULL, NULL, take_request, rest,
        MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned int)PS_HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned int)SILENCE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEADERS_MAX,
        MHD_OPTION_URI_LOG_CALLBACK, begin_request, rest, MHD_OPTION_NOTIFY_COMPLETED, end_request,
        rest, MHD_OPTION_NOTIFY_CONNECTION, note_peer, rest, MHD_OPTION_END);
}

PsErr ps_rest_start(uv_loop_t *loop, const PsRestSetup *setup, PsRest **ret_rest, PsDiag *diag) {
    PsRest *rest = ps_alloc(sizeof *rest);
    rest->loop = loop;
    rest->setup = *setup;
    for (size_t i = 0; i < PS_HTTP_CONNECTIONS_MAX; i++) {
        rest->peers[i].fd = -1;
    }
    errno = 0;
    rest->daemon = start_daemon(rest);
    if (rest->daemon == NULL) {
        int error = errno;
        free(rest);
        return ps_fail(PS_ERR_IO, diag, "HTTP server", "port", "127.0.0.1:%u: %s", setup->port,
                       error != 0 ? strerror(error) : "cannot be listened on");
    }
    const union MHD_DaemonInfo *port = MHD_get_daemon_info(rest->daemon, MHD_DAEMON_INFO_BIND_PORT);
    rest->setup.port = port != NULL ? port->port : setup->port;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(rest->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    uv_poll_init(loop, &rest->poll, info->epoll_fd);
    uv_timer_init(loop, &rest->timer);
    uv_timer_init(loop, &rest->tick);
    rest->poll.data = rest;
    rest->timer.data = rest;
    rest->tick.data = rest;
    rest->open_handles = 3;
    uv_poll_start(&rest->poll, UV_READABLE, on_readable);
    uv_timer_start(&rest->timer, on_timer, 0, 0);
    uv_timer_start(&rest->tick, on_tick, 1000, 1000);
    *ret_rest = rest;
    return PS_OK;
}

uint16_t ps_rest_port(const PsRest *rest) {
    return rest->setup.port;
}

static void on_closed(uv_handle_t *handle) {
    PsRest *rest = handle->data;
    if (--rest->open_handles == 0) {
        free(rest);
    }
}

void ps_rest_stop(PsRest *rest) {
    if (rest == NULL || rest->stopping) {
        return;
    }
    rest->stopping = true;
    uv_poll_stop(&rest->poll);
    ps_events_end(rest);
    MHD_stop_daemon(rest->daemon);
    uv_close((uv_handle_t *)&rest->poll, on_closed);
    uv_close((uv_handle_t *)&rest->timer, on_closed);
    uv_close((uv_handle_t *)&rest->tick, on_closed);
}
