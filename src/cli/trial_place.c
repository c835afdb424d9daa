// The program and the folder of a trial. Blocking.
#include "cli/trial_place.h"

#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void cli_trial_place_init(CliTrialPlace *place) {
    char folder[PATH_MAX];
    cli_program_folder(folder, sizeof folder);
    snprintf(place->program, sizeof place->program, "%s/penstock-script", folder);
    snprintf(place->scratch, sizeof place->scratch, "/tmp/penstock-trial-XXXXXX");
    place->has_scratch = mkdtemp(place->scratch) != NULL;
}

const char *cli_trial_place_scratch(const CliTrialPlace *place) {
    return place->has_scratch ? place->scratch : NULL;
}

void cli_trial_place_deinit(CliTrialPlace *place) {
    if (place->has_scratch) {
        rmdir(place->scratch);
    }
}
