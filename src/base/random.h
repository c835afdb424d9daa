//! Randomness for jitter. Not for keys.
#pragma once

#include <stdint.h>

/// A number in [0, limit]. Any thread.
int64_t ps_random_up_to(int64_t limit);
