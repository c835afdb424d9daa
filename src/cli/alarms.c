// `penstock alarms`: the alarms that are on, as a table. Blocking.
#include "cli/cli.h"

#include "base/time.h"

#include <stdio.h>

static void print_row(const json_t *row) {
    char stamp[PS_STAMP_SIZE];
    double seconds = cli_number(row, "time");
    ps_wall_format((PsWall){ps_seconds_to_ns(seconds)}, stamp, sizeof stamp);
    char value[64];
    const char *unit = cli_text(row, "unit");
    snprintf(value, sizeof value, "%s%s%s", cli_text(row, "text"), unit[0] != '\0' ? " " : "",
             unit);
    printf("%-24s %-10s %-20s %-24s %s\n", cli_text(row, "name"), cli_text(row, "status"), value,
           stamp, cli_text(row, "description"));
}

static void print_table(const json_t *result) {
    const json_t *rows = json_object_get(result, "alarms");
    if (json_array_size(rows) == 0) {
        printf("none of %lld alarms is on\n", cli_integer(result, "defined"));
        return;
    }
    printf("%-24s %-10s %-20s %-24s %s\n", "NAME", "STATUS", "VALUE", "TIME", "DESCRIPTION");
    size_t index;
    json_t *row;
    json_array_foreach((json_t *)(uintptr_t)rows, index, row) {
        print_row(row);
    }
}

int cli_alarms(const CliOptions *options, int count, char **arguments) {
    if (count > 0) {
        return cli_fail(CLI_USAGE, "alarms takes no '%s'", arguments[0]);
    }
    json_t *result = cli_call_once(options, json_pack("{s:s}", "call", "alarms"));
    if (result == NULL) {
        return CLI_FAILED;
    }
    if (options->json) {
        cli_print_json(json_object_get(result, "alarms"));
    } else {
        print_table(result);
    }
    json_decref(result);
    return CLI_DONE;
}
