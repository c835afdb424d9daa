//! penstock-script as penstockd sees it: started, given orders over its control socket, started
//! again with growing delay when it dies. Loop thread; never blocks.
#pragma once

#include "script/messages.h"

#include <uv.h>

/// What the spawner reports. `ctx` is the one of init.
typedef struct PsScriptSpawnerEvents {
    void (*ready)(void *ctx); ///< workers may be ordered; also after each restart
    void (*forked)(PsWireChild child, void *ctx);      ///< number: pid
    void (*fork_failed)(PsWireChild child, void *ctx); ///< number: errno
    void (*exited)(PsWireChild child, void *ctx);      ///< number: wait status
    void (*over_limit)(PsWireChild child, void *ctx);  ///< number: PsWireLimit
    void (*lost)(void *ctx);    ///< penstock-script ended; the kernel ends its workers with it
    void (*stopped)(void *ctx); ///< after stop: nothing of the spawner is on the loop any more
} PsScriptSpawnerEvents;

typedef struct PsSpawnerLife PsSpawnerLife;

typedef struct PsScriptSpawner {
    uv_loop_t *loop;
    char *program;
    char *scratch; ///< folder for scratch folders, NULL: none
    const PsScriptSpawnerEvents *events;
    void *ctx;
    PsSpawnerLife *life;   ///< the present process, NULL between two
    PsSpawnerLife *ending; ///< asked to end by stop, not yet gone
    uv_timer_t restart;    ///< the next start; once stopping, the limit of the end
    uint32_t failures;     ///< in a row, for the delay
    uint32_t delay_min_ms;
    uint32_t handles; ///< still on the loop
    bool ready;
    bool stopping;
    bool holds_told; ///< that something is missing on this system
} PsScriptSpawner;

/// `events` is borrowed, `program` and `scratch` (may be NULL) copied.
void ps_script_spawner_init(PsScriptSpawner *spawner, uv_loop_t *loop, const char *program,
                            const char *scratch, uint32_t delay_min_ms,
                            const PsScriptSpawnerEvents *events, void *ctx);
/// After `stopped`, or when it was never started.
void ps_script_spawner_deinit(PsScriptSpawner *spawner);
/// A failure to start is logged and tried again.
void ps_script_spawner_start(PsScriptSpawner *spawner);
/// `fds`: the worker's socket and standard error; borrowed. PS_ERR_CLOSED without a ready
/// process, PS_ERR_BUSY when its socket is full.
PsErr ps_script_spawner_fork(PsScriptSpawner *spawner, PsWireFork order, const int fds[2]);
/// Sends a signal to a worker, if it still lives.
void ps_script_spawner_kill(PsScriptSpawner *spawner, uint32_t slot, uint32_t generation,
                            int signal);
/// Asynchronous, ends in events->stopped. The workers still alive die.
void ps_script_spawner_stop(PsScriptSpawner *spawner);
