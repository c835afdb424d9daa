//! One session with an OPC UA server: making it, one request at a time, closing it.
//!
//! One thread at a time uses a connection; only `interrupt` comes from elsewhere. Requests are sent
//! with the library's asynchronous calls and waited for here, so that an interrupt ends the wait;
//! an answer that comes after its time is known by its number and thrown away.
#pragma once

#include "drivers/driver.h"
#include "drivers/opcua/address.h"
#include "drivers/opcua/net.h"

#include <stdatomic.h>

#include <open62541/client.h>

/// What the server allows in one request; never 0.
typedef struct PsOpcuaLimits {
    uint32_t read;
    uint32_t browse;
    uint32_t monitor;
} PsOpcuaLimits;

typedef struct PsOpcuaSubscription PsOpcuaSubscription;

typedef struct PsOpcuaConnection {
    PsSession *session; ///< counters and note
    char *state_folder; ///< NULL: none
    bool only_reads;    ///< of it
    int wake_fd;
    atomic_bool interrupted;
    UA_Client *client;  ///< NULL when closed
    UA_EventLoop *loop; ///< of the client
    UA_Logger logger;
    char last_line[200]; ///< what the library warned of last
    UA_SecureChannelState channel;
    UA_SessionState state;
    UA_StatusCode status; ///< why the client has given up
    char host[PS_OPCUA_HOST];
    uint32_t call;  ///< number of the call that is waited for
    bool answered;  ///< its answer is there
    void *response; ///< where it goes
    const UA_DataType *response_type;
    unsigned silences;     ///< in a row
    UA_String *namespaces; ///< of the server, by index
    size_t namespace_count;
    PsOpcuaLimits limits;
    uint64_t made;                      ///< how many sessions there were: changes with each
    PsOpcuaSubscription *subscriptions; ///< that are told of notifications; borrowed
    uint32_t subscription_count;
    uint32_t last_serial; ///< of them
} PsOpcuaConnection;

/// PS_ERR_IO. `session` outlives the connection.
PsErr ps_opcua_connection_init(PsOpcuaConnection *connection, const PsEndpoint *endpoint,
                               PsSession *session, PsDiag *diag);
void ps_opcua_connection_deinit(PsOpcuaConnection *connection);

/// How long a session lives in the server without a request, and how long each step may take.
typedef struct PsOpcuaPatience {
    int64_t timeout_ns;
    double session_ms;
} PsOpcuaPatience;

/// Asks the server what it offers, chooses, checks whom it talks to, makes the session, and reads
/// the namespaces and limits. Errors as in PsDriver.connect, and PS_ERR_REFUSED or PS_ERR_DENIED
/// with words; closed after any.
PsErr ps_opcua_connection_open(PsOpcuaConnection *connection, const PsDevice *device,
                               PsOpcuaPatience patience, PsDiag *diag);
/// Takes leave of the server, if it listens.
void ps_opcua_connection_close(PsOpcuaConnection *connection);
bool ps_opcua_connection_is_open(const PsOpcuaConnection *connection);
/// Any thread.
void ps_opcua_connection_interrupt(PsOpcuaConnection *connection);

/// A request and where its answer goes.
typedef struct PsOpcuaCall {
    const char *what; ///< for people: "reading 20 nodes"
    void *request;    ///< its header is filled here
    const UA_DataType *request_type;
    void *response; ///< on PS_OK filled, and then the caller's to clear
    const UA_DataType *response_type;
    int64_t timeout_ns;
} PsOpcuaCall;

/// PS_OK also when the server refused, which is in *ret_status. PS_ERR_TIMEOUT leaves the session
/// as it is, but for the third silence in a row; PS_ERR_CLOSED closes it.
PsErr ps_opcua_call(PsOpcuaConnection *connection, const PsOpcuaCall *call,
                    UA_StatusCode *ret_status, PsDiag *diag);
/// A call that the library has sent itself, with ps_opcua_answer as its callback and what
/// ps_opcua_begin gave as its user data: waits for its answer.
void *ps_opcua_begin(PsOpcuaConnection *connection, void *response, const UA_DataType *type);
void ps_opcua_answer(UA_Client *client, void *user, UA_UInt32 id, void *response);
PsErr ps_opcua_wait(PsOpcuaConnection *connection, const PsOpcuaCall *call, UA_StatusCode sent,
                    UA_StatusCode *ret_status, PsDiag *diag);
/// For the library (subscription.c): no word of a subscription came for too long.
void ps_opcua_subscription_silent(UA_Client *client, UA_UInt32 id, void *serial);
/// Takes what has come meanwhile (notifications), without waiting.
void ps_opcua_connection_drain(PsOpcuaConnection *connection);
