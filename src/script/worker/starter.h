//! penstock-script itself: takes orders on its control socket, forks workers, reaps them.
#pragma once

#include "script/worker/worker.h"

/// Serves the control socket until penstockd closes it; returns the exit status. Workers' scratch
/// folders are made in `scratch_parent` (NULL: none).
int ps_starter_run(PsWorker *worker, int control, const char *scratch_parent);
