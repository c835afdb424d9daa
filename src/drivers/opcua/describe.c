// What is asked of a server to read a variable, in words. Pure.
#include "drivers/opcua/session.h"

void ps_opcua_describe(const PsConfig *config, const PsPollSet *set, uint32_t variable,
                       PsBuf *out) {
    PsOpcuaItem item;
    char node[PS_OPCUA_NODE_TEXT];
    if (ps_opcua_item_init(&item, config, variable, NULL) != PS_OK) {
        return;
    }
    ps_opcua_node_format(&item.node, node, sizeof node);
    bool watched = config->variables[variable].mode == PS_MODE_ONCHANGE;
    ps_buf_printf(out, "%s the Value of %s",
                  watched ? "a subscription of the server, which reports changes of" : "Read of",
                  node);
    if (item.array) {
        ps_buf_printf(out, ", element %s", item.element);
    }
    uint32_t others = 0;
    for (uint32_t i = 0; i < set->variable_count; i++) {
        others += (config->variables[set->variables[i]].mode == PS_MODE_ONCHANGE) == watched;
    }
    if (others > 1) {
        ps_buf_printf(out, ", together with %u other variables", others - 1);
    }
    ps_opcua_item_deinit(&item);
}
