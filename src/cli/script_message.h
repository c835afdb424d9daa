//! Which configured message a file is the script of. Blocking.
#pragma once

#include "cli/cli.h"
#include "model/config.h"

/// The row of `rows` (answer of the call `script_messages`) that is called `name`, or when that is
/// NULL the one whose script is this file; of several the one with this main function (may be
/// NULL), else the first. NULL when there is none. Borrowed.
const json_t *cli_find_message(const json_t *rows, const char *file, const char *name,
                               const char *main_function);

/// The configuration that the file belongs to: that of its folder or of the one above, if it is
/// there and sound; else NULL. The caller frees.
PsConfig *cli_config_of(const char *file);
/// As cli_find_message, of a configuration's publish messages.
const PsPublish *cli_find_publish(const PsConfig *config, const char *file, const char *name,
                                  const char *main_function);
