// `penstock tokens`: API tokens for programs; listing, making, removing. Blocking.
#include "cli/cli.h"

#include "base/text.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>

static int usage(void) {
    return cli_fail(CLI_USAGE, "tokens takes nothing; add NAME --role ROLE --days N; or remove ID. "
                               "ROLE is viewer, operator, engineer or administrator");
}

static void print_time(const json_t *row, const char *key) {
    char stamp[PS_STAMP_SIZE] = "never";
    if (json_is_number(json_object_get(row, key))) {
        cli_stamp(row, key, stamp);
    }
    printf("%-24s ", stamp);
}

static void print_table(const json_t *result) {
    json_t *items = json_object_get(result, "items");
    size_t index;
    json_t *row;
    if (json_array_size(items) == 0) {
        printf("there are no tokens\n");
        return;
    }
    printf("%-16s %-20s %-20s %-14s %-24s %s\n", "ID", "NAME", "OWNER", "ROLE", "EXPIRES",
           "LAST USED");
    json_array_foreach(items, index, row) {
        const char *owner = cli_text(row, "owner");
        printf("%-16s %-20s %-20s %-14s ", cli_text(row, "id"), cli_text(row, "name"),
               owner[0] != '\0' ? owner : "-", cli_text(row, "role"));
        print_time(row, "expires");
        print_time(row, "last_used");
        printf("\n");
    }
}

static int show(const CliOptions *options, json_t *call, void (*print)(const json_t *result)) {
    if (call == NULL) {
        return cli_fail(CLI_USAGE, "a name is not UTF-8");
    }
    return cli_call_shown(options, call, print);
}

// The token alone on standard output, so that it can go straight into a file.
static void print_token(const json_t *result) {
    char until[PS_STAMP_SIZE];
    cli_stamp(result, "expires", until);
    fprintf(stderr, "This is shown once; it opens the API as %s until %s:\n",
            cli_text(result, "role"), until);
    printf("%s\n", cli_text(result, "token"));
}

static void print_removed(const json_t *result) {
    printf("the token is removed\n");
}

static int add(const CliOptions *options, int count, char **arguments) {
    const char *name = NULL;
    const char *role = NULL;
    long long days = 0;
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--role") == 0 && i + 1 < count) {
            role = arguments[++i];
        } else if (strcmp(arguments[i], "--days") == 0 && i + 1 < count) {
            if (!ps_text_to_int(arguments[++i], 1, 3650, &days)) {
                return cli_fail(CLI_USAGE, "--days takes 1 to 3650, not '%s'", arguments[i]);
            }
        } else if (arguments[i][0] == '-' || name != NULL) {
            return usage();
        } else {
            name = arguments[i];
        }
    }
    if (name == NULL || role == NULL || days == 0) {
        return usage();
    }
    return show(options,
                json_pack("{s:s, s:s, s:s, s:I}", "call", "POST /tokens", "name", name, "role",
                          role, "days", (json_int_t)days),
                print_token);
}

int cli_tokens(const CliOptions *options, int count, char **arguments) {
    if (count == 0) {
        return show(options, json_pack("{s:s}", "call", "GET /tokens"), print_table);
    }
    if (strcmp(arguments[0], "add") == 0) {
        return add(options, count - 1, arguments + 1);
    }
    if (strcmp(arguments[0], "remove") == 0 && count == 2) {
        return show(options,
                    json_pack("{s:s, s:s}", "call", "DELETE /tokens/{id}", "id", arguments[1]),
                    print_removed);
    }
    return usage();
}
