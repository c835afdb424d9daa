// Open addressing with linear probing, at most three quarters full; nothing is ever removed, so
// no tombstones. Not thread-safe.
#include "base/map.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

// FNV-1a, 64 bit (offset basis and prime as published by its authors). A zero byte between the
// parts keeps ("ab","c") and ("a","bc") apart.
static uint64_t hash_key(const char *scope, const char *key) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    const uint64_t prime = UINT64_C(0x100000001b3);
    for (const char *at = scope != NULL ? scope : ""; *at != '\0'; at++) {
        hash = (hash ^ (uint8_t)*at) * prime;
    }
    hash *= prime;
    for (const char *at = key; *at != '\0'; at++) {
        hash = (hash ^ (uint8_t)*at) * prime;
    }
    return hash;
}

static bool same(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

// The slot that holds the key, or the empty one where it belongs.
static PsMapSlot *slot_for(const PsMap *map, const char *scope, const char *key) {
    size_t at = (size_t)hash_key(scope, key) & (map->capacity - 1);
    while (map->slots[at].key != NULL) {
        if (same(map->slots[at].key, key) && same(map->slots[at].scope, scope)) {
            break;
        }
        at = (at + 1) & (map->capacity - 1);
    }
    return &map->slots[at];
}

static void resize(PsMap *map, size_t capacity) {
    PsMap bigger = {.capacity = capacity, .count = map->count};
    bigger.slots = ps_alloc_array(bigger.capacity, sizeof *bigger.slots);
    for (size_t i = 0; i < map->capacity; i++) {
        const PsMapSlot *old = &map->slots[i];
        if (old->key != NULL) {
            *slot_for(&bigger, old->scope, old->key) = *old;
        }
    }
    free(map->slots);
    *map = bigger;
}

static bool has_room_for(size_t capacity, size_t count) {
    return count * 4 <= capacity * 3;
}

void ps_map_reserve(PsMap *map, size_t count) {
    PS_ASSERT(map->count == 0);
    size_t capacity = 16;
    while (!has_room_for(capacity, count)) {
        capacity *= 2;
    }
    resize(map, capacity);
}

void ps_map_deinit(PsMap *map) {
    free(map->slots);
    *map = (PsMap){0};
}

bool ps_map_put(PsMap *map, const char *scope, const char *key, uint32_t value) {
    PS_ASSERT(value != PS_MAP_NONE);
    if (!has_room_for(map->capacity, map->count + 1)) {
        resize(map, map->capacity > 0 ? map->capacity * 2 : 16);
    }
    PsMapSlot *slot = slot_for(map, scope, key);
    if (slot->key != NULL) {
        return false;
    }
    *slot = (PsMapSlot){.scope = scope, .key = key, .value = value};
    map->count++;
    return true;
}

uint32_t ps_map_find(const PsMap *map, const char *scope, const char *key) {
    if (map->capacity == 0) {
        return PS_MAP_NONE;
    }
    const PsMapSlot *slot = slot_for(map, scope, key);
    return slot->key != NULL ? slot->value : PS_MAP_NONE;
}
