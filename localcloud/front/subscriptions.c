// The filters of one client. Pure; any thread.
#include "localcloud/front/subscriptions.h"

#include "base/mem.h"
#include "localcloud/front/filter.h"

#include <stdlib.h>
#include <string.h>

static PsBytes filter_of(const PsSubscription *item) {
    return ps_bytes(item->filter, item->len);
}

static bool same(PsBytes a, PsBytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

void ps_subscriptions_deinit(PsSubscriptions *subscriptions) {
    for (size_t i = 0; i < subscriptions->count; i++) {
        free(subscriptions->items[i].filter);
    }
    free(subscriptions->items);
    *subscriptions = (PsSubscriptions){0};
}

size_t ps_subscriptions_find(const PsSubscriptions *subscriptions, PsBytes filter) {
    size_t i = 0;
    while (i < subscriptions->count && !same(filter_of(&subscriptions->items[i]), filter)) {
        i++;
    }
    return i;
}

static bool is_under(PsBytes filter) {
    return filter.len > 1 && filter.data[filter.len - 1] == '#';
}

void ps_subscriptions_put(PsSubscriptions *subscriptions, PsBytes filter, uint8_t options) {
    size_t at = ps_subscriptions_find(subscriptions, filter);
    if (at < subscriptions->count) {
        subscriptions->items[at].options = options;
        return;
    }
    if (at == subscriptions->capacity) {
        subscriptions->capacity = at > 0 ? at * 2 : 4;
        subscriptions->items = ps_grow_array(subscriptions->items, subscriptions->capacity,
                                             sizeof *subscriptions->items);
    }
    PsSubscription *item = &subscriptions->items[subscriptions->count++];
    *item = (PsSubscription){.filter = ps_alloc(filter.len + 1),
                             .len = filter.len,
                             .options = options,
                             .under = is_under(filter)};
    memcpy(item->filter, filter.data, filter.len);
    subscriptions->under_count += item->under ? 1 : 0;
}

bool ps_subscriptions_drop(PsSubscriptions *subscriptions, PsBytes filter) {
    size_t at = ps_subscriptions_find(subscriptions, filter);
    if (at == subscriptions->count) {
        return false;
    }
    PsSubscription *item = &subscriptions->items[at];
    subscriptions->under_count -= item->under ? 1 : 0;
    free(item->filter);
    *item = subscriptions->items[--subscriptions->count];
    return true;
}

bool ps_subscriptions_take(const PsSubscriptions *subscriptions, PsBytes topic) {
    if (subscriptions->under_count == 0 || subscriptions->unknown) {
        return true;
    }
    bool doubtful = false;
    for (size_t i = 0; i < subscriptions->count; i++) {
        const PsSubscription *item = &subscriptions->items[i];
        doubtful = doubtful || (item->under && ps_filter_is_parent_only(filter_of(item), topic));
    }
    for (size_t i = 0; doubtful && i < subscriptions->count; i++) {
        doubtful = !ps_filter_matches(filter_of(&subscriptions->items[i]), topic);
    }
    return !doubtful;
}

void ps_subscriptions_retained_none(PsSubscriptions *subscriptions) {
    for (size_t i = 0; i < subscriptions->count; i++) {
        subscriptions->items[i].retained_due = false;
    }
}

void ps_subscriptions_retained_due(PsSubscriptions *subscriptions, PsBytes filter) {
    size_t at = ps_subscriptions_find(subscriptions, filter);
    if (at < subscriptions->count) {
        subscriptions->items[at].retained_due = true;
    }
}

bool ps_subscriptions_retained_take(PsSubscriptions *subscriptions, PsBytes topic) {
    size_t at = ps_subscriptions_find(subscriptions, topic);
    if (at == subscriptions->count || !subscriptions->items[at].retained_due) {
        return false;
    }
    subscriptions->items[at].retained_due = false;
    return true;
}
