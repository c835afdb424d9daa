//! Memory that lives and dies together: a loaded configuration, one request.
//! Not thread-safe.
#pragma once

#include <stddef.h>

typedef struct PsArena PsArena;

PsArena *ps_arena_new(void);
/// Frees everything taken from the arena. Accepts NULL.
void ps_arena_free(PsArena *arena);
/// Zeroed, aligned for any type, never NULL.
void *ps_arena_take(PsArena *arena, size_t size);
char *ps_arena_strdup(PsArena *arena, const char *text);
char *ps_arena_strndup(PsArena *arena, const char *text, size_t len);
/// Bytes handed out so far.
size_t ps_arena_used(const PsArena *arena);
