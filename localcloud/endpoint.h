//! What a client must know to reach the running cloud: written for scripts, read by `pub` and
//! `sub`. Blocking files.
#pragma once

#include "localcloud/folder.h"

#include <stdint.h>

/// The name every server certificate holds; clients use it as host, for SNI and for the check.
#define PS_ENDPOINT_HOST "localhost"
/// In the cloud's folder while it runs; the same content as --ready-file.
#define PS_ENDPOINT_FILE "endpoint.json"

typedef struct PsEndpointThing {
    const char *name;
    PsThingFiles files;
} PsEndpointThing;

typedef struct PsEndpoint {
    uint16_t port;
    uint16_t alpn_port; ///< 0: none
    uint16_t api_port;  ///< control plane over HTTP; 0: none
    char root_ca[PATH_MAX];
    const char *region; ///< written only; NULL: not
} PsEndpoint;

/// The control plane's address, for its port.
#define PS_ENDPOINT_API "http://127.0.0.1:%u"

/// Writes {endpoint, port, alpn_port, api_url, account_id, region, root_ca, things: {NAME: {cert,
/// key, root_ca}}} so that a reader sees all or nothing.
PsErr ps_endpoint_write(const char *path, const PsEndpoint *endpoint, const PsEndpointThing *things,
                        size_t thing_count, PsDiag *diag);

/// Reads `dir`/endpoint.json. `port` is 0 when only the control plane runs. PS_ERR_NOT_FOUND when
/// no cloud runs there.
PsErr ps_endpoint_read(const char *dir, PsEndpoint *ret_endpoint, PsDiag *diag);
