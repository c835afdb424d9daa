//! The running cloud: everything of it in one libuv loop. Main thread.
#pragma once

#include "localcloud/broker.h"
#include "localcloud/run_options.h"
#include "localcloud/service/service_rest.h"
#include "localcloud/transport/tls_peer.h"
#include "localcloud/ways.h"

typedef struct PsCloud {
    const PsRunOptions *options;
    const char *dir; ///< absolute
    uv_loop_t *loop;
    PsSocketLoop sockets;
    PsKeymaker *keymaker;
    PsBroker broker;
    PsRegistry *registry;
    PsWays ways;
    PsTls *tls;
    PsListener *listener;
    PsListener *alpn_listener; ///< NULL: none
    PsRestCloud rest_cloud;
    PsServicesRest services_rest;
    PsRestRoutes services_routes;
    char console_dir[PATH_MAX];
    PsRest *rest;
} PsCloud;

/// Makes what is missing in the folder, starts mosquitto and listens. On failure everything is as
/// before. The strings are borrowed.
PsErr ps_cloud_start(PsCloud *cloud, uv_loop_t *loop, const char *dir, const PsRunOptions *options,
                     PsDiag *diag);
/// Ends clients, listeners and the broker, and lets the loop give everything back.
void ps_cloud_stop(PsCloud *cloud);

uint16_t ps_cloud_port(const PsCloud *cloud);
uint16_t ps_cloud_alpn_port(const PsCloud *cloud); ///< 0: none
uint16_t ps_cloud_api_port(const PsCloud *cloud);
