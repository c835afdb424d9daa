// `penstock setup-code`: the one-time code for the first administrator. Blocking.
#include "cli/cli.h"

#include "base/time.h"

#include <stdio.h>

static void show_page(const char *url, long long port) {
    printf("Open %s in a browser on this machine and make the first administrator with it. From "
           "another machine: `ssh -L %lld:127.0.0.1:%lld` to this one, then the same address "
           "there.\n",
           url, port, port);
}

// `web` as of the status: where the page is, if it is served.
static void show(const json_t *result, const json_t *web) {
    char until[PS_STAMP_SIZE];
    cli_stamp(result, "expires", until);
    printf("%s\n\n", cli_text(result, "code"));
    const char *url = cli_text(web, "url");
    if (url[0] != '\0') {
        show_page(url, cli_integer(web, "port"));
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
        json_t *status = cli_client_call(client, json_pack("{s:s}", "call", "GET /status"));
        show(result, json_object_get(status, "web"));
        json_decref(status);
    }
    cli_client_close(client);
    int status = result != NULL ? CLI_DONE : CLI_FAILED;
    json_decref(result);
    return status;
}
