//! Checks that need more than one key: references, doubles, files, limits of the server.
//! For the loader; one thread.
#pragma once

#include "model/config.h"

#include <jansson.h>

/// A key at the top level: known, known but not in this version, or a slip of the pen.
void ps_config_check_block(const char *key, const json_t *value, PsFindings *findings);

/// All checks across objects; fills the indexes (PsVariable.device, PsPublish.groups, ...).
/// Expects objects that passed their tables.
void ps_config_check(PsConfig *config, PsVariableCheckFor *check_for, PsFindings *findings);
