// Token buckets and a delay-based window. Pure.
#include "link/pace.h"

#define BURST_S 0.1
#define WINDOW_LEAST 4
// Slower than this beside the quickest means that something between here and the cloud is full. An
// acknowledgement may lie on our own side for PS_LINK_QUIET_MS.
#define SLOW_FACTOR 2
#define SLOW_NS (300 * PS_NS_PER_MS)
#define AVERAGE_OF 8
#define FORGET_OF 8192

static double burst(const PsPace *pace, int per_s) {
    double tokens = per_s * pace->burst_s;
    return tokens > 1 ? tokens : 1;
}

void ps_pace_init(PsPace *pace, PsLinkPace limit, size_t window, PsMono now) {
    *pace = (PsPace){.limit = limit, .most = window, .burst_s = BURST_S};
    ps_pace_restart(pace, now);
}

void ps_pace_restart(PsPace *pace, PsMono now) {
    pace->window = pace->most;
    pace->publishes = burst(pace, pace->limit.publishes_per_s);
    pace->bytes = burst(pace, pace->limit.bytes_per_s);
    pace->filled = now;
    pace->quickest_ns = 0;
    pace->usual_ns = 0;
    pace->until_look = pace->window;
}

static double filled(const PsPace *pace, double tokens, int per_s, double passed_s) {
    double full = tokens + per_s * passed_s;
    return full < burst(pace, per_s) ? full : burst(pace, per_s);
}

static void fill(PsPace *pace, PsMono now) {
    double passed_s = (double)ps_mono_diff_ns(now, pace->filled) / PS_NS_PER_S;
    if (passed_s > 0) {
        pace->publishes = filled(pace, pace->publishes, pace->limit.publishes_per_s, passed_s);
        pace->bytes = filled(pace, pace->bytes, pace->limit.bytes_per_s, passed_s);
        pace->filled = now;
    }
}

bool ps_pace_may_send(PsPace *pace, size_t in_flight, PsMono now) {
    fill(pace, now);
    return in_flight < pace->window && (pace->limit.publishes_per_s == 0 || pace->publishes >= 1) &&
           (pace->limit.bytes_per_s == 0 || pace->bytes > 0);
}

// Seconds until `tokens` have become `wanted`.
static double wait_s(double tokens, double wanted, int per_s) {
    return per_s > 0 && tokens < wanted ? (wanted - tokens) / per_s : 0;
}

PsMono ps_pace_next(const PsPace *pace, PsMono now) {
    double publishes = wait_s(pace->publishes, 1, pace->limit.publishes_per_s);
    double bytes = wait_s(pace->bytes, 1, pace->limit.bytes_per_s);
    double longest = publishes > bytes ? publishes : bytes;
    PsMono next = ps_mono_add_ns(pace->filled, (int64_t)(longest * PS_NS_PER_S));
    return next.ns > now.ns ? next : now;
}

void ps_pace_sent(PsPace *pace, size_t bytes) {
    pace->publishes -= 1;
    pace->bytes -= (double)bytes; // one large message makes a debt and is waited for
}

static bool is_slow(const PsPace *pace) {
    return pace->usual_ns > SLOW_FACTOR * pace->quickest_ns + SLOW_NS;
}

void ps_pace_acknowledged(PsPace *pace, int64_t took_ns) {
    if (pace->quickest_ns == 0 || took_ns < pace->quickest_ns) {
        pace->quickest_ns = took_ns;
    } else {
        pace->quickest_ns += (took_ns - pace->quickest_ns) / FORGET_OF;
    }
    pace->usual_ns += pace->usual_ns == 0 ? took_ns : (took_ns - pace->usual_ns) / AVERAGE_OF;
    if (--pace->until_look > 0) {
        return;
    }
    size_t least = pace->most < WINDOW_LEAST ? pace->most : WINDOW_LEAST;
    size_t smaller = pace->window - pace->window / 4;
    if (is_slow(pace)) {
        pace->window = smaller > least ? smaller : least;
    } else if (pace->window < pace->most) {
        pace->window++;
    }
    pace->until_look = pace->window;
}
