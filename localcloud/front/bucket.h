//! How often something may happen: a bucket that fills with time. Pure: times are passed in.
#pragma once

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

/// Zero-initialised is a full bucket.
typedef struct PsBucket {
    PsMono full_at; ///< when it is full again
} PsBucket;

/// Takes `amount` out of a bucket that holds `rate` and gets `rate` per second; false, and nothing
/// taken, when it does not hold that much. `rate` 0: no limit. For what is discarded beyond it.
bool ps_bucket_take(PsBucket *bucket, uint32_t rate, uint32_t amount, PsMono now);

/// Takes it in any case, and gives when the bucket has paid for it: `now` or later. For what is
/// delayed.
PsMono ps_bucket_spend(PsBucket *bucket, uint32_t rate, uint32_t amount, PsMono now);
