//! What somebody may do. Pure.
#pragma once

/// Each includes those before it.
typedef enum PsRole {
    PS_ROLE_NONE,
    PS_ROLE_VIEWER,
    PS_ROLE_OPERATOR,      ///< writes to PLCs, acknowledges alarms, replays
    PS_ROLE_ENGINEER,      ///< configuration, scripts, log level
    PS_ROLE_ADMINISTRATOR, ///< users, tokens of others, audit log, web server
} PsRole;

/// "viewer", "operator", "engineer", "administrator", "none". Never NULL.
const char *ps_role_name(PsRole role);
/// PS_ROLE_NONE for what is none; NULL is none.
PsRole ps_role_of(const char *name);
