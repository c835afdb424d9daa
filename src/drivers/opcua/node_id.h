//! Node ids of OPC UA as the configuration writes them: `identifier` with `identifier_type` and
//! `namespace_index` beside it, or the whole id in `identifier`: "ns=2;s=Tank.Level",
//! "nsu=urn:plant;i=1001", "i=2258" (Part 6, 5.3.1.10 and 5.3.1.11). Pure; any thread.
#pragma once

#include "model/config.h"

#include <open62541/types.h>

/// A node id, with the namespace by its URI where it was given so: then id.namespaceIndex means
/// nothing until it was looked up in the server's NamespaceArray.
typedef struct PsOpcuaNode {
    UA_NodeId id;    ///< texts are borrowed from what was parsed; only `owned` is not
    const char *uri; ///< borrowed and as written, with %3B for ; and %25 for %; NULL: by index
    uint32_t uri_len;
    uint8_t *owned; ///< bytes of an opaque identifier
} PsOpcuaNode;

/// Longest id as text, with its NUL.
#define PS_OPCUA_NODE_TEXT 600

/// A whole id, `len` bytes. PS_ERR_INVALID; `diag` says what is wrong and gives an example.
PsErr ps_opcua_node_parse(const char *text, size_t len, PsOpcuaNode *ret_node, PsDiag *diag);
/// That of a variable.
PsErr ps_opcua_node_of(const PsVariable *variable, PsOpcuaNode *ret_node, PsDiag *diag);
/// Accepts a zeroed one.
void ps_opcua_node_deinit(PsOpcuaNode *node);

/// Same node, written the same way?
bool ps_opcua_node_equal(const PsOpcuaNode *a, const PsOpcuaNode *b);
/// Is `uri`, as a server says it, the one of the node?
bool ps_opcua_node_has_uri(const PsOpcuaNode *node, const UA_String *uri);

/// With the namespace's index among those of a server; borrowed from `node`. False: the server has
/// no such namespace.
bool ps_opcua_node_resolve(const PsOpcuaNode *node, const UA_String *namespaces, size_t count,
                           UA_NodeId *ret_id);

/// "ns=2;s=Tank.Level", always terminated. Control bytes and what is not UTF-8 become '?'.
void ps_opcua_node_format(const PsOpcuaNode *node, char *out, size_t size);
void ps_opcua_id_format(const UA_NodeId *id, char *out, size_t size);
