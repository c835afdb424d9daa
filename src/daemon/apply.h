//! Changes of the running configuration: one at a time, checked whole and made durable on a worker
//! thread, then switched to on the main thread. Owns the store of revisions and the time a revision
//! is tried out. SIGHUP is an apply of the configuration folder. Main thread.
#pragma once

#include "api/changes.h"
#include "daemon/start_config.h"

#include <uv.h>

typedef struct PsApplySetup {
    uv_loop_t *loop;
    /// What the gateway started with; its store is taken over, its configuration lasts until
    /// another is switched to.
    const PsStartConfig *start;
    const char *script_program; ///< penstock-script; borrowed
    PsVariableCheckFor *check_for;
    /// The configuration that runs from now on, which the callee owns and which lasts until the
    /// next one; may not fail. Appends to `restarted` one line for each part that had to start
    /// anew. NULL: what is applied runs when the gateway starts the next time.
    void (*switch_to)(PsConfig *config, PsBuf *restarted, void *ctx);
    /// How the gateway does, as of ps_health_of; the callee gives it away.
    json_t *(*health)(void *ctx);
    void *ctx;
    uint32_t grace_ms; ///< after a start, before health is judged; 0: PS_APPLY_GRACE_MS
} PsApplySetup;

#define PS_APPLY_GRACE_MS 60000
/// Line of the link among `restarted`.
#define PS_ANEW_CLOUD "connection to the cloud"

typedef struct PsApply PsApply;

PsApply *ps_apply_new(const PsApplySetup *setup);
/// No callback of the setup comes after this, and nothing new begins. What is being written is
/// written to its end; the loop runs until then. Accepts NULL.
void ps_apply_close(PsApply *apply);
/// After the loop has run out. Accepts NULL.
void ps_apply_free(PsApply *apply);

/// For the command socket; borrowed, as long as the apply.
const PsApiChanges *ps_apply_changes(PsApply *apply);
