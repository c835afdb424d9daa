//! What one channel polls, how often, and what belongs to it: everything about a channel that
//! changes when its part of the configuration does. A plan is made on the main thread, given to the
//! channel thread as an order, and comes back as the report that it has taken the place of the one
//! before, which the main thread then frees. Batches belong to their plan.
#pragma once

#include "base/backoff.h"
#include "collect/note.h"
#include "collect/poll_sets.h"
#include "collect/schedule.h"
#include "model/config_part.h"

/// Batches of one plan: one being filled, one on its way, one being applied.
#define PS_CHANNEL_BATCHES 3

/// How long endpoints and devices that are away are left alone.
extern const PsBackoffPolicy ps_channel_retry;

/// What the channel thread knows about one device.
typedef struct PsDeviceState {
    uint32_t device;    ///< index into the part's devices
    uint32_t first_set; ///< the set it is tried with; UINT32_MAX when nothing of it is read
    bool away;
    bool untold;   ///< away without having been asked; its silence is not in the log yet
    bool answered; ///< at least once since the channel came up
    bool refusing; ///< some request of it was refused the last time; logged once
    PsMono next_try;
    PsBackoff backoff;
} PsDeviceState;

/// The same, as the main thread may see it.
typedef struct PsDeviceBoard {
    bool away;
    PsContact contact;
    PsMono next_try; ///< while it is away
    char last_error[384];
} PsDeviceBoard;

typedef struct PsChannelPlan {
    PsNote head;                ///< there and back
    struct PsChannelPlan *next; ///< main thread: ordered after this one
    PsConfigPart *part;         ///< its config is everybody's to read, its places the main thread's
    const PsConfig *config;     ///< the part's
    uint32_t *device_list;      ///< 0, 1, 2, ...: what a driver wants
    PsPollSets sets;
    PsEndpoint endpoint;
    uint32_t *moved; ///< by variable of the plan before: its number here; NULL for the first plan
    PsBatchNote batches[PS_CHANNEL_BATCHES];

    // The channel thread's, once it has the plan.
    PsSchedule schedule;
    PsDeviceState *states; ///< one per device

    // Both threads', under the channel's lock.
    PsDeviceBoard *board_devices;
    PsScheduleEntry *board_entries; ///< copy of the schedule's
} PsChannelPlan;

/// Takes the part over. `before` (may be NULL) is the plan whose place it will take.
PsChannelPlan *ps_channel_plan_new(PsChannel *channel, PsConfigPart *part,
                                   const PsChannelPlan *before);
/// Cycles of all groups are counted from `base`; the first to be taken is the newest one due at
/// `now`. Before the channel thread has the plan.
void ps_channel_plan_begin(PsChannelPlan *plan, PsMono base, PsMono now);
/// Accepts NULL.
void ps_channel_plan_free(PsChannelPlan *plan);

/// Channel thread: what is known about devices that stay, and where the cycles of groups stand that
/// have the same interval.
void ps_channel_plan_follow(PsChannelPlan *plan, const PsChannelPlan *before);
