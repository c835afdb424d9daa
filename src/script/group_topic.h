//! Topics of publish entries, with their parameters filled in. Pure.
#pragma once

#include "model/config.h"
#include "script/messages.h"

/// The text with each ${parameter} that exists filled in; the caller frees it. What does not exist
/// stays as it is: the check of the configuration has warned of it.
char *ps_script_expand_topic(const PsConfig *config, const char *topic);
/// Where save_data(data, group) sends: the topic, with parameters filled in, of the first publish
/// entry in the order of the configuration that takes the group; the caller frees it. NULL when
/// there is none.
char *ps_script_group_topic(const PsConfig *config, PsWireText group, int *ret_qos);
