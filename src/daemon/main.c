// `penstockd`: arguments, configuration, then the application. Main thread.
#include "api/openapi.h"
#include "api/web.h"
#include "base/cleanup.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/streams.h"
#include "daemon/app.h"
#include "daemon/state_lock.h"
#include "drivers/driver.h"
#include "version.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXIT_DONE 0
#define EXIT_FAILED 1
#define EXIT_USAGE 2

static const char usage[] =
    "usage: penstockd [--config DIR] [--state DIR] [--socket PATH]\n"
    "                 [--web ADDRESS:PORT|none]\n\n"
    "  --config DIR    folder with penstock.json (default /etc/penstock)\n"
    "  --state DIR     folder for outbox, alarm history, revisions, accounts (default\n"
    "                  /var/lib/penstock)\n"
    "  --socket PATH   command socket (default /run/penstock/penstock.sock)\n"
    "  --web ADDRESS:PORT\n"
    "                  where the web interface is, in place of penstock.json; none: nowhere\n"
    "  --openapi       print the REST API as an OpenAPI document\n"
    "  --version       print the version\n\n"
    "Runs until SIGINT or SIGTERM; SIGHUP applies the configuration folder. Logs to standard "
    "error.\n"
    "Exit status: 0 stopped in order, 1 could not run, 2 called or configured wrongly.\n";

typedef struct Arguments {
    const char *config;
    const char *state;
    const char *socket;
    const char *web;
} Arguments;

static int print_openapi(void) {
    json_t *document = ps_openapi_document();
    int result = json_dumpf(document, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(document);
    return result == 0 && fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

// Returns -1 to go on, otherwise the exit status.
static int parse_arguments(int argc, char **argv, Arguments *arguments) {
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"state", required_argument, NULL, 's'},
        {"socket", required_argument, NULL, 'k'}, {"web", required_argument, NULL, 'w'},
        {"openapi", no_argument, NULL, 'o'},      {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},      {NULL, 0, NULL, 0},
    };
    for (int option = 0; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'c':
            arguments->config = optarg;
            break;
        case 's':
            arguments->state = optarg;
            break;
        case 'k':
            arguments->socket = optarg;
            break;
        case 'w':
            arguments->web = optarg;
            break;
        case 'o':
            return print_openapi();
        case 'h':
            fputs(usage, stdout);
            return EXIT_DONE;
        case 'v':
            printf("penstockd %s\n", PENSTOCK_VERSION);
            return EXIT_DONE;
        default:
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "penstockd: '%s' is not an option\n%s", argv[optind], usage);
        return EXIT_USAGE;
    }
    return -1;
}

// `name` beside this program.
static void find_beside(const char *name, char *out, size_t size) {
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(path, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    int length = snprintf(out, size, "%s/%s", path, name);
    PS_ASSERT(length > 0 && (size_t)length < size);
}

static int fail(const PsDiag *diag) {
    char text[sizeof *diag];
    ps_diag_format(diag, text, sizeof text);
    PS_LOGE("START-FAILED", "%s", text);
    return EXIT_FAILED;
}

int main(int argc, char **argv) {
    ps_mem_init();
    (void)ps_descriptors_raise_limit(); // two for each endpoint
    if (ps_streams_fill() != PS_OK) {
        return EXIT_FAILED; // with nowhere to say why
    }
    Arguments arguments = {.config = "/etc/penstock",
                           .state = "/var/lib/penstock",
                           .socket = "/run/penstock/penstock.sock"};
    int status = parse_arguments(argc, argv, &arguments);
    if (status >= 0) {
        return status;
    }
    char web_address[64];
    int web_port = 0;
    bool web = arguments.web == NULL || strcmp(arguments.web, "none") != 0;
    bool moved = web && arguments.web != NULL;
    if (moved && !ps_web_parse(arguments.web, web_address, sizeof web_address, &web_port)) {
        fprintf(stderr, "penstockd: --web takes ADDRESS:PORT, such as 127.0.0.1:9443, or none\n");
        return EXIT_USAGE;
    }
    char script_program[PATH_MAX + 32];
    find_beside("penstock-script", script_program, sizeof script_program);
    char pages[PATH_MAX + 64];
    find_beside("../share/penstock/gateway", pages, sizeof pages);
    PsDiag diag = {0};
    int lock = -1;
    PsErr err = ps_start_config_first(arguments.config, arguments.state, ps_driver_check_for);
    if (err != PS_OK) {
        return EXIT_USAGE;
    }
    err = ps_state_lock(arguments.state, &lock, &diag);
    if (err != PS_OK) {
        return fail(&diag);
    }
    PsStartConfig start;
    err = ps_start_config(arguments.config, arguments.state, script_program, ps_driver_check_for,
                          &start);
    if (err != PS_OK) {
        return EXIT_USAGE;
    }
    PsAppOptions options = {.start = &start,
                            .state = arguments.state,
                            .socket = arguments.socket,
                            .script_program = script_program,
                            .pages = access(pages, R_OK) == 0 ? pages : NULL,
                            .web = web,
                            .web_address = moved ? web_address : NULL,
                            .web_port = web_port};
    err = ps_app_run(&options, &diag);
    ps_cleanup_fd(&lock);
    return err == PS_OK ? EXIT_DONE : fail(&diag);
}
