// Which nodes a set asks for. Pure: the names of namespaces come in.
#include "drivers/opcua/plan.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

PsErr ps_opcua_item_init(PsOpcuaItem *item, const PsConfig *config, uint32_t index, PsDiag *diag) {
    const PsVariable *variable = &config->variables[index];
    *item = (PsOpcuaItem){.variable = index, .type = PS_OPCUA_TYPE_UNKNOWN};
    if (variable->array_index != PS_UNSET) {
        snprintf(item->element, sizeof item->element, "%u",
                 (unsigned)variable->array_index & UINT16_MAX);
        item->array = true;
    }
    return ps_opcua_node_of(variable, &item->node, diag);
}

void ps_opcua_item_deinit(PsOpcuaItem *item) {
    ps_opcua_node_deinit(&item->node);
}

void ps_opcua_plan_init(PsOpcuaPlan *plan, const PsConfig *config, const PsPollSet *set) {
    *plan = (PsOpcuaPlan){
        .items = ps_alloc_array(set->variable_count, sizeof *plan->items),
        .item_count = set->variable_count,
        .asks = ps_alloc_array(set->variable_count, sizeof *plan->asks),
        .asked = ps_alloc_array(set->variable_count, sizeof *plan->asked),
    };
    for (uint32_t i = 0; i < set->variable_count; i++) {
        PsErr err = ps_opcua_item_init(&plan->items[i], config, set->variables[i], NULL);
        PS_ASSERT(err == PS_OK); // it was checked
    }
}

void ps_opcua_plan_deinit(PsOpcuaPlan *plan) {
    for (uint32_t i = 0; i < plan->item_count; i++) {
        ps_opcua_item_deinit(&plan->items[i]);
    }
    free(plan->items);
    free(plan->asks);
    free(plan->asked);
    *plan = (PsOpcuaPlan){0};
}

UA_ReadValueId ps_opcua_item_ask(const PsOpcuaItem *item, const UA_NodeId *id) {
    return (UA_ReadValueId){
        .nodeId = *id,
        .attributeId = UA_ATTRIBUTEID_VALUE,
        // Null, not empty: some servers take an empty range for no characters of a text.
        .indexRange = {strlen(item->element),
                       item->element[0] != '\0' ? (UA_Byte *)(uintptr_t)item->element : NULL},
    };
}

void ps_opcua_plan_bind(PsOpcuaPlan *plan, const UA_String *namespaces, size_t count) {
    plan->ask_count = 0;
    for (uint32_t i = 0; i < plan->item_count; i++) {
        PsOpcuaItem *item = &plan->items[i];
        UA_NodeId id;
        item->homeless = !ps_opcua_node_resolve(&item->node, namespaces, count, &id);
        if (!item->homeless && !item->watched) {
            plan->asks[plan->ask_count] = ps_opcua_item_ask(item, &id);
            plan->asked[plan->ask_count++] = i;
        }
    }
    plan->bound = true;
}
