//! How findings of a configuration are shown; in check.c. One thread, blocking.
#pragma once

#include "cli/cli.h"
#include "model/findings.h"

/// One a line on standard output.
void cli_print_findings(const PsFindings *findings);
