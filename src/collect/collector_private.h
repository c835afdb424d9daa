//! Inside of the collector, shared by its files: collector.c (running), collector_build.c (making
//! its parts from a configuration, and again when that changes), peek.c (looking at bytes). Main
//! thread.
#pragma once

#include "base/wake.h"
#include "collect/channel.h"
#include "collect/collector.h"
#include "collect/group_state.h"
#include "collect/layout.h"
#include "collect/recall.h"

struct PsCollector {
    PsCollectorSetup setup;
    PsChannel **channels;
    uint32_t channel_count;
    PsLayout layout;          // of the present configuration
    uint32_t *variable_place; // by variable: its number in the part of its channel
    PsGroupState *groups;
    PsChannel **leaving; // no longer in the configuration; freed when their threads have ended
    uint32_t leaving_count;
    uint32_t recalls_left; // channels that left while a recall waited for them
    PsRecalls *recalls;
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
/// A channel that leaves has ended: it is freed; one that stays is not.
void ps_collector_bury(PsCollector *collector, PsChannel *channel);
