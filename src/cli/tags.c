// `penstock tags [DEVICE] [--watch]`: current values as a table; `tags move` is another file.
// Blocking.
#include "cli/cli.h"

#include "base/time.h"

#include <stdio.h>
#include <string.h>

#define WATCH_MS 1000

static void print_row(const json_t *row) {
    char stamp[PS_STAMP_SIZE] = "-";
    const json_t *time = json_object_get(row, "time");
    if (json_is_number(time)) {
        ps_wall_format((PsWall){ps_seconds_to_ns(json_number_value(time))}, stamp, sizeof stamp);
    }
    char value[64];
    const char *unit = cli_text(row, "unit");
    snprintf(value, sizeof value, "%s%s%s", cli_text(row, "text"), unit[0] != '\0' ? " " : "",
             unit);
    printf("%-20s %-20s %-7s %-20s %-24s %s\n", cli_text(row, "device"), cli_text(row, "name"),
           cli_text(row, "type"), value, stamp, cli_text(row, "quality"));
}

static void print_table(const json_t *result) {
    printf("%-20s %-20s %-7s %-20s %-24s %s\n", "DEVICE", "VARIABLE", "TYPE", "VALUE", "TIME",
           "QUALITY");
    const json_t *tags = json_object_get(result, "tags");
    size_t index;
    json_t *row;
    json_array_foreach((json_t *)(uintptr_t)tags, index, row) {
        print_row(row);
    }
}

int cli_tags(const CliOptions *options, int count, char **arguments) {
    const char *device = NULL;
    bool watch = false;
    if (count > 1 && strcmp(arguments[0], "move") == 0) { // alone it is a device's name
        return cli_tags_move(options, count - 1, arguments + 1);
    }
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--watch") == 0) {
            watch = true;
        } else if (device == NULL && arguments[i][0] != '-') {
            device = arguments[i];
        } else {
            return cli_fail(CLI_USAGE, "tags takes one device name and --watch, not '%s'",
                            arguments[i]);
        }
    }
    CliClient *client = cli_client_open(options);
    if (client == NULL) {
        return CLI_FAILED;
    }
    int status = CLI_DONE;
    do {
        json_t *call = json_pack("{s:s, s:s*}", "call", "GET /tags", "device", device);
        json_t *result = cli_client_call(client, call);
        if (result == NULL) {
            status = CLI_FAILED;
            break;
        }
        if (options->json) {
            cli_print_json(json_object_get(result, "tags"));
        } else {
            printf("%s", watch ? "\033[H\033[2J" : ""); // terminal: home, clear
            print_table(result);
        }
        fflush(stdout);
        json_decref(result);
        if (watch) {
            cli_sleep_ms(WATCH_MS);
        }
    } while (watch && !ferror(stdout));
    cli_client_close(client);
    return status;
}
