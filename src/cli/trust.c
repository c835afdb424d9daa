// `penstock trust`: the certificates of OPC UA servers; listing, accepting, revoking. Blocking.
#include "cli/cli.h"

#include "base/time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static void print_day(const json_t *row, const char *key) {
    char day[16] = "?";
    struct tm parts;
    time_t when = (time_t)cli_integer(row, key);
    if (gmtime_r(&when, &parts) != NULL) {
        (void)strftime(day, sizeof day, "%Y-%m-%d", &parts);
    }
    printf("%-12s", day);
}

// The names of the devices, or where the certificate was met when there is none any more.
static void print_devices(const json_t *row) {
    json_t *devices = json_object_get(row, "devices");
    size_t index;
    json_t *name;
    if (json_array_size(devices) == 0) {
        printf("%s", cli_text(row, "endpoint"));
    }
    json_array_foreach(devices, index, name) {
        printf("%s%s", index > 0 ? ", " : "", json_string_value(name));
    }
}

static void print_list(const json_t *result) {
    json_t *items = json_object_get(result, "items");
    json_t *own = json_object_get(result, "own");
    size_t index;
    json_t *row;
    if (json_array_size(items) == 0) {
        printf("no server's certificate was met yet\n");
    } else {
        printf("%-9s %-12s%-18s %s\n", "STATE", "VALID TO", "FINGERPRINT", "DEVICE, SUBJECT");
    }
    json_array_foreach(items, index, row) {
        printf("%-9s ", cli_text(row, "state"));
        print_day(row, "not_after");
        printf("%.16s   ", cli_text(row, "fingerprint"));
        print_devices(row);
        printf("\n%*s%s\n%*sSHA-256 %s\n", 24, "", cli_text(row, "subject"), 24, "",
               cli_text(row, "fingerprint"));
        if (cli_text(row, "warning")[0] != '\0') {
            printf("%*swarning: %s\n", 24, "", cli_text(row, "warning"));
        }
    }
    if (json_is_object(own)) {
        printf("\nthe gateway's own certificate, which a server must accept:\n  %s\n  SHA-256 %s\n",
               cli_text(own, "path"), cli_text(own, "fingerprint"));
    }
}

static void print_accepted(const json_t *result) {
    printf("trusted: %s\n", cli_text(result, "subject"));
    printf("SHA-256 %s\n", cli_text(result, "fingerprint"));
    printf("the gateway connects at its next try\n");
}

static void print_revoked(const json_t *result) {
    printf("not trusted any more: %s\n", cli_text(result, "subject"));
    printf("SHA-256 %s\n", cli_text(result, "fingerprint"));
    printf("a session that is open stays until it is made anew\n");
}

static int decide(const CliOptions *options, const char *call, const char *certificate,
                  void (*print)(const json_t *result)) {
    json_t *question = json_pack("{s:s, s:s}", "call", call, "certificate", certificate);
    if (question == NULL) {
        return cli_fail(CLI_USAGE, "a name is not UTF-8");
    }
    return cli_call_shown(options, question, print);
}

int cli_trust(const CliOptions *options, int count, char **arguments) {
    if (count == 0) {
        return cli_call_shown(options, json_pack("{s:s}", "call", "GET /trust"), print_list);
    }
    if (count == 2 && strcmp(arguments[0], "accept") == 0) {
        return decide(options, "POST /trust/accept", arguments[1], print_accepted);
    }
    if (count == 2 && strcmp(arguments[0], "revoke") == 0) {
        return decide(options, "POST /trust/revoke", arguments[1], print_revoked);
    }
    return cli_fail(CLI_USAGE, "trust takes nothing; accept FINGERPRINT|DEVICE; or revoke "
                               "FINGERPRINT|DEVICE");
}
