//! The running gateway: everything built, wired together, run, and torn down in reverse.
//! Main thread.
#pragma once

#include "model/config.h"

typedef struct PsApp PsApp;

typedef struct PsAppOptions {
    const char *state;          ///< folder for the outbox and the alarm history
    const char *socket;         ///< command socket
    const char *script_program; ///< penstock-script
} PsAppOptions;

/// Runs until SIGINT or SIGTERM. Takes the configuration over. PS_OK after an orderly stop;
/// otherwise `diag` says what could not be started.
PsErr ps_app_run(PsConfig *config, const PsAppOptions *options, PsDiag *diag);
