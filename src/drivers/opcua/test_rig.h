//! A device with variables and a session on it, for the tests of the driver. One test at a time.
#pragma once

#include "drivers/opcua/driver.h"
#include "drivers/opcua/test_server.h"

#define RIG_VARIABLES_MAX 620

typedef struct Rig {
    PsOpcuaTestServer *server;
    PsDevice device;
    PsVariable variables[RIG_VARIABLES_MAX];
    uint32_t indexes[RIG_VARIABLES_MAX];
    PsConfig config;
    PsGroup group;
    uint32_t device_index;
    PsPollSet set;
    PsEndpoint endpoint;
    PsSession *session;
    PsSampleBatch *batch;
    PsDiag diag;
    char folder[128]; ///< a new one, for certificates; removed at the end
    char state[160];  ///< below it, the driver's
} Rig;

void rig_begin(Rig *rig);
void rig_start(Rig *rig, const PsOpcuaTestSetup *setup);
void rig_end(Rig *rig);

/// A variable, whole id or plain text identifier of the plant's namespace.
PsVariable *rig_add(Rig *rig, const char *identifier);
/// A session; not connected.
void rig_open(Rig *rig);
/// Asserts on failure, with its words.
void rig_connect(Rig *rig);
/// Reads all; the batch is in rig->batch.
PsErr rig_read(Rig *rig);
const PsSample *rig_sample(const Rig *rig, uint32_t variable);
/// Reads until the integer value of the variable is there; gives up after 10 s.
void rig_wait_integer(Rig *rig, uint32_t variable, int64_t value);
