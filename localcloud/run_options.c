// The command line of `penstock-cloud run`. Main thread.
#include "localcloud/run_options.h"

#include "base/text.h"
#include "localcloud/command.h"

#include <getopt.h>
#include <string.h>

#define DEFAULT_PORT 8883
#define DEFAULT_THING "awstest"

static const struct option long_options[] = {
    {"port", required_argument, NULL, 'p'},
    {"alpn-port", required_argument, NULL, 'a'},
    {"key-type", required_argument, NULL, 'k'},
    {"server-cert", required_argument, NULL, 's'},
    {"thing", required_argument, NULL, 't'},
    {"host", required_argument, NULL, 'h'},
    {"filter", required_argument, NULL, 'f'},
    {"ready-file", required_argument, NULL, 'r'},
    {"faults", required_argument, NULL, 'F'},
    {"pretty", no_argument, NULL, 'P'},
    {"json", no_argument, NULL, 'j'},
    {"quiet", no_argument, NULL, 'q'},
    {"api-port", required_argument, NULL, 'A'},
    {"console-dir", required_argument, NULL, 'c'},
    {"strict-sni", no_argument, NULL, 'S'},
    {"limit", required_argument, NULL, 'l'},
    {"reaction", required_argument, NULL, 'R'},
    {"no-things", no_argument, NULL, 'N'},
    {0},
};

static bool take_flaw(const char *text, PsFlaw *ret_flaw) {
    const PsFlawName *found = ps_identity_flaw(text);
    if (found != NULL) {
        *ret_flaw = found->flaw;
    }
    return found != NULL;
}

static bool take_item(const char *text, const char **items, size_t most, size_t *count) {
    if (*count == most) {
        return false;
    }
    items[(*count)++] = text;
    return true;
}

static bool take_port(const char *text, int *ret_port) {
    long long port = 0;
    if (!ps_text_to_int(text, 0, UINT16_MAX, &port)) {
        return false;
    }
    *ret_port = (int)port;
    return true;
}

static bool take_front_option(PsRunOptions *options, int letter, const char *text) {
    PsDiag diag = {0};
    PsErr err = letter == 'l' ? ps_limits_set_text(&options->limits, text, &diag)
                              : ps_reactions_set_text(&options->reactions, text, &diag);
    if (err != PS_OK) {
        (void)ps_command_failed(&diag);
    }
    return err == PS_OK;
}

// False when the option's value cannot be used.
static bool take_option(PsRunOptions *options, int letter, const char *text) {
    int port = 0;
    switch (letter) {
    case 'p':
        if (!take_port(text, &port)) {
            return false;
        }
        options->port = (uint16_t)port;
        return true;
    case 'a':
        return take_port(text, &options->alpn_port);
    case 'A':
        return take_port(text, &options->api_port);
    case 'c':
        options->console_dir = text;
        return true;
    case 'k':
        return ps_command_key_type(text, &options->key_type);
    case 's':
        return take_flaw(text, &options->server_flaw);
    case 't':
        return take_item(text, options->things, PS_RUN_THINGS, &options->thing_count);
    case 'N':
        options->no_things = true;
        return true;
    case 'h':
        return take_item(text, options->hosts, PS_IDENTITY_HOSTS, &options->host_count);
    case 'f':
        return take_item(text, options->filters, PS_CLIENT_FILTERS, &options->filter_count);
    case 'r':
        options->ready_path = text;
        return true;
    case 'l':
    case 'R':
        return take_front_option(options, letter, text);
    case 'F':
        options->faults_path = text;
        return true;
    case 'S':
        options->strict_sni = true;
        return true;
    case 'P':
        options->format = PS_PAYLOAD_PRETTY;
        return true;
    case 'j':
        options->format = PS_PAYLOAD_JSON;
        return true;
    default:
        options->quiet = true;
        return true;
    }
}

int ps_run_options_parse(int argc, char **argv, PsRunOptions *ret_options) {
    PsRunOptions *options = ret_options;
    *options = (PsRunOptions){.port = DEFAULT_PORT,
                              .alpn_port = -1,
                              .api_port = -1,
                              .console_dir = ps_command_console_dir()};
    ps_limits_init(&options->limits);
    ps_reactions_init(&options->reactions);
    int letter = 0;
    int index = 0;
    while ((letter = getopt_long(argc, argv, "", long_options, &index)) != -1) {
        if (letter == '?') {
            return PS_EXIT_USAGE; // getopt has said what is wrong
        }
        if (!take_option(options, letter, optarg)) {
            return ps_command_wrong("'%s' cannot be used for --%s", optarg,
                                    long_options[index].name);
        }
    }
    if (optind + 1 != argc) {
        return ps_command_wrong("run needs one folder");
    }
    options->dir = argv[optind];
    if (options->thing_count == 0 && !options->no_things) {
        options->things[options->thing_count++] = DEFAULT_THING;
    }
    if (options->filter_count == 0) {
        options->filters[options->filter_count++] = "#";
    }
    return 0;
}
