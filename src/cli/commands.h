//! The table of penstock's sub-commands, and what `penstock --help` and `penstock COMMAND --help`
//! print of it. Constant.
#pragma once

#include "cli/cli.h"

#include <stdio.h>

typedef struct CliEntry {
    const char *name; ///< NULL: the heading of those that follow, in `brief`
    CliCommand *run;
    const char *arguments;
    const char *brief; ///< one line of the list
    const char *more;  ///< lines of the command's own help: its words, options, examples; or NULL
} CliEntry;

/// NULL when there is none of that name.
const CliEntry *cli_entry_find(const char *name);
void cli_print_help(FILE *out);
void cli_print_entry_help(const CliEntry *entry, FILE *out);
