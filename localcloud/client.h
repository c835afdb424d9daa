//! An MQTT client of the local cloud itself, over libmosquitto driven by the caller's poll loop.
//! Everything on one thread. Connects, subscribes, and connects again after a loss (once a second).
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Most topic filters of one client (AWS IoT takes 8 per SUBSCRIBE).
#define PS_CLIENT_FILTERS 8

typedef struct PsCloudClient PsCloudClient;

typedef struct PsCloudMessage {
    const char *topic;
    const void *payload; ///< `len` bytes, NULL when there are none
    size_t len;
    int qos;
    bool retained;
} PsCloudMessage;

/// All pointers are borrowed for the client's life. Callbacks run inside ps_cloud_client_service.
typedef struct PsCloudClientSetup {
    const char *host;
    uint16_t port;
    const char *root_ca;
    const char *certificate;
    const char *private_key;
    const char *client_id;
    const char *filters[PS_CLIENT_FILTERS];
    size_t filter_count;
    void (*on_ready)(void *ctx); ///< connected, and every filter granted; again after each loss
    void (*on_message)(void *ctx, const PsCloudMessage *message); ///< NULL without filters
    void (*on_delivered)(void *ctx, int ticket);                  ///< PUBACK came; may be NULL
    void (*on_lost)(void *ctx, const char *why); ///< once for each loss, not for each retry
    void *ctx;
} PsCloudClientSetup;

/// Prepares the client; the first service call connects. Needs ps_cloud_client_library_open.
/// PS_ERR_INVALID: a filter that is none, or certificate, key and root that cannot be used.
PsErr ps_cloud_client_new(const PsCloudClientSetup *setup, PsCloudClient **ret_client,
                          PsDiag *diag);
/// Says goodbye when connected. Accepts NULL.
void ps_cloud_client_free(PsCloudClient *client);

/// For poll(): the socket (-1 while not connected) and the events to wait for. Wait no longer
/// than a second.
int ps_cloud_client_fd(const PsCloudClient *client);
short ps_cloud_client_events(const PsCloudClient *client);
/// Does what there is to do: connect, read, write, keep alive. Blocks only for a TCP connect.
void ps_cloud_client_service(PsCloudClient *client);

/// Sends with QoS 0 or 1; does not see its own message come back. PS_ERR_CLOSED (not connected),
/// PS_ERR_INVALID (topic), PS_ERR_TOO_BIG. `ret_ticket` is what on_delivered will be given.
PsErr ps_cloud_client_publish(PsCloudClient *client, const char *topic, const void *payload,
                              size_t len, int qos, int *ret_ticket);

/// Once per process, before the first and after the last client.
void ps_cloud_client_library_open(void);
void ps_cloud_client_library_close(void);
