//! The address space of the simulated OPC UA server: which nodes there are, what of the plant they
//! show, and how they are spoiled. Values are read and written on the server's thread, faults are
//! set on any.
#pragma once

#include "sim/side.h"

#include <open62541/server.h>
#include <pthread.h>

#define PS_SIM_OPCUA_URI "urn:penstock:sim"
#define PS_SIM_OPCUA_NODES 32 // room; the table has fewer

typedef struct PsSimOpcuaSpec PsSimOpcuaSpec;
typedef struct PsSimOpcuaNodes PsSimOpcuaNodes;

/// One variable with what a test has done to it.
typedef struct PsSimOpcuaNode {
    const PsSimOpcuaSpec *spec;
    PsSimOpcuaNodes *all;
    UA_Variant memory;    ///< of those that are not of the plant
    UA_StatusCode status; ///< that its value has; good: the true one
    bool missing;
    bool denied;
} PsSimOpcuaNode;

struct PsSimOpcuaNodes {
    pthread_mutex_t lock; ///< of memory, status, missing and denied
    PsSimSideSetup setup;
    UA_UInt16 space; ///< index of the namespace in the server that runs now
    bool adding;     ///< the library looks at values of what is added: they are all well
    uint32_t count;
    PsSimOpcuaNode nodes[PS_SIM_OPCUA_NODES];
};

void ps_sim_opcua_nodes_init(PsSimOpcuaNodes *nodes, const PsSimSideSetup *setup);
void ps_sim_opcua_nodes_deinit(PsSimOpcuaNodes *nodes);

/// Puts folders and variables into a new server, in the namespace of index `space`.
UA_StatusCode ps_sim_opcua_nodes_add(PsSimOpcuaNodes *nodes, UA_Server *server, UA_UInt16 space);

/// By the string of its node id ("Plant.Level"); NULL: none.
PsSimOpcuaNode *ps_sim_opcua_node_find(PsSimOpcuaNodes *nodes, const char *id);
/// Takes the node out of the server, or puts it back.
UA_StatusCode ps_sim_opcua_node_set_missing(PsSimOpcuaNode *node, UA_Server *server, bool missing);
void ps_sim_opcua_node_set_denied(PsSimOpcuaNode *node, bool denied);
void ps_sim_opcua_node_set_status(PsSimOpcuaNode *node, UA_StatusCode status);

/// The variable a server's callback is about; NULL when the node is one of the server's own.
PsSimOpcuaNode *ps_sim_opcua_node_of(PsSimOpcuaNodes *nodes, const UA_NodeId *id, void *context);
bool ps_sim_opcua_node_is_denied(PsSimOpcuaNode *node);
