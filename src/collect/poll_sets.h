//! Which variables a channel polls together: one set per device and group. Pure; built once for
//! each configuration of the channel.
#pragma once

#include "drivers/driver.h"

typedef struct PsPollSets {
    PsPollSet *sets; ///< sorted by group, then device
    uint32_t set_count;
    uint32_t *variables;     ///< storage of all sets
    uint32_t largest_group;  ///< most variables one group polls here
    uint32_t largest_text;   ///< most bytes of STRING values one group polls here
    uint32_t variable_count; ///< all readable variables here
} PsPollSets;

/// Of everything readable in `config`, which is one channel's.
void ps_poll_sets_init(PsPollSets *sets, const PsConfig *config);
void ps_poll_sets_deinit(PsPollSets *sets);

/// The sets of one group: `ret_count` of them from the returned number on.
uint32_t ps_poll_sets_of_group(const PsPollSets *sets, uint32_t group, uint32_t *ret_count);
