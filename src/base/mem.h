//! Allocation. Small control structures use the checked-here calls: a gateway without a few
//! hundred bytes cannot even report it, so they end the process with a message (the outbox keeps
//! what was accepted). Memory whose size a peer or a file decides is taken with plain malloc and
//! answered with PS_ERR_NO_MEMORY by the caller.
#pragma once

#include <stddef.h>

/// Zeroed memory, never NULL. Freed with free().
void *ps_alloc(size_t size) __attribute__((malloc, returns_nonnull));
/// Zeroed array; the multiplication is checked.
void *ps_alloc_array(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
/// realloc for an array, never NULL; new elements are not zeroed.
void *ps_grow_array(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
/// strdup, never NULL; a NULL text gives "".
char *ps_strdup(const char *text) __attribute__((returns_nonnull));
/// Large blocks go back to the system when they are freed, and threads share two heaps: for a
/// process that lives long, has many threads and now and then loads something large. At the start
/// of main.
void ps_mem_init(void);

/// Gives memory that is free back to the system: after something large that comes seldom (a
/// configuration was loaded). Milliseconds. Any thread.
void ps_mem_trim(void);
