// penstock-cloud run: makes what is missing, runs the cloud, and is the console. Main thread.
#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "localcloud/adopt.h"
#include "localcloud/cloud.h"
#include "localcloud/command.h"
#include "localcloud/console.h"
#include "localcloud/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_FILE "cloud.log"

typedef struct Run {
    PsRunOptions options;
    char dir[PATH_MAX];
    char endpoint_path[PATH_MAX];
    PsEndpoint endpoint;
    PsEndpointThing things[PS_RUN_THINGS];
    size_t thing_count;
    PsThingFiles console;
    uv_loop_t loop;
    PsCloud cloud;
} Run;

// Things that were asked for, and clients of our own, with their certificates in the account.
static PsErr make_things(Run *run, PsRegistry *registry, PsDiag *diag) {
    const PsRunOptions *options = &run->options;
    PsErr err = PS_OK;
    for (size_t i = 0; err == PS_OK && i < options->thing_count; i++) {
        PsThingOrder order = {.name = options->things[i], .key_type = options->key_type};
        PsEndpointThing *thing = &run->things[run->thing_count++];
        thing->name = order.name;
        err = ps_folder_thing(run->dir, &order, &thing->files, diag);
        err = err == PS_OK ? ps_adopt(registry, order.name, thing->files.certificate, diag) : err;
    }
    // pub and sub too, so that two of them started at the same time find theirs made.
    static const char *const own_clients[] = {"pub", "sub", "console"};
    for (size_t i = 0; err == PS_OK && i < PS_COUNT(own_clients); i++) {
        PsThingOrder own = {.name = own_clients[i], .key_type = PS_KEY_ECC, .own_client = true};
        err = ps_folder_thing(run->dir, &own, &run->console, diag);
        err = err == PS_OK ? ps_adopt(registry, NULL, run->console.certificate, diag) : err;
    }
    return err;
}

static PsErr prepare(Run *run, PsDiag *diag) {
    const PsRunOptions *options = &run->options;
    PsRegistry *registry = NULL;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.*s/" PS_REGISTRY_FILE, PATH_MAX - 32, run->dir);
    bool has_account = access(path, F_OK) == 0;
    PsErr err = ps_registry_open(run->dir, &registry, diag);
    if (err == PS_OK && !has_account) {
        err = ps_adopt_folder(registry, run->dir, diag);
    }
    err = err == PS_OK ? make_things(run, registry, diag) : err;
    ps_registry_close(registry);
    if (err != PS_OK) {
        return err;
    }
    snprintf(run->endpoint_path, PATH_MAX, "%.*s/%s", PATH_MAX - 32, run->dir, PS_ENDPOINT_FILE);
    snprintf(run->endpoint.root_ca, PATH_MAX, "%.*s/%s", PATH_MAX - 32, run->dir,
             ps_folder_root_name(options->key_type));
    return PS_OK;
}

// What clients did wrong goes into a file: standard output is the console's.
static PsErr open_log(const char *dir, int *ret_fd, PsDiag *diag) {
    char path[PATH_MAX];
    char before[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/" LOG_FILE, dir);
    PS_ASSERT(len > 0 && (size_t)len < sizeof path); // ps_folder_open made sure of room
    snprintf(before, sizeof before, "%.*s.1", PATH_MAX - 3, path);
    rename(path, before); // the first start has none
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) {
        return ps_fail(PS_ERR_IO, diag, path, NULL, "cannot be written: %s", strerror(errno));
    }
    ps_log_set_fd(fd);
    *ret_fd = fd;
    return PS_OK;
}

static void print_summary(const Run *run) {
    printf("Local AWS IoT Core\n  endpoint     %s\n  port         %u\n", PS_ENDPOINT_HOST,
           run->endpoint.port);
    if (run->endpoint.alpn_port != 0) {
        printf("  ALPN port    %u (stands for 443 with x-amzn-mqtt-ca)\n", run->endpoint.alpn_port);
    }
    printf("  API          " PS_ENDPOINT_API "\n", (unsigned int)run->endpoint.api_port);
    if (run->options.console_dir != NULL) {
        printf("  console      " PS_ENDPOINT_API "/console/\n",
               (unsigned int)run->endpoint.api_port);
    }
    printf("  root CA      %s\n", run->endpoint.root_ca);
    for (size_t i = 0; i < run->thing_count; i++) {
        printf("  thing        %s\n    certificate  %s\n    private key  %s\n", run->things[i].name,
               run->things[i].files.certificate, run->things[i].files.private_key);
    }
    printf("  client log   %s/" LOG_FILE "\n", run->dir);
    printf("  broker log   %s/broker/mosquitto.log\n", run->dir);
    if (run->thing_count > 0) {
        ps_endpoint_print_block(&run->endpoint, &run->things[0]);
    }
    printf("\nMessages appear below. Type TOPIC PAYLOAD to send one, quit to end.\n\n");
    fflush(stdout);
}

static PsErr announce(void *ctx, PsDiag *diag) {
    Run *run = ctx;
    PsErr err =
        ps_endpoint_write(run->endpoint_path, &run->endpoint, run->things, run->thing_count, diag);
    // Before the ready file: who waits for that reads the summary whole.
    if (err == PS_OK && !run->options.quiet && run->options.format != PS_PAYLOAD_JSON) {
        print_summary(run);
    }
    if (err == PS_OK && run->options.ready_path != NULL) {
        err = ps_endpoint_write(run->options.ready_path, &run->endpoint, run->things,
                                run->thing_count, diag);
    }
    return err;
}

static PsConsoleEnd be_console(Run *run, int signal_fd, PsDiag *diag) {
    const PsRunOptions *options = &run->options;
    PsConsoleSetup setup = {
        .loop = &run->loop,
        .client = {.port = run->endpoint.port,
                   .root_ca = run->endpoint.root_ca,
                   .certificate = run->console.certificate,
                   .private_key = run->console.private_key,
                   .client_id = "penstock-cloud-console",
                   .filter_count = options->filter_count},
        .format = options->format,
        .stdin_fd = STDIN_FILENO,
        .signal_fd = signal_fd,
        .watched_fd = run->cloud.broker.pid_fd,
        .on_ready = announce,
        .ctx = run,
    };
    memcpy(setup.client.filters, options->filters, sizeof setup.client.filters);
    // A server certificate that is wrong on purpose would keep our own console out too.
    if (!options->quiet && options->server_flaw == PS_FLAW_NONE) {
        setup.client.host = PS_ENDPOINT_HOST;
    }
    return ps_console_run(&setup, diag);
}

static int serve(Run *run, int signal_fd, PsDiag *diag) {
    uv_loop_init(&run->loop);
    if (ps_cloud_start(&run->cloud, &run->loop, run->dir, &run->options, diag) != PS_OK) {
        uv_loop_close(&run->loop);
        return ps_command_failed(diag);
    }
    run->endpoint.port = ps_cloud_port(&run->cloud);
    run->endpoint.alpn_port = ps_cloud_alpn_port(&run->cloud);
    run->endpoint.api_port = ps_cloud_api_port(&run->cloud);
    run->endpoint.region = ps_registry_region(run->cloud.registry);
    PsConsoleEnd end = be_console(run, signal_fd, diag);
    int result = EXIT_SUCCESS;
    if (end == PS_CONSOLE_WATCHED) {
        result = EXIT_FAILURE;
        fprintf(stderr, "penstock-cloud: mosquitto has ended by itself; see %s/broker/%s\n",
                run->dir, "mosquitto.log");
    } else if (end == PS_CONSOLE_FAILED) {
        result = ps_command_failed(diag);
    }
    unlink(run->endpoint_path);
    ps_cloud_stop(&run->cloud);
    int busy = uv_loop_close(&run->loop);
    PS_ASSERT(busy == 0); // a handle was forgotten
    return result;
}

int ps_command_run(int argc, char **argv) {
    PsRunOptions options;
    int wrong = ps_run_options_parse(argc, argv, &options);
    if (wrong != 0) {
        return wrong;
    }
    PsDiag diag = {0};
    PS_AUTO_FD int signal_fd = -1;
    PS_AUTO_FD int lock_fd = -1;
    PS_AUTO_FD int log_fd = -1;
    PS_AUTO_FREE Run *run = ps_alloc(sizeof *run);
    run->options = options;
    PsErr err = ps_folder_open(options.dir, run->dir, &diag);
    err = err == PS_OK ? ps_lock_take(run->dir, &lock_fd, &diag) : err;
    err = err == PS_OK ? open_log(run->dir, &log_fd, &diag) : err;
    err = err == PS_OK ? ps_command_signals(&signal_fd, &diag) : err;
    err = err == PS_OK ? prepare(run, &diag) : err;
    if (err != PS_OK) {
        return ps_command_failed(&diag);
    }
    return serve(run, signal_fd, &diag);
}
