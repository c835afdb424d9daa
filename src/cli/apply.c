// `penstock apply` and `penstock confirm`: a changed configuration runs, and stays. Blocking.
#include "cli/apply.h"

#include "base/text.h"
#include "cli/when.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_S 600.0 // a large configuration on a slow disk
#define LOOK_MS 400

typedef struct Arguments {
    const char *path; // NULL: the gateway's configuration folder
    const char *why;
    bool dry_run;
    long long confirm_s;
    long long healthy_s;
    long long base;
} Arguments;

static int wrong(void) {
    return cli_fail(CLI_USAGE,
                    "penstock apply [--dry-run] [--why TEXT] [--base N] [--confirm TIME | "
                    "--healthy TIME] [FILE|FOLDER]; times are 90s, 30m, 2h");
}

// The option at `words`; how many words it took, 0 when it is none.
static int take_option(char **words, int left, Arguments *arguments) {
    if (strcmp(words[0], "--dry-run") == 0) {
        arguments->dry_run = true;
        return 1;
    }
    if (left < 2) {
        return 0;
    }
    bool taken = false;
    if (strcmp(words[0], "--why") == 0) {
        arguments->why = words[1];
        taken = true;
    } else if (strcmp(words[0], "--confirm") == 0) {
        taken = cli_length_parse(words[1], &arguments->confirm_s);
    } else if (strcmp(words[0], "--healthy") == 0) {
        taken = cli_length_parse(words[1], &arguments->healthy_s);
    } else if (strcmp(words[0], "--base") == 0) {
        taken = ps_text_to_int(words[1], 1, UINT32_MAX, &arguments->base);
    }
    return taken ? 2 : 0;
}

static bool parse(int count, char **words, Arguments *arguments) {
    for (int i = 0; i < count;) {
        int taken = take_option(words + i, count - i, arguments);
        if (taken == 0 && words[i][0] != '-' && arguments->path == NULL) {
            arguments->path = words[i];
            taken = 1;
        }
        if (taken == 0) {
            return false;
        }
        i += taken;
    }
    return arguments->confirm_s == 0 || arguments->healthy_s == 0;
}

static void show_progress(CliClient *watcher) {
    json_t *progress = cli_client_call(watcher, json_pack("{s:s}", "call", "GET /apply/progress"));
    if (json_is_true(json_object_get(progress, "busy"))) {
        fprintf(stderr, "\r%-40s\r%s ...", "", cli_text(progress, "step"));
    }
    json_decref(progress);
}

int cli_apply_run(const CliOptions *options, CliClient *client, json_t *call) {
    cli_client_wait(client, PATIENCE_S);
    if (!cli_client_send(client, call)) {
        return CLI_FAILED;
    }
    bool shows = isatty(STDERR_FILENO) != 0;
    CliClient *watcher = NULL;
    while (shows && !cli_client_ready(client, LOOK_MS)) {
        watcher = watcher != NULL ? watcher : cli_client_open(options);
        shows = watcher != NULL;
        if (shows) {
            show_progress(watcher);
        }
    }
    if (watcher != NULL) {
        fprintf(stderr, "\r%-40s\r", "");
        cli_client_close(watcher);
    }
    json_t *answer = cli_client_receive(client);
    if (answer == NULL) {
        return CLI_FAILED;
    }
    int status = CLI_DONE;
    if (options->json) {
        cli_print_json(answer);
        status = strcmp(cli_text(answer, "result"), "refused") == 0 ? CLI_USAGE : CLI_DONE;
    } else {
        status = cli_apply_show(answer);
    }
    json_decref(answer);
    return status;
}

int cli_apply(const CliOptions *options, int count, char **words) {
    Arguments arguments = {.why = ""};
    if (!parse(count, words, &arguments)) {
        return wrong();
    }
    CliClient *client = cli_client_open(options);
    if (client == NULL) {
        return CLI_FAILED;
    }
    long long upload = arguments.path != NULL ? cli_apply_upload(client, arguments.path) : 0;
    int status = CLI_FAILED;
    if (arguments.path == NULL || upload != 0) {
        status = cli_apply_run(
            options, client,
            json_pack("{s:s, s:I, s:s, s:b, s:I, s:I, s:I}", "call", "POST /apply", "upload",
                      (json_int_t)upload, "why", arguments.why, "dry_run", (int)arguments.dry_run,
                      "confirm_s", (json_int_t)arguments.confirm_s, "healthy_s",
                      (json_int_t)arguments.healthy_s, "base", (json_int_t)arguments.base));
    }
    cli_client_close(client);
    return status;
}

int cli_confirm(const CliOptions *options, int count, char **words) {
    if (count != 0) {
        return cli_fail(CLI_USAGE, "confirm takes no argument, not '%s'", words[0]);
    }
    json_t *answer = cli_call_once(options, json_pack("{s:s}", "call", "POST /confirm"));
    if (answer == NULL) {
        return CLI_FAILED;
    }
    if (options->json) {
        cli_print_json(answer);
    } else {
        printf("Revision %lld stays.\n", cli_integer(answer, "number"));
    }
    json_decref(answer);
    return CLI_DONE;
}
