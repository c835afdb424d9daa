//! What came of a trial, for people. Blocking.
#pragma once

#include "cli/cli.h"

/// `result` as ps_trial_report_json makes it.
void cli_show_trial(const json_t *result, const char *file, const char *main_function);
int cli_script_canary(const CliOptions *options, int count, char **words);
int cli_script_run(const CliOptions *options, int count, char **words);
