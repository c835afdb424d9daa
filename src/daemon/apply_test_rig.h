//! A rig for tests of changes: an apply in a temporary folder, on a loop of its own, without a
//! gateway. What runs is what the hook was given last.
#pragma once

#include "daemon/apply.h"

typedef struct Rig {
    char root[40];
    char config[64];
    char state[64];
    uv_loop_t loop;
    PsStartConfig start;
    PsConfig *running; // as switched to
    int switches;
    json_t *health; // now
    PsApply *apply;
    // The newest answer.
    bool answered;
    PsErr result;
    PsDiag diag;
    json_t *answer;
} Rig;

/// The folder's configuration: one device D with this timeout.
void apply_rig_write(const Rig *rig, int timeout);
/// What the gateway would say of itself; the caller owns it.
json_t *apply_rig_health(bool cloud, const char *device, const char *held);
/// As a gateway starts: afterwards `running` runs.
void apply_rig_start(Rig *rig);
void apply_rig_stop(Rig *rig);
/// Set-up and tear-down of a test.
int apply_rig_make(void **state);
int apply_rig_remove(void **state);
/// Takes the answer; `ctx` is the rig.
void apply_rig_done(PsErr result, const PsDiag *diag, json_t *answer, void *ctx);
/// Asks for a change; the answer comes later.
PsErr apply_rig_ask(Rig *rig, const PsApiChange *change);
void apply_rig_wait(Rig *rig);
/// Asks, waits, expects no error; the word of the outcome.
const char *apply_rig_does(Rig *rig, const PsApiChange *change);
/// This timeout is that of what runs and of the folder.
void apply_rig_assert_runs(const Rig *rig, int timeout);
uint32_t apply_rig_number(const Rig *rig);

#define APPLY_TEST(function)                                                                       \
    cmocka_unit_test_setup_teardown(function, apply_rig_make, apply_rig_remove)
