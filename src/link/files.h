//! Whether the files that a connection was made with are still the same. Link thread; blocks on the
//! disk.
#pragma once

#include "model/config.h"

#define PS_LINK_PRINT_SIZE 32

/// SHA-256 over certificate, key, roots and password file; what cannot be read counts as empty.
/// Nothing of the contents stays in memory.
void ps_link_files_print(const PsCloud *cloud, uint8_t ret_print[PS_LINK_PRINT_SIZE]);
