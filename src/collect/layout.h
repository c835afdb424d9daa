//! Which devices of a configuration share a channel: those with the same protocol and endpoint.
//! Pure.
#pragma once

#include "model/config.h"

typedef struct PsLayout {
    uint32_t channel_count;
    uint32_t *device_channel; ///< by device; PS_NOT_THERE for those without variables
} PsLayout;

/// PS_ERR_UNSUPPORTED (no driver for a protocol); `diag` names the device.
PsErr ps_layout_init(PsLayout *layout, const PsConfig *config, PsDiag *diag);
void ps_layout_deinit(PsLayout *layout);
