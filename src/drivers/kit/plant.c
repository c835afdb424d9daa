// The process of penstock-sim: commands through its standard input, answers from its standard
// output. The test's thread; blocks until the answer comes.
#include "drivers/kit/plant.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PATIENCE_MS 30000
#define LINE_BYTES 512

struct PsKitPlant {
    PsKitPlantSetup setup;
    char folder[64];
    char line[96];
    char ready[96];
    uint16_t modbus_port;
    uint16_t side_port;
    pid_t process; // 0: none
    int in;        // its standard input
    int out;
    char bytes[4096]; // of its output that are not taken yet
    size_t len;
};

// The first line is the port of Modbus TCP, the others are a name and a port each.
static void take_ports(PsKitPlant *plant) {
    FILE *file = fopen(plant->ready, "re");
    PS_ASSERT(file != NULL);
    char line[LINE_BYTES];
    char name[32];
    unsigned port = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%u", &port) == 1) {
            plant->modbus_port = (uint16_t)port;
        } else if (plant->setup.side != NULL && sscanf(line, "%31s %u", name, &port) == 2 &&
                   strcmp(name, plant->setup.side) == 0) {
            plant->side_port = (uint16_t)port;
        }
    }
    fclose(file);
    assert_int_not_equal(ps_kit_plant_port(plant), 0);
}

static void wait_until_ready(PsKitPlant *plant) {
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), PATIENCE_MS * PS_NS_PER_MS);
    struct stat info;
    while (stat(plant->ready, &info) != 0) {
        int status = 0;
        if (waitpid(plant->process, &status, WNOHANG) == plant->process) {
            plant->process = 0;
            fail_msg("penstock-sim ended with %d before it was ready", status);
        }
        if (ps_mono_now().ns > deadline.ns) {
            fail_msg("penstock-sim is not ready");
        }
        (void)poll(NULL, 0, 5);
    }
    take_ports(plant);
}

// The program ends with the test, however that ends.
static void become(const int in[2], const int out[2], char *const *arguments) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && dup2(in[0], STDIN_FILENO) >= 0 &&
        dup2(out[1], STDOUT_FILENO) >= 0) {
        execv(arguments[0], arguments);
    }
    _exit(127);
}

static void spawn(PsKitPlant *plant, char *const *arguments) {
    int in[2];
    int out[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    plant->process = fork();
    assert_true(plant->process >= 0);
    if (plant->process == 0) {
        become(in, out, arguments);
    }
    close(in[0]);
    close(out[1]);
    plant->in = in[1];
    plant->out = out[0];
    plant->len = 0;
}

void ps_kit_plant_again(PsKitPlant *plant) {
    const char *program = getenv("PENSTOCK_SIM");
    if (program == NULL) {
        fail_msg("PENSTOCK_SIM is not set; run this test through meson test");
        return;
    }
    char modbus_port[16];
    char side_option[32];
    char side_port[16];
    const char *arguments[16] = {program,      "--interactive", "--ready-file",
                                 plant->ready, "--port",        modbus_port};
    size_t count = 6;
    snprintf(modbus_port, sizeof modbus_port, "%u", plant->modbus_port);
    if (plant->setup.side != NULL) {
        snprintf(side_option, sizeof side_option, "--%s-port", plant->setup.side);
        snprintf(side_port, sizeof side_port, "%u", plant->side_port);
        arguments[count++] = side_option;
        arguments[count++] = side_port;
    }
    if (plant->setup.line) {
        arguments[count++] = "--rtu";
        arguments[count++] = plant->line;
    }
    unlink(plant->ready);
    spawn(plant, (char *const *)(uintptr_t)arguments); // execv's const is C's of old
    wait_until_ready(plant);
}

PsKitPlant *ps_kit_plant_start(const PsKitPlantSetup *setup) {
    PsKitPlant *plant = ps_alloc(sizeof *plant);
    plant->setup = *setup;
    snprintf(plant->folder, sizeof plant->folder, "/tmp/penstock-kit-XXXXXX");
    assert_non_null(mkdtemp(plant->folder));
    snprintf(plant->line, sizeof plant->line, "%s/line", plant->folder);
    snprintf(plant->ready, sizeof plant->ready, "%s/ready", plant->folder);
    ps_kit_plant_again(plant);
    return plant;
}

void ps_kit_plant_kill(PsKitPlant *plant) {
    if (plant->process > 0) {
        kill(plant->process, SIGKILL);
        waitpid(plant->process, NULL, 0);
        close(plant->in);
        close(plant->out);
        unlink(plant->line);
    }
    plant->process = 0;
}

void ps_kit_plant_free(PsKitPlant *plant) {
    if (plant == NULL) {
        return;
    }
    ps_kit_plant_kill(plant);
    unlink(plant->ready);
    rmdir(plant->folder);
    free(plant);
}

uint16_t ps_kit_plant_port(const PsKitPlant *plant) {
    return plant->setup.side != NULL ? plant->side_port : plant->modbus_port;
}

const char *ps_kit_plant_line(const PsKitPlant *plant) {
    return plant->line;
}

// The next line of its output, without its end. False: it is gone or silent.
static bool take_line(PsKitPlant *plant, char out[LINE_BYTES]) {
    for (;;) {
        char *end = memchr(plant->bytes, '\n', plant->len);
        if (end != NULL) {
            size_t used = (size_t)(end - plant->bytes) + 1;
            snprintf(out, LINE_BYTES, "%.*s", (int)(used - 1), plant->bytes);
            plant->len -= used;
            memmove(plant->bytes, plant->bytes + used, plant->len);
            return true;
        }
        struct pollfd ready = {.fd = plant->out, .events = POLLIN};
        if (plant->len == sizeof plant->bytes || poll(&ready, 1, PATIENCE_MS) <= 0) {
            return false;
        }
        ssize_t got = read(plant->out, plant->bytes + plant->len, sizeof plant->bytes - plant->len);
        if (got <= 0) {
            return false;
        }
        plant->len += (size_t)got;
    }
}

void ps_kit_plant_command(PsKitPlant *plant, const char *line) {
    char text[LINE_BYTES];
    int len = snprintf(text, sizeof text, "%s\n", line);
    assert_int_equal(write(plant->in, text, (size_t)len), len);
    while (take_line(plant, text)) {
        if (strcmp(text, "ok") == 0) {
            return;
        }
        if (strncmp(text, "error", 5) == 0) {
            fail_msg("penstock-sim to '%s': %s", line, text);
        }
    }
    fail_msg("penstock-sim does not answer '%s'", line);
}
