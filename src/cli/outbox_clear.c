// `penstock outbox clear NAME`: drops what waits of one message, once its name was typed again.
// Blocking.
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#define NAME_SIZE 256

static long long waiting_of(const json_t *status, const char *name) {
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(status, "messages"), index, row) {
        if (strcmp(cli_text(row, "name"), name) == 0) {
            return cli_integer(row, "waiting");
        }
    }
    return -1;
}

// What was typed; "" when nothing was.
static void ask(const char *name, long long waiting, char *out, size_t size) {
    fprintf(
        stderr,
        "%lld waiting messages of '%s' will be dropped for good; those under way still arrive.\n"
        "Type the name of the message to go on: ",
        waiting, name);
    if (fgets(out, (int)size, stdin) == NULL) {
        out[0] = '\0';
    }
    out[strcspn(out, "\n")] = '\0';
}

static int clear(const CliOptions *options, CliClient *client, const char *name,
                 const char *confirm) {
    json_t *result =
        cli_client_call(client, json_pack("{s:s, s:s, s:s}", "call", "POST /outbox/clear", "name",
                                          name, "confirm", confirm));
    if (result == NULL) {
        return CLI_FAILED;
    }
    if (options->json) {
        cli_print_json(result);
    } else {
        printf("%lld messages of '%s' were dropped\n", cli_integer(result, "cleared"), name);
    }
    json_decref(result);
    return CLI_DONE;
}

static int ask_and_clear(const CliOptions *options, CliClient *client, const char *name) {
    json_t *status = cli_client_call(client, json_pack("{s:s}", "call", "GET /status"));
    if (status == NULL) {
        return CLI_FAILED;
    }
    long long waiting = waiting_of(status, name);
    json_decref(status);
    if (waiting < 0) {
        return cli_fail(CLI_FAILED, "there is no message '%s'; 'penstock outbox' lists all", name);
    }
    char typed[NAME_SIZE];
    ask(name, waiting, typed, sizeof typed);
    if (strcmp(typed, name) != 0) {
        return cli_fail(CLI_FAILED, "this is not '%s'; nothing was dropped", name);
    }
    return clear(options, client, name, typed);
}

int cli_outbox_clear(const CliOptions *options, int count, char **arguments) {
    bool confirmed = count == 3 && strcmp(arguments[1], "--confirm") == 0;
    if (count != 1 && !confirmed) {
        return cli_fail(CLI_USAGE,
                        "outbox clear takes the name of one message, and --confirm NAME where "
                        "nobody can be asked");
    }
    CliClient *client = cli_client_open(options);
    if (client == NULL) {
        return CLI_FAILED;
    }
    int status = confirmed ? clear(options, client, arguments[0], arguments[2])
                           : ask_and_clear(options, client, arguments[0]);
    cli_client_close(client);
    return status;
}
