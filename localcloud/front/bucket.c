// A bucket that fills with time: all of its state is when it will be full. Pure; any thread.
#include "localcloud/front/bucket.h"

// Time in which `amount` flows in.
static int64_t span_ns(uint32_t rate, uint32_t amount) {
    return (int64_t)((double)amount * (double)PS_NS_PER_S / (double)rate);
}

static void begin(PsBucket *bucket, PsMono now) {
    if (ps_mono_diff_ns(bucket->full_at, now) < 0) {
        bucket->full_at = now;
    }
}

bool ps_bucket_take(PsBucket *bucket, uint32_t rate, uint32_t amount, PsMono now) {
    if (rate == 0) {
        return true;
    }
    begin(bucket, now);
    PsMono after = ps_mono_add_ns(bucket->full_at, span_ns(rate, amount));
    if (ps_mono_diff_ns(after, now) > PS_NS_PER_S) {
        return false;
    }
    bucket->full_at = after;
    return true;
}

PsMono ps_bucket_spend(PsBucket *bucket, uint32_t rate, uint32_t amount, PsMono now) {
    if (rate == 0) {
        return now;
    }
    begin(bucket, now);
    bucket->full_at = ps_mono_add_ns(bucket->full_at, span_ns(rate, amount));
    PsMono paid = ps_mono_add_ns(bucket->full_at, -PS_NS_PER_S);
    return ps_mono_diff_ns(paid, now) > 0 ? paid : now;
}
