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

void ps_mem_trim(void) {
    (void)malloc_trim(0); // whether anything could be given back is nobody's concern
}
