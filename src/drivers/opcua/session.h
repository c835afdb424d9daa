//! What the parts of the driver share: one endpoint with its plans and its connection. Inside
//! src/drivers/opcua only. One owner, the channel's thread.
#pragma once

#include "drivers/opcua/connection.h"
#include "drivers/opcua/plan.h"
#include "drivers/opcua/subscription.h"
#include "drivers/opcua/value.h"

typedef struct PsOpcuaSession {
    PsSession base; ///< first
    const PsEndpoint *endpoint;
    PsOpcuaPlan *plans;                 ///< one per set
    PsOpcuaSubscription *subscriptions; ///< one per set
    uint32_t *doomed;                   ///< subscriptions of configurations before, to be ended
    uint32_t doomed_count;
    PsOpcuaConnection connection;
    bool connection_ready; ///< init has run
    uint32_t most;         ///< nodes in one Read request, as far as this session has found out
    char text[PS_OPCUA_TEXT_MAX];
} PsOpcuaSession;

PsOpcuaSession *ps_opcua_session(PsSession *session);

/// Of the device.
int64_t ps_opcua_timeout_ns(const PsOpcuaSession *session, uint32_t device);

/// Before anything else in a call: PS_ERR_CANCELLED after an interrupt, PS_ERR_CLOSED without a
/// connection.
PsErr ps_opcua_ready(PsOpcuaSession *session, PsDiag *diag);

/// Makes "device 'Boiler', variable 'Level' (ns=2;s=Tank.Level): ..." of what went wrong.
void ps_opcua_tell(const PsOpcuaSession *session, const PsOpcuaItem *item, const char *text,
                   PsDiag *diag);

/// One Read request. On PS_OK the caller clears the response; a *ret_status that is bad is the
/// server's about the whole request. PS_ERR_PROTOCOL when the number of results is another.
PsErr ps_opcua_read_nodes(PsOpcuaSession *session, const UA_ReadValueId *asks, size_t count,
                          int64_t timeout_ns, UA_ReadResponse *ret_response,
                          UA_StatusCode *ret_status, PsDiag *diag);

/// Parts of the vtable, in files of their own.
PsErr ps_opcua_read(PsSession *base, uint32_t set, PsSampleBatch *batch, PsDiag *diag);
PsErr ps_opcua_write(PsSession *base, uint32_t variable, PsValue value, PsValue *ret_read_back,
                     PsDiag *diag);
PsErr ps_opcua_peek(PsSession *base, uint32_t variable, PsPeek *peek, PsDiag *diag);
PsErr ps_opcua_browse(PsSession *base, uint32_t device, PsBrowse *browse, PsDiag *diag);
void ps_opcua_describe(const PsConfig *config, const PsPollSet *set, uint32_t variable, PsBuf *out);
