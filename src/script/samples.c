// Few groups have the option, so they are looked up one after the other. Pure; loop thread.
#include "script/samples.h"

#include "base/mem.h"

#include <stdlib.h>

void ps_script_samples_deinit(PsScriptSamples *samples) {
    for (uint32_t i = 0; i < samples->count; i++) {
        ps_script_inputs_deinit(&samples->groups[i].inputs);
    }
    free(samples->groups);
    *samples = (PsScriptSamples){0};
}

PsScriptGroupSamples *ps_script_samples_find(const PsScriptSamples *samples, uint32_t group) {
    for (uint32_t i = 0; i < samples->count; i++) {
        if (samples->groups[i].group == group) {
            return &samples->groups[i];
        }
    }
    return NULL;
}

PsScriptGroupSamples *ps_script_samples_of(PsScriptSamples *samples, uint32_t group) {
    PsScriptGroupSamples *found = ps_script_samples_find(samples, group);
    if (found != NULL) {
        return found;
    }
    size_t count = (size_t)samples->count + 1;
    samples->groups = ps_grow_array(samples->groups, count, sizeof *samples->groups);
    found = &samples->groups[samples->count++];
    *found = (PsScriptGroupSamples){.group = group, .inputs.most = PS_SCRIPT_SAMPLES_MAX};
    return found;
}

// A quarter is left for what comes while the script works through the others.
bool ps_script_samples_are_many(const PsScriptGroupSamples *group) {
    return group->inputs.count >= PS_SCRIPT_SAMPLES_MAX / 4 * 3 ||
           group->inputs.bytes >= PS_SCRIPT_QUEUE_BYTES / 4 * 3;
}

void ps_script_samples_release(PsScriptGroupSamples *group) {
    group->released = group->inputs.count;
}

void ps_script_samples_release_all(PsScriptSamples *samples) {
    for (uint32_t i = 0; i < samples->count; i++) {
        ps_script_samples_release(&samples->groups[i]);
    }
}

bool ps_script_samples_take_oldest(PsScriptGroupSamples *group, PsScriptInput *input) {
    if (!ps_script_inputs_take(&group->inputs, input)) {
        return false;
    }
    group->released -= group->released > 0 ? 1 : 0;
    group->overflows = group->overflows && group->inputs.count > 0;
    return true;
}

bool ps_script_samples_take(PsScriptSamples *samples, PsScriptInput *input) {
    PsScriptGroupSamples *found = NULL;
    PsWall oldest = {0};
    for (uint32_t i = 0; i < samples->count; i++) {
        PsScriptGroupSamples *group = &samples->groups[i];
        if (group->released == 0) {
            continue;
        }
        PsWall collected = ps_script_inputs_oldest(&group->inputs)->collected;
        if (found == NULL || collected.ns < oldest.ns) {
            found = group;
            oldest = collected;
        }
    }
    return found != NULL && ps_script_samples_take_oldest(found, input);
}

uint32_t ps_script_samples_released(const PsScriptSamples *samples) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < samples->count; i++) {
        count += samples->groups[i].released;
    }
    return count;
}

uint32_t ps_script_samples_waiting(const PsScriptSamples *samples) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < samples->count; i++) {
        count += samples->groups[i].inputs.count;
    }
    return count;
}

void ps_script_samples_follow(PsScriptSamples *samples, const PsIndexMap *groups) {
    uint32_t used = 0;
    for (uint32_t i = 0; i < samples->count; i++) {
        PsScriptGroupSamples *group = &samples->groups[i];
        group->group = ps_index_to_new(groups, group->group);
        if (group->group == PS_NOT_THERE) {
            ps_script_samples_release(group);
        }
        if (group->group == PS_NOT_THERE && group->inputs.count == 0) {
            ps_script_inputs_deinit(&group->inputs);
        } else {
            samples->groups[used++] = *group;
        }
    }
    samples->count = used;
}
