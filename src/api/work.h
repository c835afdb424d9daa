//! Calls that need the disk or much time: on a worker thread, answered on the main thread. Inside
//! src/api only.
#pragma once

#include "api/call.h"

/// Runs `work` on a worker thread, then `done` on the main thread, which answers the call and gives
/// `ctx` away. `work` touches nothing but `ctx`; what it reads of the configuration is held.
void ps_api_work(PsApiCall *call, void (*work)(void *ctx), void (*done)(PsApiCall *call, void *ctx),
                 void *ctx);

/// The configuration that runs now, until it is let go, for a worker thread.
typedef struct PsApiHeld {
    const PsConfig *config;
    void *hold;
    void (*release)(void *hold);
} PsApiHeld;

PsApiHeld ps_api_hold(const PsApiCall *call);
/// Main thread.
void ps_api_let_go(PsApiHeld *held);
