// `penstock`: finds the sub-command and runs it. One thread, blocking.
#include "base/streams.h"
#include "base/time.h"
#include "cli/commands.h"
#include "version.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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
        cli_print_help(help ? stdout : stderr);
        return help ? CLI_DONE : CLI_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("penstock %s\n", PENSTOCK_VERSION);
        return CLI_DONE;
    }
    const CliEntry *entry = cli_entry_find(argv[1]);
    if (entry != NULL && help) {
        cli_print_entry_help(entry, stdout);
        return CLI_DONE;
    }
    if (entry != NULL) {
        return entry->run(&options, count - 1, argv + 2);
    }
    return cli_fail(CLI_USAGE, "'%s' is not a command; penstock --help lists them", argv[1]);
}
