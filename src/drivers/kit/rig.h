//! What the kit's cases stand on: one device, one session, the variables in two sets, and the
//! deeds that several cases have in common. One case at a time; not part of any program.
#pragma once

#include "drivers/kit/kit.h"

#include <pthread.h>

/// What a session was given: borrowed by it until its next plan, and so never changed.
typedef struct PsKitPlan {
    PsConfig config;
    PsDevice device;
    PsSerial serial;
    PsGroup group;
    PsVariable variables[PS_KIT_VARIABLES_MAX];
    uint32_t indexes[PS_KIT_VARIABLES_MAX];
    uint32_t device_index;
    PsPollSet sets[2];
    PsEndpoint endpoint;
} PsKitPlan;

/// Which variables a set has.
typedef struct PsKitSet {
    uint32_t first;
    uint32_t count;
} PsKitSet;

/// Of the case that runs.
typedef struct PsKit {
    const PsKitRig *rig;
    PsKitPlant *plant; ///< NULL: in_process
    PsDevice device;   ///< from here on: of the next plan
    PsSerial serial;
    PsVariable variables[PS_KIT_VARIABLES_MAX];
    uint32_t variable_count;
    PsKitSet sets[2];
    uint32_t set_count;
    PsKitPlan plans[2]; ///< the one in use and another
    unsigned in_use;
    PsSession *session;
    PsSampleBatch *batch;
    PsDiag diag;
} PsKit;

/// Seconds that a call which must not take its time may take on a machine that is busy.
#define PS_KIT_PROMPT_S 0.5
/// The time limit of devices in cases that do not wait for it, and in those that do.
#define PS_KIT_LONG_S 20.0
#define PS_KIT_SHORT_S 0.3

void ps_kit_begin(PsKit *kit, const PsKitRig *rig, PsKitPlant *plant);
void ps_kit_end(PsKit *kit);

/// One set with all of the rig's variables.
void ps_kit_take_all(PsKit *kit);
/// Adds one set with these variables.
void ps_kit_add_set(PsKit *kit, uint32_t first, uint32_t count);
/// Adds a variable; its index.
uint32_t ps_kit_add(PsKit *kit, const PsVariable *variable);
/// Makes the session; does not connect.
void ps_kit_open(PsKit *kit);
/// Connects, several times if need be: a device that was started again needs its time.
void ps_kit_connect(PsKit *kit);
/// What was changed in `kit` becomes the session's plan.
void ps_kit_replan(PsKit *kit);
const PsKitPlan *ps_kit_plan(const PsKit *kit);

bool ps_kit_has(const PsKit *kit, PsKitFault fault);
/// From now on. A fault of a rig in_process comes with a new plan.
void ps_kit_turn(PsKit *kit, PsKitFault fault);
void ps_kit_end_faults(PsKit *kit);

/// Reads a set. On PS_OK there is exactly one sample for each of its variables, otherwise none.
PsErr ps_kit_read(PsKit *kit, uint32_t set);
/// Reads until it is well, connecting where it is needed.
void ps_kit_read_well(PsKit *kit, uint32_t set);
const PsSample *ps_kit_sample(const PsKit *kit, uint32_t variable);
void ps_kit_expect(const PsKit *kit, uint32_t variable, PsValue value);
/// Writes, and checks what was read back.
void ps_kit_write(PsKit *kit, uint32_t variable, PsValue value);
/// The number of a writable variable, 0 or 1.
uint32_t ps_kit_writable(const PsKit *kit, unsigned number);

/// Open descriptors and threads of this process.
unsigned ps_kit_descriptors(void);
unsigned ps_kit_threads(void);
/// Bytes that are allocated; 0 where the allocator does not tell (sanitizers).
size_t ps_kit_allocated(void);
