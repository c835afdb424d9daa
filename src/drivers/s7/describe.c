// The plan of a variable's group in words, as it is made for the shortest telegrams; a controller
// that offers longer ones is asked for more at a time. Pure.
#include "drivers/s7/describe.h"

#include "drivers/s7/address.h"
#include "drivers/s7/plan.h"

static const PsS7Item *find_item(const PsS7Plan *plan, uint32_t variable,
                                 const PsS7Range **ret_range) {
    for (uint32_t r = 0; r < plan->range_count; r++) {
        const PsS7Range *range = &plan->ranges[r];
        for (uint32_t i = 0; i < range->item_count; i++) {
            const PsS7Item *item = &plan->items[range->first_item + i];
            if (item->variable == variable) {
                *ret_range = range;
                return item;
            }
        }
    }
    return NULL;
}

static uint32_t ranges_beside(const PsS7Plan *plan, const PsS7Range *range) {
    uint32_t number = (uint32_t)(range - plan->ranges);
    for (uint32_t r = 0; r < plan->request_count; r++) {
        const PsS7Request *request = &plan->requests[r];
        for (uint32_t i = 0; i < request->range_count; i++) {
            if (plan->order[request->first + i] == number) {
                return request->range_count - 1;
            }
        }
    }
    return 0;
}

void ps_s7_describe(const PsConfig *config, const PsPollSet *set, uint32_t variable, PsBuf *out) {
    PsS7Plan plan = {0};
    ps_s7_plan_init(&plan, config, set);
    const PsS7Range *range = NULL;
    const PsS7Item *item = find_item(&plan, variable, &range);
    if (item != NULL) {
        char name[PS_S7_NAME_SIZE];
        ps_s7_name_bytes(range->area, range->db, range->first, range->len, name, sizeof name);
        ps_buf_printf(out, "read variables (function 4): %s", name);
        uint32_t beside = ranges_beside(&plan, range);
        if (beside > 0) {
            ps_buf_printf(out, ", with %u other range%s in one telegram", beside,
                          beside == 1 ? "" : "s");
        }
        if (range->item_count > 1) {
            ps_s7_name_bytes(item->area, item->db, item->first, item->len, name, sizeof name);
            ps_buf_printf(out, ", for %u variables together; this one is %s", range->item_count,
                          name);
        }
        ps_buf_printf(out, "; planned for telegrams of %u bytes, longer ones bring more at a time",
                      plan.pdu);
    }
    ps_s7_plan_deinit(&plan);
}
