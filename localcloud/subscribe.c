// penstock-cloud sub: prints what arrives at the running local cloud.
#include "base/cleanup.h"
#include "base/text.h"
#include "localcloud/command.h"
#include "localcloud/console.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define LONGEST_WAIT_S 86400
#define MOST_COUNTED 1000000000

static const struct option long_options[] = {
    {"count", required_argument, NULL, 'c'},
    {"timeout", required_argument, NULL, 't'},
    {"pretty", no_argument, NULL, 'p'},
    {"json", no_argument, NULL, 'j'},
    {0},
};

static int take_option(PsConsoleSetup *setup, int letter, const char *text) {
    long long number = 0;
    switch (letter) {
    case 'c':
        if (!ps_text_to_int(text, 1, MOST_COUNTED, &number)) {
            return ps_command_wrong("--count is a number of messages, not '%s'", text);
        }
        setup->count = (uint64_t)number;
        return 0;
    case 't':
        if (!ps_text_to_int(text, 1, LONGEST_WAIT_S, &number)) {
            return ps_command_wrong("--timeout is a number of seconds, not '%s'", text);
        }
        setup->timeout_s = (double)number;
        return 0;
    case 'p':
        setup->format = PS_PAYLOAD_PRETTY;
        return 0;
    case 'j':
        setup->format = PS_PAYLOAD_JSON;
        return 0;
    default:
        return PS_EXIT_USAGE;
    }
}

int ps_command_subscribe(int argc, char **argv) {
    PsConsoleSetup setup = {.stdin_fd = -1, .signal_fd = -1, .watched_fd = -1};
    int letter = 0;
    while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        int wrong = take_option(&setup, letter, optarg);
        if (wrong != 0) {
            return wrong;
        }
    }
    int filters = argc - optind - 1;
    if (filters < 0 || filters > PS_CLIENT_FILTERS) {
        return ps_command_wrong("sub needs a folder and at most %d filters", PS_CLIENT_FILTERS);
    }
    setup.client.filters[0] = "#";
    setup.client.filter_count = filters > 0 ? (size_t)filters : 1;
    for (int i = 0; i < filters; i++) {
        setup.client.filters[i] = argv[optind + 1 + i];
    }
    PsCommandClient client;
    PsDiag diag = {0};
    PS_AUTO_FD int signal_fd = -1;
    PsErr err = ps_command_client(argv[optind], "sub", &client, &setup.client, &diag);
    err = err == PS_OK ? ps_command_signals(&signal_fd, &diag) : err;
    if (err != PS_OK) {
        return ps_command_failed(&diag);
    }
    setup.signal_fd = signal_fd;
    uv_loop_t loop;
    uv_loop_init(&loop);
    setup.loop = &loop;
    PsConsoleEnd end = ps_console_run(&setup, &diag);
    uv_loop_close(&loop);
    if (end == PS_CONSOLE_FAILED) {
        return ps_command_failed(&diag);
    }
    // Fewer messages than asked for is a failure; without --count, the end of the time is not.
    if (end == PS_CONSOLE_TIMEOUT && setup.count > 0) {
        fprintf(stderr, "penstock-cloud: fewer messages than --count arrived in time\n");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
