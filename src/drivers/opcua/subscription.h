//! Values that the server sends when they change: one subscription for each poll set that has
//! variables with mode onchange, one monitored item for each of these. What came last is kept here
//! and given at each poll. One owner, the channel's thread.
#pragma once

#include "drivers/opcua/connection.h"
#include "drivers/opcua/plan.h"
#include "drivers/opcua/value.h"

/// One variable that is watched.
typedef struct PsOpcuaWatch {
    const PsVariable *variable;
    uint32_t item;  ///< number in the plan
    bool has_value; ///< at least one notification came: it need not be read any more
    uint8_t quality;
    PsValue value; ///< its text is in `text`
    char *text;    ///< room for ps_variable_text_size; NULL when that is 0
    char *why;     ///< when the quality is not good; NULL otherwise
} PsOpcuaWatch;

struct PsOpcuaSubscription {
    PsOpcuaWatch *watches;
    uint32_t count;
    uint32_t id;       ///< of the server; 0: none
    uint32_t serial;   ///< by which its notifications are known
    bool changed;      ///< what is watched is not what the plan was bound for
    PsMono not_before; ///< after a failure: when to try again
};

/// Lists the plan's variables with mode onchange. No I/O.
void ps_opcua_subscription_init(PsOpcuaSubscription *subscription, const PsConfig *config,
                                const PsOpcuaPlan *plan);
/// Accepts a zeroed one.
void ps_opcua_subscription_deinit(PsOpcuaSubscription *subscription);

/// It is not there any more: everything is read until it is made again.
void ps_opcua_subscription_forget(PsOpcuaSubscription *subscription);

/// Makes it in the server, if there is something to watch, it is not there and the pause after the
/// last failure is over. Nodes that the server will not watch are read instead, for which no error
/// is told. Fails as ps_opcua_call does, when the session is in doubt.
PsErr ps_opcua_subscription_make(PsOpcuaSubscription *subscription, PsOpcuaConnection *connection,
                                 const PsOpcuaPlan *plan, double interval_ms, int64_t timeout_ns,
                                 PsDiag *diag);
/// Takes one out of the server.
PsErr ps_opcua_subscription_delete(PsOpcuaConnection *connection, uint32_t id, int64_t timeout_ns,
                                   PsDiag *diag);

/// Marks the plan's items that are watched.
void ps_opcua_subscription_mark(PsOpcuaSubscription *subscription, PsOpcuaPlan *plan);
