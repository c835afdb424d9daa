// The server: libmicrohttpd without threads, its epoll descriptor watched by the uv loop. Owns the
// listener, MHD's daemon, the TLS context and the handles. Loop thread; never blocks once it is
// started.
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/inside.h"
#include "http/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 250
#define CLOSING_MAX 32
#define POOL_MORE ((size_t)16 * 1024) // answer, tables; MHD clears all of it for each request

// ---- running MHD

static void stop_now(PsHttpServer *server);

static void run(PsHttpServer *server) {
    if (server->stopped) {
        return;
    }
    server->running++;
    MHD_run(server->daemon);
    server->running--;
    if (server->stop_wanted) {
        stop_now(server);
        return;
    }
    MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
    if (MHD_get_timeout(server->daemon, &timeout_ms) == MHD_YES) {
        // Never 0: a timer that starts itself anew at once keeps the loop from everything else.
        uv_timer_start(&server->timer, server->timer.timer_cb, timeout_ms > 0 ? timeout_ms : 1, 0);
    } else {
        uv_timer_stop(&server->timer);
    }
    ps_http_look_soon(server);
}

static void on_readable(uv_poll_t *poll, int status, int events) {
    run(poll->data);
}

static void on_timer(uv_timer_t *timer) {
    run(timer->data);
}

static void on_tick(uv_timer_t *timer) {
    PsHttpServer *server = timer->data;
    ps_http_places_look(server);
    ps_http_accept_more(server);
    if (server->place_count == 0) {
        uv_timer_stop(&server->tick); // nobody is here: no wake-ups
    }
}

void ps_http_look_soon(PsHttpServer *server) {
    bool wanted = (server->place_count > 0 || !server->accepts) && !server->stop_wanted;
    if (wanted && !uv_is_active((uv_handle_t *)&server->tick)) {
        uv_timer_start(&server->tick, on_tick, TICK_MS, TICK_MS);
    }
}

void ps_http_kick(PsHttpServer *server) {
    if (!server->stopped && server->running == 0) {
        uv_timer_start(&server->timer, on_timer, 0, 0);
    }
}

// ---- start

PS_PRINTF(2, 0) static void log_line(void *ctx, const char *fmt, va_list args) {
    char text[512];
    ps_text_format_list(text, sizeof text, fmt, args);
    PS_LOGD("HTTP-LIB", "%s", text);
}

static struct MHD_Daemon *start_daemon(PsHttpServer *server, const PsHttpSetup *setup) {
    // It counts a connection that is closed for a moment longer than we do.
    unsigned connections = setup->connections_max + CLOSING_MAX;
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
        NULL, NULL, ps_http_request_take, server, MHD_OPTION_EXTERNAL_LOGGER, log_line, NULL,
        MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_TIMEOUT, setup->silence_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, setup->head_max + POOL_MORE,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, ps_http_request_begin, server,
        MHD_OPTION_NOTIFY_COMPLETED, ps_http_request_end, server, MHD_OPTION_NOTIFY_CONNECTION,
        ps_http_place_notice, server, MHD_OPTION_END);
}

static void watch(PsHttpServer *server) {
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    PS_ASSERT(info != NULL);
    int result = uv_poll_init(server->loop, &server->poll, info->epoll_fd);
    PS_ASSERT(result == 0); // fails only for a descriptor that is none
    result = uv_poll_init(server->loop, &server->accepting, server->listener);
    PS_ASSERT(result == 0);
    uv_timer_init(server->loop, &server->timer);
    uv_timer_init(server->loop, &server->tick);
    server->accepting.data = server;
    server->poll.data = server;
    server->timer.data = server;
    server->tick.data = server;
    server->open_handles = 4;
    uv_poll_start(&server->poll, UV_READABLE, on_readable);
    uv_timer_start(&server->timer, on_timer, 0, 0);
    ps_http_accept_more(server);
}

PsErr ps_http_start(uv_loop_t *loop, const PsHttpSetup *setup, PsHttpServer **ret_server,
                    PsDiag *diag) {
    int listener = -1;
    uint16_t port = 0;
    SSL_CTX *tls = NULL;
    PsErr err = setup->cert != NULL ? ps_http_tls_new(setup->cert, setup->key, &tls, diag) : PS_OK;
    if (err == PS_OK) {
        err = ps_http_listen(setup, &listener, &port, diag);
    }
    if (err != PS_OK) {
        SSL_CTX_free(tls);
        return err;
    }
    PsHttpServer *server = ps_alloc(sizeof *server);
    server->loop = loop;
    server->setup = *setup;
    server->listener = listener;
    server->port = port;
    server->tls = tls;
    snprintf(server->socket, sizeof server->socket, "%s",
             setup->socket != NULL ? setup->socket : "");
    server->daemon = start_daemon(server, setup);
    if (server->daemon == NULL) {
        close(listener);
        if (server->socket[0] != '\0') {
            (void)unlink(server->socket);
        }
        SSL_CTX_free(tls);
        free(server);
        return ps_fail(PS_ERR_INTERNAL, diag, "HTTP server", NULL,
                       "cannot be started with these settings; the log at level DEBUG says why");
    }
    server->watched = ps_alloc_array(setup->connections_max, sizeof *server->watched);
    server->watched_places = ps_alloc_array(setup->connections_max, sizeof(PsHttpPlace *));
    server->setup.address = NULL;
    server->setup.socket = NULL;
    server->setup.cert = NULL;
    server->setup.key = NULL;
    watch(server);
    *ret_server = server;
    return PS_OK;
}

uint16_t ps_http_port(const PsHttpServer *server) {
    return server->port;
}

unsigned ps_http_connections(const PsHttpServer *server) {
    return server->place_count;
}

// ---- stop

void ps_http_release(PsHttpServer *server) {
    if (server->stopped && server->open_handles == 0 && server->requests == 0) {
        free(server->watched);
        free(server->watched_places);
        SSL_CTX_free(server->tls);
        free(server);
    }
}

void ps_http_handle_closed(PsHttpServer *server) {
    server->open_handles--;
    if (server->open_handles == 0 && !server->closed_told) {
        server->closed_told = true;
        if (server->closed != NULL) {
            server->closed(server->closed_ctx);
        }
    }
    ps_http_release(server);
}

static void on_closed(uv_handle_t *handle) {
    ps_http_handle_closed(handle->data);
}

// MHD may not be stopped while connections are suspended, and gives none back by itself.
static void leave_places(PsHttpServer *server) {
    for (PsHttpPlace *place = server->places; place != NULL; place = place->next) {
        place->unread = false;
        if (place->stream != NULL) {
            ps_http_stream_break(place->stream);
        } else if (place->request != NULL && !place->request->answered) {
            MHD_resume_connection(place->request->connection);
            ps_http_request_leave(place->request);
        }
    }
}

static void stop_now(PsHttpServer *server) {
    if (server->stopped) {
        return;
    }
    server->running++; // from here on it is not run, only ended
    uv_poll_stop(&server->accepting);
    uv_poll_stop(&server->poll);
    close(server->listener);
    leave_places(server);
    server->stopped = true;
    MHD_stop_daemon(server->daemon);
    for (PsHttpTls *tls = server->tunnels; tls != NULL; tls = ps_http_tunnel_next(tls)) {
        ps_http_tunnel_break(tls);
    }
    ps_http_linger_end(server);
    if (server->socket[0] != '\0') {
        (void)unlink(server->socket);
    }
    uv_close((uv_handle_t *)&server->accepting, on_closed);
    uv_close((uv_handle_t *)&server->poll, on_closed);
    uv_close((uv_handle_t *)&server->timer, on_closed);
    uv_close((uv_handle_t *)&server->tick, on_closed);
}

void ps_http_stop(PsHttpServer *server, void (*closed)(void *ctx), void *ctx) {
    if (server == NULL || server->stop_wanted) {
        return;
    }
    server->stop_wanted = true;
    server->closed = closed;
    server->closed_ctx = ctx;
    if (server->running == 0) {
        stop_now(server);
    }
}
