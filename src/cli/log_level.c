// `penstock log-level`: shows the log level of the running gateway, or sets it. Blocking.
#include "cli/cli.h"
#include "cli/when.h"

#include <stdio.h>
#include <string.h>

static void print_level(const json_t *result) {
    if (json_object_get(result, "until") != NULL) {
        char until[PS_STAMP_SIZE];
        cli_stamp(result, "until", until);
        printf("%s until %s, then %s", cli_text(result, "level"), until, cli_text(result, "then"));
    } else {
        printf("%s", cli_text(result, "level"));
    }
    printf(" (penstock.json: %s)\n", cli_text(result, "configured"));
}

int cli_log_level(const CliOptions *options, int count, char **arguments) {
    json_t *call = json_pack("{s:s}", "call", count > 0 ? "PUT /log/level" : "GET /log/level");
    long long seconds = 0;
    bool fits = count == 0 || (count == 1 && arguments[0][0] != '-');
    if (count == 3 && arguments[0][0] != '-' && strcmp(arguments[1], "--for") == 0 &&
        cli_length_parse(arguments[2], &seconds)) {
        json_object_set_new(call, "seconds", json_integer(seconds));
        fits = true;
    }
    if (!fits) {
        json_decref(call);
        return cli_fail(CLI_USAGE,
                        "log-level takes nothing, or DEBUG, INFO, WARNING or ERROR [--for TIME]; "
                        "a time is 90s, 30m, 2h or 7d");
    }
    if (count > 0) {
        json_object_set_new(call, "level", json_string(arguments[0]));
    }
    return cli_call_shown(options, call, print_level);
}
