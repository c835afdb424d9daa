//! An unmodified mosquitto as a child process, listening on loopback with mutual TLS.
//! Main thread; start waits until the broker accepts connections.
#pragma once

#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

/// AWS IoT Core's limit for a payload, bytes (AWS IoT quotas).
#define PS_CLOUD_PAYLOAD_MAX 131072

typedef struct PsBrokerSetup {
    const char *dir; ///< the local cloud's folder, absolute; broker/ below it is the broker's
    uint16_t port;   ///< 0: a free one
    int alpn_port;   ///< second listener (AWS has 443 with ALPN); 0 a free one, -1 none
} PsBrokerSetup;

typedef struct PsBroker {
    pid_t pid;
    int pid_fd; ///< readable when the broker has ended; for poll()
    uint16_t port;
    uint16_t alpn_port; ///< 0: none
} PsBroker;

/// Writes broker/mosquitto.conf, starts mosquitto (PATH, then /usr/sbin, /usr/local/sbin) and
/// waits up to 10 s until it accepts. PS_ERR_NOT_FOUND (no mosquitto), PS_ERR_IO (port taken, or
/// what the broker's log says), PS_ERR_TIMEOUT. The child also ends when this process dies.
PsErr ps_broker_start(const PsBrokerSetup *setup, PsBroker *ret_broker, PsDiag *diag);

/// Asks the broker to end, waits up to 5 s, then kills it; reaps it. Zeroed brokers are fine.
void ps_broker_stop(PsBroker *broker);
