// Due times are always base + cycle * interval: nothing is added up, so nothing drifts. Pure.
#include "collect/schedule.h"

PsMono ps_cycle_time(PsMono base, int64_t interval_ns, uint64_t cycle) {
    return ps_mono_add_ns(base, (int64_t)cycle * interval_ns);
}

uint64_t ps_cycle_at(PsMono base, int64_t interval_ns, PsMono now) {
    int64_t since = ps_mono_diff_ns(now, base);
    return since > 0 ? (uint64_t)(since / interval_ns) : 0;
}

static PsMono entry_due(const PsSchedule *schedule, const PsScheduleEntry *entry) {
    return ps_cycle_time(schedule->base, entry->interval_ns, entry->next_cycle);
}

static PsScheduleEntry *earliest(const PsSchedule *schedule) {
    PsScheduleEntry *first = NULL;
    for (uint32_t i = 0; i < schedule->count; i++) {
        PsScheduleEntry *entry = &schedule->entries[i];
        if (first == NULL || entry_due(schedule, entry).ns < entry_due(schedule, first).ns) {
            first = entry;
        }
    }
    return first;
}

bool ps_schedule_take(PsSchedule *schedule, PsMono now, uint32_t *ret_entry, uint64_t *ret_cycle) {
    PsScheduleEntry *entry = earliest(schedule);
    if (entry == NULL || entry_due(schedule, entry).ns > now.ns) {
        return false;
    }
    uint64_t newest = ps_cycle_at(schedule->base, entry->interval_ns, now);
    entry->late += newest - entry->next_cycle;
    entry->next_cycle = newest + 1;
    *ret_entry = (uint32_t)(entry - schedule->entries);
    *ret_cycle = newest;
    return true;
}

PsMono ps_schedule_next(const PsSchedule *schedule) {
    const PsScheduleEntry *entry = earliest(schedule);
    return entry != NULL ? entry_due(schedule, entry) : (PsMono){INT64_MAX};
}
