// Builds the parts of the running cloud, wires them, takes them down. Main thread.
#include "localcloud/cloud.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/resource.h>

#define HANDSHAKE_LIMIT_MS 10000
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

static void greet(void *ctx, const char *address, PsGreeting *greeting) {
    const PsCloud *cloud = ctx;
    (void)address;
    greeting->identity = cloud->options->server_flaw;
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
        .handshake_limit_ms = HANDSHAKE_LIMIT_MS,
        .most_peers = MOST_PEERS,
        .on_open = on_open,
        .greet = greet,
        .ctx = cloud,
    };
    return ps_listener_open(&setup, ret_listener, diag);
}

static PsErr start_ways(PsCloud *cloud, PsDiag *diag) {
    PsWaysSetup setup = {.loop = cloud->loop,
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
    PsErr err = ps_registry_open(dir, &cloud->registry, diag);
    err = err == PS_OK ? ps_broker_start(dir, &cloud->broker, diag) : err;
    err = err == PS_OK ? start_ways(cloud, diag) : err;
    err = err == PS_OK ? make_tls(cloud, diag) : err;
    err = err == PS_OK ? listen_on(cloud, options->port, false, &cloud->listener, diag) : err;
    if (err == PS_OK && options->alpn_port >= 0) {
        err = listen_on(cloud, (uint16_t)options->alpn_port, true, &cloud->alpn_listener, diag);
    }
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
    ps_ways_stop(&cloud->ways); // while the broker still takes goodbyes
    ps_broker_stop(&cloud->broker);
    while (cloud->sockets.open_count > 0) {
        uv_run(cloud->loop, UV_RUN_ONCE);
    }
    ps_socket_loop_close(&cloud->sockets);
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
