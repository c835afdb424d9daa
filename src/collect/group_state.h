//! One group of the running configuration: who polls it, when its snapshots are due, how many there
//! were. Main thread.
#pragma once

#include "collect/channel.h"
#include "collect/uploader.h"

typedef struct PsGroupState {
    PsUploader *uploader; ///< NULL for groups that are never uploaded
    PsChannel **channels; ///< those that poll it, by ascending number: the slots of its clock
    uint32_t channel_count;
    uint64_t uploads;
} PsGroupState;

/// All groups of the configuration; `wanted` tells which are uploaded. Freed with
/// ps_group_states_free.
PsGroupState *ps_group_states_new(const PsConfig *config, PsChannel *const *channels,
                                  uint32_t channel_count, bool (*wanted)(uint32_t group, void *ctx),
                                  void *ctx);
/// Accepts NULL.
void ps_group_states_free(PsGroupState *groups, uint32_t count);

/// Goes on where the same group of the former configuration stands.
void ps_group_state_follow(PsGroupState *group, const PsGroupState *before, const PsConfigMap *map,
                           PsMono now);

/// The slot of a channel, PS_NOT_THERE when it does not poll the group.
uint32_t ps_group_state_slot(const PsGroupState *group, const PsChannel *channel);
