//! The state folder belongs to one gateway at a time: before anything in it is touched.
#pragma once

#include "base/err.h"

/// Makes the folder when missing and locks it until the descriptor is closed; -1 where a disk that
/// takes nothing has no file to lock. PS_ERR_BUSY when another gateway has it, PS_ERR_IO.
PsErr ps_state_lock(const char *state, int *ret_fd, PsDiag *diag);
