//! Inside of the collector, shared by its files: collector.c (running), collector_build.c (making
//! its parts from a configuration, and again when that changes), collector_uploads.c (handing out
//! snapshots), collector_look.c (looking at places and into devices), guests.c (devices without
//! variables). Main thread.
#pragma once

#include "base/wake.h"
#include "collect/channel.h"
#include "collect/collector.h"
#include "collect/group_state.h"
#include "collect/layout.h"
#include "collect/learned_store.h"
#include "collect/recall.h"

/// The channel of a device that has no variables, made because somebody looks into it.
typedef struct PsGuest {
    PsChannel *channel;
    uint32_t device;
    PsMono until; ///< it leaves then, unless it is used again
} PsGuest;

struct PsCollector {
    PsCollectorSetup setup;
    PsChannel **channels;
    uint32_t channel_count;
    PsLayout layout;          // of the present configuration
    uint32_t *variable_place; // by variable: its number in the part of its channel
    PsGroupState *groups;
    PsUploadItem *upload_room; // for the snapshot of any of them
    PsChannel **leaving; // no longer in the configuration; freed when their threads have ended
    uint32_t leaving_count;
    PsGuest guests[PS_GUESTS_MAX];
    uint32_t guest_count;
    uint32_t recalls_left; // channels that left while a recall waited for them
    PsRecalls *recalls;
    PsLearnedStore *learned;
    uint32_t folders_made; // a bit for each protocol whose driver has its folder
    PsMailbox *reports;
    PsWake wake;
    uv_timer_t timer;
    unsigned open_handles;
    PsMono base; // cycle 0 of all groups
    bool started;
    bool stopping;
    void (*stopped)(void *ctx);
    void *stopped_ctx;
};

/// Makes channels and groups of the configuration of the setup.
PsErr ps_collector_build(PsCollector *collector, PsDiag *diag);
void ps_collector_free_parts(PsCollector *collector);

/// The channel of a device, or NULL when it has none.
PsChannel *ps_collector_channel_of(const PsCollector *collector, uint32_t device);
/// Makes a channel of a part, which is taken over.
PsErr ps_collector_make_channel(PsCollector *collector, PsConfigPart *part, uint32_t number,
                                bool on_demand, PsChannel **ret_channel, PsDiag *diag);
/// What the channel's devices have taught by now; taken over.
void ps_collector_keep_learned(PsCollector *collector, const PsChannel *channel,
                               PsLearned *learned);
/// Room for the reports of all channels there are, and `more` that are to come.
void ps_collector_make_room(PsCollector *collector, uint32_t more);
/// A channel that is not needed any more is asked to end.
void ps_collector_leave(PsCollector *collector, PsChannel *channel);
/// A channel that leaves has ended: it is freed; one that stays is not.
void ps_collector_bury(PsCollector *collector, PsChannel *channel);

/// Hands out what is due of a group that has an uploader.
void ps_collector_serve(PsCollector *collector, PsGroupState *group, PsMono now);
/// When to do that again, if no report comes before.
PsMono ps_collector_next_upload(const PsGroupState *group, PsMono now);
/// A batch of the group is about to be applied, by the channel with this slot or PS_NOT_THERE: what
/// it replaces is handed out before, with `every_sample`.
void ps_collector_sample_before(PsCollector *collector, uint32_t group, uint32_t slot);
/// A batch was reported: with `every_sample` a sample may be complete.
void ps_collector_sample_after(PsCollector *collector, uint32_t group);

/// The channel of a device that has none otherwise, for a minute from now on. PS_ERR_FULL.
PsErr ps_guests_take(PsCollector *collector, uint32_t device, PsChannel **ret_channel,
                     PsDiag *diag);
/// Those that nobody has used for a while leave; when the next one may.
PsMono ps_guests_expire(PsCollector *collector, PsMono now);
/// All of them, whose jobs are cancelled.
void ps_guests_leave(PsCollector *collector);
