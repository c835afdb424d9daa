//! From the configuration to an open outbox: names, rules and limits. Main thread.
#pragma once

#include "model/config.h"
#include "outbox/outbox.h"

/// Opens the outbox in `folder`; blocks for its integrity check. The configuration is used during
/// the call only. PS_ERR_IO, PS_ERR_DENIED with a diagnosis.
PsErr ps_outbox_setup_open(const PsConfig *config, uv_loop_t *loop, const char *folder,
                           void (*on_ready)(void *ctx), void *ctx, PsOutbox **ret_outbox,
                           PsDiag *diag);
