//! Does the line give what the groups ask for? Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

/// One group on one endpoint: what a cycle of it takes and how often it is due.
typedef struct LiveCycle {
    const char *group;
    double interval_ms;
    double cycle_ms;
} LiveCycle;

/// The part of the time that the endpoint is busy reading, of all groups together: above 1 it
/// cannot keep up.
double live_budget_load(const LiveCycle *cycles, size_t count);

/// True when the load deserves a warning; its words name the group that takes the largest part.
bool live_budget_words(const LiveCycle *cycles, size_t count, char *out, size_t size);
