//! From device and variable to the variable's number, for configurations with 100,000 of them: four
//! bytes and a bit for each. Borrows the configuration. Not thread-safe.
#pragma once

#include "model/config.h"

typedef struct PsNameIndex PsNameIndex;

/// Of the variables of `vars`; what alarms watch has no name for people.
PsNameIndex *ps_name_index_new(const PsConfig *config);
/// Accepts NULL.
void ps_name_index_free(PsNameIndex *index);
/// The number, or UINT32_MAX.
uint32_t ps_name_index_find(const PsNameIndex *index, const char *device, const char *name);
