//! Wakes a libuv loop from any thread. As uv_async, but the loop never waits for the sender:
//! uv_async spins until the sending thread has left its write call, which costs more than the rest
//! of a wake-up when both share a processor.
#pragma once

#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

typedef struct PsWake PsWake;

struct PsWake {
    uv_poll_t poll;
    int fd;
    atomic_bool sent; // and not yet seen by the loop
    void (*woken)(PsWake *wake);
    void (*closed)(PsWake *wake);
    void *data; ///< the owner's
};

/// `woken` is called on the loop once for any number of sends before it; whatever the senders wrote
/// before is visible there. PS_ERR_IO when no descriptor is left; then there is nothing to close.
PsErr ps_wake_init(PsWake *wake, uv_loop_t *loop, void (*woken)(PsWake *wake), void *data);

/// Any thread, until close.
void ps_wake_send(PsWake *wake);

/// Loop thread. `closed` is called from the loop; until then the memory must stay.
void ps_wake_close(PsWake *wake, void (*closed)(PsWake *wake));
