//! Workers whose penstock-script died before them: they become children of penstockd, which must
//! take their end, or each would stay as a zombie (in a container nobody else does). Loop thread.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

typedef struct PsOrphans {
    uv_signal_t child_ended;
    int *pids;
    size_t count;
    uv_close_cb closed;
} PsOrphans;

/// Puts its handle on the loop, `data` into it; orphans of this process come to it from now on.
void ps_orphans_open(PsOrphans *orphans, uv_loop_t *loop, void *data);
/// The worker `pid` ends, or has ended, without its parent.
void ps_orphans_add(PsOrphans *orphans, int pid);
/// Takes the handle off; `closed` is called for it, with `data` in it.
void ps_orphans_close(PsOrphans *orphans, uv_close_cb closed);
