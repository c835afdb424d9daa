//! From text keys to small numbers: names to indexes. Keys are borrowed and must outlive the map.
//! Not thread-safe.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PS_MAP_NONE UINT32_MAX

typedef struct PsMapSlot {
    const char *scope; ///< first half of the key, NULL for keys of one part
    const char *key;
    uint32_t value;
} PsMapSlot;

/// Zero-initialised is empty and valid.
typedef struct PsMap {
    PsMapSlot *slots;
    size_t capacity; ///< a power of two, or 0
    size_t count;
} PsMap;

void ps_map_deinit(PsMap *map);
/// An empty map takes the room for so many keys at once; growing to it takes half as much again.
void ps_map_reserve(PsMap *map, size_t count);
/// False, and nothing changed, when the key is already there. `value` is not PS_MAP_NONE.
/// `scope` may be NULL; two-part keys serve names that are unique only inside something.
bool ps_map_put(PsMap *map, const char *scope, const char *key, uint32_t value);
/// The value, or PS_MAP_NONE.
uint32_t ps_map_find(const PsMap *map, const char *scope, const char *key);

#define PS_AUTO_MAP __attribute__((cleanup(ps_map_deinit)))
