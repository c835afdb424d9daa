// The upload clock at the polling interval, and what no sample has yet. Pure.
#include "collect/sampling.h"

#include "base/mem.h"

#include <stdlib.h>

// Apart at least, so that a receiver can tell two samples by their time: the steps of a double of
// seconds and of most scripts are coarser than nanoseconds.
#define STEP_NS (PS_NS_PER_S / 1000)

void ps_sampling_init(PsSampling *sampling, int64_t polling_ns, int64_t silence_ns,
                      uint32_t channel_count) {
    *sampling = (PsSampling){.unsampled = ps_alloc_array(channel_count, sizeof(bool))};
    ps_upload_clock_init(&sampling->clock, polling_ns, polling_ns, silence_ns, channel_count);
}

void ps_sampling_deinit(PsSampling *sampling) {
    ps_upload_clock_deinit(&sampling->clock);
    free(sampling->unsampled);
    *sampling = (PsSampling){0};
}

void ps_sampling_start(PsSampling *sampling, PsMono base, PsMono now) {
    ps_upload_clock_start(&sampling->clock, base, now);
}

void ps_sampling_follow(PsSampling *sampling, const PsSampling *before, PsMono now) {
    ps_upload_clock_follow(&sampling->clock, &before->clock, now);
    sampling->clock.news = false; // said again by the channels that go on
    sampling->read = before->read;
    sampling->read_wall = before->read_wall;
    sampling->last = before->last;
}

static void note_unsampled(PsSampling *sampling, uint32_t slot) {
    sampling->clock.news = true;
    if (!sampling->unsampled[slot]) {
        sampling->unsampled[slot] = true;
        sampling->unsampled_count++;
    }
}

void ps_sampling_carry(PsSampling *sampling, uint32_t slot, const PsSampling *before,
                       uint32_t slot_before) {
    ps_upload_clock_carry(&sampling->clock, slot, &before->clock, slot_before);
    if (before->unsampled[slot_before]) {
        note_unsampled(sampling, slot);
    }
}

bool ps_sampling_is_ahead(const PsSampling *sampling, uint32_t slot) {
    return sampling->unsampled[slot];
}

void ps_sampling_report(PsSampling *sampling, uint32_t slot, uint64_t cycle, bool counts,
                        PsMono read, PsWall read_wall) {
    if (counts) {
        ps_upload_clock_report(&sampling->clock, slot, cycle);
        // Cycles that a slow device has skipped do not come any more.
        sampling->clock.tick = cycle > sampling->clock.tick ? cycle : sampling->clock.tick;
    }
    // Threads report side by side: what comes last need not have been read last.
    if (!ps_sampling_pending(sampling) || read.ns > sampling->read.ns) {
        sampling->read = read;
        sampling->read_wall = read_wall;
    }
    note_unsampled(sampling, slot);
}

bool ps_sampling_due(const PsSampling *sampling, PsMono now) {
    return ps_upload_clock_due(&sampling->clock, now);
}

PsMono ps_sampling_read(const PsSampling *sampling, PsMono now) {
    return ps_sampling_pending(sampling) ? sampling->read : now;
}

// A stamp a little before the last one is of a channel that was read before and reported after. A
// clock that was set back is another thing: there the true time counts.
static PsWall stamp_after(PsWall last, PsWall stamp, int64_t polling_ns) {
    if (stamp.ns <= last.ns && last.ns - stamp.ns < polling_ns) {
        return (PsWall){last.ns + STEP_NS};
    }
    return stamp;
}

PsWall ps_sampling_done(PsSampling *sampling, PsMono now, PsWall wall) {
    if (!ps_sampling_pending(sampling)) {
        ps_upload_clock_done(&sampling->clock, now);
        sampling->last = stamp_after(sampling->last, wall, sampling->clock.polling_ns);
        return sampling->last;
    }
    if (ps_sampling_due(sampling, now)) {
        sampling->clock.tick++; // otherwise the cycle goes on and makes another one
    }
    sampling->clock.news = false;
    for (uint32_t i = 0; i < sampling->clock.channel_count; i++) {
        sampling->unsampled[i] = false;
    }
    sampling->unsampled_count = 0;
    sampling->last = stamp_after(sampling->last, sampling->read_wall, sampling->clock.polling_ns);
    return sampling->last;
}

PsMono ps_sampling_next(const PsSampling *sampling, PsMono now) {
    return ps_upload_clock_next(&sampling->clock, now);
}
