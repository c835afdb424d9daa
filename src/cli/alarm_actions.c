// `penstock alarms ack`, `shelve` and `unshelve`. Blocking.
#include "cli/cli.h"
#include "cli/when.h"

#include <string.h>

// Takes the call over.
static int call_for(const CliOptions *options, json_t *call) {
    json_t *result = cli_call_once(options, call);
    if (result == NULL) {
        return CLI_FAILED;
    }
    if (options->json) {
        cli_print_json(result);
    }
    json_decref(result);
    return CLI_DONE;
}

int cli_alarm_actions(const CliOptions *options, int count, char **arguments) {
    const char *name = count > 1 ? arguments[1] : NULL;
    if (count == 2 && strcmp(arguments[0], "ack") == 0) {
        return call_for(options,
                        json_pack("{s:s, s:s}", "call", "POST /alarms/acknowledge", "name", name));
    }
    if (count == 2 && strcmp(arguments[0], "unshelve") == 0) {
        return call_for(options,
                        json_pack("{s:s, s:s}", "call", "POST /alarms/unshelve", "name", name));
    }
    long long seconds = 0;
    if (count == 4 && strcmp(arguments[0], "shelve") == 0 && strcmp(arguments[2], "--for") == 0 &&
        cli_length_parse(arguments[3], &seconds)) {
        return call_for(options, json_pack("{s:s, s:s, s:I}", "call", "POST /alarms/shelve", "name",
                                           name, "seconds", (json_int_t)seconds));
    }
    return cli_fail(CLI_USAGE,
                    "alarms takes ack NAME, shelve NAME --for TIME (90s, 30m, 2h, 7d) or "
                    "unshelve NAME");
}
