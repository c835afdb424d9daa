//! From the configuration to an open outbox: names, rules and limits. Main thread.
#pragma once

#include "model/config_map.h"
#include "outbox/outbox.h"

/// Opens the outbox in `folder`; blocks for its integrity check. The configuration is used during
/// the call only. PS_ERR_IO, PS_ERR_DENIED with a diagnosis.
PsErr ps_outbox_setup_open(const PsConfig *config, uv_loop_t *loop, const char *folder,
                           void (*on_ready)(void *ctx), void *ctx, PsOutbox **ret_outbox,
                           PsDiag *diag);

/// The outbox goes on with another configuration; renamed messages keep what they have. All three
/// are used during the call only.
void ps_outbox_setup_apply(PsOutbox *outbox, const PsConfig *former, const PsConfig *config,
                           const PsConfigMap *map);
