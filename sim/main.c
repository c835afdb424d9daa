// penstock-sim: arguments, ready line, signals. Main thread; all waiting is in the control loop.
#include "base/cleanup.h"
#include "base/file.h"
#include "base/streams.h"
#include "base/text.h"
#include "sim/control.h"
#include "sim/line.h"
#include "sim/server.h"
#include "sim/sides.h"

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

static const char usage_head[] =
    "usage: penstock-sim [OPTION]...\n"
    "A simulated plant that speaks the protocols of the field; what it shows is listed in\n"
    "sim/README.md.\n"
    "\n"
    "  -p, --port N          port of Modbus TCP on 127.0.0.1; 0: a free one (default 5020)\n"
    "  -a, --address IP      listen on this IPv4 address instead of 127.0.0.1\n"
    "  -s, --slaves N,N...   only these unit ids exist (default: all answer)\n"
    "      --rtu PATH        also a serial line: PATH becomes a link to a pseudo terminal\n"
    "      --rtu-port N      also RTU frames over TCP, on this port of 127.0.0.1\n";
static const char usage_tail[] =
    "  -n, --connections N   connections at a time and protocol, 1 to 4096 (default 64)\n"
    "  -k, --keys FOLDER     keep keys and certificates here; without it each start has new ones\n"
    "  -f, --fault LINE      turn a fault knob at start, for example --fault 'delay 200';\n"
    "                        may be given several times\n"
    "  -c, --control PATH    take command lines on this Unix socket\n"
    "  -i, --interactive     take command lines on standard input ('help' lists them)\n"
    "  -r, --ready-file PATH write the ports here once they are open\n"
    "  -h, --help            this text\n"
    "\n"
    "Exit status: 0 ended by a signal or 'quit', 1 failed, 2 called wrongly.\n";

// Options without a letter.
enum {
    OPTION_RTU = 256,
    OPTION_RTU_PORT,
    OPTION_SIDE, // and the side's number in its table
};

static const struct option own_options[] = {
    {"port", required_argument, NULL, 'p'},
    {"address", required_argument, NULL, 'a'},
    {"keys", required_argument, NULL, 'k'},
    {"connections", required_argument, NULL, 'n'},
    {"slaves", required_argument, NULL, 's'},
    {"rtu", required_argument, NULL, OPTION_RTU},
    {"rtu-port", required_argument, NULL, OPTION_RTU_PORT},
    {"fault", required_argument, NULL, 'f'},
    {"control", required_argument, NULL, 'c'},
    {"interactive", no_argument, NULL, 'i'},
    {"ready-file", required_argument, NULL, 'r'},
    {"help", no_argument, NULL, 'h'},
};

#define SIDE_OPTION_BYTES 24

// The options of the sides behind our own.
typedef struct LongOptions {
    struct option options[PS_COUNT(own_options) + PS_SIM_SIDES + 1];
    char names[PS_SIM_SIDES][SIDE_OPTION_BYTES];
} LongOptions;

static void make_options(LongOptions *all) {
    *all = (LongOptions){0};
    memcpy(all->options, own_options, sizeof own_options);
    for (size_t i = 0; i < ps_sim_side_count(); i++) {
        snprintf(all->names[i], SIDE_OPTION_BYTES, "%s-port", ps_sim_side_kind(i)->name);
        all->options[PS_COUNT(own_options) + i] =
            (struct option){all->names[i], required_argument, NULL, (int)(OPTION_SIDE + i)};
    }
}

typedef struct Options {
    PsSimServerSetup setup;
    PsSimSidesSetup sides;
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

static bool take_side(Options *options, size_t index, const char *text) {
    long long port = 0;
    char what[64];
    if (!ps_text_to_int(text, 0, 65535, &port)) {
        snprintf(what, sizeof what, "--%s-port is a number from 0 to 65535",
                 ps_sim_side_kind(index)->name);
        return wrong(what, text);
    }
    options->sides.ports[index] = (int32_t)port;
    return true;
}

static bool take_connections(Options *options, const char *text) {
    long long most = 0;
    if (!ps_text_to_int(text, 1, PS_SIM_MOST_CONNECTIONS, &most)) {
        return wrong("--connections is a number from 1 to 4096", text);
    }
    options->setup.connections = (uint32_t)most;
    options->sides.connections = (uint32_t)most;
    return true;
}

static bool take_option(Options *options, int letter, const char *text) {
    long long port = 0;
    if (letter >= OPTION_SIDE) {
        return take_side(options, (size_t)(letter - OPTION_SIDE), text);
    }
    switch (letter) {
    case 'p':
        if (!ps_text_to_int(text, 0, 65535, &port)) {
            return wrong("--port is a number from 0 to 65535", text);
        }
        options->setup.port = (uint16_t)port;
        return true;
    case 'a':
        options->setup.address = text;
        options->sides.address = text;
        return true;
    case 'k':
        options->sides.folder = text;
        return true;
    case 'n':
        return take_connections(options, text);
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
    for (size_t i = 0; i < PS_SIM_SIDES; i++) {
        options->sides.ports[i] = -1;
    }
    LongOptions all;
    make_options(&all);
    int letter = 0;
    while ((letter = getopt_long(argc, argv, "p:a:n:k:s:f:c:ir:h", all.options, NULL)) != -1) {
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

static void print_usage(void) {
    fputs(usage_head, stdout);
    for (size_t i = 0; i < ps_sim_side_count(); i++) {
        const PsSimSideKind *kind = ps_sim_side_kind(i);
        char option[SIDE_OPTION_BYTES];
        snprintf(option, sizeof option, "--%s-port N", kind->name);
        printf("      %-17s also %s, on this port; usual is %u\n", option, kind->title, kind->port);
    }
    fputs(usage_tail, stdout);
}

// The file first: who reads the lines may look for it.
static PsErr announce(const Options *options, const PsSimControl *control, PsDiag *diag) {
    const char *address = options->setup.address != NULL ? options->setup.address : "127.0.0.1";
    uint16_t port = ps_sim_server_port(control->server);
    PS_AUTO_BUF PsBuf ready = {0};
    PS_AUTO_BUF PsBuf lines = {0};
    ps_buf_printf(&ready, "%u\n", port);
    ps_buf_printf(&lines, "penstock-sim: modbus tcp on %s:%u\n", address, port);
    for (size_t i = 0; i < ps_sim_side_count(); i++) {
        const PsSimSideKind *kind = ps_sim_side_kind(i);
        uint16_t side_port = ps_sim_sides_port(control->sides, i);
        if (side_port != 0) {
            ps_buf_printf(&ready, "%s %u\n", kind->name, side_port);
            ps_buf_printf(&lines, "penstock-sim: %s on %s:%u\n", kind->title, address, side_port);
        }
    }
    if (options->ready_path != NULL) {
        PsErr err = ps_file_write(options->ready_path, ready.data, ready.len, 0644, diag);
        if (err != PS_OK) {
            return err;
        }
    }
    fputs((const char *)lines.data, stdout);
    fflush(stdout);
    return PS_OK;
}

static PsErr turn_fault(const PsSimControl *control, const char *line, PsDiag *diag) {
    PsErr err = ps_sim_sides_fault(control->sides, line, diag);
    return err != PS_ERR_NOT_FOUND ? err : ps_sim_server_fault(control->server, line, diag);
}

static int run(const Options *options, const PsSimControl *control, int signal_fd) {
    PsDiag diag = {0};
    for (size_t i = 0; i < options->fault_count; i++) {
        if (turn_fault(control, options->faults[i], &diag) != PS_OK) {
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
    if (announce(options, control, &diag) != PS_OK) {
        result = fail(&diag);
    } else if (ps_sim_control_run(control, control_fd, options->interactive ? STDIN_FILENO : -1,
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
        print_usage();
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
    PsSimControl control = {.server = server};
    PsErr err = start_lines(&options, server, lines, &diag);
    err = err == PS_OK ? ps_sim_sides_start(&options.sides, server, &control.sides, &diag) : err;
    int result = err == PS_OK ? run(&options, &control, signal_fd) : fail(&diag);
    ps_sim_sides_stop(control.sides);
    ps_sim_line_stop(lines[0]);
    ps_sim_line_stop(lines[1]);
    ps_sim_server_stop(server);
    return result;
}
