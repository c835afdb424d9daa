// `penstock script canary NAME FILE`: a draft beside the live script, compared call by call, with
// progress; Ctrl-C ends it and still shows what was seen. Blocking.
#include "cli/script_show.h"

#include "base/file.h"
#include "base/text.h"
#include "model/config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MS 300
#define CALLS_MAX 1000000

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number) {
    interrupted = number;
}

static bool is_running(const json_t *report) {
    return strcmp(cli_text(report, "state"), "running") == 0;
}

static void show_progress(const json_t *report) {
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r%lld of %lld calls compared, %lld different ",
                cli_integer(report, "calls"), cli_integer(report, "wanted"),
                cli_integer(report, "different"));
    }
}

static void show_end(const json_t *report) {
    if (isatty(STDERR_FILENO)) {
        fputc('\n', stderr);
    }
    if (cli_text(report, "error")[0] != '\0') {
        printf("ended: %s\n", cli_text(report, "error"));
    }
    printf("%lld calls compared: %lld the same, %lld different (%lld raised)\n",
           cli_integer(report, "calls"), cli_integer(report, "same"),
           cli_integer(report, "different"), cli_integer(report, "failed"));
    if (cli_integer(report, "different") > 0) {
        printf("the first difference:\nlive   %sdraft  %s", cli_text(report, "live"),
               cli_text(report, "draft"));
        printf("%s", cli_text(report, "draft")[0] == '\0' ? "(nothing)\n" : "");
    }
}

// Looks until it has ended; NULL when the gateway went away.
static json_t *follow(CliClient *client, json_t *report) {
    while (report != NULL && is_running(report)) {
        show_progress(report);
        cli_sleep_ms(LOOK_MS);
        const char *call = interrupted ? "DELETE /canary" : "GET /canary";
        json_decref(report);
        report = cli_client_call(client, json_pack("{s:s}", "call", call));
    }
    return report;
}

static int parse(int count, char **words, long long *ret_calls) {
    bool plain = count == 2;
    bool with_calls = count == 4 && strcmp(words[2], "--calls") == 0 &&
                      ps_text_to_int(words[3], 1, CALLS_MAX, ret_calls);
    return plain || with_calls
               ? CLI_DONE
               : cli_fail(CLI_USAGE,
                          "penstock script canary NAME FILE [--calls N]: the name of a "
                          "publish message, the file of the draft, and how many calls to "
                          "compare (1 to %d, default 100)",
                          CALLS_MAX);
}

static json_t *begin(CliClient *client, const char *name, const char *path, long long calls) {
    PS_AUTO_BUF PsBuf source = {0};
    PsDiag diag = {0};
    if (ps_file_read(path, PS_SCRIPT_BYTES_MAX, &source, &diag) != PS_OK) {
        cli_fail(CLI_FAILED, "%s: %s", path, diag.text);
        return NULL;
    }
    json_t *text = json_stringn((const char *)source.data, source.len);
    if (text == NULL) {
        cli_fail(CLI_FAILED, "%s: is not UTF-8; save the script as UTF-8", path);
        return NULL;
    }
    return cli_client_call(client, json_pack("{s:s, s:s, s:o, s:I}", "call", "POST /canary", "name",
                                             name, "source", text, "calls", (json_int_t)calls));
}

int cli_script_canary(const CliOptions *options, int count, char **words) {
    long long calls = 100;
    int status = parse(count, words, &calls);
    if (status != CLI_DONE) {
        return status;
    }
    CliClient *client = cli_client_open(options);
    if (client == NULL) {
        return CLI_FAILED;
    }
    (void)signal(SIGINT, on_interrupt);
    json_t *report = follow(client, begin(client, words[0], words[1], calls));
    cli_client_close(client);
    if (report == NULL) {
        return CLI_FAILED;
    }
    if (options->json) {
        cli_print_json(report);
    } else {
        show_end(report);
    }
    bool good = cli_integer(report, "different") == 0 && cli_integer(report, "calls") > 0;
    json_decref(report);
    return good ? CLI_DONE : CLI_FAILED;
}
