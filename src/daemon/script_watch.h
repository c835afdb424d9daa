//! Notices when a script of the configuration is saved, so that it can take effect at once and
//! alone. Main thread; files are read on libuv's worker threads.
#pragma once

#include "model/config.h"

#include <uv.h>

typedef struct PsScriptWatch PsScriptWatch;

typedef struct PsScriptWatchSetup {
    uv_loop_t *loop;        ///< borrowed; outlives the watch
    const PsConfig *config; ///< borrowed during new
    /// The file of a publish entry, or of a subscribe entry, has other content than before.
    /// `source` may be moved from.
    void (*saved)(bool publish, uint32_t index, PsBuf *source, void *ctx);
    void *ctx;
} PsScriptWatchSetup;

/// Looks at all of them at once, since one may have been saved after the configuration was loaded.
/// Without inotify nothing is noticed, which the log says; the gateway runs all the same. NULL
/// then, and when no message has a script.
PsScriptWatch *ps_script_watch_new(const PsScriptWatchSetup *setup);
/// No callback comes after this; its memory goes when the loop has closed its handle. Accepts NULL.
void ps_script_watch_close(PsScriptWatch *watch);
