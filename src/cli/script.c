// `penstock script`: finds the word behind it. `release NAME` lets a held script try again.
// Blocking.
#include "cli/script_show.h"

#include <stdio.h>
#include <string.h>

static int release(const CliOptions *options, int count, char **arguments) {
    if (count != 1) {
        return cli_fail(CLI_USAGE, "script release needs the name of one message");
    }
    json_t *result = cli_call_once(
        options, json_pack("{s:s, s:s}", "call", "POST /scripts/release", "name", arguments[0]));
    if (result == NULL) {
        return CLI_FAILED;
    }
    if (options->json) {
        cli_print_json(result);
    } else {
        printf("OK: '%s' tries again; 'penstock status' shows how it goes\n", arguments[0]);
    }
    json_decref(result);
    return CLI_DONE;
}

int cli_script(const CliOptions *options, int count, char **arguments) {
    if (count > 0 && strcmp(arguments[0], "release") == 0) {
        return release(options, count - 1, arguments + 1);
    }
    if (count > 0 && strcmp(arguments[0], "run") == 0) {
        return cli_script_run(options, count - 1, arguments + 1);
    }
    if (count > 0 && strcmp(arguments[0], "canary") == 0) {
        return cli_script_canary(options, count - 1, arguments + 1);
    }
    return cli_fail(CLI_USAGE, "script needs a word behind it: penstock script run FILE, script "
                               "canary NAME FILE, or script release NAME");
}
