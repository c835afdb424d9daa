//! One process at a time per folder: the running cloud, or a command that works on its files.
#pragma once

#include "base/err.h"

/// Takes DIR/lock until *ret_fd is closed. PS_ERR_BUSY: another penstock-cloud has it. PS_ERR_IO.
PsErr ps_lock_take(const char *dir, int *ret_fd, PsDiag *diag);
