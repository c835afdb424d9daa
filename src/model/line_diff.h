//! How many lines two texts differ by. Pure; any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct PsLineDiff {
    uint32_t added;
    uint32_t removed;
} PsLineDiff;

/// The fewest lines to take out and put in. Texts that differ by more than some hundred lines count
/// as rewritten between their first and last difference, so that the time stays bounded.
PsLineDiff ps_line_diff(const void *before, size_t before_len, const void *after, size_t after_len);
