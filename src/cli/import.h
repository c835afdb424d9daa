//! The parts of `penstock import`. One thread, blocking.
#pragma once

#include "cli/cli.h"
#include "exchange/plan.h"

/// What became of the import besides the plan itself.
typedef struct CliImportEnd {
    bool written;
    const char *path;   ///< of penstock.json
    const char *backup; ///< where the old one stands; "" when there was none
    bool applies;       ///< and it is applied at once
    const char *reason; ///< why nothing was written; "" when it was
} CliImportEnd;

/// Prints the rows of each file: added, changed, not taken and why, and what does not come over.
void cli_import_show(const PsPlan *plan);
/// Prints everything as JSON.
void cli_import_show_json(const PsPlan *plan, const CliImportEnd *end);
