// Open addressing over numbers alone; the names stand in the configuration. Pure.
#include "live/name_index.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct PsNameIndex {
    const PsConfig *config;
    uint32_t mask;
    uint32_t slots[]; // number + 1, 0 when empty
};

// FNV-1a, 64 bit. A zero byte between the parts keeps ("ab", "c") and ("a", "bc") apart.
static uint32_t hash_of(const char *device, const char *name) {
    const uint64_t prime = UINT64_C(0x100000001b3);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *at = device; *at != '\0'; at++) {
        hash = (hash ^ (uint8_t)*at) * prime;
    }
    hash *= prime;
    for (const char *at = name; *at != '\0'; at++) {
        hash = (hash ^ (uint8_t)*at) * prime;
    }
    return (uint32_t)(hash ^ (hash >> 32));
}

// The slot that holds the names, or the empty one where they belong.
static uint32_t slot_for(const PsNameIndex *index, const char *device, const char *name) {
    uint32_t at = hash_of(device, name) & index->mask;
    for (; index->slots[at] != 0; at = (at + 1) & index->mask) {
        const PsVariable *variable = &index->config->variables[index->slots[at] - 1];
        if (strcmp(variable->name, name) == 0 && strcmp(variable->device_name, device) == 0) {
            break;
        }
    }
    return at;
}

PsNameIndex *ps_name_index_new(const PsConfig *config) {
    uint32_t size = 16;
    while (size / 2 < config->variable_count) {
        size *= 2;
    }
    PsNameIndex *index = ps_alloc(sizeof *index + size * sizeof index->slots[0]);
    index->config = config;
    index->mask = size - 1;
    for (uint32_t i = 0; i < config->variable_count; i++) {
        const PsVariable *variable = &config->variables[i];
        uint32_t slot = slot_for(index, variable->device_name, variable->name);
        if (index->slots[slot] == 0) {
            index->slots[slot] = i + 1;
        }
    }
    return index;
}

void ps_name_index_free(PsNameIndex *index) {
    free(index);
}

uint32_t ps_name_index_find(const PsNameIndex *index, const char *device, const char *name) {
    return index->slots[slot_for(index, device, name)] - 1; // an empty slot gives UINT32_MAX
}
