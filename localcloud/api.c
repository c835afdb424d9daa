// penstock-cloud api: the control plane alone, without a broker. Main thread, one libuv loop.
#include "base/cleanup.h"
#include "base/text.h"
#include "localcloud/alone.h"
#include "localcloud/command.h"
#include "localcloud/lock.h"
#include "localcloud/rest/loopback.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DEFAULT_API_PORT 8080

typedef struct ApiOptions {
    const char *dir;
    uint16_t port;
    const char *ready_path;
    const char *console_dir;
} ApiOptions;

typedef struct Api {
    ApiOptions options;
    char dir[PATH_MAX];
    char endpoint_path[PATH_MAX + 32];
    PsEndpoint endpoint;
    PsRegistry *registry;
    PsAlone services;
    PsLoopback *loopback;
    PsRest *rest;
    PsKeymaker *keymaker;
    uv_loop_t loop;
    uv_poll_t signals;
} Api;

static const struct option long_options[] = {
    {"api-port", required_argument, NULL, 'p'},
    {"ready-file", required_argument, NULL, 'r'},
    {"console-dir", required_argument, NULL, 'c'},
    {0},
};

static int parse_options(int argc, char **argv, ApiOptions *options) {
    *options = (ApiOptions){.port = DEFAULT_API_PORT, .console_dir = ps_command_console_dir()};
    int letter = 0;
    long long port = 0;
    while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (letter) {
        case 'p':
            if (!ps_text_to_int(optarg, 0, UINT16_MAX, &port)) {
                return ps_command_wrong("'%s' cannot be used for --api-port", optarg);
            }
            options->port = (uint16_t)port;
            break;
        case 'r':
            options->ready_path = optarg;
            break;
        case 'c':
            options->console_dir = optarg;
            break;
        default:
            return PS_EXIT_USAGE; // getopt has said what is wrong
        }
    }
    if (optind + 1 != argc) {
        return ps_command_wrong("api needs one folder");
    }
    options->dir = argv[optind];
    return 0;
}

static void on_signal(uv_poll_t *poll, int status, int events) {
    uv_stop(poll->loop);
}

static PsErr announce(Api *api, PsDiag *diag) {
    api->endpoint.api_port = ps_rest_port(api->rest);
    snprintf(api->endpoint_path, sizeof api->endpoint_path, "%s/%s", api->dir, PS_ENDPOINT_FILE);
    snprintf(api->endpoint.root_ca, PATH_MAX, "%.*s/%s", PATH_MAX - 32, api->dir,
             ps_folder_root_name(PS_KEY_RSA));
    PsErr err = ps_endpoint_write(api->endpoint_path, &api->endpoint, NULL, 0, diag);
    if (err == PS_OK) {
        printf("Control plane of a local AWS IoT Core: http://127.0.0.1:%u\n",
               api->endpoint.api_port);
        fflush(stdout);
    }
    if (err == PS_OK && api->options.ready_path != NULL) {
        err = ps_endpoint_write(api->options.ready_path, &api->endpoint, NULL, 0, diag);
    }
    return err;
}

static PsErr serve(Api *api, int signal_fd, PsDiag *diag) {
    uv_loop_init(&api->loop);
    uv_poll_init(&api->loop, &api->signals, signal_fd);
    uv_poll_start(&api->signals, UV_READABLE, on_signal);
    api->keymaker = ps_keymaker_new(&api->loop);
    PsRestSetup setup = {.registry = api->registry,
                         .cloud = ps_loopback_cloud(api->loopback),
                         .services = &api->services.routes,
                         .service_count = 1,
                         .keymaker = api->keymaker,
                         .port = api->options.port,
                         .console_dir = api->options.console_dir};
    PsErr err = ps_rest_start(&api->loop, &setup, &api->rest, diag);
    err = err == PS_OK ? announce(api, diag) : err;
    if (err == PS_OK) {
        uv_run(&api->loop, UV_RUN_DEFAULT);
        unlink(api->endpoint_path);
    }
    ps_keymaker_stop(api->keymaker); // while those are there who wait for a key
    ps_rest_stop(api->rest);
    ps_keymaker_free(api->keymaker);
    uv_close((uv_handle_t *)&api->signals, NULL);
    uv_run(&api->loop, UV_RUN_DEFAULT);
    int busy = uv_loop_close(&api->loop);
    PS_ASSERT(busy == 0); // a handle was forgotten
    return err;
}

int ps_command_api(int argc, char **argv) {
    Api api = {0};
    int wrong = parse_options(argc, argv, &api.options);
    if (wrong != 0) {
        return wrong;
    }
    PsDiag diag = {0};
    PS_AUTO_FD int signal_fd = -1;
    PS_AUTO_FD int lock_fd = -1;
    PS_AUTO_PKI_PAIR PsPkiPair root = {0};
    PS_AUTO_PKI_PAIR PsPkiPair device = {0};
    PsErr err = ps_folder_open(api.options.dir, api.dir, &diag);
    err = err == PS_OK ? ps_lock_take(api.dir, &lock_fd, &diag) : err;
    err = err == PS_OK ? ps_command_signals(&signal_fd, &diag) : err;
    err = err == PS_OK ? ps_folder_root(api.dir, PS_KEY_RSA, &root, &diag) : err;
    err = err == PS_OK ? ps_folder_device_ca(api.dir, &device, &diag) : err;
    err = err == PS_OK ? ps_registry_open(api.dir, &api.registry, &diag) : err;
    err = err == PS_OK ? ps_alone_open(&api.services, api.registry, &diag) : err;
    if (err == PS_OK) {
        api.loopback = ps_loopback_new();
        err = serve(&api, signal_fd, &diag);
    }
    ps_loopback_free(api.loopback);
    ps_alone_close(&api.services);
    ps_registry_close(api.registry);
    return err == PS_OK ? EXIT_SUCCESS : ps_command_failed(&diag);
}
