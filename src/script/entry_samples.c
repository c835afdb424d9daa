// Samples on their way through an entry: they wait until the upload interval of their group ends,
// at a change of the group, at a stop, or when their queue is nearly full. Loop thread; never
// blocks.
#include "script/entry.h"

#include "base/log.h"

#define TOO_MANY "the script was not called: too many samples of its group waited"

static const char *name_of(const PsScriptEntry *entry, uint32_t group) {
    return entry->shared->setup.config->groups[group].name;
}

// What the queue cannot hold goes to the dead letters, and is counted where the group is shown.
static void make_room(PsScriptEntry *entry, PsScriptGroupSamples *samples,
                      const PsScriptInput *input) {
    PsScriptInput oldest = {0};
    while (ps_script_inputs_is_full(&samples->inputs, input)) {
        if (!samples->overflows) {
            PS_LOGW("SAMPLES-LATE",
                    "publish '%s': its script is slower than the samples of group '%s' come; %u "
                    "wait, and the oldest are set aside as dead letters until it has caught up",
                    entry->name, name_of(entry, samples->group), samples->inputs.count);
        }
        (void)ps_script_samples_take_oldest(samples, &oldest);
        samples->overflows = true;
        samples->set_aside++;
        ps_script_entry_give_up(entry, &oldest, TOO_MANY);
    }
    ps_script_input_deinit(&oldest);
}

static void release_early(PsScriptEntry *entry, PsScriptGroupSamples *samples) {
    if (!samples->early_told) {
        samples->early_told = true;
        PS_LOGW("SAMPLES-EARLY",
                "publish '%s': %u samples of group '%s' (%zu bytes) wait, as many as are kept; its "
                "script is called before the upload interval ends, now and whenever that comes "
                "again. A shorter upload_interval makes the calls regular",
                entry->name, samples->inputs.count, name_of(entry, samples->group),
                samples->inputs.bytes);
    }
    ps_script_samples_release(samples);
    ps_script_entry_next(entry);
}

PsErr ps_script_entry_put_sample(PsScriptEntry *entry, uint32_t group, PsScriptInput *input) {
    if (ps_script_entry_refuses(entry, input)) {
        return PS_ERR_CLOSED;
    }
    input->replay = 0; // as in ps_script_entry_put
    PsScriptGroupSamples *samples = ps_script_samples_of(&entry->samples, group);
    make_room(entry, samples, input);
    ps_script_inputs_put(&samples->inputs, input);
    if (samples->released == 0 && ps_script_samples_are_many(samples)) {
        release_early(entry, samples);
    }
    return PS_OK;
}

void ps_script_entry_flush(PsScriptEntry *entry, uint32_t group) {
    PsScriptGroupSamples *samples = ps_script_samples_find(&entry->samples, group);
    if (samples != NULL) {
        ps_script_samples_release(samples);
        ps_script_entry_next(entry);
    }
}

static bool still_waits(const PsScriptEntry *entry, uint32_t group) {
    const PsConfig *config = entry->shared->setup.config;
    const PsPublish *publish = &config->publish[entry->index];
    for (uint32_t i = 0; i < publish->group_names.count; i++) {
        if (publish->groups[i] == group) {
            return config->groups[group].every_sample;
        }
    }
    return false;
}

void ps_script_entry_follow_groups(PsScriptEntry *entry, const PsIndexMap *groups) {
    ps_script_samples_follow(&entry->samples, groups);
    for (uint32_t i = 0; i < entry->samples.count; i++) {
        PsScriptGroupSamples *samples = &entry->samples.groups[i];
        if (samples->group != PS_NOT_THERE && !still_waits(entry, samples->group)) {
            ps_script_samples_release(samples);
        }
    }
}

uint32_t ps_script_entry_waiting(const PsScriptEntry *entry) {
    return entry->inputs.count + ps_script_samples_waiting(&entry->samples);
}
