//! How many descriptors a process may have, and which numbers they take. Libraries that wait with
//! select cannot use numbers from 1024 on, so whoever has many and does not need low ones takes
//! high ones. Any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/// Raises the number of descriptors this process may have to what the system allows it: that many.
uint64_t ps_descriptors_raise_limit(void);

/// The same open file under a number that select does not need, with close-on-exec; the old number
/// is closed. Where there is no such number: `fd` as it is. Accepts -1.
int ps_descriptor_make_high(int fd);
