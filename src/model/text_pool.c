// A table of the texts kept last, each at the place its hash says. Pure; one thread.
#include "model/text_pool.h"

#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PLACES 16384U

struct PsTextPool {
    PsArena *arena;
    const char *texts[PLACES];
};

PsTextPool *ps_text_pool_new(PsArena *arena) {
    PsTextPool *pool = ps_alloc(sizeof *pool);
    pool->arena = arena;
    return pool;
}

void ps_text_pool_free(PsTextPool *pool) {
    free(pool);
}

// FNV-1a.
static uint32_t hash_of(const char *text) {
    uint32_t hash = UINT32_C(2166136261);
    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t)*text) * UINT32_C(16777619);
    }
    return hash ^ hash >> 16;
}

const char *ps_text_pool_keep(PsTextPool *pool, const char *text) {
    if (text[0] == '\0') {
        return "";
    }
    const char **place = &pool->texts[hash_of(text) % PLACES];
    if (*place == NULL || strcmp(*place, text) != 0) {
        *place = ps_arena_strdup(pool->arena, text);
    }
    return *place;
}
