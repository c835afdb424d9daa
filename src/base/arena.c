// A list of blocks; each request is cut from the newest, a large one gets a block of its own.
// Blocks are freed only together. Not thread-safe.
#include "base/arena.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Each block is twice the one before. From 128 KB on the system gives and takes them by themselves
// (ps_mem_init), so that a large arena leaves no holes in the heap.
#define BLOCK_FIRST ((size_t)16 * 1024)
#define BLOCK_MOST ((size_t)256 * 1024)

typedef struct Block {
    struct Block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) uint8_t bytes[];
} Block;

struct PsArena {
    Block *blocks;
    size_t used;
    size_t next_size;
};

PsArena *ps_arena_new(void) {
    PsArena *arena = ps_alloc(sizeof *arena);
    arena->next_size = BLOCK_FIRST;
    return arena;
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
        bool large = aligned > arena->next_size;
        Block *fresh = block_new(large ? aligned : arena->next_size);
        if (large && block != NULL) {
            // Keep cutting from the half-used block; the large one is already full.
            fresh->next = block->next;
            block->next = fresh;
        } else {
            fresh->next = block;
            arena->blocks = fresh;
            arena->next_size *= arena->next_size < BLOCK_MOST ? 2 : 1;
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

// Texts are cut from the end of a block, where nothing has to be aligned.
char *ps_arena_strndup(PsArena *arena, const char *text, size_t len) {
    Block *block = arena->blocks;
    char *copy;
    if (block != NULL && block->size - block->used > len) {
        block->size -= len + 1;
        arena->used += len + 1;
        copy = (char *)block->bytes + block->size;
    } else {
        copy = ps_arena_take(arena, len + 1);
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

size_t ps_arena_used(const PsArena *arena) {
    return arena->used;
}
