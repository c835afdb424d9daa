//! The running gateway: everything built, wired together, run, and torn down in reverse.
//! Main thread.
#pragma once

#include "daemon/start_config.h"

typedef struct PsApp PsApp;

typedef struct PsAppOptions {
    const PsStartConfig *start; ///< the configuration and its store, taken over
    const char *state;          ///< folder for the outbox, the alarm history and the revisions
    const char *socket;         ///< command socket
    const char *script_program; ///< penstock-script
} PsAppOptions;

/// Runs until SIGINT or SIGTERM. The state folder is this process's. PS_OK after an orderly stop;
/// otherwise `diag` says what could not be started.
PsErr ps_app_run(const PsAppOptions *options, PsDiag *diag);
