// The listener for browsers: wants what the configuration says, and gets there step by step: its
// certificate (worker thread), the former listener gone, the new one. Main thread; never blocks.
#include "api/web.h"

#include "api/values.h"
#include "api/web_identity.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RETRY_MS 10000
#define LOOK_MS (60 * 1000) // is the certificate another one, or about to end?
#define GRACE_MS 500
#define HEAD_MAX ((size_t)16 * 1024)
#define BODIES_MAX ((size_t)64 * 1024 * 1024)
#define SILENCE_S 60
#define REQUEST_S 30
#define ADDRESS_SIZE 46

// What a listener is made of.
typedef struct Wanted {
    bool on;
    bool held_back; // to this machine, since there is no administrator
    char address[ADDRESS_SIZE];
    int port;
    int connections_max;
    char *cert_path; // "": the gateway's own
    char *key_path;
} Wanted;

typedef struct Job {
    uv_work_t work;
    struct PsWebServer *web;
    char *cert_path;
    char *key_path;
    PsWebIdentity identity;
    PsErr err;
    PsDiag diag; // also when a fallback was taken
    bool fallback;
    bool kept;
} Job;

struct PsWebServer {
    PsWebSetup setup;
    char folder[PATH_MAX];
    char override_address[ADDRESS_SIZE];
    char host[HOST_NAME_MAX + 1];
    Wanted wanted;
    Job *job;   // NULL: none under way
    bool again; // another one behind it
    PsHttpServer *server;
    Wanted running; // of the server; paths NULL
    PsWebIdentity identity;
    bool stopping;                           // the server is on its way out
    const char *hosts[PS_WEB_NAMES_MAX + 1]; // inside identity, and host
    PsGuardRules rules;
    uv_timer_t timer;
    char problem[sizeof(PsDiag)]; // "" none; said once
    bool timer_closed;
    void (*closed)(void *ctx); // not NULL: it closes
    void *closed_ctx;
};

static void refresh(PsWebServer *web);

// --- words --------------------------------------------------------------------------------------

bool ps_web_parse(const char *text, char *ret_address, size_t size, int *ret_port) {
    bool bracket = text[0] == '[';
    const char *start = bracket ? text + 1 : text;
    const char *end = bracket ? strchr(start, ']') : strchr(start, ':');
    const char *colon = end != NULL && bracket ? end + 1 : end;
    long long port = 0;
    if (end == NULL || end == start || *colon != ':' || (size_t)(end - start) >= size ||
        !ps_text_to_int(colon + 1, 0, 65535, &port)) {
        return false;
    }
    snprintf(ret_address, size, "%.*s", (int)(end - start), start);
    *ret_port = (int)port;
    return true;
}

static void show_url(const PsWebServer *web, char *out, size_t size) {
    const char *address = web->running.address;
    bool all = strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
    const char *name = all ? web->host : address;
    bool bracket = strchr(name, ':') != NULL;
    snprintf(out, size, "https://%s%s%s:%u/", bracket ? "[" : "", name, bracket ? "]" : "",
             web->server != NULL ? (unsigned)ps_http_port(web->server) : 0U);
}

// Once for each, until it is over.
static void warn(PsWebServer *web, const char *id, const PsDiag *diag, const char *what) {
    char text[sizeof web->problem];
    char line[sizeof *diag];
    ps_diag_format(diag, line, sizeof line);
    ps_text_format(text, sizeof text, "%s: %s", line, what);
    if (strcmp(text, web->problem) != 0) {
        PS_LOGW(id, "%s", text);
        snprintf(web->problem, sizeof web->problem, "%s", text);
    }
}

static void say_listening(PsWebServer *web) {
    char url[ADDRESS_SIZE + HOST_NAME_MAX + 32];
    show_url(web, url, sizeof url);
    PS_LOGI("WEB-LISTEN", "web interface and REST API at %s (certificate %s, SHA-256 %s)", url,
            web->identity.own ? "of the gateway itself" : "of the configuration",
            web->identity.fingerprint);
}

// --- what is wanted -----------------------------------------------------------------------------

static bool is_loopback(const char *address) {
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

static void free_wanted(Wanted *wanted) {
    free(wanted->cert_path);
    free(wanted->key_path);
    *wanted = (Wanted){0};
}

static void take_wanted(PsWebServer *web, const PsWeb *config) {
    bool given = web->override_address[0] != '\0';
    free_wanted(&web->wanted);
    web->wanted = (Wanted){.on = given || config->enable,
                           .port = given ? web->setup.port : config->port,
                           .connections_max = config->connections_max,
                           .cert_path = ps_strdup(config->cert),
                           .key_path = ps_strdup(config->key)};
    snprintf(web->wanted.address, sizeof web->wanted.address, "%s",
             given ? web->override_address : config->address);
}

static void hold_back(const PsWebServer *web, Wanted *wanted) {
    *wanted = web->wanted;
    wanted->cert_path = wanted->key_path = NULL; // not its own
    if (!web->setup.is_set_up(web->setup.ctx) && !is_loopback(wanted->address)) {
        wanted->held_back = true;
        snprintf(wanted->address, sizeof wanted->address, "127.0.0.1");
    }
}

static bool is_as_wanted(const PsWebServer *web, const PsWebIdentity *identity) {
    Wanted wanted;
    hold_back(web, &wanted);
    return web->server != NULL && web->identity.cert != NULL &&
           strcmp(wanted.address, web->running.address) == 0 && wanted.port == web->running.port &&
           wanted.connections_max == web->running.connections_max &&
           strcmp(identity->cert, web->identity.cert) == 0 &&
           strcmp(identity->key, web->identity.key) == 0;
}

// --- its end ------------------------------------------------------------------------------------

static void finish(PsWebServer *web) {
    if (web->closed == NULL || web->job != NULL || web->stopping || web->server != NULL ||
        !web->timer_closed) {
        return;
    }
    void (*closed)(void *ctx) = web->closed;
    void *ctx = web->closed_ctx;
    ps_web_identity_deinit(&web->identity);
    free_wanted(&web->wanted);
    free(web);
    closed(ctx);
}

static void on_stopped(void *ctx) {
    PsWebServer *web = ctx;
    web->stopping = false;
    if (web->closed != NULL) {
        finish(web);
    } else {
        refresh(web);
    }
}

static void stop_server(PsWebServer *web) {
    if (web->server != NULL) {
        PsHttpServer *server = web->server;
        web->server = NULL;
        web->stopping = true;
        ps_http_stop(server, on_stopped, web);
    }
}

// --- its start ----------------------------------------------------------------------------------

static void on_timer(uv_timer_t *timer) {
    refresh(timer->data);
}

static void look_later(PsWebServer *web, uint64_t milliseconds) {
    uv_timer_start(&web->timer, on_timer, milliseconds, 0);
}

static void take_identity(PsWebServer *web, PsWebIdentity *identity) {
    ps_web_identity_deinit(&web->identity);
    web->identity = *identity;
    *identity = (PsWebIdentity){0};
    size_t count = 0;
    web->hosts[count++] = web->host;
    for (size_t i = 0; i < web->identity.name_count; i++) {
        web->hosts[count++] = web->identity.names[i];
    }
    web->rules = (PsGuardRules){.loopback_hosts = true,
                                .address_hosts = true,
                                .hosts = web->hosts,
                                .host_count = count,
                                .tls = true};
}

static void start_server(PsWebServer *web) {
    hold_back(web, &web->running);
    PsHttpSetup setup = {.address = web->running.address,
                         .port = (uint16_t)web->running.port,
                         .cert = web->identity.cert,
                         .key = web->identity.key,
                         .connections_max = (unsigned)web->running.connections_max,
                         .connections_per_address = (unsigned)web->running.connections_max * 3 / 4,
                         .head_max = HEAD_MAX,
                         .silence_s = SILENCE_S,
                         .request_s = REQUEST_S,
                         .bodies_max = BODIES_MAX,
                         .on_head = web->setup.on_head,
                         .on_request = web->setup.on_request,
                         .ctx = web->setup.ctx};
    PsDiag diag = {0};
    PsErr err = ps_http_start(web->setup.loop, &setup, &web->server, &diag);
    if (err != PS_OK) {
        web->server = NULL;
        warn(web, "WEB-PORT", &diag, "the web interface tries again every 10 s");
        look_later(web, RETRY_MS);
        return;
    }
    say_listening(web);
    look_later(web, LOOK_MS);
}

static void read_identity(uv_work_t *work) {
    Job *job = work->data;
    PsWall now = ps_wall_now();
    const PsWebServer *web = job->web;
    job->kept = true;
    if (job->cert_path[0] != '\0') {
        job->err =
            ps_web_identity_read(job->cert_path, job->key_path, now, &job->identity, &job->diag);
        if (job->err == PS_OK) {
            return;
        }
        job->fallback = true;
    }
    PsDiag diag = {0};
    job->err = ps_web_identity_own(web->folder, web->host, now, &job->identity, &job->kept, &diag);
    if (!job->fallback) {
        job->diag = diag;
    }
}

// A listener that runs with a good certificate keeps it while the new one is bad.
static void use_identity(PsWebServer *web, Job *job) {
    if (job->err != PS_OK) {
        warn(web, "WEB-CERT", &job->diag, "there is no web interface; trying again");
        look_later(web, RETRY_MS);
        return;
    }
    bool bad = job->fallback || !job->kept;
    if (job->fallback) {
        warn(web, "WEB-CERT", &job->diag,
             web->server != NULL ? "the certificate that is in use stays"
                                 : "the gateway's own certificate is used");
    } else if (!job->kept) {
        warn(web, "WEB-CERT", &job->diag, "the certificate lasts until the restart only");
    }
    bool keeps = bad && web->identity.cert != NULL;
    if (is_as_wanted(web, keeps ? &web->identity : &job->identity)) {
        web->problem[0] = bad ? web->problem[0] : '\0';
        look_later(web, bad ? RETRY_MS * 6 : LOOK_MS);
        return;
    }
    if (web->server != NULL) { // once it is gone it goes on with a look at the files
        stop_server(web);
        return;
    }
    if (!keeps) {
        take_identity(web, &job->identity);
    }
    start_server(web);
    if (web->server != NULL && !bad) {
        web->problem[0] = '\0';
    }
}

static void on_identity(uv_work_t *work, int status) {
    Job *job = work->data;
    PsWebServer *web = job->web;
    web->job = NULL;
    if (web->closed == NULL && status == 0 && web->wanted.on && !web->stopping && !web->again) {
        use_identity(web, job);
    }
    ps_web_identity_deinit(&job->identity);
    free(job->cert_path);
    free(job->key_path);
    free(job);
    if (web->closed != NULL) {
        finish(web);
    } else if (web->again) {
        web->again = false;
        refresh(web);
    }
}

static void refresh(PsWebServer *web) {
    if (web->closed != NULL || web->stopping) {
        return; // it goes on when the server has gone
    }
    if (!web->wanted.on) {
        uv_timer_stop(&web->timer);
        web->problem[0] = '\0';
        stop_server(web);
        return;
    }
    if (web->job != NULL) {
        web->again = true;
        return;
    }
    Job *job = ps_alloc(sizeof *job);
    *job = (Job){.web = web,
                 .cert_path = ps_strdup(web->wanted.cert_path),
                 .key_path = ps_strdup(web->wanted.key_path)};
    job->work.data = job;
    web->job = job;
    int result = uv_queue_work(web->setup.loop, &job->work, read_identity, on_identity);
    PS_ASSERT(result == 0);
}

// --- for others ---------------------------------------------------------------------------------

PsWebServer *ps_web_new(const PsWebSetup *setup, const PsWeb *config) {
    PsWebServer *web = ps_alloc(sizeof *web);
    web->setup = *setup;
    snprintf(web->folder, sizeof web->folder, "%s", setup->folder);
    snprintf(web->override_address, sizeof web->override_address, "%s",
             setup->address != NULL ? setup->address : "");
    if (gethostname(web->host, sizeof web->host - 1) != 0) {
        snprintf(web->host, sizeof web->host, "localhost");
    }
    uv_timer_init(setup->loop, &web->timer);
    web->timer.data = web;
    ps_web_configure(web, config);
    return web;
}

// What brings the change about is often a request on this very listener: its answer goes first.
static void refresh_soon(PsWebServer *web) {
    if (web->server != NULL) {
        look_later(web, GRACE_MS);
    } else {
        refresh(web);
    }
}

void ps_web_configure(PsWebServer *web, const PsWeb *config) {
    take_wanted(web, config);
    refresh_soon(web);
}

void ps_web_look_again(PsWebServer *web) {
    refresh_soon(web);
}

static void on_timer_closed(uv_handle_t *handle) {
    PsWebServer *web = handle->data;
    web->timer_closed = true;
    finish(web);
}

void ps_web_close(PsWebServer *web, void (*closed)(void *ctx), void *ctx) {
    if (web == NULL) {
        return;
    }
    web->closed = closed;
    web->closed_ctx = ctx;
    stop_server(web);
    uv_close((uv_handle_t *)&web->timer, on_timer_closed);
}

static json_t *certificate_status(const PsWebServer *web) {
    if (web->identity.cert == NULL) {
        return json_null();
    }
    json_t *names = json_array();
    for (size_t i = 0; i < web->identity.name_count; i++) {
        json_array_append_new(names, json_string(web->identity.names[i]));
    }
    return json_pack("{s:b, s:s, s:o, s:o}", "own", (int)web->identity.own, "fingerprint",
                     web->identity.fingerprint, "not_after", ps_api_time(web->identity.not_after),
                     "names", names);
}

json_t *ps_web_status(const PsWebServer *web) {
    if (web == NULL) {
        return json_null();
    }
    char url[ADDRESS_SIZE + HOST_NAME_MAX + 32] = "";
    bool listens = web->server != NULL;
    if (listens) {
        show_url(web, url, sizeof url);
    }
    return json_pack("{s:b, s:b, s:s, s:s, s:i, s:b, s:i, s:s, s:o}", "enabled",
                     (int)web->wanted.on, "set_up", (int)web->setup.is_set_up(web->setup.ctx),
                     "url", url, "address", listens ? web->running.address : "", "port",
                     listens ? (int)ps_http_port(web->server) : 0, "this_machine_only",
                     (int)(listens && is_loopback(web->running.address)), "connections",
                     listens ? (int)ps_http_connections(web->server) : 0, "problem", web->problem,
                     "certificate", certificate_status(web));
}

const PsGuardRules *ps_web_guard(const PsWebServer *web) {
    static const PsGuardRules nobody = {0};
    return web != NULL ? &web->rules : &nobody;
}
