// Builds the parts of the running cloud, wires them, takes them down. Main thread.
#include "localcloud/cloud.h"

#include "base/file.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define LONGEST_SCRIPT ((size_t)256 * 1024)
#define MOST_PEERS 10000

// The slot of an identity is its flaw; those that are wrong on purpose are made when asked for.
static PsErr make_identity(PsCloud *cloud, PsFlaw flaw, PsDiag *diag) {
    const PsRunOptions *options = cloud->options;
    PS_AUTO_TLS_IDENTITY PsTlsIdentity identity = {0};
    PsErr err =
        ps_identity_make(cloud->dir, flaw, options->hosts, options->host_count, &identity, diag);
    if (err == PS_OK && flaw != PS_FLAW_NONE) {
        return ps_tls_put(cloud->tls, flaw, &identity, diag);
    }
    PsTlsSetup setup = {.prefers = options->key_type,
                        .needs_server_name = options->strict_sni,
                        .admit = ps_ways_admit,
                        .ctx = &cloud->ways};
    return err == PS_OK ? ps_tls_new(&setup, &identity, &cloud->tls, diag) : err;
}

static PsErr make_tls(PsCloud *cloud, PsDiag *diag) {
    PsErr err = make_identity(cloud, PS_FLAW_NONE, diag);
    if (err == PS_OK && cloud->options->server_flaw != PS_FLAW_NONE) {
        err = make_identity(cloud, cloud->options->server_flaw, diag);
    }
    return err;
}

// What a rule wants of a handshake (faults.h).
static void put_fault(PsCloud *cloud, const PsFault *fault, PsGreeting *greeting) {
    static const PsFlaw flaws[] = {
        [PS_FAULT_CERTIFICATE_GOOD] = PS_FLAW_NONE,
        [PS_FAULT_CERTIFICATE_EXPIRED] = PS_FLAW_EXPIRED,
        [PS_FAULT_CERTIFICATE_NOT_YET] = PS_FLAW_NOT_YET,
        [PS_FAULT_CERTIFICATE_FOREIGN] = PS_FLAW_FOREIGN_CA,
        [PS_FAULT_CERTIFICATE_WRONG_HOST] = PS_FLAW_WRONG_HOST,
    };
    PsDiag diag = {0};
    switch (fault->what) {
    case PS_FAULT_SERVER_CERTIFICATE:
        greeting->identity = flaws[fault->certificate];
        if (!ps_tls_has(cloud->tls, greeting->identity) &&
            make_identity(cloud, flaws[fault->certificate], &diag) != PS_OK) {
            PS_LOGW("CLOUD-FAULT-CERTIFICATE", "no certificate for a fault: %s", diag.text);
            greeting->refuse = true;
        }
        break;
    case PS_FAULT_DELAY:
        greeting->delay_ms = fault->time_ms;
        break;
    default: // every other fault of a handshake ends it
        greeting->refuse = true;
        break;
    }
}

static PsErr load_faults(const PsCloud *cloud, PsDiag *diag) {
    const char *path = cloud->options->faults_path;
    PS_AUTO_BUF PsBuf text = {0};
    PsErr err = path != NULL ? ps_file_read(path, LONGEST_SCRIPT, &text, diag) : PS_OK;
    return err == PS_OK
               ? ps_faults_load(cloud->ways.faults, (const char *)text.data, text.len, diag)
               : err;
}

static void greet(void *ctx, const char *address, PsGreeting *greeting) {
    PsCloud *cloud = ctx;
    (void)address;
    PsFault fault;
    PsFaultCounts counts = {0};
    greeting->identity = cloud->options->server_flaw;
    if (ps_faults_ask(cloud->ways.faults, &counts, PS_FAULT_ON_HANDSHAKE, NULL, NULL, 0, &fault)) {
        put_fault(cloud, &fault, greeting);
    }
}

static void on_refused(void *ctx, const char *address, const char *certificate_id,
                       const char *why) {
    (void)ctx;
    PS_LOGI("CLOUD-HANDSHAKE", "%s was not let in (certificate %s): %s", address,
            certificate_id[0] != '\0' ? certificate_id : "none", why);
}

static void on_open(void *ctx, PsStream *stream, const PsPeerFacts *facts) {
    PsCloud *cloud = ctx;
    ps_ways_accept(&cloud->ways, stream, facts);
}

static PsErr listen_on(PsCloud *cloud, uint16_t port, bool needs_alpn, PsListener **ret_listener,
                       PsDiag *diag) {
    PsListenerSetup setup = {
        .loop = &cloud->sockets,
        .tls = cloud->tls,
        .address = htonl(INADDR_LOOPBACK),
        .port = port,
        .needs_alpn = needs_alpn,
        .handshake_limit_ms = cloud->options->limits.connect_wait_s * 1000,
        .most_peers = MOST_PEERS,
        .on_open = on_open,
        .on_refused = on_refused,
        .greet = greet,
        .ctx = cloud,
    };
    return ps_listener_open(&setup, ret_listener, diag);
}

// Beside the programs, as they are built and installed: ../share/penstock/cloud-console.
static const char *find_console(PsCloud *cloud) {
    static const char below[] = "/../share/penstock/cloud-console";
    char *path = cloud->console_dir;
    if (cloud->options->console_dir != NULL) {
        return cloud->options->console_dir;
    }
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - sizeof below);
    char *name = len > 0 ? memrchr(path, '/', (size_t)len) : NULL;
    if (name == NULL) {
        return NULL;
    }
    memcpy(name, below, sizeof below);
    return access(path, R_OK) == 0 ? path : NULL;
}

static PsErr start_rest(PsCloud *cloud, PsDiag *diag) {
    cloud->rest_cloud = ps_ways_rest(&cloud->ways);
    cloud->services_rest =
        (PsServicesRest){.services = cloud->ways.services, .out = &cloud->ways.out};
    cloud->services_routes = ps_services_routes(&cloud->services_rest);
    PsRestSetup setup = {.registry = cloud->registry,
                         .cloud = &cloud->rest_cloud,
                         .services = &cloud->services_routes,
                         .service_count = 1,
                         .keymaker = cloud->keymaker,
                         .console_dir = find_console(cloud)};
    int port = cloud->options->api_port;
    setup.port = (uint16_t)(port >= 0 ? port : PS_RUN_API_PORT);
    PsErr err = ps_rest_start(cloud->loop, &setup, &cloud->rest, diag);
    if (err != PS_OK && port < 0) {
        setup.port = 0; // nobody has asked for that port
        err = ps_rest_start(cloud->loop, &setup, &cloud->rest, diag);
    }
    return err;
}

static PsErr start_ways(PsCloud *cloud, PsDiag *diag) {
    PsWaysSetup setup = {.loop = cloud->loop,
                         .keymaker = cloud->keymaker,
                         .sockets = &cloud->sockets,
                         .registry = cloud->registry,
                         .broker_path = cloud->broker.socket_path,
                         .dir = cloud->dir,
                         .limits = cloud->options->limits,
                         .reactions = cloud->options->reactions};
    return ps_ways_start(&cloud->ways, &setup, diag);
}

// Every client needs two descriptors here and one in the broker, which inherits the limit.
static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); // without it there is room for fewer clients
    }
}

PsErr ps_cloud_start(PsCloud *cloud, uv_loop_t *loop, const char *dir, const PsRunOptions *options,
                     PsDiag *diag) {
    *cloud = (PsCloud){.options = options, .dir = dir, .loop = loop};
    raise_descriptor_limit();
    ps_socket_loop_init(&cloud->sockets, loop);
    cloud->keymaker = ps_keymaker_new(loop);
    PsErr err = ps_registry_open(dir, &cloud->registry, diag);
    err = err == PS_OK ? ps_broker_start(dir, &cloud->broker, diag) : err;
    err = err == PS_OK ? start_ways(cloud, diag) : err;
    err = err == PS_OK ? load_faults(cloud, diag) : err;
    err = err == PS_OK ? make_tls(cloud, diag) : err;
    err = err == PS_OK ? listen_on(cloud, options->port, false, &cloud->listener, diag) : err;
    if (err == PS_OK && options->alpn_port >= 0) {
        err = listen_on(cloud, (uint16_t)options->alpn_port, true, &cloud->alpn_listener, diag);
    }
    err = err == PS_OK ? start_rest(cloud, diag) : err;
    if (err != PS_OK) {
        ps_cloud_stop(cloud);
    }
    return err;
}

void ps_cloud_stop(PsCloud *cloud) {
    PsListener *listeners[] = {cloud->listener, cloud->alpn_listener};
    for (size_t i = 0; i < PS_COUNT(listeners); i++) {
        if (listeners[i] != NULL) {
            ps_listener_close(listeners[i]);
        }
    }
    ps_keymaker_stop(cloud->keymaker); // while those are there who wait for a key
    ps_rest_stop(cloud->rest);         // while the front is there for its streams
    ps_ways_stop(&cloud->ways);        // while the broker still takes goodbyes
    ps_broker_stop(&cloud->broker);
    while (cloud->sockets.open_count > 0) {
        uv_run(cloud->loop, UV_RUN_ONCE);
    }
    ps_socket_loop_close(&cloud->sockets);
    ps_keymaker_free(cloud->keymaker);
    uv_run(cloud->loop, UV_RUN_NOWAIT);
    ps_tls_free(cloud->tls);
    ps_registry_close(cloud->registry);
    *cloud = (PsCloud){0};
}

uint16_t ps_cloud_port(const PsCloud *cloud) {
    return ps_listener_port(cloud->listener);
}

uint16_t ps_cloud_alpn_port(const PsCloud *cloud) {
    return cloud->alpn_listener != NULL ? ps_listener_port(cloud->alpn_listener) : 0;
}

uint16_t ps_cloud_api_port(const PsCloud *cloud) {
    return ps_rest_port(cloud->rest);
}
