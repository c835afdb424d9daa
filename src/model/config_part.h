//! A part of a configuration that lives by itself: some of its devices with everything that is read
//! or written on them, as a small PsConfig with numbers of its own, and where each object stands in
//! the whole. So what serves these devices (a channel thread) needs neither know nor be told when
//! the rest of the configuration changes. Pure.
#pragma once

#include "model/config.h"
#include "model/config_map.h"

typedef struct PsConfigPart {
    /// Only devices, variables (what alarms watch behind those of `vars`), groups and the serial
    /// ports of the devices, and of these only what reading and writing needs: no descriptions,
    /// units, upload intervals, or modes but those of OPC UA. Owned by the part, texts included.
    PsConfig config;
    uint32_t *devices;   ///< by number here: index in the whole, PS_NOT_THERE when it is gone
    uint32_t *variables; ///< the same
    uint32_t *groups;    ///< the same
    char *texts;         ///< those of devices and variables
    size_t text_used;
    char *group_texts; ///< those of groups
} PsConfigPart;

/// Cuts a configuration up: `device_part` has a part number below `count`, or PS_NOT_THERE, for
/// each of its devices; `ret_parts` (room for `count`) gets the parts, the caller's. Order is kept.
void ps_config_parts_new(const PsConfig *whole, const uint32_t *device_part, uint32_t count,
                         PsConfigPart **ret_parts);
/// Accepts NULL.
void ps_config_part_free(PsConfigPart *part);

/// Is everything the same but the places in the whole?
bool ps_config_part_equal(const PsConfigPart *a, const PsConfigPart *b);

/// The whole has changed: its objects have the numbers of the new one from now on.
void ps_config_part_move(PsConfigPart *part, const PsConfigMap *map);

/// `part` has the places of `other`, which is equal to it: also of what a map does not join, such
/// as what a renamed alarm watches.
void ps_config_part_take_places(PsConfigPart *part, const PsConfigPart *other);

/// For each variable of `from` the number in `to` of the one that is the same (name, device, place
/// in the device, type, access), so that a value of the one is a value of the other; PS_NOT_THERE
/// when there is none. Freed by the caller.
uint32_t *ps_config_part_match(const PsConfigPart *from, const PsConfigPart *to);
