// Makes the plan of a channel from its part of the configuration, and lets one go on where another
// stands. Making and freeing: main thread; following: channel thread. Blocks nowhere.
#include "collect/channel_plan.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

const PsBackoffPolicy ps_channel_retry = {
    .floor_ns = 100 * PS_NS_PER_MS,
    .first_ns = 1 * PS_NS_PER_S,
    .cap_ns = 30 * PS_NS_PER_S,
    .stable_ns = 10 * PS_NS_PER_S,
};

static void init_states(PsChannelPlan *plan) {
    uint32_t count = plan->config->device_count;
    plan->device_list = ps_alloc_array(count, sizeof *plan->device_list);
    plan->states = ps_alloc_array(count, sizeof *plan->states);
    plan->board_devices = ps_alloc_array(count, sizeof *plan->board_devices);
    for (uint32_t i = 0; i < count; i++) {
        plan->device_list[i] = i;
        plan->states[i].device = i;
        plan->states[i].first_set = UINT32_MAX;
        ps_backoff_init(&plan->states[i].backoff, &ps_channel_retry);
    }
    for (uint32_t s = plan->sets.set_count; s-- > 0;) {
        plan->states[plan->sets.sets[s].device].first_set = s;
    }
}

static void init_schedule(PsChannelPlan *plan) {
    const PsPollSets *sets = &plan->sets;
    PsSchedule *schedule = &plan->schedule;
    schedule->entries = ps_alloc_array(sets->set_count, sizeof *schedule->entries);
    for (uint32_t i = 0; i < sets->set_count; i++) {
        uint32_t group = sets->sets[i].group;
        if (i > 0 && sets->sets[i - 1].group == group) {
            continue;
        }
        double interval = plan->config->groups[group].polling_interval;
        schedule->entries[schedule->count++] =
            (PsScheduleEntry){.group = group, .interval_ns = ps_seconds_to_ns(interval)};
    }
    plan->board_entries = ps_alloc_array(schedule->count, sizeof *schedule->entries);
}

void ps_channel_plan_begin(PsChannelPlan *plan, PsMono base, PsMono now) {
    PsSchedule *schedule = &plan->schedule;
    schedule->base = base;
    for (uint32_t i = 0; i < schedule->count; i++) {
        PsScheduleEntry *entry = &schedule->entries[i];
        entry->first_cycle = ps_cycle_at(base, entry->interval_ns, now);
        entry->next_cycle = entry->first_cycle;
    }
    memcpy(plan->board_entries, schedule->entries, schedule->count * sizeof *schedule->entries);
}

static void init_batches(PsChannelPlan *plan) {
    for (uint32_t i = 0; i < PS_CHANNEL_BATCHES && plan->sets.set_count > 0; i++) {
        PsBatchNote *note = &plan->batches[i];
        note->head = (PsNote){.kind = PS_NOTE_BATCH, .channel = plan->head.channel};
        note->batch = ps_sample_batch_new(plan->sets.largest_group, plan->sets.largest_text);
    }
}

PsChannelPlan *ps_channel_plan_new(PsChannel *channel, PsConfigPart *part,
                                   const PsChannelPlan *before) {
    PsChannelPlan *plan = ps_alloc(sizeof *plan);
    plan->head = (PsNote){.kind = PS_NOTE_PLAN, .channel = channel};
    plan->part = part;
    plan->config = &part->config;
    plan->moved = before != NULL ? ps_config_part_match(before->part, part) : NULL;
    ps_poll_sets_init(&plan->sets, plan->config);
    init_states(plan);
    init_schedule(plan);
    init_batches(plan);
    plan->endpoint = (PsEndpoint){
        .config = plan->config,
        .devices = plan->device_list,
        .device_count = plan->config->device_count,
        .sets = plan->sets.sets,
        .set_count = plan->sets.set_count,
    };
    return plan;
}

void ps_channel_plan_free(PsChannelPlan *plan) {
    if (plan == NULL) {
        return;
    }
    for (uint32_t i = 0; i < PS_CHANNEL_BATCHES; i++) {
        ps_sample_batch_free(plan->batches[i].batch);
    }
    ps_poll_sets_deinit(&plan->sets);
    ps_config_part_free(plan->part);
    free(plan->device_list);
    free(plan->moved);
    free(plan->schedule.entries);
    free(plan->states);
    free(plan->board_devices);
    free(plan->board_entries);
    free(plan);
}

static void follow_device(PsChannelPlan *plan, uint32_t device, const PsChannelPlan *before) {
    PsDeviceState *state = &plan->states[device];
    for (uint32_t i = 0; i < before->config->device_count; i++) {
        if (strcmp(before->config->devices[i].name, plan->config->devices[device].name) != 0) {
            continue;
        }
        uint32_t first_set = state->first_set;
        *state = before->states[i];
        state->device = device;
        state->first_set = first_set;
        state->away = state->away && first_set != UINT32_MAX; // or no try could find it back
        state->refusing = false; // its addresses may be the right ones now
        plan->board_devices[device] = before->board_devices[i];
        return;
    }
}

static void follow_group(PsChannelPlan *plan, PsScheduleEntry *entry, const PsChannelPlan *before) {
    const char *name = plan->config->groups[entry->group].name;
    for (uint32_t i = 0; i < before->schedule.count; i++) {
        const PsScheduleEntry *was = &before->schedule.entries[i];
        if (was->interval_ns == entry->interval_ns &&
            strcmp(before->config->groups[was->group].name, name) == 0) {
            entry->first_cycle = was->first_cycle;
            entry->next_cycle = was->next_cycle;
            entry->late = was->late;
        }
    }
}

void ps_channel_plan_follow(PsChannelPlan *plan, const PsChannelPlan *before) {
    for (uint32_t i = 0; i < plan->config->device_count; i++) {
        follow_device(plan, i, before);
    }
    for (uint32_t i = 0; i < plan->schedule.count; i++) {
        follow_group(plan, &plan->schedule.entries[i], before);
    }
}
