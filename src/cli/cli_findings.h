//! What is wrong with a configuration, and how that is shown; in check.c. One thread, blocking.
#pragma once

#include "cli/cli.h"
#include "model/config.h"
#include "model/findings.h"

/// Loads the folder and compiles its scripts. The configuration is the caller's also when a script
/// is not sound; NULL when it could not be loaded. PS_ERR_INVALID with findings; otherwise `diag`.
PsErr cli_load_checked(const char *folder, PsFindings *findings, PsConfig **ret_config,
                       PsDiag *diag);
/// The exit status for it; prints `diag` when there were no findings to blame.
int cli_checked_status(PsErr err, const PsDiag *diag);

/// One a line on standard output.
void cli_print_findings(const PsFindings *findings);
/// Prints why a command ended: the findings, then the diagnosis, as JSON when asked for. Returns
/// the exit status: CLI_USAGE for a configuration with mistakes, else CLI_FAILED.
int cli_fail_findings(const CliOptions *options, PsErr err, const PsFindings *findings,
                      const PsDiag *diag);
/// Has every script of a configuration compiled, as far as that goes without running it. Errors of
/// ps_script_compile.
PsErr cli_compile_scripts(const PsConfig *config, PsFindings *findings, PsDiag *diag);
/// All that `check --json` answers with.
void cli_print_findings_json(const PsFindings *findings);
