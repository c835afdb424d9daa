//! The socket of an OPC UA connection and the event loop that the library asks for: no thread of
//! its own, one descriptor, and a wait that an interrupt ends at once. One owner, the channel's
//! thread; only the wake descriptor is written by others.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#include <open62541/plugin/eventloop.h>
#include <open62541/plugin/log.h>

typedef struct PsOpcuaNet PsOpcuaNet;

/// Where to connect; `host` is borrowed for the net's life.
typedef struct PsOpcuaPlace {
    const char *host;
    int port;
    int wake_fd;
    int64_t timeout_ns; ///< of connecting, for each address
} PsOpcuaPlace;

/// The event loop belongs to the library from then on, and is freed by it with the client.
UA_EventLoop *ps_opcua_net_new(const PsOpcuaPlace *place, const UA_Logger *logger);

/// Why the last connecting failed, or PS_OK.
PsErr ps_opcua_net_error(UA_EventLoop *loop, PsDiag *diag);
/// From here on the wake descriptor ends no waits: what is left to do is to say good-bye.
void ps_opcua_net_leave(UA_EventLoop *loop);
/// Bytes came since the last time this was asked?
bool ps_opcua_net_heard(UA_EventLoop *loop);
