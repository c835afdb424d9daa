// `penstock alarms`: the alarms that are on, as a table, those that are shelved and those that
// cannot be evaluated. Blocking.
#include "cli/cli.h"

#include "base/time.h"

#include <stdio.h>
#include <string.h>

static void print_row(const json_t *row) {
    char stamp[PS_STAMP_SIZE];
    double seconds = cli_number(row, "time");
    ps_wall_format((PsWall){ps_seconds_to_ns(seconds)}, stamp, sizeof stamp);
    char value[64];
    const char *unit = cli_text(row, "unit");
    snprintf(value, sizeof value, "%s%s%s", cli_text(row, "text"), unit[0] != '\0' ? " " : "",
             unit);
    bool acknowledged = json_object_get(row, "acknowledged") != NULL;
    printf("%-24s %-12s %-20s %-24s %s%s%s%s\n", cli_text(row, "name"),
           acknowledged ? "Acknowledged" : cli_text(row, "status"), value, stamp,
           cli_text(row, "description"), acknowledged ? " (acknowledged by " : "",
           cli_text(row, "acknowledged_by"), acknowledged ? ")" : "");
}

static void print_table(const json_t *result) {
    json_t *on = json_object_get(result, "alarms");
    size_t index;
    json_t *row;
    if (json_array_size(on) == 0) {
        printf("none of %lld alarms is on\n", cli_integer(result, "defined"));
    } else {
        printf("%-24s %-12s %-20s %-24s %s\n", "NAME", "STATUS", "VALUE", "TIME", "DESCRIPTION");
    }
    json_array_foreach(on, index, row) {
        print_row(row);
    }
    json_array_foreach(json_object_get(result, "shelved"), index, row) {
        char until[PS_STAMP_SIZE];
        cli_stamp(row, "until", until);
        printf("'%s' is shelved by %s until %s: scripts are not told\n", cli_text(row, "name"),
               cli_text(row, "by"), until);
    }
    json_array_foreach(json_object_get(result, "unread"), index, row) {
        printf("'%s' (device '%s') cannot be evaluated: %s\n", cli_text(row, "name"),
               cli_text(row, "device"), cli_text(row, "quality"));
    }
}

int cli_alarms(const CliOptions *options, int count, char **arguments) {
    if (count > 0 && strcmp(arguments[0], "--history") == 0) {
        return cli_alarm_history(options, count - 1, arguments + 1);
    }
    if (count > 0 && arguments[0][0] != '-') {
        return cli_alarm_actions(options, count, arguments);
    }
    if (count > 0) {
        return cli_fail(CLI_USAGE, "alarms takes --history, ack, shelve or unshelve, not '%s'",
                        arguments[0]);
    }
    return cli_call_shown(options, json_pack("{s:s}", "call", "GET /alarms"), print_table);
}
