// `penstock alarms --history`: what alarms did, newest first. Blocking.
#include "cli/cli.h"
#include "cli/when.h"

#include "base/time.h"

#include <stdio.h>
#include <string.h>

static void print_entries(const json_t *entries) {
    size_t index;
    json_t *row;
    json_array_foreach((json_t *)(uintptr_t)entries, index, row) {
        char stamp[PS_STAMP_SIZE];
        cli_stamp(row, "time", stamp);
        char value[320];
        const char *unit = cli_text(row, "unit");
        snprintf(value, sizeof value, "%s%s%s", cli_text(row, "value"), unit[0] != '\0' ? " " : "",
                 unit);
        printf("%-24s %-24s %-12s %-20s %s%s%s\n", stamp, cli_text(row, "name"),
               cli_text(row, "status"), value, cli_text(row, "description"),
               cli_text(row, "who")[0] != '\0' ? " by " : "", cli_text(row, "who"));
    }
}

// Prints a page, or keeps it for the end; false when there are no more.
static bool take_page(const CliOptions *options, json_t *call, const json_t *result, json_t *all) {
    json_t *entries = json_object_get(result, "entries");
    size_t count = json_array_size(entries);
    if (options->json) {
        json_array_extend(all, entries);
    } else {
        print_entries(entries);
    }
    if (count > 0) {
        json_object_set(call, "before_id",
                        json_object_get(json_array_get(entries, count - 1), "id"));
    }
    return count > 0;
}

// Page by page, so that neither side holds all of them. Takes the call over.
static int list(const CliOptions *options, json_t *call) {
    CliClient *client = cli_client_open(options);
    json_t *all = json_array();
    bool more = client != NULL;
    int status = more ? CLI_DONE : CLI_FAILED;
    if (more && !options->json) {
        printf("%-24s %-24s %-12s %-20s %s\n", "TIME", "NAME", "STATUS", "VALUE", "DESCRIPTION");
    }
    while (more) {
        json_t *result = cli_client_call(client, json_deep_copy(call));
        more = result != NULL && take_page(options, call, result, all);
        status = result != NULL ? status : CLI_FAILED;
        if (json_is_true(json_object_get(result, "store_failing")) && !more) {
            fprintf(stderr, "penstock: the disk refuses writes; see 'penstock log'\n");
        }
        json_decref(result);
    }
    if (options->json && status == CLI_DONE) {
        cli_print_json(all);
    }
    json_decref(all);
    json_decref(call);
    cli_client_close(client);
    return status;
}

int cli_alarm_history(const CliOptions *options, int count, char **arguments) {
    json_t *call = json_pack("{s:s}", "call", "GET /alarms/history");
    PsWall now = ps_wall_now();
    const char *wrong = NULL;
    for (int i = 0; wrong == NULL && i < count; i += 2) {
        const char *value = i + 1 < count ? arguments[i + 1] : NULL;
        bool is_until = strcmp(arguments[i], "--to") == 0;
        PsWall time;
        if (value != NULL && strcmp(arguments[i], "--name") == 0) {
            json_object_set_new(call, "name", json_string(value));
        } else if (value != NULL && (is_until || strcmp(arguments[i], "--from") == 0) &&
                   cli_when_parse(value, now, is_until, &time)) {
            json_object_set_new(call, is_until ? "until" : "from",
                                json_real(ps_wall_seconds(time)));
        } else {
            wrong = value != NULL ? value : arguments[i];
        }
    }
    if (wrong != NULL) {
        json_decref(call);
        return cli_fail(CLI_USAGE,
                        "alarms --history takes --name TEXT, --from TIME and --to TIME, not '%s'; "
                        "a time is 2026-01-31, \"2026-01-31 17:30\" (or with seconds), or how long "
                        "ago: 90s, 30m, 2h, 7d",
                        wrong);
    }
    return list(options, call);
}
