// Delay arithmetic of retries. Pure; any thread, one owner per object.
#include "base/backoff.h"

#include "base/err.h"

void ps_backoff_init(PsBackoff *backoff, const PsBackoffPolicy *policy) {
    PS_ASSERT(policy->floor_ns >= 0 && policy->floor_ns <= policy->first_ns);
    PS_ASSERT(policy->first_ns <= policy->cap_ns);
    *backoff = (PsBackoff){.policy = *policy};
}

void ps_backoff_up(PsBackoff *backoff, PsMono now) {
    if (!backoff->up) {
        backoff->up = true;
        backoff->up_since = now;
    }
}

static int64_t upper_end(const PsBackoff *backoff) {
    int64_t delay = backoff->policy.first_ns;
    for (uint32_t i = 0; i < backoff->failures && delay < backoff->policy.cap_ns; i++) {
        delay = delay > backoff->policy.cap_ns / 2 ? backoff->policy.cap_ns : delay * 2;
    }
    return delay;
}

int64_t ps_backoff_down(PsBackoff *backoff, PsMono now, uint32_t random) {
    if (backoff->up && ps_mono_diff_ns(now, backoff->up_since) >= backoff->policy.stable_ns) {
        backoff->failures = 0;
    }
    backoff->up = false;
    int64_t range = upper_end(backoff) - backoff->policy.floor_ns;
    if (backoff->failures < UINT32_MAX) {
        backoff->failures++;
    }
    return backoff->policy.floor_ns + (int64_t)((double)range * ((double)random / UINT32_MAX));
}

void ps_backoff_reset(PsBackoff *backoff) {
    backoff->failures = 0;
    backoff->up = false;
}
