//! What differs between AWS IoT Core and any other MQTT server: ALPN, limits, defaults.
//! Pure; any thread. Numbers: AWS IoT Core endpoints and quotas, "Message broker and protocol
//! limits" and "Protocols, port mappings, and authentication".
#pragma once

#include "base/err.h"
#include "model/config.h"
#include "model/topic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PS_AWS_ALPN "x-amzn-mqtt-ca"
#define PS_AWS_KEEPALIVE_MIN 30
#define PS_AWS_KEEPALIVE_MAX 1200
#define PS_AWS_PUBLISHES_PER_S 80
#define PS_AWS_KIB_PER_S 448

/// Bounds of one publish; 0 = none of its own (MQTT's are checked anyway).
typedef struct PsLinkLimits {
    size_t payload_bytes;
    size_t topic_bytes;
    size_t topic_slashes;
} PsLinkLimits;

PsLinkLimits ps_link_limits(int cloud_type);

/// How fast a connection may publish; 0 = no limit.
typedef struct PsLinkPace {
    int publishes_per_s;
    int bytes_per_s;
} PsLinkPace;

/// What the configuration says, or a fifth (publishes) and an eighth (bytes) below AWS IoT's quotas
/// for one connection: 100 publishes, of which it discards the rest without PUBACK, and 512 KiB.
PsLinkPace ps_link_pace(const PsCloud *cloud);

/// Messages of the outbox under way at most: what the configuration says, less the part that is
/// kept for publishes past the outbox (PS_LINK_NOW_WINDOW in link.h).
size_t ps_link_window(const PsCloud *cloud);

/// The ALPN name to offer, NULL for none: the configured one, else PS_AWS_ALPN on port 443 of AWS
/// IoT. Borrowed from `cloud` or static.
const char *ps_link_alpn(const PsCloud *cloud);

/// Does this cloud speak TLS?
bool ps_link_uses_tls(const PsCloud *cloud);

/// Seconds to ask for in CONNECT: AWS IoT clamps to 30..1200 without saying so in MQTT 3.1.1, so
/// that is done here; elsewhere as configured.
int ps_link_keepalive(const PsCloud *cloud);
