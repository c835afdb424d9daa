//! An unmodified mosquitto as a child process, reachable only through a Unix socket in a folder of
//! mode 0700: who speaks to it has been let in by us. Main thread; start waits until the broker
//! accepts connections.
#pragma once

#include "base/err.h"

#include <sys/types.h>

/// AWS IoT Core's limit for a payload, bytes (AWS IoT quotas).
#define PS_CLOUD_PAYLOAD_MAX 131072

typedef struct PsBroker {
    pid_t pid;
    int pid_fd;           ///< readable when the broker has ended; for poll()
    int folder_fd;        ///< of broker/
    char socket_path[48]; ///< the Unix socket; short, however long the folder's path is
} PsBroker;

/// Writes broker/mosquitto.conf, starts mosquitto (PATH, then /usr/sbin, /usr/local/sbin) and
/// waits up to 10 s until it accepts. `dir`: the local cloud's folder, absolute; broker/ below it
/// is the broker's. PS_ERR_NOT_FOUND (no mosquitto), PS_ERR_IO (what the broker's log says),
/// PS_ERR_TIMEOUT. The child also ends when this process dies.
PsErr ps_broker_start(const char *dir, PsBroker *ret_broker, PsDiag *diag);

/// Asks the broker to end, waits up to 5 s, then kills it; reaps it. Zeroed brokers are fine.
void ps_broker_stop(PsBroker *broker);
