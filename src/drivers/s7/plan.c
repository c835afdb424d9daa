// Sort, merge from left to right, put each range into the first telegram with room for it. Pure;
// one owner.
#include "drivers/s7/plan.h"

#include "base/mem.h"
#include "drivers/s7/address.h"

#include <stdlib.h>
#include <string.h>

static int compare_items(const void *left, const void *right) {
    const PsS7Item *a = left;
    const PsS7Item *b = right;
    if (a->area != b->area) {
        return a->area < b->area ? -1 : 1;
    }
    if (a->db != b->db) {
        return a->db < b->db ? -1 : 1;
    }
    if (a->first != b->first) {
        return a->first < b->first ? -1 : 1;
    }
    if (a->len != b->len) {
        return a->len < b->len ? -1 : 1;
    }
    return a->variable < b->variable ? -1 : a->variable > b->variable;
}

static PsS7Item make_item(const PsConfig *config, uint32_t index) {
    const PsVariable *variable = &config->variables[index];
    PsS7Field field = ps_s7_field(variable);
    return (PsS7Item){
        .variable = index,
        .first = (uint32_t)variable->register_addr,
        .len = field.len,
        .db = variable->register_type == PS_S7_DB ? variable->dbnumber : 0,
        .area = (uint8_t)variable->register_type,
        .field = field,
    };
}

void ps_s7_plan_init(PsS7Plan *plan, const PsConfig *config, const PsPollSet *set) {
    uint32_t count = set->variable_count;
    *plan = (PsS7Plan){
        .items = ps_alloc_array(count, sizeof *plan->items),
        .item_count = count,
        .ranges = ps_alloc_array(count, sizeof *plan->ranges),
        .order = ps_alloc_array(count, sizeof *plan->order),
        .requests = ps_alloc_array(count, sizeof *plan->requests),
    };
    for (uint32_t i = 0; i < count; i++) {
        plan->items[i] = make_item(config, set->variables[i]);
    }
    qsort(plan->items, count, sizeof *plan->items, compare_items);
    ps_s7_plan_merge(plan, PS_S7_PDU_MIN, NULL, (PsMono){0});
}

void ps_s7_plan_deinit(PsS7Plan *plan) {
    free(plan->items);
    free(plan->ranges);
    free(plan->order);
    free(plan->requests);
    *plan = (PsS7Plan){0};
}

static bool same_item(const PsS7Item *a, const PsS7Item *b) {
    return a->area == b->area && a->db == b->db && a->first == b->first && a->len == b->len;
}

bool ps_s7_plan_follow(PsS7Plan *plan, const PsS7Plan *other) {
    bool same = plan->item_count == other->item_count;
    for (uint32_t i = 0; same && i < plan->item_count; i++) {
        same = same_item(&plan->items[i], &other->items[i]);
    }
    if (same) {
        plan->range_count = other->range_count;
        plan->pdu = other->pdu;
        memcpy(plan->ranges, other->ranges, other->range_count * sizeof *plan->ranges);
        ps_s7_plan_pack(plan);
    }
    return same;
}

static uint32_t item_end(const PsS7Item *item) {
    return item->first + item->len;
}

static uint32_t range_end(const PsS7Range *range) {
    return range->first + range->len;
}

uint32_t ps_s7_most_items(uint16_t pdu) {
    uint32_t most = (pdu - PS_S7_READ_HEAD) / PS_S7_READ_ITEM;
    return most < PS_S7_ITEMS_MAX ? most : PS_S7_ITEMS_MAX;
}

// Widest gap that is read along. A telegram is full when its items or its bytes are used up: an
// item of its own costs as many bytes as come on each item, and those of its own head.
static uint32_t widest_gap(uint16_t pdu) {
    return (pdu - PS_S7_ANSWER_HEAD) / ps_s7_most_items(pdu) + PS_S7_ANSWER_ITEM;
}

// Takes the item into the range when place, gap and length allow it.
static bool extend(PsS7Range *range, const PsS7Item *item, uint16_t pdu) {
    uint32_t end = range_end(range);
    uint32_t new_end = item_end(item) > end ? item_end(item) : end;
    if (range->area != item->area || range->db != item->db || item->first > end + widest_gap(pdu) ||
        new_end - range->first > ps_s7_longest_range(pdu)) {
        return false;
    }
    range->len = new_end - range->first;
    range->item_count++;
    return true;
}

// The range that reads exactly these items.
static PsS7Range cover(const PsS7Plan *plan, uint32_t first, uint32_t count) {
    const PsS7Item *item = &plan->items[first];
    PsS7Range range = {
        .first = item->first,
        .first_item = first,
        .item_count = count,
        .db = item->db,
        .area = item->area,
    };
    uint32_t end = 0;
    for (uint32_t i = first; i < first + count; i++) {
        end = item_end(&plan->items[i]) > end ? item_end(&plan->items[i]) : end;
    }
    range.len = end - range.first;
    return range;
}

static const PsLearnedHole *hole_inside(const PsLearned *learned, int area, uint16_t db,
                                        uint32_t first, uint32_t len, PsMono now) {
    return ps_learned_find(learned, 0, ps_s7_learned_area(area, db), first, len, now);
}

// Why the item is not asked for: a part of it is not there, or its whole block. NULL: it is.
static const PsLearnedHole *hole_of(const PsLearned *learned, const PsS7Item *item, PsMono now) {
    const PsLearnedHole *hole =
        hole_inside(learned, item->area, item->db, item->first, item->len, now);
    if (hole == NULL) {
        hole = hole_inside(learned, item->area, item->db, 0, PS_S7_AREA_BYTES, now);
        hole = hole != NULL && hole->count == PS_S7_AREA_BYTES ? hole : NULL;
    }
    return hole;
}

// Something in it was refused once, and is to be tried again.
static bool has_due_hole(const PsLearned *learned, const PsS7Range *range) {
    PsMono any = {0};
    const PsLearnedHole *whole =
        hole_inside(learned, range->area, range->db, 0, PS_S7_AREA_BYTES, any);
    return whole != NULL &&
           (whole->count == PS_S7_AREA_BYTES ||
            hole_inside(learned, range->area, range->db, range->first, range->len, any) != NULL);
}

// Takes the item along, unless that brings in what is known not to be there.
static bool join(PsS7Range *range, const PsS7Item *item, uint16_t pdu, const PsLearned *learned,
                 PsMono now) {
    PsS7Range joined = *range;
    if (range->state == PS_S7_REFUSED || !extend(&joined, item, pdu) ||
        hole_inside(learned, joined.area, joined.db, joined.first, joined.len, now) != NULL) {
        return false;
    }
    *range = joined;
    return true;
}

void ps_s7_plan_merge(PsS7Plan *plan, uint16_t pdu, const PsLearned *learned, PsMono now) {
    plan->pdu = pdu;
    plan->range_count = 0;
    for (uint32_t i = 0; i < plan->item_count; i++) {
        const PsS7Item *item = &plan->items[i];
        const PsLearnedHole *hole = hole_of(learned, item, now);
        if (hole == NULL && plan->range_count > 0 &&
            join(&plan->ranges[plan->range_count - 1], item, pdu, learned, now)) {
            continue;
        }
        PsS7Range range = cover(plan, i, 1);
        if (hole != NULL) {
            range.state = PS_S7_REFUSED;
            range.code = (uint8_t)hole->code;
            range.next_try = hole->next_try;
        }
        plan->ranges[plan->range_count++] = range;
    }
    for (uint32_t i = 0; i < plan->range_count; i++) {
        plan->ranges[i].retried = has_due_hole(learned, &plan->ranges[i]);
    }
    ps_s7_plan_pack(plan);
}

void ps_s7_plan_retry(PsS7Plan *plan, PsMono now) {
    if (!plan->any_refused || now.ns < plan->next_try.ns) {
        return;
    }
    for (uint32_t i = 0; i < plan->range_count; i++) {
        PsS7Range *range = &plan->ranges[i];
        if (range->state == PS_S7_REFUSED && range->next_try.ns <= now.ns) {
            range->state = PS_S7_ASKED;
            range->retried = true;
        }
    }
    ps_s7_plan_pack(plan);
}

// The item before which to cut, or 0 when there is none: the widest gap wins, and among equal ones
// (no gaps at all) the place nearest to the middle.
static uint32_t find_cut(const PsS7Plan *plan, const PsS7Range *range) {
    uint32_t best = 0;
    uint32_t best_gap = 0;
    uint32_t best_distance = UINT32_MAX;
    uint32_t middle = range->first_item + range->item_count / 2;
    uint32_t end = item_end(&plan->items[range->first_item]);
    for (uint32_t i = range->first_item + 1; i < range->first_item + range->item_count; i++) {
        const PsS7Item *item = &plan->items[i];
        uint32_t gap = item->first > end ? item->first - end : 0;
        end = item_end(item) > end ? item_end(item) : end;
        if (same_item(item, item - 1)) {
            continue; // bits of one byte are read together or not at all
        }
        uint32_t distance = i > middle ? i - middle : middle - i;
        if (best == 0 || gap > best_gap || (gap == best_gap && distance < best_distance)) {
            best = i;
            best_gap = gap;
            best_distance = distance;
        }
    }
    return best;
}

bool ps_s7_plan_split(PsS7Plan *plan, uint32_t index) {
    PS_ASSERT(index < plan->range_count);
    PsS7Range whole = plan->ranges[index];
    uint32_t cut = find_cut(plan, &whole);
    if (cut == 0) {
        return false;
    }
    PS_ASSERT(plan->range_count < plan->item_count);
    PsS7Range *at = &plan->ranges[index];
    memmove(at + 2, at + 1, (plan->range_count - index - 1) * sizeof *at);
    at[0] = cover(plan, whole.first_item, cut - whole.first_item);
    at[1] = cover(plan, cut, whole.first_item + whole.item_count - cut);
    for (int i = 0; i < 2; i++) {
        at[i].state = PS_S7_TRIAL;
        at[i].code = whole.code;
        at[i].retried = whole.retried;
    }
    plan->range_count++;
    return true;
}

// Bytes that a range takes of an answer. Odd ones are filled up.
static uint32_t answer_bytes(const PsS7Range *range) {
    return PS_S7_ANSWER_ITEM + range->len + range->len % 2;
}

// The telegrams that still have room are few at a time: each is looked at until it is full, or has
// not had room for so many ranges that waiting for a smaller one is no use.
#define OPEN_REQUESTS 8U

typedef struct Open {
    uint32_t request;
    uint32_t bytes;
} Open;

static bool has_room(const PsS7Plan *plan, const Open *open, const PsS7Range *range) {
    const PsS7Request *request = &plan->requests[open->request];
    // The last item of an answer is not filled up.
    return request->range_count < ps_s7_most_items(plan->pdu) &&
           open->bytes + PS_S7_ANSWER_ITEM + range->len + PS_S7_ANSWER_HEAD <= plan->pdu;
}

// Numbers of the requests, one for each range that is asked for, through `of`.
static void assign(PsS7Plan *plan, uint32_t *of) {
    Open open[OPEN_REQUESTS];
    uint32_t open_count = 0;
    for (uint32_t i = 0; i < plan->range_count; i++) {
        const PsS7Range *range = &plan->ranges[i];
        if (range->state == PS_S7_REFUSED) {
            continue;
        }
        bool pieces = range->len > ps_s7_longest_range(plan->pdu);
        uint32_t at = pieces ? open_count : 0;
        while (at < open_count && !has_room(plan, &open[at], range)) {
            at++;
        }
        if (at == open_count) {
            plan->requests[plan->request_count] = (PsS7Request){.pieces = pieces};
            of[i] = plan->request_count++;
            plan->requests[of[i]].range_count = 1;
            if (!pieces) {
                if (open_count == OPEN_REQUESTS) {
                    memmove(open, open + 1, (OPEN_REQUESTS - 1) * sizeof *open);
                    open_count--;
                }
                open[open_count++] = (Open){.request = of[i], .bytes = answer_bytes(range)};
            }
            continue;
        }
        of[i] = open[at].request;
        plan->requests[of[i]].range_count++;
        open[at].bytes += answer_bytes(range);
    }
}

void ps_s7_plan_pack(PsS7Plan *plan) {
    uint32_t *of = ps_alloc_array(plan->range_count, sizeof *of);
    plan->request_count = 0;
    assign(plan, of);
    uint32_t first = 0;
    for (uint32_t i = 0; i < plan->request_count; i++) {
        plan->requests[i].first = first;
        first += plan->requests[i].range_count;
        plan->requests[i].range_count = 0; // counted again while they are put in
    }
    plan->any_refused = false;
    plan->next_try = (PsMono){INT64_MAX};
    for (uint32_t i = 0; i < plan->range_count; i++) {
        const PsS7Range *range = &plan->ranges[i];
        if (range->state == PS_S7_REFUSED) {
            plan->any_refused = true;
            if (range->next_try.ns < plan->next_try.ns) {
                plan->next_try = range->next_try;
            }
            continue;
        }
        PsS7Request *request = &plan->requests[of[i]];
        plan->order[request->first + request->range_count++] = i;
    }
    free(of);
}
