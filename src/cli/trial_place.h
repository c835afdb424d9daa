//! Where a trial of a script runs: the program beside this one and a scratch folder of its own.
//! Blocking.
#pragma once

#include <limits.h>
#include <stdbool.h>

typedef struct CliTrialPlace {
    char program[PATH_MAX + 32]; ///< penstock-script
    char scratch[40];
    bool has_scratch;
} CliTrialPlace;

void cli_trial_place_init(CliTrialPlace *place);
/// The scratch folder, or NULL when none could be made.
const char *cli_trial_place_scratch(const CliTrialPlace *place);
/// After the trial: penstock-script has emptied the folder.
void cli_trial_place_deinit(CliTrialPlace *place);
