// `penstock users`: who may log in to the gateway's page; adding, changing, removing. Passwords
// come from the terminal or a file, never as an argument. Blocking.
#include "cli/cli.h"
#include "cli/passphrase.h"

#include "backup/seal.h"
#include "base/cleanup.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>

static int usage(void) {
    return cli_fail(CLI_USAGE,
                    "users takes nothing; add NAME --role ROLE [--password-file FILE]; role NAME "
                    "ROLE; password NAME [--password-file FILE]; disable NAME; enable NAME; or "
                    "remove NAME. ROLE is viewer, operator, engineer or administrator");
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
        printf("there is no user yet: `penstock setup-code`, or `penstock users add NAME --role "
               "administrator`\n");
        return;
    }
    printf("%-24s %-14s %-24s %-24s %s\n", "NAME", "ROLE", "CREATED", "LAST LOG-IN", "STATE");
    json_array_foreach(items, index, row) {
        printf("%-24s %-14s ", cli_text(row, "name"), cli_text(row, "role"));
        print_time(row, "created");
        print_time(row, "last_login");
        printf("%s\n", json_is_true(json_object_get(row, "disabled")) ? "disabled"
                       : json_is_number(json_object_get(row, "locked_until"))
                           ? "log-in delayed after wrong passwords"
                           : "");
    }
}

static int call_and_show(const CliOptions *options, json_t *call, const char *done,
                         const char *name) {
    if (call == NULL) {
        return cli_fail(CLI_USAGE, "a name is not UTF-8");
    }
    json_t *result = cli_call_once(options, call);
    if (result == NULL) {
        return CLI_FAILED;
    }
    if (options->json) {
        cli_print_json(result);
    } else if (done == NULL) {
        print_table(result);
    } else {
        printf("user '%s' %s\n", name, done);
    }
    json_decref(result);
    return CLI_DONE;
}

// Puts the password into the call; a mistake is printed.
static bool add_password(json_t *call, const char *file) {
    PS_CLEANUP(ps_seal_wipe) PsBuf password = {0};
    PsDiag diag = {0};
    PsErr err = cli_passphrase_take(&cli_user_password, file, true, &password, &diag);
    if (err != PS_OK) {
        char text[sizeof diag];
        ps_diag_format(&diag, text, sizeof text);
        cli_fail(CLI_FAILED, "%s", text);
        return false;
    }
    json_t *text = json_stringn((const char *)password.data, password.len);
    if (text == NULL) {
        cli_fail(CLI_FAILED, "password: is not UTF-8; choose another");
        return false;
    }
    json_object_set_new(call, "password", text);
    return true;
}

typedef struct Words {
    const char *name;
    const char *role;
    const char *file;
} Words;

// `with_role`: an option; else a second word is the role.
static bool take_words(Words *words, bool with_role, int count, char **arguments) {
    for (int i = 0; i < count; i++) {
        if (with_role && strcmp(arguments[i], "--role") == 0 && i + 1 < count) {
            words->role = arguments[++i];
        } else if (strcmp(arguments[i], "--password-file") == 0 && i + 1 < count) {
            words->file = arguments[++i];
        } else if (arguments[i][0] != '-' && words->name == NULL) {
            words->name = arguments[i];
        } else if (arguments[i][0] != '-' && !with_role && words->role == NULL) {
            words->role = arguments[i];
        } else {
            return false;
        }
    }
    return words->name != NULL;
}

static int add(const CliOptions *options, int count, char **arguments) {
    Words words = {0};
    if (!take_words(&words, true, count, arguments) || words.role == NULL) {
        return usage();
    }
    json_t *call =
        json_pack("{s:s, s:s, s:s}", "call", "POST /users", "name", words.name, "role", words.role);
    if (call != NULL && !add_password(call, words.file)) {
        json_decref(call);
        return CLI_FAILED;
    }
    return call_and_show(options, call, "is added", words.name);
}

static int change(const CliOptions *options, const char *what, int count, char **arguments) {
    Words words = {0};
    bool role = strcmp(what, "role") == 0;
    bool password = strcmp(what, "password") == 0;
    if (!take_words(&words, false, count, arguments) || role != (words.role != NULL) ||
        (words.file != NULL && !password)) {
        return usage();
    }
    json_t *call = json_pack("{s:s, s:s}", "call", "PUT /users/{user}", "user", words.name);
    if (call != NULL && password && !add_password(call, words.file)) {
        json_decref(call);
        return CLI_FAILED;
    }
    if (call != NULL && role) {
        json_object_set_new(call, "role", json_string(words.role));
    } else if (call != NULL && !password) {
        json_object_set_new(call, "disabled", json_boolean(strcmp(what, "disable") == 0));
    }
    return call_and_show(options, call,
                         role                           ? "has the role"
                         : password                     ? "has another password"
                         : strcmp(what, "disable") == 0 ? "is disabled"
                                                        : "is enabled",
                         words.name);
}

int cli_users(const CliOptions *options, int count, char **arguments) {
    if (count == 0) {
        return call_and_show(options, json_pack("{s:s}", "call", "GET /users"), NULL, NULL);
    }
    const char *what = arguments[0];
    if (strcmp(what, "add") == 0) {
        return add(options, count - 1, arguments + 1);
    }
    if (strcmp(what, "remove") == 0 && count == 2) {
        return call_and_show(
            options, json_pack("{s:s, s:s}", "call", "DELETE /users/{user}", "user", arguments[1]),
            "is removed, with the tokens", arguments[1]);
    }
    static const char *const changes[] = {"role", "password", "disable", "enable"};
    for (size_t i = 0; i < PS_COUNT(changes); i++) {
        if (strcmp(what, changes[i]) == 0) {
            return change(options, what, count - 1, arguments + 1);
        }
    }
    return usage();
}
