// `penstock metrics`: the gateway's numbers as Prometheus reads them. Blocking.
#include "cli/cli.h"

#include <stdio.h>

int cli_metrics(const CliOptions *options, int count, char **arguments) {
    if (count != 0) {
        return cli_fail(CLI_USAGE, "metrics takes no argument, not '%s'", arguments[0]);
    }
    json_t *result = cli_call_once(options, json_pack("{s:s}", "call", "GET /metrics"));
    if (result == NULL) {
        return CLI_FAILED;
    }
    if (options->json) {
        cli_print_json(result);
    } else {
        fputs(cli_text(result, "text"), stdout);
    }
    json_decref(result);
    return CLI_DONE;
}
