// `penstock setup-code`: the one-time code for the first administrator. Blocking.
#include "cli/cli.h"

#include "base/time.h"

#include <stdio.h>
#include <string.h>

// Where the page is, "" when it is not served.
static void find_page(CliClient *client, char *out, size_t size) {
    json_t *status = cli_client_call(client, json_pack("{s:s}", "call", "GET /status"));
    snprintf(out, size, "%s", cli_text(json_object_get(status, "web"), "url"));
    json_decref(status);
}

static void show(const json_t *result, const char *page) {
    char until[PS_STAMP_SIZE];
    ps_wall_format((PsWall){ps_seconds_to_ns(cli_number(result, "expires"))}, until, sizeof until);
    printf("%s\n\n", cli_text(result, "code"));
    if (page[0] != '\0') {
        printf("Open %s in a browser on this machine and make the first administrator with it. "
               "From another machine: ssh -L 9443:127.0.0.1:9443 and the same page.\n",
               page);
    } else {
        printf("The gateway's page is not served at the moment (block `web` of penstock.json, "
               "`penstock log`). `penstock users add NAME --role administrator` makes one here.\n");
    }
    printf("It can be used once, until %s, and not after a restart.\n", until);
}

int cli_setup_code(const CliOptions *options, int count, char **arguments) {
    if (count > 0) {
        return cli_fail(CLI_USAGE, "setup-code takes nothing, not '%s'", arguments[0]);
    }
    CliClient *client = cli_client_open(options);
    if (client == NULL) {
        return CLI_FAILED;
    }
    json_t *result = cli_client_call(client, json_pack("{s:s}", "call", "GET /setup/code"));
    if (result != NULL && options->json) {
        cli_print_json(result);
    } else if (result != NULL) {
        char page[256];
        find_page(client, page, sizeof page);
        show(result, page);
    }
    cli_client_close(client);
    int status = result != NULL ? CLI_DONE : CLI_FAILED;
    json_decref(result);
    return status;
}
