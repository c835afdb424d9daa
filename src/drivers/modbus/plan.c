// Sort, then pack from left to right, each request as far as it goes: no other way has fewer of
// them, since every part of a request that may be sent may be sent as well. Pure; one owner.
#include "drivers/modbus/plan.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static int compare_items(const void *left, const void *right) {
    const PsModbusItem *a = left;
    const PsModbusItem *b = right;
    if (a->blocked != b->blocked) {
        return a->blocked ? 1 : -1;
    }
    if (a->table != b->table) {
        return a->table < b->table ? -1 : 1;
    }
    if (a->offset != b->offset) {
        return a->offset < b->offset ? -1 : 1;
    }
    if (a->width != b->width) {
        return a->width < b->width ? -1 : 1;
    }
    return a->variable < b->variable ? -1 : a->variable > b->variable;
}

static PsModbusItem make_item(const PsConfig *config, uint32_t index) {
    const PsVariable *variable = &config->variables[index];
    PsModbusAddress address = {.table = PS_MODBUS_COILS};
    PsErr err = ps_modbus_address_parse(variable->register_addr, &address, NULL);
    PS_ASSERT(err == PS_OK);
    return (PsModbusItem){
        .variable = index,
        .offset = address.offset,
        .table = (uint8_t)address.table & 0x7F,
        .width = (uint8_t)ps_modbus_width(address.table, variable->data_type, variable->size),
        .field = ps_modbus_field(&config->devices[variable->device], variable),
    };
}

static uint32_t item_end(const PsModbusItem *item) {
    return (uint32_t)item->offset + item->width;
}

static uint32_t request_end(const PsModbusRequest *request) {
    return (uint32_t)request->offset + request->count;
}

uint32_t ps_modbus_most(PsModbusTable table) {
    return ps_modbus_table_has_bits(table) ? PS_MODBUS_READ_BITS_MAX : PS_MODBUS_READ_REGISTERS_MAX;
}

void ps_modbus_plan_init(PsModbusPlan *plan, const PsConfig *config, const PsPollSet *set,
                         const PsLearned *learned, uint32_t slave) {
    *plan = (PsModbusPlan){
        .items = ps_alloc_array(set->variable_count, sizeof *plan->items),
        .item_count = set->variable_count,
    };
    for (uint32_t i = 0; i < set->variable_count; i++) {
        PsModbusItem *item = &plan->items[i];
        *item = make_item(config, set->variables[i]);
        uint32_t end = plan->spans[item->table].end;
        uint32_t first = plan->spans[item->table].first;
        plan->spans[item->table].first = end == 0 || item->offset < first ? item->offset : first;
        plan->spans[item->table].end = item_end(item) > end ? item_end(item) : end;
    }
    ps_modbus_plan_pack(plan, learned, slave);
}

void ps_modbus_plan_deinit(PsModbusPlan *plan) {
    free(plan->items);
    free(plan->requests);
    *plan = (PsModbusPlan){0};
}

bool ps_modbus_plan_same(const PsModbusPlan *plan, const PsModbusPlan *other) {
    bool same = plan->item_count == other->item_count;
    for (uint32_t i = 0; same && i < plan->item_count; i++) {
        const PsModbusItem *a = &plan->items[i];
        const PsModbusItem *b = &other->items[i];
        same = a->offset == b->offset && a->table == b->table && a->width == b->width;
    }
    return same;
}

// Who is asked, by what is known of it.
typedef struct Device {
    const PsLearned *learned;
    uint32_t slave;
} Device;

static bool has_hole(const Device *device, uint32_t table, uint32_t first, uint32_t count) {
    PsMono whenever = {0};
    return ps_learned_find(device->learned, device->slave, table, first, count, whenever) != NULL;
}

// Takes the item into the request when table, gap, size and holes allow it.
static bool extend(PsModbusRequest *request, const PsModbusItem *item, const Device *device) {
    bool bits = ps_modbus_table_has_bits((PsModbusTable)item->table);
    uint32_t widest_gap = bits ? PS_MODBUS_GAP_BITS : PS_MODBUS_GAP_REGISTERS;
    uint32_t end = request_end(request);
    uint32_t new_end = item_end(item) > end ? item_end(item) : end;
    uint32_t count = new_end - request->offset;
    if (request->table != item->table || item->offset > end + widest_gap) {
        return false;
    }
    uint32_t most = ps_learned_max(device->learned, device->slave, item->table,
                                   ps_modbus_most((PsModbusTable)item->table));
    bool inside = count == request->count; // of a wide one, perhaps wider than `most`
    if (!inside && (count > most || has_hole(device, item->table, request->offset, count))) {
        return false;
    }
    request->count = (uint16_t)count;
    request->item_count++;
    return true;
}

PsModbusRequest ps_modbus_plan_cover(const PsModbusPlan *plan, uint32_t first, uint32_t count) {
    const PsModbusItem *item = &plan->items[first];
    PsModbusRequest request = {
        .first_item = first,
        .item_count = count,
        .offset = item->offset,
        .table = item->table,
    };
    uint32_t end = 0;
    for (uint32_t i = first; i < first + count; i++) {
        uint32_t this_end = item_end(&plan->items[i]);
        end = this_end > end ? this_end : end;
    }
    request.count = (uint16_t)(end - request.offset);
    return request;
}

// Most plans have a few requests for many items.
static PsModbusRequest *add_request(PsModbusPlan *plan) {
    if (plan->request_count == plan->request_room) {
        plan->request_room++;
        plan->requests = ps_grow_array(plan->requests, plan->request_room, sizeof *plan->requests);
    }
    return &plan->requests[plan->request_count++];
}

void ps_modbus_plan_pack(PsModbusPlan *plan, const PsLearned *learned, uint32_t slave) {
    const Device device = {learned, slave};
    plan->read_count = 0;
    for (uint32_t i = 0; i < plan->item_count; i++) {
        PsModbusItem *item = &plan->items[i];
        item->blocked = has_hole(&device, item->table, item->offset, item->width);
        plan->read_count += item->blocked ? 0 : 1;
    }
    qsort(plan->items, plan->item_count, sizeof *plan->items, compare_items);
    plan->request_count = 0;
    for (uint32_t i = 0; i < plan->read_count; i++) {
        if (plan->request_count == 0 ||
            !extend(&plan->requests[plan->request_count - 1], &plan->items[i], &device)) {
            *add_request(plan) = ps_modbus_plan_cover(plan, i, 1);
        }
    }
    plan->version = ps_learned_version(learned);
    plan->next_probe = (PsMono){0};
}

uint32_t ps_modbus_plan_cut(const PsModbusPlan *plan, const PsModbusRequest *request) {
    uint32_t best = 0;
    int64_t best_gap = INT64_MIN;
    uint32_t best_distance = UINT32_MAX;
    uint32_t middle = request->first_item + request->item_count / 2;
    uint32_t end = item_end(&plan->items[request->first_item]);
    for (uint32_t i = request->first_item + 1; i < request->first_item + request->item_count; i++) {
        const PsModbusItem *item = &plan->items[i];
        const PsModbusItem *before = item - 1;
        int64_t gap = item->offset < end ? -1 : (int64_t)item->offset - end; // -1: they overlap
        end = item_end(item) > end ? item_end(item) : end;
        if (item->offset == before->offset && item->width == before->width) {
            continue; // bits of one register are read together or not at all
        }
        uint32_t distance = i > middle ? i - middle : middle - i;
        if (gap > best_gap || (gap == best_gap && distance < best_distance)) {
            best = i;
            best_gap = gap;
            best_distance = distance;
        }
    }
    return best;
}
