//! An OPC UA server in a thread of its own, for tests. It is made with the same library as the
//! driver, so a misunderstanding that both share goes unseen: tests/e2e/test_opcua.py has a foreign
//! one.
#pragma once

#include "base/err.h"

#include <open62541/server.h>

typedef struct PsOpcuaTestServer PsOpcuaTestServer;

typedef struct PsOpcuaTestSetup {
    int port;            ///< 0: a free one
    const char *folder;  ///< of the server's certificate; NULL: only policy None
    bool secure_only;    ///< with a folder: no policy None for sessions
    bool distrusts;      ///< with a folder: accepts no client's certificate
    bool users;          ///< user "operator" with "right", no anonymous ones
    bool plain_password; ///< takes it unencrypted
    uint32_t max_read;   ///< nodes in one request; 0: any number
    const char *uri;     ///< of the namespace that stands before the plant's; NULL: none does
} PsOpcuaTestSetup;

/// Nodes, in the namespace urn:penstock:test: Temperature (Double, 21.5), Counter (UInt32, 7),
/// Setpoint (Int16, writable, -5), Recipe (String, writable, "bread"), Heater (Boolean, writable),
/// Numbers (Int32[10], writable, 0 10 20 ...), Types.NAME of the built-in ones, writable, Failed
/// (BadSensorFailure), Old (UncertainLastUsableValue), Hidden (not readable), and, with numbers
/// from 1 to 600 as identifiers, UInt16 with that value.
PsOpcuaTestServer *ps_opcua_test_server_start(const PsOpcuaTestSetup *setup);
/// Accepts NULL.
void ps_opcua_test_server_stop(PsOpcuaTestServer *server);
int ps_opcua_test_server_port(const PsOpcuaTestServer *server);
void ps_opcua_test_server_set(PsOpcuaTestServer *server, const char *node, UA_Variant value);
/// Sessions that are open now, and those there have ever been.
size_t ps_opcua_test_server_sessions(PsOpcuaTestServer *server, size_t *ret_ever);
size_t ps_opcua_test_server_subscriptions(PsOpcuaTestServer *server);
/// Stops answering (true) or goes on.
void ps_opcua_test_server_hold(PsOpcuaTestServer *server, bool hold);
