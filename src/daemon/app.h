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
    bool web;                   ///< listen for browsers
    const char *web_address;    ///< in place of the configuration's; NULL: that
    const char *pages;          ///< folder of the web interface; NULL: not installed
    int web_port;               ///< with an address; 0: a free one
} PsAppOptions;

/// Runs until SIGINT or SIGTERM. The state folder is this process's. PS_OK after an orderly stop;
/// otherwise `diag` says what could not be started.
PsErr ps_app_run(const PsAppOptions *options, PsDiag *diag);

/// Another configuration, loaded and checked, takes the place of the present one, which is freed
/// when nothing runs by it any more. Takes it over. Only what changed is disturbed: switch.c has
/// the order. From the loop, not from within a callback of a part. Cannot fail; what cannot be
/// started at the moment is tried again and says so in the log. While scripts are being stopped by
/// an earlier switch it waits for them, two seconds at most; of several the newest counts.
/// Appends to `anew` one line for each part that was there and begins anew, which is logged, too.
void ps_app_switch(PsApp *app, PsConfig *config, PsBuf *anew);
/// The one that was given last. Borrowed until the next switch.
const PsConfig *ps_app_config(const PsApp *app);
