// The tests' device. Tests' threads.
#include "drivers/opcua/test_rig.h"

#include "base/mem.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void rig_begin(Rig *rig) {
    memset(rig, 0, sizeof *rig);
    snprintf(rig->folder, sizeof rig->folder, "%s/opcua-test-XXXXXX",
             getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    PS_ASSERT(mkdtemp(rig->folder) != NULL);
    snprintf(rig->state, sizeof rig->state, "%s/state", rig->folder);
    rig->group = (PsGroup){.name = "default", .polling_interval = 0.1};
    rig->device = (PsDevice){.name = "plc",
                             .protocol = PS_PROTOCOL_OPCUA,
                             .ip = "127.0.0.1",
                             .url = "",
                             .timeout = 10,
                             .username = "",
                             .password_file = "",
                             .cert = "",
                             .key = ""};
    rig->config = (PsConfig){.devices = &rig->device,
                             .device_count = 1,
                             .groups = &rig->group,
                             .group_count = 1,
                             .variables = rig->variables};
}

void rig_start(Rig *rig, const PsOpcuaTestSetup *setup) {
    rig->server = ps_opcua_test_server_start(setup);
    rig->device.port = ps_opcua_test_server_port(rig->server);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk) {
    return remove(path);
}

void rig_end(Rig *rig) {
    ps_opcua_driver.free(rig->session);
    ps_sample_batch_free(rig->batch);
    ps_opcua_test_server_stop(rig->server);
    (void)nftw(rig->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

PsVariable *rig_add(Rig *rig, const char *identifier) {
    uint32_t index = rig->config.variable_count++;
    PS_ASSERT(index < RIG_VARIABLES_MAX);
    bool whole = strchr(identifier, '=') != NULL;
    rig->indexes[index] = index;
    rig->variables[index] = (PsVariable){.name = "v",
                                         .device_name = "plc",
                                         .identifier = identifier,
                                         .namespace_index = whole ? 0 : 2,
                                         .data_type = PS_TYPE_AUTO,
                                         .register_addr = PS_UNSET,
                                         .register_bit = PS_UNSET,
                                         .array_index = PS_UNSET,
                                         .access = PS_ACCESS_READ,
                                         .float_repr = 2,
                                         .size = 1};
    return &rig->variables[index];
}

void rig_open(Rig *rig) {
    rig->set = (PsPollSet){.variables = rig->indexes, .variable_count = rig->config.variable_count};
    rig->endpoint = (PsEndpoint){.config = &rig->config,
                                 .devices = &rig->device_index,
                                 .device_count = 1,
                                 .sets = &rig->set,
                                 .set_count = 1,
                                 .state_folder = rig->state};
    rig->batch = ps_sample_batch_new(RIG_VARIABLES_MAX, 64 * 1024);
    PS_ASSERT(ps_opcua_driver.session_new(&rig->endpoint, &rig->session, &rig->diag) == PS_OK);
}

void rig_connect(Rig *rig) {
    PsErr err = ps_opcua_driver.connect(rig->session, &rig->diag);
    if (err != PS_OK) {
        fprintf(stderr, "connect: %s: %s\n", ps_err_name(err), rig->diag.text);
    }
    PS_ASSERT(err == PS_OK);
}

PsErr rig_read(Rig *rig) {
    ps_sample_batch_clear(rig->batch);
    rig->diag = (PsDiag){0};
    return ps_opcua_driver.read(rig->session, 0, rig->batch, &rig->diag);
}

const PsSample *rig_sample(const Rig *rig, uint32_t variable) {
    for (uint32_t i = 0; i < rig->batch->sample_count; i++) {
        if (rig->batch->samples[i].variable == variable) {
            return &rig->batch->samples[i];
        }
    }
    return NULL;
}

void rig_wait_integer(Rig *rig, uint32_t variable, int64_t value) {
    PsMono start = ps_mono_now();
    for (;;) {
        PS_ASSERT(rig_read(rig) == PS_OK);
        const PsSample *sample = rig_sample(rig, variable);
        PS_ASSERT(sample != NULL);
        if (sample->quality == PS_QUALITY_GOOD && sample->value.kind == PS_VALUE_INT &&
            sample->value.integer == value) {
            return;
        }
        PS_ASSERT(ps_mono_diff_ns(ps_mono_now(), start) < 10 * PS_NS_PER_S);
        usleep(20 * 1000);
    }
}
