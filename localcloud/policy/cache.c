// Verdicts of one connection, remembered: what it publishes again and again costs a comparison.
// Pure.
#include "localcloud/policy/policy.h"

#include <string.h>

void ps_policy_cache_clear(PsPolicyCache *cache) {
    for (size_t i = 0; i < PS_POLICY_CACHE_SLOTS; i++) {
        cache->slots[i].len = 0;
    }
}

PsPolicyVerdict ps_policy_cache_decide(PsPolicyCache *cache, const PsPolicySet *set,
                                       const PsPolicyContext *context, PsPolicyAction action,
                                       const char *resource, size_t resource_len) {
    for (size_t i = 0; i < PS_POLICY_CACHE_SLOTS; i++) {
        const PsPolicyCacheSlot *slot = &cache->slots[i];
        if (slot->len > 0 && slot->len == resource_len && slot->action == action &&
            memcmp(slot->resource, resource, resource_len) == 0) {
            return (PsPolicyVerdict)slot->verdict;
        }
    }
    PsPolicyVerdict verdict = ps_policy_decide(set, context, action, resource, resource_len, NULL);
    if (resource_len > 0 && resource_len <= PS_POLICY_CACHE_LONGEST) {
        PsPolicyCacheSlot *slot = &cache->slots[cache->next];
        slot->len = (uint16_t)resource_len;
        slot->action = (uint8_t)action;
        slot->verdict = (uint8_t)verdict;
        memcpy(slot->resource, resource, resource_len);
        cache->next = (uint8_t)((cache->next + 1) % PS_POLICY_CACHE_SLOTS);
    }
    return verdict;
}
