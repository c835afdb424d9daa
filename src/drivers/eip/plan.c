// Items are sorted by the path they ask for, so that those of one place stand together, and packed
// from left to right. Pure; one owner.
#include "drivers/eip/plan.h"

#include "base/mem.h"
#include "drivers/eip/cip.h"
#include "drivers/eip/symbol.h"
#include "drivers/learned.h"

#include <stdlib.h>
#include <string.h>

#define BITS_PER_WORD 32U
// Expected of an answer before the first has come: head, type, and the STRING every controller has.
#define ANSWER_GUESS (PS_EIP_REPLY_HEAD + 4U + 88U)
#define REQUEST_TAIL 2U // number of elements

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
    ps_buf_put(&plan->paths, symbol.path, symbol.path_len);
}

static void put_key(PsEipPlan *plan, PsEipItem *item) {
    item->key_at = (uint32_t)plan->keys.len;
    ps_buf_put(&plan->keys, plan->paths.data + item->path_at, item->path_len);
    if (item->indexing != PS_EIP_INDEX_NONE) {
        bool whole = item->indexing == PS_EIP_INDEX_ELEMENT;
        uint8_t element[PS_EIP_ELEMENT_MAX];
        uint16_t len =
            ps_eip_element_put(element, whole ? item->index : item->index / BITS_PER_WORD);
        ps_buf_put(&plan->keys, element, len);
    }
    item->key_len = (uint16_t)(plan->keys.len - item->key_at);
}

static int compare_keys(const uint8_t *a, uint16_t a_len, const uint8_t *b, uint16_t b_len) {
    uint16_t both = a_len < b_len ? a_len : b_len;
    int order = memcmp(a, b, both);
    return order != 0 ? order : (int)a_len - (int)b_len;
}

static int compare_items(const void *left, const void *right, void *keys) {
    const PsEipItem *a = left;
    const PsEipItem *b = right;
    const PsBuf *buf = keys;
    int order = compare_keys(buf->data + a->key_at, a->key_len, buf->data + b->key_at, b->key_len);
    return order != 0 ? order : a->variable < b->variable ? -1 : a->variable > b->variable;
}

static const uint8_t *item_key(const PsEipPlan *plan, const PsEipItem *item) {
    return plan->keys.data + item->key_at;
}

const uint8_t *ps_eip_entry_path(const PsEipPlan *plan, const PsEipEntry *entry,
                                 uint16_t *ret_len) {
    const PsEipItem *item = &plan->items[entry->first_item];
    *ret_len = item->key_len;
    return item_key(plan, item);
}

static void make_entries(PsEipPlan *plan) {
    plan->entry_count = 0;
    for (uint32_t i = 0; i < plan->item_count; i++) {
        const PsEipItem *item = &plan->items[i];
        const PsEipItem *before = i > 0 ? item - 1 : NULL;
        if (before != NULL && compare_keys(item_key(plan, item), item->key_len,
                                           item_key(plan, before), before->key_len) == 0) {
            plan->entries[plan->entry_count - 1].item_count++;
        } else {
            plan->entries[plan->entry_count++] = (PsEipEntry){.first_item = i, .item_count = 1};
        }
    }
}

// Both are sorted by key.
static void take_knowledge(PsEipPlan *plan, const PsEipPlan *other) {
    uint32_t j = 0;
    for (uint32_t i = 0; i < plan->entry_count; i++) {
        PsEipEntry *entry = &plan->entries[i];
        uint16_t len;
        const uint8_t *key = ps_eip_entry_path(plan, entry, &len);
        int order = 1;
        while (j < other->entry_count) {
            uint16_t other_len;
            const uint8_t *other_key = ps_eip_entry_path(other, &other->entries[j], &other_len);
            order = compare_keys(key, len, other_key, other_len);
            if (order <= 0) {
                break;
            }
            j++;
        }
        if (order == 0) {
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
    plan->keys = (PsBuf){0};
    plan->items = ps_alloc_array(plan->item_count, sizeof *plan->items);
    plan->entries = ps_alloc_array(plan->item_count, sizeof *plan->entries);
    if (plan->item_count > 0) {
        memcpy(plan->items, before.items, plan->item_count * sizeof *plan->items);
    }
    for (uint32_t i = 0; i < plan->item_count; i++) {
        put_key(plan, &plan->items[i]);
    }
    if (plan->item_count > 0) {
        qsort_r(plan->items, plan->item_count, sizeof *plan->items, compare_items, &plan->keys);
    }
    make_entries(plan);
    take_knowledge(plan, &before);
    free(before.items);
    free(before.entries);
    ps_buf_deinit(&before.keys);
    plan->unsorted = false;
    plan->unpacked = true;
}

void ps_eip_plan_init(PsEipPlan *plan, const PsConfig *config, const PsPollSet *set) {
    *plan = (PsEipPlan){
        .items = ps_alloc_array(set->variable_count, sizeof *plan->items),
        .item_count = set->variable_count,
        .order = ps_alloc_array(set->variable_count, sizeof *plan->order),
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
    free(plan->order);
    free(plan->packets);
    ps_buf_deinit(&plan->paths);
    ps_buf_deinit(&plan->keys);
    ps_buf_deinit(&plan->requests);
    *plan = (PsEipPlan){0};
}

// What the other's index counts, where it is an index into the same.
static void take_indexing(PsEipPlan *plan, const PsEipPlan *other) {
    for (uint32_t i = 0, j = 0; i < plan->item_count && j < other->item_count;) {
        PsEipItem *item = &plan->items[i];
        const PsEipItem *known = &other->items[j];
        int order = compare_keys(item_key(plan, item), item->key_len, item_key(other, known),
                                 known->key_len);
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
        plan->unpacked = plan->unpacked || entry->resting;
        entry->resting = false;
    }
}

// --- packing

static bool has_open_item(const PsEipPlan *plan, const PsEipEntry *entry) {
    for (uint32_t i = entry->first_item; i < entry->first_item + entry->item_count; i++) {
        if (!ps_eip_item_done(plan, &plan->items[i])) {
            return true;
        }
    }
    return false;
}

static uint32_t request_len(const PsEipPlan *plan, const PsEipEntry *entry) {
    uint16_t path_len;
    (void)ps_eip_entry_path(plan, entry, &path_len);
    return 2U + path_len + REQUEST_TAIL;
}

static uint32_t answer_len(const PsEipEntry *entry) {
    return entry->answer_len > 0 ? entry->answer_len : ANSWER_GUESS;
}

static void put_read(PsEipPlan *plan, const PsEipEntry *entry) {
    uint16_t path_len;
    const uint8_t *path = ps_eip_entry_path(plan, entry, &path_len);
    ps_eip_request_put(&plan->requests, entry->fragments ? PS_EIP_READ_FRAGMENT : PS_EIP_READ_TAG,
                       path, path_len);
    ps_buf_put_u16(&plan->requests, 1);
    if (entry->fragments) {
        ps_buf_put_u32(&plan->requests, 0); // from the beginning
    }
}

// The bytes of a packet whose entries are settled. One alone needs no packet around it.
static void put_packet(PsEipPlan *plan, PsEipPacket *packet) {
    packet->at = (uint32_t)plan->requests.len;
    if (packet->count == 1) {
        put_read(plan, &plan->entries[plan->order[packet->first]]);
    } else {
        ps_eip_multiple_begin(&plan->requests, packet->count);
        for (uint16_t i = 0; i < packet->count; i++) {
            ps_eip_multiple_next(&plan->requests, packet->at, i);
            put_read(plan, &plan->entries[plan->order[packet->first + i]]);
        }
    }
    packet->len = (uint32_t)plan->requests.len - packet->at;
}

// Sizes of the packet that is being filled.
typedef struct Filling {
    uint32_t request;
    uint32_t answer;
} Filling;

static bool fits(const PsEipPlan *plan, const PsEipPacket *packet, const Filling *filling,
                 const PsEipEntry *entry, const PsEipLimits *limits) {
    if (packet->count == 0) {
        return true;
    }
    return limits->multiple && packet->count < UINT16_MAX &&
           filling->request + 2 + request_len(plan, entry) <= limits->request &&
           filling->answer + 2 + answer_len(entry) <= limits->answer;
}

static void close_packet(PsEipPlan *plan, PsEipPacket *packet, Filling *filling) {
    if (packet->count > 0) {
        put_packet(plan, packet);
        plan->packets[plan->packet_count++] = *packet;
    }
    *packet = (PsEipPacket){.first = packet->first + packet->count};
    *filling = (Filling){.request = PS_EIP_MULTIPLE_HEAD, .answer = PS_EIP_MULTIPLE_REPLY_HEAD};
}

static bool is_asked(PsEipPlan *plan, PsEipEntry *entry, bool open_only, PsMono now) {
    entry->resting = entry->resting && entry->next_try.ns > now.ns;
    if (entry->resting) {
        bool first = plan->next_try.ns == 0 || entry->next_try.ns < plan->next_try.ns;
        plan->next_try = first ? entry->next_try : plan->next_try;
        return false;
    }
    return !open_only || has_open_item(plan, entry);
}

static void pack(PsEipPlan *plan, const PsEipLimits *limits, bool open_only, PsMono now) {
    plan->packet_count = 0;
    plan->next_try = (PsMono){0};
    ps_buf_clear(&plan->requests);
    uint32_t ordered = 0;
    PsEipPacket packet = {0};
    Filling filling;
    close_packet(plan, &packet, &filling);
    for (uint32_t i = 0; i < plan->entry_count; i++) {
        PsEipEntry *entry = &plan->entries[i];
        if (!is_asked(plan, entry, open_only, now)) {
            continue;
        }
        if (entry->fragments || !fits(plan, &packet, &filling, entry, limits)) {
            close_packet(plan, &packet, &filling);
        }
        plan->order[ordered++] = i;
        packet.count++;
        filling.request += 2 + request_len(plan, entry);
        filling.answer += 2 + answer_len(entry);
        if (entry->fragments) {
            close_packet(plan, &packet, &filling);
        }
    }
    close_packet(plan, &packet, &filling);
}

void ps_eip_plan_begin(PsEipPlan *plan, const PsEipLimits *limits, PsMono now) {
    plan->cycle++;
    if (plan->unsorted) {
        sort(plan);
    }
    if (plan->unpacked || (plan->next_try.ns != 0 && plan->next_try.ns <= now.ns)) {
        plan->unpacked = false;
        pack(plan, limits, false, now);
    }
}

bool ps_eip_plan_again(PsEipPlan *plan, const PsEipLimits *limits, PsMono now) {
    if (plan->unsorted) {
        sort(plan);
    }
    pack(plan, limits, true, now);
    plan->unpacked = true; // the next cycle asks for all again
    return plan->packet_count > 0;
}

// --- learning

void ps_eip_entry_answered(PsEipPlan *plan, PsEipEntry *entry, size_t len) {
    uint16_t bounded = len < UINT16_MAX ? (uint16_t)len : UINT16_MAX;
    entry->status = PS_EIP_OK;
    entry->refusals = 0;
    if (bounded > entry->answer_len || entry->supposed) {
        entry->answer_len = bounded;
        entry->supposed = false;
        plan->unpacked = true;
    }
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
    if (before == PS_EIP_INDEX_NONE) {
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
