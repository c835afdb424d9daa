//! What every worker gives up before user code runs: descriptors, core dumps, unlimited memory,
//! new privileges. Called in the fresh fork only.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/// The process dies with `parent`. False when that one has already gone.
bool ps_confine_follow_parent(pid_t parent);
/// Keeps `socket` (moved; the new number is returned) and `errors` as standard output and error,
/// /dev/null as standard input, and nothing else open; restores signals; sets the limits.
/// `memory` is bytes beyond what is mapped now. Ends the process when something is refused.
int ps_confine(int socket, int errors, uint64_t memory);
