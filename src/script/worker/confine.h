//! What every worker gives up before user code runs: descriptors, privileges, unlimited memory and
//! files, other files and system calls than its own. Called in the fresh fork only.
#pragma once

#include "script/messages.h"

#include <Python.h>
#include <sys/types.h>

/// What a worker is held to.
typedef struct PsConfinement {
    PsWireFork order;
    PsWireHolds holds;     ///< what this kernel offers
    const char *scratch;   ///< absolute, NULL: the worker writes nowhere
    PyObject *import_path; ///< sys.path: readable
} PsConfinement;

/// Asks the kernel what it can hold workers with.
PsWireHolds ps_confine_possible(void);
/// The process dies with `parent`. False when that one has already gone.
bool ps_confine_follow_parent(pid_t parent);
/// Keeps `socket` (moved; the new number is returned) and `errors` as standard output and error,
/// /dev/null as standard input, and nothing else open; restores signals; sets the limits and
/// holds. Ends the process when something that the kernel offers is refused.
int ps_confine(int socket, int errors, const PsConfinement *confinement);
