//! Which configuration the gateway starts with: that of the folder when it is sound, else the last
//! one that was ([0018](docs/decisions/0018-revisions.md)). Blocks; only while starting.
#pragma once

#include "model/config.h"
#include "revision/store.h"

typedef struct PsStartConfig {
    PsConfig *config;
    PsRevisionStore *store; ///< NULL when the disk does not allow one
    char problem[640];      ///< why it is not the folder's; "" when it is
} PsStartConfig;

/// The very first start: without a state folder there is no earlier configuration, so
/// PS_ERR_INVALID when the folder's is not sound, before anything is made.
PsErr ps_start_config_first(const char *folder, const char *state, PsVariableCheckFor *check_for);

/// Findings and decisions go to the log. PS_ERR_INVALID when there is nothing to start with.
PsErr ps_start_config(const char *folder, const char *state, const char *script_program,
                      PsVariableCheckFor *check_for, PsStartConfig *ret_start);
