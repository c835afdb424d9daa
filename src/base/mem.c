// Allocation that cannot fail quietly. Any thread.
#include "base/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void out_of_memory(size_t count, size_t size) {
    fprintf(stderr, "penstock: out of memory: %zu x %zu bytes\n", count, size);
    abort();
}

void *ps_alloc(size_t size) {
    return ps_alloc_array(1, size);
}

void *ps_alloc_array(size_t count, size_t size) {
    void *memory = calloc(count > 0 ? count : 1, size > 0 ? size : 1);
    if (memory == NULL) {
        out_of_memory(count, size);
    }
    return memory;
}

void *ps_grow_array(void *old, size_t count, size_t size) {
    if (size == 0 || count > SIZE_MAX / size) {
        out_of_memory(count, size);
    }
    void *memory = realloc(old, count > 0 ? count * size : 1);
    if (memory == NULL) {
        out_of_memory(count, size);
    }
    return memory;
}

char *ps_strdup(const char *text) {
    char *copy = strdup(text ? text : "");
    if (copy == NULL) {
        out_of_memory(1, text ? strlen(text) + 1 : 1);
    }
    return copy;
}

// A fixed threshold: without, glibc raises it to the largest block that was ever freed, and from
// then on such blocks lie in the heap between small ones (mallopt(3)). It is above most messages:
// their buffers would come from the system and go back to it page by page.
void ps_mem_init(void) {
    (void)mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    // Messages come and go; without, their memory goes back to the system and comes anew each time.
    (void)mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
    (void)mallopt(M_ARENA_MAX, 2);
}

void ps_mem_trim(void) {
    (void)malloc_trim(0); // whether anything could be given back is nobody's concern
}
