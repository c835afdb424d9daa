//! The filters one client subscribes to, as far as the front must know them: their number is
//! limited, `a/#` must not bring `a`, and a wildcard brings no retained message. Pure.
#pragma once

#include "localcloud/front/property.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct PsSubscription {
    char *filter; ///< as the client wrote it, with $share/<name>/
    size_t len;
    uint8_t options;
    bool under;        ///< ends in "/#", so that the broker also gives it the parent
    bool retained_due; ///< exact filter whose retained message may come now
} PsSubscription;

/// Zero-initialised is none.
typedef struct PsSubscriptions {
    PsSubscription *items;
    size_t count;
    size_t capacity;
    size_t under_count;
    bool unknown; ///< the broker has filters that are not here (a store was lost)
} PsSubscriptions;

void ps_subscriptions_deinit(PsSubscriptions *subscriptions);
/// Index, or `count`.
size_t ps_subscriptions_find(const PsSubscriptions *subscriptions, PsBytes filter);
/// Adds, or replaces the options.
void ps_subscriptions_put(PsSubscriptions *subscriptions, PsBytes filter, uint8_t options);
/// False when there is no such filter.
bool ps_subscriptions_drop(PsSubscriptions *subscriptions, PsBytes filter);
/// Is the topic taken by AWS's rules? The broker gave it to us, so by MQTT's it is.
bool ps_subscriptions_take(const PsSubscriptions *subscriptions, PsBytes topic);
/// The exact filters that a SUBACK granted are due their retained message, others no more.
void ps_subscriptions_retained_none(PsSubscriptions *subscriptions);
void ps_subscriptions_retained_due(PsSubscriptions *subscriptions, PsBytes filter);
/// May a retained message of this topic pass? Once per granted exact filter.
bool ps_subscriptions_retained_take(PsSubscriptions *subscriptions, PsBytes topic);
