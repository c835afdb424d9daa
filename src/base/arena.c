// A list of blocks; each request is cut from the newest, a large one gets a block of its own.
// Blocks are freed only together. Not thread-safe.
#include "base/arena.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)16 * 1024)

typedef struct Block {
    struct Block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) uint8_t bytes[];
} Block;

struct PsArena {
    Block *blocks;
    size_t used;
};

PsArena *ps_arena_new(void) {
    return ps_alloc(sizeof(PsArena));
}

void ps_arena_free(PsArena *arena) {
    if (arena == NULL) {
        return;
    }
    for (Block *block = arena->blocks; block != NULL;) {
        Block *next = block->next;
        free(block);
        block = next;
    }
    free(arena);
}

static Block *block_new(size_t size) {
    Block *block = ps_alloc(sizeof(Block) + size);
    block->size = size;
    return block;
}

void *ps_arena_take(PsArena *arena, size_t size) {
    size_t aligned =
        (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    PS_ASSERT(aligned >= size);
    Block *block = arena->blocks;
    if (block == NULL || block->size - block->used < aligned) {
        size_t wanted = aligned > BLOCK_SIZE ? aligned : BLOCK_SIZE;
        Block *fresh = block_new(wanted);
        if (aligned > BLOCK_SIZE && block != NULL) {
            // Keep cutting from the half-used block; the large one is already full.
            fresh->next = block->next;
            block->next = fresh;
        } else {
            fresh->next = block;
            arena->blocks = fresh;
        }
        block = fresh;
    }
    void *memory = block->bytes + block->used;
    block->used += aligned;
    arena->used += aligned;
    return memory;
}

char *ps_arena_strdup(PsArena *arena, const char *text) {
    return ps_arena_strndup(arena, text, strlen(text));
}

char *ps_arena_strndup(PsArena *arena, const char *text, size_t len) {
    char *copy = ps_arena_take(arena, len + 1);
    memcpy(copy, text, len);
    return copy;
}

size_t ps_arena_used(const PsArena *arena) {
    return arena->used;
}
