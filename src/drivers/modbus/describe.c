// What is asked of a device to read a variable, in words: the plan of its group without the cuts
// that the device has made necessary meanwhile. Pure.
#include "drivers/modbus/describe.h"

#include "drivers/modbus/plan.h"

// Function codes of reading: Modbus Application Protocol V1.1b3, sections 6.1 to 6.4.
static const unsigned functions[] = {
    [PS_MODBUS_COILS] = 1,
    [PS_MODBUS_DISCRETE_INPUTS] = 2,
    [PS_MODBUS_INPUT_REGISTERS] = 4,
    [PS_MODBUS_HOLDING_REGISTERS] = 3,
};

static const PsModbusItem *find_item(const PsModbusPlan *plan, uint32_t variable,
                                     const PsModbusRequest **ret_request) {
    for (uint32_t r = 0; r < plan->request_count; r++) {
        const PsModbusRequest *request = &plan->requests[r];
        for (uint32_t i = 0; i < request->item_count; i++) {
            const PsModbusItem *item = &plan->items[request->first_item + i];
            if (item->variable == variable) {
                *ret_request = request;
                return item;
            }
        }
    }
    return NULL;
}

static const char *items_name(PsModbusTable table, unsigned count) {
    if (ps_modbus_table_has_bits(table)) {
        return count == 1 ? "bit" : "bits";
    }
    return count == 1 ? "register" : "registers";
}

void ps_modbus_describe_request(int slave, PsModbusTable table, unsigned offset, unsigned count,
                                PsBuf *out) {
    ps_buf_printf(out, "function %u to slave %d: %u %s of the %s from offset %u on",
                  functions[table], slave, count, items_name(table, count),
                  ps_modbus_table_name(table), offset);
}

static void put_request(const PsModbusRequest *request, const PsModbusItem *item, int slave,
                        PsBuf *out) {
    PsModbusTable table = (PsModbusTable)request->table;
    ps_modbus_describe_request(slave, table, request->offset, request->count, out);
    if (request->item_count > 1) {
        ps_buf_printf(out, ", for %u variables together; this one is %u %s from offset %u on",
                      request->item_count, item->width, items_name(table, item->width),
                      item->offset);
    }
}

void ps_modbus_describe(const PsConfig *config, const PsPollSet *set, uint32_t variable,
                        PsBuf *out) {
    PsModbusPlan plan = {0};
    ps_modbus_plan_init(&plan, config, set, NULL, 0);
    const PsModbusRequest *request = NULL;
    const PsModbusItem *item = find_item(&plan, variable, &request);
    if (item != NULL) {
        put_request(request, item, config->devices[set->device].slave, out);
    }
    ps_modbus_plan_deinit(&plan);
}
