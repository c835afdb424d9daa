// `penstock outbox`: what waits, what scripts did not finish, and running that again. Blocking.
#include "cli/cli.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRESS_MS 300
#define WATCH_MS 1000

static void format_time(const json_t *row, const char *key, char *out, size_t size) {
    double seconds = json_number_value(json_object_get(row, key));
    ps_wall_format((PsWall){ps_seconds_to_ns(seconds)}, out, size);
}

// --- what waits ---------------------------------------------------------------------------------

static void print_left(double seconds) {
    long long whole = (long long)seconds;
    if (whole >= 3600) {
        printf("about %lld h %lld min left", whole / 3600, whole / 60 % 60);
    } else if (whole >= 60) {
        printf("about %lld min %lld s left", whole / 60, whole % 60);
    } else {
        printf("about %lld s left", whole);
    }
}

static void print_progress_of(const json_t *outbox) {
    const json_t *delivery = json_object_get(outbox, "delivery");
    double per_s = cli_number(delivery, "per_s");
    double drained = cli_number(delivery, "drained_per_s");
    double waiting = cli_number(outbox, "waiting");
    printf("%.1f a second are acknowledged", per_s);
    if (waiting > 100 && drained > 0.1) {
        printf("; ");
        print_left(waiting / drained);
    } else if (waiting > 100 && drained < -0.1) {
        printf("; the queue grows by %.1f a second", -drained);
    }
    if (json_is_true(json_object_get(delivery, "one_by_one"))) {
        printf("; one by one, to find the message that ends connections");
    }
    printf("\n");
}

static void print_queue(const json_t *status) {
    const json_t *outbox = json_object_get(status, "outbox");
    printf("%lld messages wait (%.1f MB), %lld of them are under way%s%s\n",
           cli_integer(outbox, "waiting"), cli_number(outbox, "waiting_bytes") / 1e6,
           cli_integer(outbox, "in_flight"),
           json_is_true(json_object_get(outbox, "store_failing")) ? "; THE DISK REFUSES WRITES"
                                                                  : "",
           json_is_true(json_object_get(outbox, "low_space"))
               ? "; the disk has less free space than outbox_free_mb"
               : "");
    print_progress_of(outbox);
    printf("\n");
    cli_show_ledger(status);
}

static void print_queue_json(const json_t *status) {
    json_t *result = json_pack("{s:O, s:O}", "outbox", json_object_get(status, "outbox"),
                               "messages", json_object_get(status, "messages"));
    cli_print_json(result);
    json_decref(result);
}

// Until nothing waits, or until it is interrupted.
static int watch_queue(const CliOptions *options) {
    CliClient *client = cli_client_open(options);
    if (client == NULL) {
        return CLI_FAILED;
    }
    long long waiting = -1;
    while (waiting != 0) {
        json_t *status = cli_client_call(client, json_pack("{s:s}", "call", "GET /status"));
        if (status == NULL) {
            break;
        }
        const json_t *outbox = json_object_get(status, "outbox");
        waiting = cli_integer(outbox, "waiting");
        if (options->json) {
            print_queue_json(status);
        } else {
            printf("%8lld wait; ", waiting);
            print_progress_of(outbox);
        }
        fflush(stdout);
        json_decref(status);
        if (waiting > 0) {
            cli_sleep_ms(WATCH_MS);
        }
    }
    cli_client_close(client);
    return waiting == 0 ? CLI_DONE : CLI_FAILED;
}

static int show_queue(const CliOptions *options) {
    json_t *status = cli_call_once(options, json_pack("{s:s}", "call", "GET /status"));
    if (status == NULL) {
        return CLI_FAILED;
    }
    if (options->json) {
        print_queue_json(status);
    } else {
        print_queue(status);
    }
    json_decref(status);
    return CLI_DONE;
}

// --- what scripts did not finish ----------------------------------------------------------------

static void print_letters(const json_t *letters) {
    size_t index;
    json_t *row;
    json_array_foreach((json_t *)(uintptr_t)letters, index, row) {
        char collected[PS_STAMP_SIZE];
        format_time(row, "collected", collected, sizeof collected);
        printf("%8lld %-20s %-24s %9lld %s\n", cli_integer(row, "id"), cli_text(row, "message"),
               collected, cli_integer(row, "bytes"), cli_text(row, "reason"));
    }
}

// Page by page, so that neither side holds all of them. The pages end: each begins behind the last.
static int list_letters(const CliOptions *options, const char *name) {
    CliClient *client = cli_client_open(options);
    if (client == NULL) {
        return CLI_FAILED;
    }
    json_t *all = json_array();
    json_t *next = NULL;
    int status = CLI_DONE;
    do {
        json_t *call =
            json_pack("{s:s, s:s*, s:O*}", "call", "GET /dead", "name", name, "after", next);
        bool first = next == NULL;
        json_t *result = cli_client_call(client, call);
        if (result == NULL) {
            status = CLI_FAILED;
            break;
        }
        json_t *letters = json_object_get(result, "letters");
        if (!options->json && first) {
            printf("%8s %-20s %-24s %9s %s\n", "ID", "MESSAGE", "COLLECTED", "BYTES", "REASON");
        }
        if (options->json) {
            json_array_extend(all, letters);
        } else {
            print_letters(letters);
        }
        json_decref(next);
        next = json_incref(json_object_get(result, "next"));
        json_decref(result);
    } while (json_is_string(next));
    json_decref(next);
    if (options->json && status == CLI_DONE) {
        cli_print_json(all);
    }
    json_decref(all);
    cli_client_close(client);
    return status;
}

static void print_letter(const json_t *row) {
    char collected[PS_STAMP_SIZE];
    char died[PS_STAMP_SIZE];
    format_time(row, "collected", collected, sizeof collected);
    format_time(row, "died", died, sizeof died);
    printf("message    %s\ncollected  %s\nfailed     %s\n\n%s\n\n", cli_text(row, "message"),
           collected, died, cli_text(row, "reason"));
    cli_print_json(json_object_get(row, "input"));
}

static int show_letter(const CliOptions *options, const char *text) {
    char *end = NULL;
    long long id = strtoll(text, &end, 10);
    if (id <= 0 || *end != '\0') {
        return cli_fail(CLI_USAGE, "'%s' is not the number of a dead letter", text);
    }
    json_t *result =
        cli_call_once(options, json_pack("{s:s, s:I}", "call", "GET /dead", "id", (json_int_t)id));
    if (result == NULL) {
        return CLI_FAILED;
    }
    const json_t *row = json_array_get(json_object_get(result, "letters"), 0);
    int status = CLI_DONE;
    if (row == NULL) {
        status = cli_fail(CLI_FAILED,
                          "there is no dead letter %lld; 'penstock outbox dead' lists "
                          "all",
                          id);
    } else if (options->json) {
        cli_print_json(row);
    } else {
        print_letter(row);
    }
    json_decref(result);
    return status;
}

static int dead(const CliOptions *options, int count, char **arguments) {
    if (count == 2 && strcmp(arguments[0], "--id") == 0) {
        return show_letter(options, arguments[1]);
    }
    if (count > 1 || (count == 1 && arguments[0][0] == '-')) {
        return cli_fail(CLI_USAGE, "outbox dead takes the name of one message, or --id NUMBER");
    }
    return list_letters(options, count == 1 ? arguments[0] : NULL);
}

// --- running it again ---------------------------------------------------------------------------

static void print_progress(const json_t *row) {
    printf("%lld of %lld done, %lld failed again\n", cli_integer(row, "done"),
           cli_integer(row, "total"), cli_integer(row, "failed"));
    fflush(stdout);
}

// Follows the replay to its end; the gateway goes on with it when this program is stopped. The row
// it ended with is the caller's.
static json_t *follow(const CliOptions *options, CliClient *client, json_t *row) {
    long long shown = -1;
    while (row != NULL && json_is_true(json_object_get(row, "running"))) {
        long long run = cli_integer(row, "done") + cli_integer(row, "failed");
        if (!options->json && run != shown) {
            print_progress(row);
            shown = run;
        }
        json_decref(row);
        cli_sleep_ms(PROGRESS_MS);
        row = cli_client_call(client, json_pack("{s:s}", "call", "GET /replay"));
    }
    if (row != NULL && options->json) {
        cli_print_json(row);
    } else if (row != NULL) {
        print_progress(row);
        if (cli_text(row, "reason")[0] != '\0') {
            printf("newest failure: %s\n", cli_text(row, "reason"));
        }
        printf("%s: %s\n", cli_text(row, "message"), cli_text(row, "end"));
    }
    return row;
}

// Sends the call (taken over) and follows what it began or ended.
static int call_and_follow(const CliOptions *options, json_t *call, bool stops) {
    CliClient *client = cli_client_open(options);
    if (client == NULL) {
        json_decref(call);
        return CLI_FAILED;
    }
    json_t *row = follow(options, client, cli_client_call(client, call));
    bool done =
        row != NULL &&
        (stops || (strcmp(cli_text(row, "end"), "done") == 0 && cli_integer(row, "failed") == 0));
    json_decref(row);
    cli_client_close(client);
    return done ? CLI_DONE : CLI_FAILED;
}

static int replay(const CliOptions *options, int count, char **arguments) {
    const char *name = NULL;
    bool keep_going = false;
    if (count == 1 && strcmp(arguments[0], "--stop") == 0) {
        return call_and_follow(options, json_pack("{s:s}", "call", "DELETE /replay"), true);
    }
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--keep-going") == 0) {
            keep_going = true;
        } else if (name == NULL && arguments[i][0] != '-') {
            name = arguments[i];
        } else {
            return cli_fail(CLI_USAGE,
                            "outbox replay takes a message and --keep-going, or --stop alone, not "
                            "'%s'",
                            arguments[i]);
        }
    }
    if (name == NULL) {
        return cli_fail(CLI_USAGE, "outbox replay needs the name of a message, or --stop");
    }
    json_t *call = json_pack("{s:s, s:s, s:b}", "call", "POST /replay", "name", name, "keep_going",
                             (int)keep_going);
    return call_and_follow(options, call, false);
}

int cli_outbox(const CliOptions *options, int count, char **arguments) {
    if (count == 0) {
        return show_queue(options);
    }
    if (count == 1 && strcmp(arguments[0], "--watch") == 0) {
        return watch_queue(options);
    }
    if (strcmp(arguments[0], "clear") == 0) {
        return cli_outbox_clear(options, count - 1, arguments + 1);
    }
    if (strcmp(arguments[0], "dead") == 0) {
        return dead(options, count - 1, arguments + 1);
    }
    if (strcmp(arguments[0], "replay") == 0) {
        return replay(options, count - 1, arguments + 1);
    }
    return cli_fail(CLI_USAGE, "outbox knows --watch, dead, replay and clear, not '%s'",
                    arguments[0]);
}
