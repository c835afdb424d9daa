// `penstock demo`: a simulated plant, a local cloud and a gateway between them, in a temporary
// folder, with the set-up of the AWS IoT manual. Owns the three children. One thread, one loop.
#include "cli/cli.h"

#include "base/text.h"
#include "cli/demo_child.h"
#include "cli/demo_files.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 100
#define READY_LIMIT_MS 60000 // making RSA keys on a slow machine
#define SEND_EVERY_MS 5000
#define COMMAND_TOPIC "awsiot/send"

typedef enum DemoPhase {
    DEMO_WAITING, // for plant and cloud
    DEMO_RUNNING,
    DEMO_STOPPING,
} DemoPhase;

typedef struct Demo {
    uv_loop_t loop;
    uv_timer_t tick;
    uv_signal_t interrupt;
    uv_signal_t terminate;
    DemoChild plant;
    DemoChild cloud;
    DemoChild account; // sets the thing up, as the manual's chapter 1 does, and ends
    DemoChild gateway;
    DemoPhase phase;
    char folder[64];
    char programs[PATH_MAX];
    uint64_t limit_ms;   // 0: until Ctrl-C
    uint64_t started_ms; // of the phase
    uint64_t next_send_ms;
    unsigned went_up;
    unsigned came_down;
    bool asked; // for the thing
    bool failed;
} Demo;

static void advance_stop(Demo *demo);

static void stop(Demo *demo) {
    if (demo->phase != DEMO_STOPPING) {
        demo->phase = DEMO_STOPPING;
        advance_stop(demo);
    }
}

static void give_up(Demo *demo, const PsDiag *diag) {
    char text[sizeof *diag];
    ps_diag_format(diag, text, sizeof text);
    cli_fail(CLI_FAILED, "demo: %s", text);
    demo->failed = true;
    stop(demo);
}

// The gateway first, so that it delivers what it has; then the cloud, then the plant.
static void advance_stop(Demo *demo) {
    if (demo->gateway.running) {
        demo_child_stop(&demo->gateway);
    } else if (demo->account.running) {
        demo_child_stop(&demo->account);
    } else if (demo->cloud.running) {
        demo_child_stop(&demo->cloud);
    } else if (demo->plant.running) {
        demo_child_stop(&demo->plant);
    } else if (!uv_is_closing((uv_handle_t *)&demo->tick)) {
        uv_close((uv_handle_t *)&demo->tick, NULL);
        uv_close((uv_handle_t *)&demo->interrupt, NULL);
        uv_close((uv_handle_t *)&demo->terminate, NULL);
    }
}

static void on_exit_of(DemoChild *child, int64_t status, int signal) {
    Demo *demo = child->ctx;
    if (child == &demo->account && status == 0 && demo->phase != DEMO_STOPPING) {
        return;
    }
    if (demo->phase != DEMO_STOPPING) {
        PsDiag diag = {0};
        (void)ps_fail(PS_ERR_CLOSED, &diag, child->label, NULL,
                      "ended by itself (status %lld, signal %d); its last lines above say why",
                      (long long)status, signal);
        give_up(demo, &diag);
        return;
    }
    advance_stop(demo);
}

static void print_line(DemoChild *child, const char *line) {
    printf("%-8s| %s\n", child->label, line);
    fflush(stdout);
}

static void on_cloud_line(DemoChild *child, const char *line) {
    Demo *demo = child->ctx;
    print_line(child, line);
    const char *topic = strstr(line, "awsiot/test");
    if (demo->phase == DEMO_RUNNING && topic != NULL && strstr(topic, "\"Data\"") != NULL) {
        demo->went_up++;
    }
}

static void on_gateway_line(DemoChild *child, const char *line) {
    Demo *demo = child->ctx;
    print_line(child, line);
    if (strstr(line, "receive message, topic: " COMMAND_TOPIC) != NULL) {
        demo->came_down++;
    }
}

static void start_child(Demo *demo, DemoChild *child, const char *program,
                        const char *const *arguments) {
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", demo->programs, program);
    // setpriv (util-linux): the child ends with the demo, even when that is killed.
    char *list[16] = {(char *)(uintptr_t)"setpriv", (char *)(uintptr_t)"--pdeathsig",
                      (char *)(uintptr_t)"TERM", path};
    size_t count = 4;
    for (size_t i = 0; arguments[i] != NULL; i++) {
        list[count++] = (char *)(uintptr_t)arguments[i];
    }
    child->ctx = demo;
    child->on_exit = on_exit_of;
    PsDiag diag = {0};
    if (demo_child_start(child, &demo->loop, list, &diag) != PS_OK) {
        give_up(demo, &diag);
    }
}

static void start_peers(Demo *demo) {
    char ready[128];
    char folder[128];
    snprintf(ready, sizeof ready, "%s/plant.ready", demo->folder);
    const char *plant[] = {"--port", "0", "--ready-file", ready, NULL};
    start_child(demo, &demo->plant, "penstock-sim", plant);
    if (demo->failed) {
        return;
    }
    snprintf(ready, sizeof ready, "%s/cloud.ready", demo->folder);
    snprintf(folder, sizeof folder, "%s/cloud", demo->folder);
    const char *cloud[] = {"run", folder,        "--port",       "0",   "--api-port",
                           "0",   "--no-things", "--ready-file", ready, NULL};
    start_child(demo, &demo->cloud, "penstock-cloud", cloud);
}

// Through the cloud's API: thing, certificate, policy, and the files a gateway needs.
static void start_account(Demo *demo) {
    char folder[128];
    char ready[128];
    snprintf(folder, sizeof folder, "%s/cloud", demo->folder);
    snprintf(ready, sizeof ready, "%s/thing.ready", demo->folder);
    const char *account[] = {"quickstart", folder, DEMO_THING, "--ready-file", ready, NULL};
    demo->asked = true;
    start_child(demo, &demo->account, "penstock-cloud", account);
}

static void start_gateway(Demo *demo, const DemoPeers *peers) {
    char scripts[PATH_MAX + 64];
    snprintf(scripts, sizeof scripts, "%s/../share/penstock/demo/scripts", demo->programs);
    PsDiag diag = {0};
    if (demo_files_write_config(demo->folder, scripts, peers, &diag) != PS_OK) {
        give_up(demo, &diag);
        return;
    }
    char config[128];
    char state[128];
    char socket[128];
    snprintf(config, sizeof config, "%s/config", demo->folder);
    snprintf(state, sizeof state, "%s/state", demo->folder);
    snprintf(socket, sizeof socket, "%s/penstock.sock", demo->folder);
    const char *gateway[] = {"--config", config,  "--state",     state, "--socket",
                             socket,     "--web", "127.0.0.1:0", NULL};
    demo->phase = DEMO_RUNNING;
    demo->started_ms = uv_now(&demo->loop);
    demo->next_send_ms = uv_now(&demo->loop) + SEND_EVERY_MS;
    printf("demo    | plant on 127.0.0.1:%d, cloud on %s:%d, configuration in %s\n"
           "demo    | look inside: %s/penstock status --socket %s\n"
           "demo    | in a browser: the address after WEB-LISTEN; the code for the first log-in: "
           "%s/penstock setup-code --socket %s\n",
           peers->plant_port, peers->endpoint, peers->cloud_port, config, demo->programs, socket,
           demo->programs, socket);
    start_child(demo, &demo->gateway, "penstockd", gateway);
}

static void look_for_peers(Demo *demo) {
    DemoPeers peers = {0};
    PsDiag diag = {0};
    if (!demo->asked && demo_files_cloud_ready(demo->folder)) {
        start_account(demo);
    }
    PsErr err = demo_files_read_peers(demo->folder, &peers, &diag);
    if (err == PS_OK) {
        start_gateway(demo, &peers);
    } else if (err != PS_ERR_NOT_FOUND) {
        give_up(demo, &diag);
    } else if (uv_now(&demo->loop) - demo->started_ms > READY_LIMIT_MS) {
        (void)ps_fail(err, &diag, "plant and cloud", NULL, "not ready within %d s",
                      READY_LIMIT_MS / 1000);
        give_up(demo, &diag);
    }
}

static void on_tick(uv_timer_t *timer) {
    Demo *demo = timer->data;
    uint64_t now = uv_now(&demo->loop);
    if (demo->phase == DEMO_WAITING) {
        look_for_peers(demo);
    } else if (demo->phase == DEMO_RUNNING && demo->limit_ms > 0 &&
               now >= demo->started_ms + demo->limit_ms) {
        stop(demo); // plant and cloud had a limit of their own: a slow machine makes keys for a
                    // while
    } else if (demo->phase == DEMO_RUNNING && now >= demo->next_send_ms) {
        demo->next_send_ms = now + SEND_EVERY_MS;
        demo_child_send(&demo->cloud,
                        COMMAND_TOPIC " {\"message\": \"Hello from AWS IoT console\"}");
    }
}

static void on_signal(uv_signal_t *signal, int number) {
    stop(signal->data);
}

static PsErr prepare(Demo *demo, PsDiag *diag) {
    cli_program_folder(demo->programs, sizeof demo->programs);
    snprintf(demo->folder, sizeof demo->folder, "/tmp/penstock-demo-XXXXXX");
    if (mkdtemp(demo->folder) == NULL) {
        return ps_fail(PS_ERR_IO, diag, "/tmp", NULL, "cannot make a folder there");
    }
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&demo->loop);
    uv_timer_init(&demo->loop, &demo->tick);
    uv_signal_init(&demo->loop, &demo->interrupt);
    uv_signal_init(&demo->loop, &demo->terminate);
    demo->tick.data = demo->interrupt.data = demo->terminate.data = demo;
    demo->started_ms = uv_now(&demo->loop);
    uv_timer_start(&demo->tick, on_tick, LOOK_MS, LOOK_MS);
    uv_signal_start(&demo->interrupt, on_signal, SIGINT);
    uv_signal_start(&demo->terminate, on_signal, SIGTERM);
    return PS_OK;
}

static int report(const Demo *demo) {
    bool both = demo->went_up > 0 && demo->came_down > 0;
    printf("demo    | %u messages arrived on awsiot/test, %u sent on %s reached the script%s\n",
           demo->went_up, demo->came_down, COMMAND_TOPIC, both ? "" : ": not complete");
    if (demo->failed) {
        return CLI_FAILED;
    }
    return both || demo->limit_ms == 0 ? CLI_DONE : CLI_FAILED;
}

static bool parse_arguments(int count, char **arguments, Demo *demo) {
    long long seconds = 0;
    if (count == 2 && strcmp(arguments[0], "--seconds") == 0 &&
        ps_text_to_int(arguments[1], 1, 86400, &seconds)) {
        demo->limit_ms = (uint64_t)seconds * 1000;
        return true;
    }
    return count == 0;
}

int cli_demo(const CliOptions *options, int count, char **arguments) {
    Demo demo = {.plant = {.label = "plant", .on_line = print_line},
                 .cloud = {.label = "cloud", .on_line = on_cloud_line},
                 .account = {.label = "account", .on_line = print_line},
                 .gateway = {.label = "gateway", .on_line = on_gateway_line}};
    if (!parse_arguments(count, arguments, &demo)) {
        return cli_fail(CLI_USAGE, "demo takes nothing or --seconds N (1 to 86400)");
    }
    PsDiag diag = {0};
    if (prepare(&demo, &diag) != PS_OK) {
        return cli_fail(CLI_FAILED, "demo: %s", diag.text);
    }
    start_peers(&demo);
    uv_run(&demo.loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&demo.loop);
    demo_files_remove(demo.folder);
    return report(&demo);
}
