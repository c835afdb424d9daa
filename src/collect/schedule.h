//! Due times on one monotonic base, so that they never drift and the cycles of a group have the
//! same numbers on every channel. Pure: time comes in. One owner per object.
#pragma once

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct PsScheduleEntry {
    uint32_t group; ///< the user's number for it
    int64_t interval_ns;
    uint64_t first_cycle; ///< the first it had to take: not 0 when it began later than the base
    uint64_t next_cycle;  ///< not yet taken
    int64_t cycle_ns;     ///< what reading it once takes, smoothed; 0: not known yet
    double cycle_requests;
    uint32_t measured; ///< cycles, up to a few
    uint64_t late;     ///< cycles skipped because an earlier one took too long
} PsScheduleEntry;

typedef struct PsSchedule {
    PsMono base; ///< cycle 0 of all entries
    PsScheduleEntry *entries;
    uint32_t count;
} PsSchedule;

/// When a cycle is due.
PsMono ps_cycle_time(PsMono base, int64_t interval_ns, uint64_t cycle);
/// The newest cycle due at `now`; 0 also before the base.
uint64_t ps_cycle_at(PsMono base, int64_t interval_ns, PsMono now);

/// Takes the entry that has been due longest. Of several cycles missed meanwhile only the newest
/// is taken, the others count as late. False when nothing is due.
bool ps_schedule_take(PsSchedule *schedule, PsMono now, uint32_t *ret_entry, uint64_t *ret_cycle);

/// When the next entry is due; far away when there is none.
PsMono ps_schedule_next(const PsSchedule *schedule);
