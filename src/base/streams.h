//! The three standard descriptors of a process. First call of every main function.
#pragma once

#include "base/err.h"

/// Opens /dev/null on each of the descriptors 0, 1 and 2 that the parent has left closed, so that
/// no file or socket takes such a number: output for people would be written into it, and libuv
/// refuses to close one. PS_ERR_IO when /dev/null cannot be opened. Before the first thread.
PsErr ps_streams_fill(void);
