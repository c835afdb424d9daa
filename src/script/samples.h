//! The samples that wait for one worker until the upload interval of their group ends: a queue for
//! each group with `every_sample`, each bounded. Pure; loop thread.
#pragma once

#include "model/config_map.h"
#include "script/inputs.h"

typedef struct PsScriptGroupSamples {
    uint32_t group;    ///< index into PsConfig.groups; PS_NOT_THERE: it is no more
    uint32_t released; ///< so many, the oldest, need not wait any more
    PsScriptInputs inputs;
    uint64_t set_aside; ///< given up because too many waited
    bool early_told;    ///< that the interval is too long for the queue
    bool overflows;     ///< the queue was full and has not been empty since
} PsScriptGroupSamples;

/// Zero-initialised.
typedef struct PsScriptSamples {
    PsScriptGroupSamples *groups;
    uint32_t count;
} PsScriptSamples;

void ps_script_samples_deinit(PsScriptSamples *samples);

/// NULL when none of the group has come yet. Borrowed, as below, until another group's come.
PsScriptGroupSamples *ps_script_samples_find(const PsScriptSamples *samples, uint32_t group);
/// The group's, which are made when there are none.
PsScriptGroupSamples *ps_script_samples_of(PsScriptSamples *samples, uint32_t group);

/// Is the queue so full that the script should not wait for the end of the interval?
bool ps_script_samples_are_many(const PsScriptGroupSamples *group);
void ps_script_samples_release(PsScriptGroupSamples *group);
void ps_script_samples_release_all(PsScriptSamples *samples);

/// Moves the oldest of those that need not wait into `input`, by collection time over all groups.
bool ps_script_samples_take(PsScriptSamples *samples, PsScriptInput *input);
/// Moves the oldest of one group into `input`, though it should wait. False when there is none.
bool ps_script_samples_take_oldest(PsScriptGroupSamples *group, PsScriptInput *input);

uint32_t ps_script_samples_released(const PsScriptSamples *samples);
uint32_t ps_script_samples_waiting(const PsScriptSamples *samples);

/// Another configuration: groups get their new numbers, those that are no more release what waits.
void ps_script_samples_follow(PsScriptSamples *samples, const PsIndexMap *groups);
