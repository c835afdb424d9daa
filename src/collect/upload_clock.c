// Three answers to "is it time": complete, waited long enough, silent for too long. Pure.
#include "collect/upload_clock.h"

#include "base/mem.h"
#include "collect/schedule.h"

#include <stdlib.h>

void ps_upload_clock_init(PsUploadClock *clock, int64_t polling_ns, int64_t upload_ns,
                          int64_t silence_ns, uint32_t channel_count) {
    *clock = (PsUploadClock){
        .polling_ns = polling_ns,
        .upload_ns = upload_ns > polling_ns ? upload_ns : polling_ns,
        .silence_ns = silence_ns,
        .channel_count = channel_count,
        .answered = ps_alloc_array(channel_count, sizeof *clock->answered),
    };
}

void ps_upload_clock_deinit(PsUploadClock *clock) {
    free(clock->answered);
    *clock = (PsUploadClock){0};
}

void ps_upload_clock_start(PsUploadClock *clock, PsMono base, PsMono now) {
    clock->base = base;
    clock->tick = ps_cycle_at(base, clock->upload_ns, now);
}

void ps_upload_clock_follow(PsUploadClock *clock, const PsUploadClock *before, PsMono now) {
    clock->base = before->base;
    clock->news = before->news;
    clock->tick = clock->upload_ns == before->upload_ns
                      ? before->tick
                      : ps_cycle_at(clock->base, clock->upload_ns, now) + 1;
}

void ps_upload_clock_carry(PsUploadClock *clock, uint32_t slot, const PsUploadClock *before,
                           uint32_t slot_before) {
    if (clock->polling_ns == before->polling_ns) {
        clock->answered[slot] = before->answered[slot_before];
    }
}

void ps_upload_clock_report(PsUploadClock *clock, uint32_t slot, uint64_t cycle) {
    if (cycle >= clock->answered[slot]) {
        clock->answered[slot] = cycle + 1;
    }
    clock->news = true;
}

static PsMono tick_time(const PsUploadClock *clock) {
    return ps_cycle_time(clock->base, clock->upload_ns, clock->tick);
}

// The newest cycle that is due at the tick.
static uint64_t wanted_cycle(const PsUploadClock *clock) {
    return ps_cycle_at(clock->base, clock->polling_ns, tick_time(clock));
}

static PsMono patience_end(const PsUploadClock *clock) {
    int64_t half = clock->polling_ns / 2;
    int64_t grace = half < PS_NS_PER_S ? half : PS_NS_PER_S;
    PsMono due = ps_cycle_time(clock->base, clock->polling_ns, wanted_cycle(clock));
    return ps_mono_add_ns(due, grace);
}

static PsMono silence_end(const PsUploadClock *clock) {
    PsMono due = ps_cycle_time(clock->base, clock->polling_ns, wanted_cycle(clock));
    return ps_mono_add_ns(due, clock->silence_ns);
}

static bool complete(const PsUploadClock *clock) {
    uint64_t wanted = wanted_cycle(clock);
    for (uint32_t i = 0; i < clock->channel_count; i++) {
        if (clock->answered[i] <= wanted) {
            return false;
        }
    }
    return true;
}

bool ps_upload_clock_due(const PsUploadClock *clock, PsMono now) {
    if (now.ns < tick_time(clock).ns) {
        return false;
    }
    return complete(clock) || (clock->news && now.ns >= patience_end(clock).ns) ||
           now.ns >= silence_end(clock).ns;
}

void ps_upload_clock_done(PsUploadClock *clock, PsMono now) {
    uint64_t newest = ps_cycle_at(clock->base, clock->upload_ns, now);
    clock->tick = (newest > clock->tick ? newest : clock->tick) + 1;
    clock->news = false;
}

PsMono ps_upload_clock_next(const PsUploadClock *clock, PsMono now) {
    PsMono tick = tick_time(clock);
    if (complete(clock)) {
        return tick;
    }
    // The report that completes the cycle will ask again; only its absence needs a timer.
    PsMono patience = patience_end(clock);
    PsMono wait = patience.ns > tick.ns ? patience : tick;
    if (wait.ns > now.ns) {
        return wait;
    }
    PsMono silence = silence_end(clock);
    return silence.ns > now.ns ? silence : ps_mono_add_ns(now, clock->polling_ns);
}
