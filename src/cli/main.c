// `penstock`: finds the sub-command and runs it. One thread, blocking.
#include "base/streams.h"
#include "base/time.h"
#include "cli/cli.h"
#include "version.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct Command {
    const char *name;
    CliCommand *run;
    const char *arguments;
    const char *help;
} Command;

static const Command commands[] = {
    {"status", cli_status, "", "cloud link, channels, groups, messages, script workers"},
    {"tags", cli_tags, "[DEVICE] [--watch]",
     "current values with quality, time and unit; move --group NAME [--device D] [--from G] "
     "[--config DIR] [--dry-run] [NAME...]: variables to another group"},
    {"alarms", cli_alarms, "[--history|ack|shelve|unshelve]",
     "the alarms that are on; --history [--name TEXT] [--from TIME] [--to TIME]: what they did; "
     "ack NAME; shelve NAME --for TIME; unshelve NAME"},
    {"explain", cli_explain, "DEVICE VAR",
     "why a value is as it is: asks the device now, shows request, answer, what the bytes can "
     "mean, "
     "what to do; --fast: without asking"},
    {"browse", cli_browse, "DEVICE [NODE]",
     "what a device says it has (OPC UA, EtherNet/IP), with what a variable needs; --all: also "
     "what is inside"},
    {"write", cli_write, "DEVICE VAR VALUE", "write a variable and read it back"},
    {"script", cli_script, "run FILE",
     "try a script; also script canary NAME FILE, script release NAME"},
    {"outbox", cli_outbox, "[--watch|dead|replay|clear]",
     "what waits; dead [NAME | --id N]; replay NAME [--keep-going] | --stop; clear NAME"},
    {"metrics", cli_metrics, "", "all numbers of status as Prometheus reads them"},
    {"log", cli_log, "[-f]", "the newest log lines; -f goes on as they come"},
    {"log-level", cli_log_level, "[LEVEL]",
     "show or set it: DEBUG, INFO, WARNING, ERROR; [--for TIME], else until the restart"},
    {"check", cli_check, "[--live] DIR",
     "validate a configuration folder and its scripts; --live also tries devices, scripts and "
     "cloud "
     "and changes nothing: [--timeout SECONDS] [--send]"},
    {"api", cli_api, "METHOD PATH",
     "one request of the REST API, e.g. GET /status; [--body FILE|-] (docs/api.md)"},
    {"apply", cli_apply, "[FILE|FOLDER]",
     "make a changed configuration run; [--dry-run] [--why TEXT] [--confirm TIME | --healthy TIME] "
     "[--base N]"},
    {"confirm", cli_confirm, "", "what was applied with --confirm or --healthy stays"},
    {"revert", cli_revert, "[N]", "run an earlier revision again; [--dry-run] [--why TEXT]"},
    {"revisions", cli_revisions, "[N]", "what ran when, by whom and why; what revision N changed"},
    {"import", cli_import, "FILE.csv...",
     "take Device Supervisor's files over; [--config DIR] [--dry-run] [--skip-bad] [--apply]"},
    {"export", cli_export, "KIND",
     "devices, variables, groups or alarms as its CSV; [--config DIR] [--output FILE]"},
    {"backup", cli_backup, "FILE",
     "the configuration in one file; [--config DIR] [--with-secrets [--passphrase-file FILE]]"},
    {"restore", cli_restore, "FILE",
     "a backup back into a folder, all or nothing; [--config DIR] [--dry-run] [--passphrase-file "
     "FILE | --without-secrets]"},
    {"setup-code", cli_setup_code, "", "the one-time code that makes the first administrator"},
    {"users", cli_users, "[add|remove|...]",
     "who may use the page; add NAME --role ROLE; role NAME ROLE; password NAME; disable NAME; "
     "enable NAME; remove NAME; [--password-file FILE]"},
    {"tokens", cli_tokens, "[add|remove]",
     "API tokens for programs; add NAME --role ROLE --days N; remove ID"},
    {"trust", cli_trust, "[accept|revoke]",
     "certificates of OPC UA servers; accept FINGERPRINT|DEVICE; revoke FINGERPRINT|DEVICE"},
    {"audit", cli_audit, "[--follow]",
     "who did what; [--who NAME] [--what OPERATION] [--search TEXT] [--limit N]"},
    {"schema", cli_schema, "[--markdown]", "JSON Schema of penstock.json, or its reference page"},
    {"demo", cli_demo, "[--seconds N]", "simulated plant, local cloud and gateway, all here"},
};

int cli_fail(int status, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    fputs("penstock: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    return status;
}

void cli_print_json(const json_t *json) {
    json_dumpf(json, stdout, JSON_INDENT(2));
    fputc('\n', stdout);
}

const char *cli_text(const json_t *row, const char *key) {
    const char *text = json_string_value(json_object_get(row, key));
    return text != NULL ? text : "";
}

long long cli_integer(const json_t *row, const char *key) {
    return (long long)json_integer_value(json_object_get(row, key));
}

double cli_number(const json_t *row, const char *key) {
    return json_number_value(json_object_get(row, key));
}

void cli_stamp(const json_t *row, const char *key, char *out) {
    ps_wall_format((PsWall){ps_seconds_to_ns(cli_number(row, key))}, out, PS_STAMP_SIZE);
}

void cli_sleep_ms(int milliseconds) {
    struct timespec time = {.tv_sec = milliseconds / 1000,
                            .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    (void)nanosleep(&time, NULL); // a signal ends the program, not the wait
}

void cli_program_folder(char *out, size_t size) {
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(path, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    snprintf(out, size, "%s", path);
}

static void print_help(FILE *out) {
    fprintf(out, "usage: penstock COMMAND [ARGUMENTS] [--json] [--socket PATH]\n\n");
    for (size_t i = 0; i < PS_COUNT(commands); i++) {
        char call[64];
        snprintf(call, sizeof call, "%s %s", commands[i].name, commands[i].arguments);
        fprintf(out, "  %-26s %s\n", call, commands[i].help);
    }
    fprintf(out,
            "\n  --json          print JSON, for programs\n"
            "  --socket PATH   command socket of the gateway (default $PENSTOCK_SOCKET or\n"
            "                  %s)\n"
            "  --version       print the version\n\n"
            "Exit status: 0 done, 1 failed, 2 called or configured wrongly.\n",
            CLI_DEFAULT_SOCKET);
}

static void print_command_help(const Command *command) {
    printf("usage: penstock %s %s [--json] [--socket PATH]\n%s\n", command->name,
           command->arguments, command->help);
}

// Takes the shared options out of `arguments`; returns how many are left, -1 when one is wrong.
static int take_options(CliOptions *options, int count, char **arguments, bool *ret_help) {
    int left = 0;
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--json") == 0) {
            options->json = true;
        } else if (strcmp(arguments[i], "--help") == 0) {
            *ret_help = true;
        } else if (strcmp(arguments[i], "--socket") == 0) {
            if (i + 1 == count) {
                return -1;
            }
            options->socket = arguments[++i];
        } else {
            arguments[left++] = arguments[i];
        }
    }
    return left;
}

int main(int argc, char **argv) {
    if (ps_streams_fill() != PS_OK) {
        return CLI_FAILED; // with nowhere to say why
    }
    const char *from_environment = getenv("PENSTOCK_SOCKET");
    CliOptions options = {.socket =
                              from_environment != NULL ? from_environment : CLI_DEFAULT_SOCKET};
    bool help = false;
    int count = take_options(&options, argc - 1, argv + 1, &help);
    if (count < 0) {
        return cli_fail(CLI_USAGE, "--socket needs a path");
    }
    if (count == 0) {
        print_help(help ? stdout : stderr);
        return help ? CLI_DONE : CLI_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("penstock %s\n", PENSTOCK_VERSION);
        return CLI_DONE;
    }
    for (size_t i = 0; i < PS_COUNT(commands); i++) {
        if (strcmp(commands[i].name, argv[1]) == 0) {
            if (help) {
                print_command_help(&commands[i]);
                return CLI_DONE;
            }
            return commands[i].run(&options, count - 1, argv + 2);
        }
    }
    return cli_fail(CLI_USAGE, "'%s' is not a command; penstock --help lists them", argv[1]);
}
