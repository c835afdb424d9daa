// Sort, then pack from left to right; a refused request is cut where it most likely hurts.
// Pure; one owner.
#include "drivers/modbus/plan.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static int compare_items(const void *left, const void *right) {
    const PsModbusItem *a = left;
    const PsModbusItem *b = right;
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
        .table = (uint8_t)address.table,
        .width = (uint8_t)ps_modbus_width(address.table, variable->data_type, variable->size),
        .field = ps_modbus_field(&config->devices[variable->device], variable),
    };
}

void ps_modbus_plan_init(PsModbusPlan *plan, const PsConfig *config, const PsPollSet *set) {
    *plan = (PsModbusPlan){
        .items = ps_alloc_array(set->variable_count, sizeof *plan->items),
        .item_count = set->variable_count,
    };
    for (uint32_t i = 0; i < set->variable_count; i++) {
        plan->items[i] = make_item(config, set->variables[i]);
    }
    qsort(plan->items, plan->item_count, sizeof *plan->items, compare_items);
    ps_modbus_plan_merge(plan);
}

void ps_modbus_plan_deinit(PsModbusPlan *plan) {
    free(plan->items);
    free(plan->requests);
    *plan = (PsModbusPlan){0};
}

// Most plans have a few requests for many items.
static void make_room(PsModbusPlan *plan, uint32_t count) {
    if (count > plan->request_room) {
        plan->requests = ps_grow_array(plan->requests, count, sizeof *plan->requests);
        plan->request_room = count;
    }
}

static bool same_item(const PsModbusItem *a, const PsModbusItem *b) {
    return a->offset == b->offset && a->table == b->table && a->width == b->width;
}

bool ps_modbus_plan_follow(PsModbusPlan *plan, const PsModbusPlan *other) {
    bool same = plan->item_count == other->item_count;
    for (uint32_t i = 0; same && i < plan->item_count; i++) {
        same = same_item(&plan->items[i], &other->items[i]);
    }
    if (same) {
        make_room(plan, other->request_count);
        plan->request_count = other->request_count;
        memcpy(plan->requests, other->requests, other->request_count * sizeof *plan->requests);
    }
    return same;
}

static uint32_t item_end(const PsModbusItem *item) {
    return (uint32_t)item->offset + item->width;
}

static uint32_t request_end(const PsModbusRequest *request) {
    return (uint32_t)request->offset + request->count;
}

// Takes the item into the request when table, hole and size allow it.
static bool extend(PsModbusRequest *request, const PsModbusItem *item) {
    bool bits = ps_modbus_table_has_bits((PsModbusTable)item->table);
    uint32_t most = bits ? PS_MODBUS_READ_BITS_MAX : PS_MODBUS_READ_REGISTERS_MAX;
    uint32_t widest_gap = bits ? PS_MODBUS_GAP_BITS : PS_MODBUS_GAP_REGISTERS;
    uint32_t end = request_end(request);
    uint32_t new_end = item_end(item) > end ? item_end(item) : end;
    if (request->table != item->table || item->offset > end + widest_gap ||
        new_end - request->offset > most) {
        return false;
    }
    request->count = (uint16_t)(new_end - request->offset);
    request->item_count++;
    return true;
}

// The request that reads exactly these items.
static PsModbusRequest cover(const PsModbusPlan *plan, uint32_t first, uint32_t count) {
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

void ps_modbus_plan_merge(PsModbusPlan *plan) {
    plan->request_count = 0;
    for (uint32_t i = 0; i < plan->item_count; i++) {
        if (plan->request_count > 0 &&
            extend(&plan->requests[plan->request_count - 1], &plan->items[i])) {
            continue;
        }
        make_room(plan, plan->request_count + 1);
        plan->requests[plan->request_count++] = cover(plan, i, 1);
    }
}

// The item before which to cut, or 0 when there is none: the widest hole wins, and among equal
// ones (no holes at all) the place nearest to the middle.
static uint32_t find_cut(const PsModbusPlan *plan, const PsModbusRequest *request) {
    uint32_t best = 0;
    uint32_t best_hole = 0;
    uint32_t best_distance = UINT32_MAX;
    uint32_t middle = request->first_item + request->item_count / 2;
    uint32_t end = item_end(&plan->items[request->first_item]);
    for (uint32_t i = request->first_item + 1; i < request->first_item + request->item_count; i++) {
        const PsModbusItem *item = &plan->items[i];
        const PsModbusItem *before = item - 1;
        uint32_t hole = item->offset > end ? item->offset - end : 0;
        end = item_end(item) > end ? item_end(item) : end;
        if (item->offset == before->offset && item->width == before->width) {
            continue; // bits of one register are read together or not at all
        }
        uint32_t distance = i > middle ? i - middle : middle - i;
        if (best == 0 || hole > best_hole || (hole == best_hole && distance < best_distance)) {
            best = i;
            best_hole = hole;
            best_distance = distance;
        }
    }
    return best;
}

bool ps_modbus_plan_split(PsModbusPlan *plan, uint32_t index) {
    PS_ASSERT(index < plan->request_count);
    PsModbusRequest whole = plan->requests[index];
    uint32_t cut = find_cut(plan, &whole);
    if (cut == 0) {
        return false;
    }
    PS_ASSERT(plan->request_count < plan->item_count);
    make_room(plan, plan->request_count + 1);
    PsModbusRequest *at = &plan->requests[index];
    memmove(at + 2, at + 1, (plan->request_count - index - 1) * sizeof *at);
    at[0] = cover(plan, whole.first_item, cut - whole.first_item);
    at[1] = cover(plan, cut, whole.first_item + whole.item_count - cut);
    plan->request_count++;
    return true;
}
