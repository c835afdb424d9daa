// Places to requests, from left to right: elements next to each other become one Read Tag, and as
// many of those one packet as both limits allow. Pure; one owner.
#include "drivers/eip/cip.h"
#include "drivers/eip/plan.h"

#include <string.h>

// Expected of an answer before the first has come: head, type, and the STRING every controller has.
#define ANSWER_GUESS (PS_EIP_REPLY_HEAD + 4U + 88U)
#define VALUES_HEAD (PS_EIP_REPLY_HEAD + 2U) // of elementary values: head, type
#define REQUEST_TAIL 2U                      // number of elements
// Bytes between two elements that nobody wants, and that are cheaper than another request.
#define GAP_MAX 24U

static bool has_open_item(const PsEipPlan *plan, const PsEipEntry *entry) {
    for (uint32_t i = entry->first_item; i < entry->first_item + entry->item_count; i++) {
        if (!ps_eip_item_done(plan, &plan->items[i])) {
            return true;
        }
    }
    return false;
}

// --- elements next to each other

static bool is_element(const PsEipPlan *plan, const PsEipEntry *entry) {
    uint8_t indexing = plan->items[entry->first_item].indexing;
    bool settled = indexing == PS_EIP_INDEX_ELEMENT || indexing == PS_EIP_INDEX_BIT;
    return settled && entry->size > 0 && !entry->apart && !entry->fragments && entry->status == 0;
}

static bool same_array(const PsEipPlan *plan, const PsEipEntry *a, const PsEipEntry *b) {
    const PsEipItem *left = &plan->items[a->first_item];
    const PsEipItem *right = &plan->items[b->first_item];
    return left->path_len == right->path_len &&
           memcmp(plan->paths.data + left->path_at, plan->paths.data + right->path_at,
                  left->path_len) == 0;
}

// Takes the entry behind the span into it when it lies near enough.
static bool extend(const PsEipPlan *plan, PsEipSpan *span, uint32_t index,
                   const PsEipLimits *limits) {
    const PsEipEntry *first = &plan->entries[span->first];
    const PsEipEntry *entry = &plan->entries[index];
    if (index != span->first + span->entries || !is_element(plan, first) ||
        !is_element(plan, entry) || entry->size != first->size || !same_array(plan, first, entry)) {
        return false;
    }
    uint32_t start = ps_eip_entry_index(plan, first);
    uint32_t end = start + span->elements;
    uint32_t at = ps_eip_entry_index(plan, entry);
    uint32_t elements = at - start + 1;
    if (at < end || (at - end) * (uint64_t)entry->size > GAP_MAX || elements > UINT16_MAX ||
        VALUES_HEAD + (uint64_t)elements * entry->size + PS_EIP_MULTIPLE_REPLY_HEAD + 2 >
            limits->answer) {
        return false;
    }
    span->elements = (uint16_t)elements;
    span->entries++;
    return true;
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

static void make_spans(PsEipPlan *plan, const PsEipLimits *limits, bool open_only, PsMono now) {
    plan->span_count = 0;
    plan->next_try = (PsMono){0};
    for (uint32_t i = 0; i < plan->entry_count; i++) {
        if (!is_asked(plan, &plan->entries[i], open_only, now)) {
            continue;
        }
        if (plan->span_count > 0 && extend(plan, &plan->spans[plan->span_count - 1], i, limits)) {
            continue;
        }
        plan->spans[plan->span_count++] = (PsEipSpan){.first = i, .entries = 1, .elements = 1};
    }
}

// --- packets

static uint32_t request_len(const PsEipPlan *plan, const PsEipSpan *span) {
    uint8_t path[PS_EIP_PLACE_PATH_MAX];
    return 2U + ps_eip_entry_path(plan, &plan->entries[span->first], path) + REQUEST_TAIL;
}

static uint32_t answer_len(const PsEipPlan *plan, const PsEipSpan *span) {
    const PsEipEntry *entry = &plan->entries[span->first];
    if (span->entries > 1) {
        return VALUES_HEAD + (uint32_t)span->elements * entry->size;
    }
    return entry->answer_len > 0 ? entry->answer_len : ANSWER_GUESS;
}

static void put_read(PsEipPlan *plan, const PsEipSpan *span) {
    const PsEipEntry *entry = &plan->entries[span->first];
    uint8_t path[PS_EIP_PLACE_PATH_MAX];
    uint16_t path_len = ps_eip_entry_path(plan, entry, path);
    ps_eip_request_put(&plan->requests, entry->fragments ? PS_EIP_READ_FRAGMENT : PS_EIP_READ_TAG,
                       path, path_len);
    ps_buf_put_u16(&plan->requests, span->elements);
    if (entry->fragments) {
        ps_buf_put_u32(&plan->requests, 0); // from the beginning
    }
}

// The bytes of a packet whose spans are settled. One alone needs no packet around it.
static void put_packet(PsEipPlan *plan, PsEipPacket *packet) {
    packet->at = (uint32_t)plan->requests.len;
    if (packet->count == 1) {
        put_read(plan, &plan->spans[packet->first]);
    } else {
        ps_eip_multiple_begin(&plan->requests, packet->count);
        for (uint16_t i = 0; i < packet->count; i++) {
            ps_eip_multiple_next(&plan->requests, packet->at, i);
            put_read(plan, &plan->spans[packet->first + i]);
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
                 const PsEipSpan *span, const PsEipLimits *limits) {
    if (packet->count == 0) {
        return true;
    }
    return limits->multiple && packet->count < UINT16_MAX &&
           !plan->entries[span->first].fragments &&
           filling->request + 2 + request_len(plan, span) <= limits->request &&
           filling->answer + 2 + answer_len(plan, span) <= limits->answer;
}

static void close_packet(PsEipPlan *plan, PsEipPacket *packet, Filling *filling) {
    if (packet->count > 0) {
        put_packet(plan, packet);
        plan->packets[plan->packet_count++] = *packet;
    }
    *packet = (PsEipPacket){.first = packet->first + packet->count};
    *filling = (Filling){.request = PS_EIP_MULTIPLE_HEAD, .answer = PS_EIP_MULTIPLE_REPLY_HEAD};
}

void ps_eip_plan_pack(PsEipPlan *plan, const PsEipLimits *limits, bool open_only, PsMono now) {
    make_spans(plan, limits, open_only, now);
    plan->packet_count = 0;
    ps_buf_clear(&plan->requests);
    PsEipPacket packet = {0};
    Filling filling;
    close_packet(plan, &packet, &filling);
    for (uint32_t i = 0; i < plan->span_count; i++) {
        const PsEipSpan *span = &plan->spans[i];
        if (!fits(plan, &packet, &filling, span, limits)) {
            close_packet(plan, &packet, &filling);
        }
        packet.count++;
        filling.request += 2 + request_len(plan, span);
        filling.answer += 2 + answer_len(plan, span);
        if (plan->entries[span->first].fragments) {
            close_packet(plan, &packet, &filling);
        }
    }
    close_packet(plan, &packet, &filling);
}
