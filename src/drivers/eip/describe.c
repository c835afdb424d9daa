// The plan of a group as it begins, in words; and the driver's check of a variable. Pure.
#include "drivers/eip/describe.h"

#include "drivers/eip/path.h"
#include "drivers/eip/plan.h"
#include "drivers/eip/symbol.h"

#define CONNECTED_ROOM 4000U
#define UNCONNECTED_ROOM 480U

static PsErr check_type(const PsVariable *variable, PsDiag *diag) {
    switch (variable->data_type) {
    case PS_TYPE_BCD:
    case PS_TYPE_BCD32:
    case PS_TYPE_S7STRING:
        return ps_fail(PS_ERR_INVALID, diag, NULL, "data_type",
                       "%s is no type of a Logix controller; use AUTO, the controller says what a "
                       "tag is",
                       ps_data_type_name(variable->data_type));
    default:
        return PS_OK;
    }
}

PsErr ps_eip_check_variable(const PsDevice *device, const PsVariable *variable, PsDiag *diag) {
    PsEipSymbol symbol;
    PsEipRoute route;
    PsErr err =
        ps_eip_symbol_parse(variable->symbol != NULL ? variable->symbol : "", &symbol, diag);
    err = err != PS_OK ? err : check_type(variable, diag);
    return err != PS_OK ? err : ps_eip_route_parse(device, &route, diag);
}

static const PsEipPacket *find_packet(const PsEipPlan *plan, uint32_t variable) {
    for (uint32_t p = 0; p < plan->packet_count; p++) {
        for (uint32_t i = 0; i < plan->packets[p].count; i++) {
            const PsEipEntry *entry = &plan->entries[plan->spans[plan->packets[p].first + i].first];
            for (uint32_t item = 0; item < entry->item_count; item++) {
                if (plan->items[entry->first_item + item].variable == variable) {
                    return &plan->packets[p];
                }
            }
        }
    }
    return NULL;
}

void ps_eip_describe(const PsConfig *config, const PsPollSet *set, uint32_t variable, PsBuf *out) {
    const PsDevice *device = &config->devices[set->device];
    PsEipLimits limits = {.request = device->connected ? CONNECTED_ROOM : UNCONNECTED_ROOM,
                          .answer = UINT32_MAX, // most are shorter than what asks for them
                          .multiple = true};
    PsEipPlan plan;
    PsEipRoute route = {.text = "none"};
    PsErr err = ps_eip_route_parse(device, &route, NULL);
    (void)err; // the check has passed
    ps_eip_plan_init(&plan, config, set);
    ps_eip_plan_begin(&plan, &limits, (PsMono){0});
    const PsEipPacket *packet = find_packet(&plan, variable);
    if (packet != NULL) {
        ps_buf_printf(out, "Read Tag '%s'", config->variables[variable].symbol);
        if (packet->count > 1) {
            ps_buf_printf(out, ", with %u more in one Multiple Service Packet", packet->count - 1);
        }
        ps_buf_printf(out, route.len > 0 ? ", over route %s" : ", route %s", route.text);
        ps_buf_printf(out, device->connected ? ", by a CIP connection" : ", unconnected");
    }
    ps_eip_plan_deinit(&plan);
}
