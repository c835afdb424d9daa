// Items are sorted by the place they ask for, so that those of one place stand together and next to
// their neighbours; what is learned about a place stays with it. Pure; one owner.
#include "drivers/eip/plan.h"

#include "base/mem.h"
#include "drivers/eip/cip.h"
#include "drivers/eip/symbol.h"
#include "drivers/learned.h"

#include <stdlib.h>
#include <string.h>

#define BITS_PER_WORD 32U

static void make_item(PsEipPlan *plan, PsEipItem *item, const PsVariable *variable,
                      uint32_t index) {
    PsEipSymbol symbol = {0};
    PsErr err = ps_eip_symbol_parse(variable->symbol, &symbol, NULL);
    PS_ASSERT(err == PS_OK);
    *item = (PsEipItem){
        .variable = index,
        .path_at = (uint32_t)plan->paths.len,
        .path_len = symbol.path_len,
        .indexing = symbol.indexed ? PS_EIP_INDEX_ASKED : PS_EIP_INDEX_NONE,
        .index = symbol.index,
        .field = ps_eip_field(variable),
    };
    item->field.bit = symbol.bit;
    if (symbol.indexed && symbol.bit != PS_EIP_NO_BIT) {
        item->indexing = PS_EIP_INDEX_ELEMENT; // of integers, as its bit is asked for
    }
    ps_buf_put(&plan->paths, symbol.path, symbol.path_len);
}

// What the index of the path counts.
static uint32_t place_index(const PsEipItem *item) {
    switch ((PsEipIndexing)item->indexing) {
    case PS_EIP_INDEX_ELEMENT:
        return item->index;
    case PS_EIP_INDEX_ASKED:
    case PS_EIP_INDEX_BIT:
        return item->index / BITS_PER_WORD;
    case PS_EIP_INDEX_NONE:
        break;
    }
    return 0;
}

static bool is_indexed(const PsEipItem *item) {
    return item->indexing != PS_EIP_INDEX_NONE;
}

// By path, then by index: neighbours in an array stand together.
static int compare_places(const PsBuf *a_paths, const PsEipItem *a, const PsBuf *b_paths,
                          const PsEipItem *b) {
    uint16_t both = a->path_len < b->path_len ? a->path_len : b->path_len;
    int order = memcmp(a_paths->data + a->path_at, b_paths->data + b->path_at, both);
    if (order != 0 || a->path_len != b->path_len) {
        return order != 0 ? order : (int)a->path_len - (int)b->path_len;
    }
    if (is_indexed(a) != is_indexed(b)) {
        return is_indexed(a) ? 1 : -1;
    }
    uint32_t a_index = place_index(a);
    uint32_t b_index = place_index(b);
    return a_index < b_index ? -1 : a_index > b_index;
}

static int compare_items(const void *left, const void *right, void *paths) {
    const PsEipItem *a = left;
    const PsEipItem *b = right;
    int order = compare_places(paths, a, paths, b);
    return order != 0 ? order : a->variable < b->variable ? -1 : a->variable > b->variable;
}

static const PsEipItem *item_of(const PsEipPlan *plan, const PsEipEntry *entry) {
    return &plan->items[entry->first_item];
}

uint16_t ps_eip_entry_path(const PsEipPlan *plan, const PsEipEntry *entry, uint8_t *out) {
    const PsEipItem *item = item_of(plan, entry);
    memcpy(out, plan->paths.data + item->path_at, item->path_len);
    return is_indexed(item) ? (uint16_t)(item->path_len + ps_eip_element_put(out + item->path_len,
                                                                             place_index(item)))
                            : item->path_len;
}

uint32_t ps_eip_entry_index(const PsEipPlan *plan, const PsEipEntry *entry) {
    return place_index(item_of(plan, entry));
}

static void make_entries(PsEipPlan *plan) {
    plan->entry_count = 0;
    for (uint32_t i = 0; i < plan->item_count; i++) {
        const PsEipItem *item = &plan->items[i];
        const PsEipItem *before = i > 0 ? item - 1 : NULL;
        if (before != NULL && compare_places(&plan->paths, item, &plan->paths, before) == 0) {
            plan->entries[plan->entry_count - 1].item_count++;
        } else {
            plan->entries[plan->entry_count++] = (PsEipEntry){.first_item = i, .item_count = 1};
        }
    }
}

// Both are sorted by place.
static void take_knowledge(PsEipPlan *plan, const PsEipPlan *other) {
    uint32_t j = 0;
    for (uint32_t i = 0; i < plan->entry_count; i++) {
        PsEipEntry *entry = &plan->entries[i];
        int order = 1;
        while (j < other->entry_count &&
               (order = compare_places(&plan->paths, item_of(plan, entry), &other->paths,
                                       item_of(other, &other->entries[j]))) > 0) {
            j++;
        }
        if (j < other->entry_count && order == 0) {
            uint32_t first = entry->first_item;
            uint32_t count = entry->item_count;
            *entry = other->entries[j];
            entry->first_item = first;
            entry->item_count = count;
        }
    }
}

// Sorts anew, keeping what is known about places that are still asked for.
static void sort(PsEipPlan *plan) {
    PsEipPlan before = *plan;
    plan->items = ps_alloc_array(plan->item_count, sizeof *plan->items);
    plan->entries = ps_alloc_array(plan->item_count, sizeof *plan->entries);
    if (plan->item_count > 0) {
        memcpy(plan->items, before.items, plan->item_count * sizeof *plan->items);
        qsort_r(plan->items, plan->item_count, sizeof *plan->items, compare_items, &plan->paths);
    }
    make_entries(plan);
    take_knowledge(plan, &before);
    free(before.items);
    free(before.entries);
    plan->unsorted = false;
    plan->unpacked = true;
}

void ps_eip_plan_init(PsEipPlan *plan, const PsConfig *config, const PsPollSet *set) {
    *plan = (PsEipPlan){
        .items = ps_alloc_array(set->variable_count, sizeof *plan->items),
        .item_count = set->variable_count,
        .spans = ps_alloc_array(set->variable_count, sizeof *plan->spans),
        .packets = ps_alloc_array(set->variable_count, sizeof *plan->packets),
    };
    for (uint32_t i = 0; i < set->variable_count; i++) {
        make_item(plan, &plan->items[i], &config->variables[set->variables[i]], set->variables[i]);
    }
    sort(plan);
}

void ps_eip_plan_deinit(PsEipPlan *plan) {
    free(plan->items);
    free(plan->entries);
    free(plan->spans);
    free(plan->packets);
    ps_buf_deinit(&plan->paths);
    ps_buf_deinit(&plan->requests);
    *plan = (PsEipPlan){0};
}

// What the other's index counts, where it is an index into the same.
static void take_indexing(PsEipPlan *plan, const PsEipPlan *other) {
    for (uint32_t i = 0, j = 0; i < plan->item_count && j < other->item_count;) {
        PsEipItem *item = &plan->items[i];
        const PsEipItem *known = &other->items[j];
        int order = compare_places(&plan->paths, item, &other->paths, known);
        if (order == 0 && item->indexing == PS_EIP_INDEX_ASKED &&
            known->indexing == PS_EIP_INDEX_BIT) {
            item->indexing = PS_EIP_INDEX_BIT;
        }
        i += order <= 0;
        j += order > 0;
    }
}

void ps_eip_plan_follow(PsEipPlan *plan, const PsEipPlan *other) {
    take_knowledge(plan, other);
    take_indexing(plan, other);
}

void ps_eip_plan_forgive(PsEipPlan *plan) {
    for (uint32_t i = 0; i < plan->entry_count; i++) {
        PsEipEntry *entry = &plan->entries[i];
        plan->unpacked = plan->unpacked || entry->resting || entry->apart;
        entry->resting = false;
        entry->apart = false;
    }
}

void ps_eip_plan_begin(PsEipPlan *plan, const PsEipLimits *limits, PsMono now) {
    plan->cycle++;
    if (plan->unsorted) {
        sort(plan);
    }
    if (plan->unpacked || (plan->next_try.ns != 0 && plan->next_try.ns <= now.ns)) {
        plan->unpacked = false;
        ps_eip_plan_pack(plan, limits, false, now);
    }
}

bool ps_eip_plan_again(PsEipPlan *plan, const PsEipLimits *limits, PsMono now) {
    if (plan->unsorted) {
        sort(plan);
    }
    ps_eip_plan_pack(plan, limits, true, now);
    plan->unpacked = true; // the next cycle asks for all again
    return plan->packet_count > 0;
}

// --- learning

void ps_eip_entry_answered(PsEipPlan *plan, PsEipEntry *entry, size_t len) {
    uint16_t bounded = len < UINT16_MAX ? (uint16_t)len : UINT16_MAX;
    plan->unpacked = plan->unpacked || entry->status != PS_EIP_OK;
    entry->status = PS_EIP_OK;
    entry->refusals = 0;
    if (bounded > entry->answer_len || entry->supposed) {
        entry->answer_len = bounded;
        entry->supposed = false;
        plan->unpacked = true;
    }
}

void ps_eip_entry_sized(PsEipPlan *plan, PsEipEntry *entry, uint32_t size) {
    uint8_t bounded = size <= UINT8_MAX ? (uint8_t)size : 0;
    if (bounded != entry->size) {
        entry->size = bounded;
        plan->unpacked = plan->unpacked || is_indexed(item_of(plan, entry));
    }
}

void ps_eip_entry_apart(PsEipPlan *plan, PsEipEntry *entry) {
    entry->apart = true;
    plan->unpacked = true;
}

bool ps_eip_entry_suppose(PsEipPlan *plan, PsEipEntry *entry, uint32_t len) {
    if (entry->answer_len > 0) {
        return false;
    }
    entry->supposed = true;
    entry->answer_len = (uint16_t)len;
    plan->unpacked = true;
    return true;
}

void ps_eip_entry_no_value(PsEipPlan *plan, PsEipEntry *entry, uint16_t handle, PsMono now) {
    entry->status = PS_EIP_OK;
    entry->refusals = 0;
    entry->handle = handle;
    entry->resting = true;
    entry->next_try = ps_mono_add_ns(now, PS_LEARNED_PAUSE_MAX_S * PS_NS_PER_S);
    plan->unpacked = true;
}

void ps_eip_entry_refused(PsEipPlan *plan, PsEipEntry *entry, uint8_t status, uint16_t extended,
                          PsMono now) {
    int64_t pause_s = PS_LEARNED_PAUSE_S;
    for (uint32_t i = 0; i < entry->refusals && pause_s < PS_LEARNED_PAUSE_MAX_S; i++) {
        pause_s *= 2;
    }
    pause_s = pause_s < PS_LEARNED_PAUSE_MAX_S ? pause_s : PS_LEARNED_PAUSE_MAX_S;
    entry->refusals++;
    entry->status = status;
    entry->extended = extended;
    entry->resting = true;
    entry->next_try = ps_mono_add_ns(now, pause_s * PS_NS_PER_S);
    plan->unpacked = true;
}

bool ps_eip_item_settle(PsEipPlan *plan, PsEipItem *item, uint16_t type) {
    PsEipIndexing before = (PsEipIndexing)item->indexing;
    if (before == PS_EIP_INDEX_NONE || item->field.bit != PS_EIP_NO_BIT) {
        return true;
    }
    bool bits = type == PS_EIP_TYPE_DWORD;
    item->indexing = bits ? PS_EIP_INDEX_BIT : PS_EIP_INDEX_ELEMENT;
    uint32_t asked = before == PS_EIP_INDEX_ELEMENT ? item->index : item->index / BITS_PER_WORD;
    uint32_t wanted = bits ? item->index / BITS_PER_WORD : item->index;
    plan->unsorted = plan->unsorted || asked != wanted;
    return asked == wanted;
}

PsEipField ps_eip_item_field(const PsEipItem *item) {
    PsEipField field = item->field;
    if (item->indexing == PS_EIP_INDEX_BIT) {
        field.bit = (int8_t)(item->index % BITS_PER_WORD);
    }
    return field;
}
