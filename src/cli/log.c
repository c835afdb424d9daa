// `penstock log [-f]`: the gateway's newest lines, then new ones as they come. Blocking.
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#define FOLLOW_MS 300

int cli_log(const CliOptions *options, int count, char **arguments) {
    bool follow =
        count == 1 && (strcmp(arguments[0], "-f") == 0 || strcmp(arguments[0], "--follow") == 0);
    if (count > 0 && !follow) {
        return cli_fail(CLI_USAGE, "log takes nothing or -f");
    }
    CliClient *client = cli_client_open(options);
    if (client == NULL) {
        return CLI_FAILED;
    }
    json_int_t last = 0;
    int status = CLI_DONE;
    do {
        json_t *result = cli_client_call(
            client, json_pack("{s:s, s:I, s:b}", "call", "GET /log", "after", last, "raw", 1));
        if (result == NULL) {
            status = CLI_FAILED;
            break;
        }
        last = json_integer_value(json_object_get(result, "last"));
        const char *text = json_string_value(json_object_get(result, "text"));
        if (options->json) {
            cli_print_json(result);
        } else {
            fputs(text != NULL ? text : "", stdout);
        }
        fflush(stdout);
        json_decref(result);
        if (follow) {
            cli_sleep_ms(FOLLOW_MS);
        }
    } while (follow && !ferror(stdout));
    cli_client_close(client);
    return status;
}
