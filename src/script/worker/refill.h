//! Using the dicts of the call before again, where no script can tell. First thread, lock held.
#pragma once

#include "script/worker/data_collect.h"

/// Fills `group->last` with what `reader` holds. False when its dicts are not ours alone, or
/// changed; with a Python exception set only when Python itself failed.
bool ps_worker_refill(const PsWorkerGroups *groups, PsWorkerGroup *group, double timestamp,
                      PsReader *reader);
