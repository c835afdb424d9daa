//! The configuration as get_tag_config gives it to scripts: one JSON object with the lists
//! `devices`, `groups`, `warning` and `vars`, in the layout of Device Supervisor 1.x. Pure.
#pragma once

#include "model/config.h"

/// Appends the JSON text.
void ps_tag_config_put(const PsConfig *config, PsBuf *out);
