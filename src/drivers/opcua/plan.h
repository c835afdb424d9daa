//! What is asked of a server to read the variables of one poll set. Pure; one owner.
#pragma once

#include "drivers/driver.h"
#include "drivers/opcua/node_id.h"

#include <open62541/types_generated.h>

#define PS_OPCUA_TYPE_UNKNOWN 0xFFU

/// One variable of a set.
typedef struct PsOpcuaItem {
    uint32_t variable; ///< index into PsConfig.variables
    char element[8];   ///< index of the array's element as text, "" for the whole value
    uint8_t type;      ///< of its last value: number in UA_TYPES, or PS_OPCUA_TYPE_UNKNOWN
    bool array;        ///< an element of an array
    bool homeless;     ///< the server has no such namespace
    bool watched;      ///< its values come by themselves
    PsOpcuaNode node;
} PsOpcuaItem;

typedef struct PsOpcuaPlan {
    PsOpcuaItem *items; ///< in the order of the set
    uint32_t item_count;
    UA_ReadValueId *asks; ///< of the items that are read; everything in them is borrowed
    uint32_t *asked;      ///< for each of them the number of its item
    uint32_t ask_count;
    bool bound; ///< `asks` are those of this session
} PsOpcuaPlan;

/// The variables have passed the driver's check.
void ps_opcua_plan_init(PsOpcuaPlan *plan, const PsConfig *config, const PsPollSet *set);
/// Accepts a zeroed plan.
void ps_opcua_plan_deinit(PsOpcuaPlan *plan);

/// Looks up the namespaces of a session, and lists what is to be asked for: all items that are
/// neither watched nor homeless.
void ps_opcua_plan_bind(PsOpcuaPlan *plan, const UA_String *namespaces, size_t count);

/// What reads (or writes) one item: its value, or its element's. Borrowed from the item.
UA_ReadValueId ps_opcua_item_ask(const PsOpcuaItem *item, const UA_NodeId *id);

/// Fills an item that stands alone. PS_ERR_INVALID.
PsErr ps_opcua_item_init(PsOpcuaItem *item, const PsConfig *config, uint32_t variable,
                         PsDiag *diag);
void ps_opcua_item_deinit(PsOpcuaItem *item);
