//! Does the line give what the groups ask for? Pure.
#pragma once

#include "collect/schedule.h"
#include "model/config.h"

#include <stdbool.h>
#include <stddef.h>

/// Above this a single request that is sent again makes a cycle late.
#define PS_LOAD_CLOSE 0.8

/// Cycles from which on a load is worth a word.
#define PS_LOAD_SURE 5U

/// One group on one endpoint: what a cycle of it takes and how often it is due.
typedef struct PsCycleCost {
    const char *group;
    double interval_ms;
    double cycle_ms;
} PsCycleCost;

/// The part of the time that the endpoint is busy reading, of all groups together: above 1 it
/// cannot keep up.
double ps_load_of(const PsCycleCost *cycles, size_t count);

/// True when the load deserves a warning; its words name the group that takes the largest part.
bool ps_load_words(const PsCycleCost *cycles, size_t count, char *out, size_t size);

/// A cycle has taken so long, and so many requests.
void ps_load_measure(PsScheduleEntry *entry, int64_t took_ns, uint64_t requests);
/// The same two for what a channel polls.
double ps_load_of_entries(const PsScheduleEntry *entries, uint32_t count);
/// The entry that takes the largest part of the time; NULL before any was measured. Borrowed.
const PsScheduleEntry *ps_load_most_of_entries(const PsScheduleEntry *entries, uint32_t count);
bool ps_load_words_of_entries(const PsConfig *config, const PsScheduleEntry *entries,
                              uint32_t count, char *out, size_t size);
