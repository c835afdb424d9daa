//! penstock.json for commands that edit it: read it, make a new one of it, write that. One thread,
//! blocking.
#pragma once

#include "model/config.h"

#include <limits.h>

typedef struct CliConfigFile {
    char path[PATH_MAX];
    PsBuf old;   ///< its bytes; the caller deinits
    bool is_new; ///< there is none yet, but its folder is
} CliConfigFile;

/// PS_ERR_NOT_FOUND also with `is_new`.
PsErr cli_config_read(CliConfigFile *file, const char *folder, PsDiag *diag);

/// Writes the configuration whole or not at all, unless the file has changed since it was read. The
/// file before stays beside it as `backup` (penstock.json.before-WHAT-TIME; "" when there was
/// none).
PsErr cli_config_write(const PsConfig *config, const CliConfigFile *file, const char *what,
                       char *backup, size_t backup_size, PsDiag *diag);
