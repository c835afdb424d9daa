//! Texts of an arena that are kept once: names, units and descriptions repeat over many devices of
//! one make. It remembers as many as it has places, the newer taking the place of the older, so
//! that what it costs does not grow with the configuration. Only while loading; one thread.
#pragma once

#include "base/arena.h"

typedef struct PsTextPool PsTextPool;

/// `arena` is borrowed, and where the texts live.
PsTextPool *ps_text_pool_new(PsArena *arena);
/// The texts stay. Accepts NULL.
void ps_text_pool_free(PsTextPool *pool);

/// The text in the arena, perhaps one that was kept before.
const char *ps_text_pool_keep(PsTextPool *pool, const char *text);
