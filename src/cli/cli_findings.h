//! How findings of a configuration are shown; in check.c. One thread, blocking.
#pragma once

#include "cli/cli.h"
#include "model/config.h"

/// One a line on standard output.
void cli_print_findings(const PsFindings *findings);
/// Prints why a command ended: the findings, then the diagnosis, as JSON when asked for. Returns
/// the exit status: CLI_USAGE for a configuration with mistakes, else CLI_FAILED.
int cli_fail_findings(const CliOptions *options, PsErr err, const PsFindings *findings,
                      const PsDiag *diag);
/// Has every script of a configuration compiled, as far as that goes without running it. Errors of
/// ps_script_compile.
PsErr cli_compile_scripts(const PsConfig *config, PsFindings *findings, PsDiag *diag);
