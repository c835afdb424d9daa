// Devices that have no variables, and so no channel, while somebody looks into them: one channel
// for each, which polls nothing, connects when there is a job, and leaves a minute after the last.
// Main thread; never blocks.
#include "collect/collector_private.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

// As long as one needs to open the next folder.
#define STAYS_NS (60 * PS_NS_PER_S)

static PsConfigPart *cut_out(const PsConfig *config, uint32_t device) {
    uint32_t *places = ps_alloc_array(config->device_count, sizeof *places);
    for (uint32_t i = 0; i < config->device_count; i++) {
        places[i] = i == device ? 0 : PS_NOT_THERE;
    }
    PsConfigPart *part = NULL;
    ps_config_parts_new(config, places, 1, &part);
    free(places);
    return part;
}

static PsErr make(PsCollector *collector, uint32_t device, PsDiag *diag) {
    PsChannel *channel = NULL;
    PsConfigPart *part = cut_out(collector->setup.config, device);
    PsErr err = ps_collector_make_channel(collector, part, PS_NOT_THERE, true, &channel, diag);
    if (err != PS_OK) {
        return err;
    }
    ps_collector_make_room(collector, 1);
    PsMono now = ps_mono_now();
    err = ps_channel_start(channel, now, now, diag);
    if (err != PS_OK) {
        ps_channel_free(channel);
        return err;
    }
    collector->guests[collector->guest_count++] = (PsGuest){.channel = channel, .device = device};
    return PS_OK;
}

static void remove_at(PsCollector *collector, uint32_t index) {
    PsChannel *channel = collector->guests[index].channel;
    collector->guests[index] = collector->guests[--collector->guest_count];
    ps_collector_leave(collector, channel);
}

// The one that was used longest ago gives way, unless something is being done for it.
static bool make_way(PsCollector *collector) {
    uint32_t found = PS_NOT_THERE;
    for (uint32_t i = 0; i < collector->guest_count; i++) {
        const PsGuest *guest = &collector->guests[i];
        if (ps_channel_jobs(guest->channel) == 0 &&
            (found == PS_NOT_THERE || guest->until.ns < collector->guests[found].until.ns)) {
            found = i;
        }
    }
    if (found != PS_NOT_THERE) {
        remove_at(collector, found);
    }
    return found != PS_NOT_THERE;
}

PsErr ps_guests_take(PsCollector *collector, uint32_t device, PsChannel **ret_channel,
                     PsDiag *diag) {
    uint32_t at = 0;
    while (at < collector->guest_count && collector->guests[at].device != device) {
        at++;
    }
    if (at == collector->guest_count) {
        if (at == PS_GUESTS_MAX && !make_way(collector)) {
            return ps_fail(PS_ERR_FULL, diag, collector->setup.config->devices[device].name, NULL,
                           "%d other devices are being looked into; try again in a moment",
                           PS_GUESTS_MAX);
        }
        at = collector->guest_count;
        PsErr err = make(collector, device, diag);
        if (err != PS_OK) {
            return err;
        }
    }
    collector->guests[at].until = ps_mono_add_ns(ps_mono_now(), STAYS_NS);
    *ret_channel = collector->guests[at].channel;
    return PS_OK;
}

PsMono ps_guests_expire(PsCollector *collector, PsMono now) {
    PsMono next = {INT64_MAX};
    for (uint32_t i = collector->guest_count; i-- > 0;) {
        PsGuest *guest = &collector->guests[i];
        if (ps_channel_jobs(guest->channel) > 0) {
            guest->until = ps_mono_add_ns(now, STAYS_NS);
        } else if (guest->until.ns <= now.ns) {
            remove_at(collector, i);
            continue;
        }
        next = guest->until.ns < next.ns ? guest->until : next;
    }
    return next;
}

void ps_guests_leave(PsCollector *collector) {
    while (collector->guest_count > 0) {
        remove_at(collector, 0);
    }
}
