//! How many requests each of many names made within a second. Pure: time comes in.
#pragma once

#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct PsMeterEntry {
    char *name;
    PsWall since;
    unsigned count;
} PsMeterEntry;

/// Zero-initialised is empty. Holds the names of the last second only.
typedef struct PsMeter {
    PsMeterEntry *entries;
    size_t count;
    size_t capacity;
} PsMeter;

void ps_meter_deinit(PsMeter *meter);
/// Counts one request of `name`. False, and not counted: it had `limit` within this second.
bool ps_meter_allow(PsMeter *meter, const char *name, unsigned limit, PsWall now);
