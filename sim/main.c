// penstock-sim: arguments, ready line, signals. Main thread; all waiting is in the control loop.
#include "base/cleanup.h"
#include "base/file.h"
#include "base/streams.h"
#include "base/text.h"
#include "sim/control.h"
#include "sim/line.h"
#include "sim/server.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define EXIT_USAGE 2
#define DEFAULT_PORT 5020 // Modbus's own 502 needs privileges
#define MOST_FAULTS 32

static const char usage_text[] =
    "usage: penstock-sim [OPTION]...\n"
    "A simulated plant that speaks Modbus TCP and RTU; what it shows is listed in sim/README.md.\n"
    "\n"
    "  -p, --port N          port on 127.0.0.1; 0 takes a free one (default 5020)\n"
    "  -a, --address IP      listen on this IPv4 address instead of 127.0.0.1\n"
    "  -s, --slaves N,N...   only these unit ids exist (default: all answer)\n"
    "      --rtu PATH        also a serial line: PATH becomes a link to a pseudo terminal\n"
    "      --rtu-port N      also RTU frames over TCP, on this port of 127.0.0.1\n"
    "  -f, --fault LINE      turn a fault knob at start, for example --fault 'delay 200';\n"
    "                        may be given several times\n"
    "  -c, --control PATH    take command lines on this Unix socket\n"
    "  -i, --interactive     take command lines on standard input ('help' lists them)\n"
    "  -r, --ready-file PATH write the port here once it is open\n"
    "  -h, --help            this text\n"
    "\n"
    "Exit status: 0 ended by a signal or 'quit', 1 failed, 2 called wrongly.\n";

// Options without a letter.
enum {
    OPTION_RTU = 256,
    OPTION_RTU_PORT,
};

static const struct option long_options[] = {
    {"port", required_argument, NULL, 'p'},
    {"address", required_argument, NULL, 'a'},
    {"slaves", required_argument, NULL, 's'},
    {"rtu", required_argument, NULL, OPTION_RTU},
    {"rtu-port", required_argument, NULL, OPTION_RTU_PORT},
    {"fault", required_argument, NULL, 'f'},
    {"control", required_argument, NULL, 'c'},
    {"interactive", no_argument, NULL, 'i'},
    {"ready-file", required_argument, NULL, 'r'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

typedef struct Options {
    PsSimServerSetup setup;
    const char *rtu_path;
    uint16_t rtu_port; // 0: none
    const char *faults[MOST_FAULTS];
    size_t fault_count;
    const char *control_path;
    const char *ready_path;
    bool interactive;
    bool help;
} Options;

static bool parse_slaves(const char *text, bool *slaves) {
    char copy[1024];
    if ((size_t)snprintf(copy, sizeof copy, "%s", text) >= sizeof copy || copy[0] == '\0') {
        return false;
    }
    char *rest = NULL;
    for (char *word = strtok_r(copy, ",", &rest); word != NULL; word = strtok_r(NULL, ",", &rest)) {
        long long slave = 0;
        if (!ps_text_to_int(word, 0, 255, &slave)) {
            return false;
        }
        slaves[slave] = true;
    }
    return true;
}

static bool wrong(const char *what, const char *text) {
    fprintf(stderr, "penstock-sim: %s: '%s'; see penstock-sim --help\n", what, text);
    return false;
}

static bool take_option(Options *options, int letter, const char *text) {
    long long port = 0;
    switch (letter) {
    case 'p':
        if (!ps_text_to_int(text, 0, 65535, &port)) {
            return wrong("--port is a number from 0 to 65535", text);
        }
        options->setup.port = (uint16_t)port;
        return true;
    case 'a':
        options->setup.address = text;
        return true;
    case 's':
        return parse_slaves(text, options->setup.slaves) ||
               wrong("--slaves takes unit ids from 0 to 255 with commas between them", text);
    case OPTION_RTU:
        options->rtu_path = text;
        return true;
    case OPTION_RTU_PORT:
        if (!ps_text_to_int(text, 1, 65535, &port)) {
            return wrong("--rtu-port is a number from 1 to 65535", text);
        }
        options->rtu_port = (uint16_t)port;
        return true;
    case 'f':
        if (options->fault_count == MOST_FAULTS) {
            return wrong("too many --fault", text);
        }
        options->faults[options->fault_count++] = text;
        return true;
    case 'c':
        options->control_path = text;
        return true;
    case 'i':
        options->interactive = true;
        return true;
    case 'r':
        options->ready_path = text;
        return true;
    case 'h':
        options->help = true;
        return true;
    default:
        return false; // getopt has said what is wrong
    }
}

static bool parse_options(int argc, char **argv, Options *options) {
    *options = (Options){.setup.port = DEFAULT_PORT};
    int letter = 0;
    while ((letter = getopt_long(argc, argv, "p:a:s:f:c:ir:h", long_options, NULL)) != -1) {
        if (!take_option(options, letter, optarg)) {
            return false;
        }
    }
    return optind == argc || wrong("unexpected argument", argv[optind]);
}

static int fail(const PsDiag *diag) {
    char text[sizeof(PsDiag) + 8];
    ps_diag_format(diag, text, sizeof text);
    fprintf(stderr, "penstock-sim: %s\n", text);
    return EXIT_FAILURE;
}

static PsErr announce(const Options *options, uint16_t port, PsDiag *diag) {
    char text[16];
    int len = snprintf(text, sizeof text, "%u\n", port);
    if (options->ready_path != NULL) {
        PsErr err = ps_file_write(options->ready_path, text, (size_t)len, 0644, diag);
        if (err != PS_OK) {
            return err;
        }
    }
    const char *address = options->setup.address != NULL ? options->setup.address : "127.0.0.1";
    printf("penstock-sim: modbus tcp on %s:%u\n", address, port);
    fflush(stdout);
    return PS_OK;
}

static int run(const Options *options, PsSimServer *server, int signal_fd) {
    PsDiag diag = {0};
    for (size_t i = 0; i < options->fault_count; i++) {
        if (ps_sim_server_fault(server, options->faults[i], &diag) != PS_OK) {
            fprintf(stderr, "penstock-sim: --fault '%s': %s\n", options->faults[i], diag.text);
            return EXIT_USAGE;
        }
    }
    PS_AUTO_FD int control_fd = -1;
    if (options->control_path != NULL &&
        ps_sim_control_listen(options->control_path, &control_fd, &diag) != PS_OK) {
        return fail(&diag);
    }
    int result = EXIT_SUCCESS;
    if (announce(options, ps_sim_server_port(server), &diag) != PS_OK) {
        result = fail(&diag);
    } else if (ps_sim_control_run(server, control_fd, options->interactive ? STDIN_FILENO : -1,
                                  signal_fd) != PS_OK) {
        perror("penstock-sim: poll");
        result = EXIT_FAILURE;
    }
    if (options->control_path != NULL) {
        unlink(options->control_path);
    }
    return result;
}

static PsErr start_lines(const Options *options, PsSimServer *server, PsSimLine **lines,
                         PsDiag *diag) {
    PsSimLineSetup terminal = {.path = options->rtu_path};
    PsSimLineSetup network = {.port = options->rtu_port};
    PsErr err =
        terminal.path != NULL ? ps_sim_line_start(server, &terminal, &lines[0], diag) : PS_OK;
    if (err == PS_OK && network.port != 0) {
        err = ps_sim_line_start(server, &network, &lines[1], diag);
    }
    return err;
}

int main(int argc, char **argv) {
    if (ps_streams_fill() != PS_OK) {
        return EXIT_FAILURE; // with nowhere to say why
    }
    Options options;
    if (!parse_options(argc, argv, &options)) {
        return EXIT_USAGE;
    }
    if (options.help) {
        fputs(usage_text, stdout);
        return EXIT_SUCCESS;
    }
    signal(SIGPIPE, SIG_IGN);
    // Blocked before the first thread, so that all of them leave the signals to the control loop.
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    PS_AUTO_FD int signal_fd = -1;
    if (sigprocmask(SIG_BLOCK, &ends, NULL) != 0 ||
        (signal_fd = signalfd(-1, &ends, SFD_CLOEXEC)) < 0) {
        perror("penstock-sim: signals");
        return EXIT_FAILURE;
    }
    PsSimServer *server = NULL;
    PsDiag diag = {0};
    if (ps_sim_server_start(&options.setup, &server, &diag) != PS_OK) {
        return fail(&diag);
    }
    PsSimLine *lines[2] = {0};
    PsErr err = start_lines(&options, server, lines, &diag);
    int result = err == PS_OK ? run(&options, server, signal_fd) : fail(&diag);
    ps_sim_line_stop(lines[0]);
    ps_sim_line_stop(lines[1]);
    ps_sim_server_stop(server);
    return result;
}
