// penstock-cloud run: makes what is missing, runs the broker, and is the console. Main thread.
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/text.h"
#include "localcloud/broker.h"
#include "localcloud/command.h"
#include "localcloud/console.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define DEFAULT_PORT 8883
#define DEFAULT_THING "awstest"
#define MOST_THINGS 32
#define MOST_HOSTS 8

typedef struct RunOptions {
    const char *dir;
    uint16_t port;
    int alpn_port; // -1: none
    PsKeyType key_type;
    PsFlaw server_flaw;
    const char *things[MOST_THINGS];
    size_t thing_count;
    const char *hosts[MOST_HOSTS];
    size_t host_count;
    const char *filters[PS_CLIENT_FILTERS];
    size_t filter_count;
    const char *ready_path;
    PsPayloadFormat format;
    bool quiet;
} RunOptions;

typedef struct Cloud {
    RunOptions options;
    char dir[PATH_MAX];
    char endpoint_path[PATH_MAX];
    PsEndpoint endpoint;
    PsEndpointThing things[MOST_THINGS];
    size_t thing_count;
    PsThingFiles console;
    PsBroker broker;
} Cloud;

static const struct option long_options[] = {
    {"port", required_argument, NULL, 'p'},     {"alpn-port", required_argument, NULL, 'a'},
    {"key-type", required_argument, NULL, 'k'}, {"server-cert", required_argument, NULL, 's'},
    {"thing", required_argument, NULL, 't'},    {"host", required_argument, NULL, 'h'},
    {"filter", required_argument, NULL, 'f'},   {"ready-file", required_argument, NULL, 'r'},
    {"pretty", no_argument, NULL, 'P'},         {"json", no_argument, NULL, 'j'},
    {"quiet", no_argument, NULL, 'q'},          {0},
};

typedef struct FlawName {
    const char *name;
    PsFlaw flaw;
} FlawName;

static const FlawName server_flaws[] = {
    {"good", PS_FLAW_NONE},
    {"expired", PS_FLAW_EXPIRED},
    {"not-yet", PS_FLAW_NOT_YET},
    {"wrong-host", PS_FLAW_WRONG_HOST},
};

static bool take_flaw(const char *text, PsFlaw *ret_flaw) {
    for (size_t i = 0; i < PS_COUNT(server_flaws); i++) {
        if (strcmp(text, server_flaws[i].name) == 0) {
            *ret_flaw = server_flaws[i].flaw;
            return true;
        }
    }
    return false;
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

// False when the option's value cannot be used.
static bool take_option(RunOptions *options, int letter, const char *text) {
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
    case 'k':
        return ps_command_key_type(text, &options->key_type);
    case 's':
        return take_flaw(text, &options->server_flaw);
    case 't':
        return take_item(text, options->things, MOST_THINGS, &options->thing_count);
    case 'h':
        return take_item(text, options->hosts, MOST_HOSTS, &options->host_count);
    case 'f':
        return take_item(text, options->filters, PS_CLIENT_FILTERS, &options->filter_count);
    case 'r':
        options->ready_path = text;
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

static int parse_options(int argc, char **argv, RunOptions *options) {
    *options = (RunOptions){.port = DEFAULT_PORT, .alpn_port = -1};
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
    if (options->thing_count == 0) {
        options->things[options->thing_count++] = DEFAULT_THING;
    }
    if (options->filter_count == 0) {
        options->filters[options->filter_count++] = "#";
    }
    return 0;
}

// One cloud per folder: held until the process ends.
static PsErr lock_folder(const char *dir, int *ret_fd, PsDiag *diag) {
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/lock", dir);
    PS_ASSERT(len > 0 && (size_t)len < sizeof path); // ps_folder_open made sure of room
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *ret_fd = fd;
        return PS_OK;
    }
    int error = errno;
    if (fd >= 0) {
        close(fd);
    }
    return ps_fail(error == EWOULDBLOCK ? PS_ERR_BUSY : PS_ERR_IO, diag, dir, NULL, "%s",
                   error == EWOULDBLOCK ? "another penstock-cloud runs here; stop it first"
                                        : strerror(error));
}

static PsErr prepare(Cloud *cloud, PsDiag *diag) {
    const RunOptions *options = &cloud->options;
    PsErr err = ps_folder_make_roots(cloud->dir, options->key_type, diag);
    if (err == PS_OK) {
        err = ps_folder_make_server(cloud->dir, options->key_type, options->server_flaw,
                                    options->hosts, options->host_count, diag);
    }
    for (size_t i = 0; err == PS_OK && i < options->thing_count; i++) {
        PsThingOrder order = {.name = options->things[i], .key_type = options->key_type};
        PsEndpointThing *thing = &cloud->things[cloud->thing_count++];
        thing->name = order.name;
        err = ps_folder_thing(cloud->dir, &order, &thing->files, diag);
    }
    // pub and sub too, so that two of them started at the same time find theirs made.
    static const char *const own_clients[] = {"pub", "sub", "console"};
    for (size_t i = 0; err == PS_OK && i < PS_COUNT(own_clients); i++) {
        PsThingOrder own = {.name = own_clients[i], .key_type = PS_KEY_ECC, .own_client = true};
        err = ps_folder_thing(cloud->dir, &own, &cloud->console, diag);
    }
    if (err != PS_OK) {
        return err;
    }
    snprintf(cloud->endpoint_path, PATH_MAX, "%.*s/%s", PATH_MAX - 32, cloud->dir,
             PS_ENDPOINT_FILE);
    snprintf(cloud->endpoint.root_ca, PATH_MAX, "%.*s/%s", PATH_MAX - 32, cloud->dir,
             ps_folder_root_name(options->key_type));
    return PS_OK;
}

static void print_cloud_block(const Cloud *cloud) {
    const PsEndpointThing *thing = &cloud->things[0];
    json_t *block = json_pack("{s:b, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:i, s:b}", "enable", 1,
                              "type", "AWS IoT", "endpoint", PS_ENDPOINT_HOST, "port",
                              cloud->endpoint.port, "client_id", thing->name, "cert",
                              thing->files.certificate, "key", thing->files.private_key, "root_ca",
                              cloud->endpoint.root_ca, "keepalive", 60, "clean_session", 1);
    char *text = json_dumps(block, JSON_INDENT(2));
    printf("\nFor penstock.json:\n\n\"cloud\": %s\n", text != NULL ? text : "{}");
    free(text);
    json_decref(block);
}

static void print_summary(const Cloud *cloud) {
    printf("Local AWS IoT Core\n  endpoint     %s\n  port         %u\n", PS_ENDPOINT_HOST,
           cloud->endpoint.port);
    if (cloud->endpoint.alpn_port != 0) {
        printf("  ALPN port    %u (stands for 443 with x-amzn-mqtt-ca)\n",
               cloud->endpoint.alpn_port);
    }
    printf("  root CA      %s\n", cloud->endpoint.root_ca);
    for (size_t i = 0; i < cloud->thing_count; i++) {
        printf("  thing        %s\n    certificate  %s\n    private key  %s\n",
               cloud->things[i].name, cloud->things[i].files.certificate,
               cloud->things[i].files.private_key);
    }
    printf("  broker log   %s/broker/mosquitto.log\n", cloud->dir);
    print_cloud_block(cloud);
    printf("\nMessages appear below. Type TOPIC PAYLOAD to send one, quit to end.\n\n");
    fflush(stdout);
}

static PsErr announce(void *ctx, PsDiag *diag) {
    Cloud *cloud = ctx;
    PsErr err = ps_endpoint_write(cloud->endpoint_path, &cloud->endpoint, cloud->things,
                                  cloud->thing_count, diag);
    // Before the ready file: who waits for that reads the summary whole.
    if (err == PS_OK && !cloud->options.quiet && cloud->options.format != PS_PAYLOAD_JSON) {
        print_summary(cloud);
    }
    if (err == PS_OK && cloud->options.ready_path != NULL) {
        err = ps_endpoint_write(cloud->options.ready_path, &cloud->endpoint, cloud->things,
                                cloud->thing_count, diag);
    }
    return err;
}

// Without a console: waits for a signal or the broker's end.
static PsConsoleEnd wait_quietly(Cloud *cloud, int signal_fd, PsDiag *diag) {
    if (announce(cloud, diag) != PS_OK) {
        return PS_CONSOLE_FAILED;
    }
    struct pollfd fds[] = {
        {.fd = signal_fd, .events = POLLIN},
        {.fd = cloud->broker.pid_fd, .events = POLLIN},
    };
    while (poll(fds, PS_COUNT(fds), -1) < 0 && errno == EINTR) {
    }
    return fds[0].revents != 0 ? PS_CONSOLE_SIGNAL : PS_CONSOLE_WATCHED;
}

static PsConsoleEnd run_console(Cloud *cloud, int signal_fd, PsDiag *diag) {
    const RunOptions *options = &cloud->options;
    PsConsoleSetup setup = {
        .client = {.host = PS_ENDPOINT_HOST,
                   .port = cloud->endpoint.port,
                   .root_ca = cloud->endpoint.root_ca,
                   .certificate = cloud->console.certificate,
                   .private_key = cloud->console.private_key,
                   .client_id = "penstock-cloud-console",
                   .filter_count = options->filter_count},
        .format = options->format,
        .stdin_fd = STDIN_FILENO,
        .signal_fd = signal_fd,
        .watched_fd = cloud->broker.pid_fd,
        .on_ready = announce,
        .ctx = cloud,
    };
    memcpy(setup.client.filters, options->filters, sizeof setup.client.filters);
    return ps_console_run(&setup, diag);
}

static int serve(Cloud *cloud, int signal_fd, PsDiag *diag) {
    PsBrokerSetup setup = {
        .dir = cloud->dir, .port = cloud->options.port, .alpn_port = cloud->options.alpn_port};
    if (ps_broker_start(&setup, &cloud->broker, diag) != PS_OK) {
        return ps_command_failed(diag);
    }
    cloud->endpoint.port = cloud->broker.port;
    cloud->endpoint.alpn_port = cloud->broker.alpn_port;
    // A server certificate that is wrong on purpose would keep our own console out too.
    bool no_console = cloud->options.quiet || cloud->options.server_flaw != PS_FLAW_NONE;
    PsConsoleEnd end =
        no_console ? wait_quietly(cloud, signal_fd, diag) : run_console(cloud, signal_fd, diag);
    int result = EXIT_SUCCESS;
    if (end == PS_CONSOLE_WATCHED) {
        result = EXIT_FAILURE;
        fprintf(stderr, "penstock-cloud: mosquitto has ended by itself; see %s/broker/%s\n",
                cloud->dir, "mosquitto.log");
    } else if (end == PS_CONSOLE_FAILED) {
        result = ps_command_failed(diag);
    }
    unlink(cloud->endpoint_path);
    ps_broker_stop(&cloud->broker);
    return result;
}

int ps_command_run(int argc, char **argv) {
    RunOptions options;
    int wrong = parse_options(argc, argv, &options);
    if (wrong != 0) {
        return wrong;
    }
    PsDiag diag = {0};
    PS_AUTO_FD int signal_fd = -1;
    PS_AUTO_FD int lock_fd = -1;
    PS_AUTO_FREE Cloud *cloud = ps_alloc(sizeof *cloud);
    cloud->options = options;
    PsErr err = ps_folder_open(options.dir, cloud->dir, &diag);
    err = err == PS_OK ? lock_folder(cloud->dir, &lock_fd, &diag) : err;
    err = err == PS_OK ? ps_command_signals(&signal_fd, &diag) : err;
    err = err == PS_OK ? prepare(cloud, &diag) : err;
    if (err != PS_OK) {
        return ps_command_failed(&diag);
    }
    return serve(cloud, signal_fd, &diag);
}
