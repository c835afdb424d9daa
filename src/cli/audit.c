// `penstock audit`: who did what, oldest of the page first; --follow goes on as it happens.
// Blocking.
#include "cli/cli.h"

#include "base/text.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>

#define LOOK_MS 1000

typedef struct Asked {
    const char *who;
    const char *what;
    const char *search;
    long long limit;
    bool follow;
} Asked;

static json_t *call_for(const Asked *asked, long long after) {
    json_t *call = json_pack("{s:s, s:I}", "call", "GET /audit", "limit", (json_int_t)asked->limit);
    const char *const keys[] = {"who", "what", "search"};
    const char *const texts[] = {asked->who, asked->what, asked->search};
    for (size_t i = 0; i < PS_COUNT(keys); i++) {
        if (texts[i] != NULL) {
            json_object_set_new(call, keys[i], json_string(texts[i]));
        }
    }
    if (after >= 0) {
        json_object_set_new(call, "after", json_integer(after));
    }
    return call;
}

// Names and objects are what strangers have typed: nothing of it may steer the terminal.
static void print_row(const json_t *row) {
    char stamp[PS_STAMP_SIZE];
    char line[1024];
    const char *who = cli_text(row, "who");
    const char *object = cli_text(row, "object");
    const char *detail = cli_text(row, "detail");
    cli_stamp(row, "time", stamp);
    ps_text_format(line, sizeof line, "%s  %-20s %-16s %-20s %-10s %s%s%s", stamp,
                   who[0] != '\0' ? who : "-", cli_text(row, "from"), cli_text(row, "what"),
                   cli_text(row, "result"), object,
                   object[0] != '\0' && detail[0] != '\0' ? ": " : "", detail);
    printf("%s\n", line);
}

static void print_rows(const CliOptions *options, const json_t *items, bool newest_first) {
    size_t count = json_array_size(items);
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(items, newest_first ? count - 1 - i : i);
        if (options->json) {
            json_dumpf(row, stdout, JSON_COMPACT); // one object a line
            printf("\n");
        } else {
            print_row(row);
        }
    }
    (void)fflush(stdout);
}

static int follow(const CliOptions *options, CliClient *client, const Asked *asked,
                  long long after) {
    for (;;) {
        json_t *result = cli_client_call(client, call_for(asked, after));
        if (result == NULL) {
            return CLI_FAILED;
        }
        print_rows(options, json_object_get(result, "items"), false);
        after = cli_integer(result, "next");
        json_decref(result);
        cli_sleep_ms(LOOK_MS);
    }
}

static bool take(Asked *asked, int count, char **arguments) {
    for (int i = 0; i < count; i++) {
        const char **text = strcmp(arguments[i], "--who") == 0      ? &asked->who
                            : strcmp(arguments[i], "--what") == 0   ? &asked->what
                            : strcmp(arguments[i], "--search") == 0 ? &asked->search
                                                                    : NULL;
        if (strcmp(arguments[i], "--follow") == 0 || strcmp(arguments[i], "-f") == 0) {
            asked->follow = true;
        } else if (strcmp(arguments[i], "--limit") == 0 && i + 1 < count &&
                   ps_text_to_int(arguments[i + 1], 1, 1000, &asked->limit)) {
            i++;
        } else if (text != NULL && i + 1 < count) {
            *text = arguments[++i];
        } else {
            return false;
        }
    }
    return true;
}

int cli_audit(const CliOptions *options, int count, char **arguments) {
    Asked asked = {.limit = 50};
    if (!take(&asked, count, arguments)) {
        return cli_fail(CLI_USAGE, "audit takes [--who NAME] [--what OPERATION] [--search TEXT] "
                                   "[--limit 1..1000] [--follow]");
    }
    CliClient *client = cli_client_open(options);
    json_t *result = client != NULL ? cli_client_call(client, call_for(&asked, -1)) : NULL;
    int status = result != NULL ? CLI_DONE : CLI_FAILED;
    const json_t *items = json_object_get(result, "items");
    if (result != NULL && options->json && !asked.follow) {
        cli_print_json(result);
    } else if (result != NULL) {
        print_rows(options, items, true);
    }
    if (result != NULL && asked.follow) {
        long long newest = cli_integer(json_array_get(items, 0), "id");
        status = follow(options, client, &asked, newest);
    }
    json_decref(result);
    cli_client_close(client);
    return status;
}
