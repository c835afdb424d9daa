//! The HTTPS listener for browsers and programs: address, port and certificate as the configuration
//! says; loopback only until there is an administrator. Taken over by set_config while it runs; a
//! port that is taken is tried again. Main thread; keys and files are read on a worker thread.
#pragma once

#include "base/err.h"
#include "http/guard.h"

#include <jansson.h>
#include <uv.h>

typedef struct PsWebServer PsWebServer;

/// What the listener may be asked under; of NULL: nothing.
const PsGuardRules *ps_web_guard(const PsWebServer *web);
/// `closed` is called from the loop; the memory has gone then. Accepts NULL (and calls nothing).
void ps_web_close(PsWebServer *web, void (*closed)(void *ctx), void *ctx);
