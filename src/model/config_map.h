//! Which object of one configuration is which of another: what a change of the running
//! configuration goes by. Objects are the same by their names; a message that only has another name
//! (same kind, topic, script and main function, and no other that could be meant) is the same one
//! renamed. Pure.
#pragma once

#include "model/config.h"

#define PS_NOT_THERE UINT32_MAX

/// Both ways for one kind of object; PS_NOT_THERE where there is no counterpart.
typedef struct PsIndexMap {
    uint32_t old_count;
    uint32_t new_count;
    uint32_t *to_new; ///< by old index
    uint32_t *to_old; ///< by new index
} PsIndexMap;

typedef struct PsConfigMap {
    PsIndexMap devices;
    PsIndexMap variables; ///< of all that is polled, what alarms watch included
    PsIndexMap groups;
    PsIndexMap alarms;
    PsIndexMap publish;
    PsIndexMap subscribe;
    PsIndexMap serials;
} PsConfigMap;

/// Both configurations are looked at here only. Indexes are those of PsConfig.
PsConfigMap *ps_config_map_new(const PsConfig *old_config, const PsConfig *new_config);
/// Accepts NULL.
void ps_config_map_free(PsConfigMap *map);

/// The counterparts, PS_NOT_THERE when there is none; also for PS_NOT_THERE.
static inline uint32_t ps_index_to_new(const PsIndexMap *map, uint32_t old_index) {
    return old_index < map->old_count ? map->to_new[old_index] : PS_NOT_THERE;
}

static inline uint32_t ps_index_to_old(const PsIndexMap *map, uint32_t new_index) {
    return new_index < map->new_count ? map->to_old[new_index] : PS_NOT_THERE;
}
