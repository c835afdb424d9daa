//! What the library's client is told: the endpoint, the protection and the user. One owner, the
//! channel's thread.
#pragma once

#include "drivers/opcua/identity.h"
#include "drivers/opcua/security.h"

#include <open62541/client.h>

/// Everything a client is made from. Borrowed.
typedef struct PsOpcuaClientSetup {
    UA_EventLoop *loop; ///< given to the client
    UA_Logger *logger;
    void *context;
    const char *url;
    int64_t timeout_ns;
    double session_timeout_ms;
    void (*changed)(UA_Client *client, UA_SecureChannelState channel, UA_SessionState session,
                    UA_StatusCode status);
    void (*subscription_silent)(UA_Client *client, UA_UInt32 id, void *context);
    const PsDevice *device;                 ///< NULL: only to ask what the server offers
    const UA_EndpointDescription *endpoint; ///< of a session
    const PsOpcuaChoice *choice;
    const PsOpcuaIdentity *identity; ///< the gateway's own; NULL where nothing is protected
} PsOpcuaClientSetup;

/// A client that is not connected yet. Reads the user's password or key from the disk. Errors of
/// those files; PS_ERR_INTERNAL.
PsErr ps_opcua_client_new(const PsOpcuaClientSetup *setup, UA_Client **ret_client, PsDiag *diag);
/// The session is there: the password is not needed any more.
void ps_opcua_client_forget_secret(UA_Client *client);
