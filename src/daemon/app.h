//! The running gateway: everything built, wired together, run, and torn down in reverse.
//! Main thread.
#pragma once

#include "model/config.h"

typedef struct PsAppOptions {
    const char *state;          ///< folder for the outbox and the alarm history
    const char *socket;         ///< command socket
    const char *script_program; ///< penstock-script
} PsAppOptions;

/// Runs until SIGINT or SIGTERM. The configuration is borrowed. PS_OK after an orderly stop;
/// otherwise `diag` says what could not be started.
PsErr ps_app_run(const PsConfig *config, const PsAppOptions *options, PsDiag *diag);
