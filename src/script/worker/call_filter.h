//! The system calls a worker may not make (seccomp, docs/decisions/0009): other processes, new
//! processes, the network, the machine itself. Refused calls fail with an errno, so a script gets
//! an exception and goes on. Called in penstock-script and in the fresh fork; never blocks.
#pragma once

#include <stdbool.h>

/// Does this kernel, and what already surrounds this process, take filters of this machine?
bool ps_call_filter_possible(void);
/// From here on the calling thread and what it starts is held. `network`: sockets to connect out
/// are allowed. Needs no_new_privs. False with errno when the kernel refuses.
bool ps_call_filter_set(bool network);
