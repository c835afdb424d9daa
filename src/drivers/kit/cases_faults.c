// Cases of the conformance kit: devices that are silent, slow, late or broken. No value may be
// wrong, every failure says what it is, and afterwards all is as before. The test's thread.
#include "drivers/kit/cases.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define REQUESTS_MOST 40.0 // of one read of a rig's variables
#define SPOILED_READS 6

// False: the rig cannot do it.
static bool may_begin(PsKit *kit, PsKitFault fault) {
    if (!ps_kit_has(kit, fault)) {
        skip();
        return false;
    }
    return true;
}

// Connected, with one set of everything, and read once.
static void open_all(PsKit *kit, double timeout) {
    kit->device.timeout = timeout;
    ps_kit_take_all(kit);
    ps_kit_open(kit);
    ps_kit_read_well(kit, 0);
}

static void expect_all(PsKit *kit) {
    for (uint32_t i = 0; i < kit->rig->variable_count; i++) {
        ps_kit_expect(kit, i, kit->rig->variables[i].value);
    }
}

void ps_kit_case_closed_port(void **state) {
    PsKit *kit = *state;
    if (!may_begin(kit, PS_KIT_CLOSED)) {
        return;
    }
    ps_kit_take_all(kit);
    ps_kit_open(kit);
    ps_kit_turn(kit, PS_KIT_CLOSED);
    while (kit->rig->plant.line && access(kit->serial.path, F_OK) == 0) {
        (void)poll(NULL, 0, 5); // the adapter is pulled out a little later
    }
    PsErr err = kit->rig->driver->connect(kit->session, &kit->diag);
    if (err != PS_ERR_CLOSED && err != PS_ERR_IO) {
        fail_msg("connect to a closed port: %s: %s", ps_err_name(err), kit->diag.text);
    }
    assert_false(kit->rig->driver->connected(kit->session));
    char key[PS_ENDPOINT_KEY_SIZE] = "";
    kit->rig->driver->endpoint_key(&ps_kit_plan(kit)->config, &ps_kit_plan(kit)->device, key,
                                   sizeof key);
    assert_string_not_equal(key, "");
    const char *named = kit->rig->plant.line ? kit->serial.path : "127.0.0.1";
    if (strstr(kit->diag.text, named) == NULL && strstr(kit->diag.object, named) == NULL) {
        fail_msg("'%s' does not name '%s'", kit->diag.text, named);
    }
    ps_kit_end_faults(kit);
    ps_kit_read_well(kit, 0);
}

void ps_kit_case_silent_device(void **state) {
    PsKit *kit = *state;
    if (!may_begin(kit, PS_KIT_SILENT)) {
        return;
    }
    open_all(kit, PS_KIT_SHORT_S);
    ps_kit_turn(kit, PS_KIT_SILENT);
    PsMono start = ps_mono_now();
    assert_int_equal(ps_kit_read(kit, 0), PS_ERR_TIMEOUT);
    int64_t took = ps_mono_diff_ns(ps_mono_now(), start);
    assert_true(took >= ps_seconds_to_ns(PS_KIT_SHORT_S * 0.9));
    assert_true(took < ps_seconds_to_ns(PS_KIT_SHORT_S * REQUESTS_MOST));
    if (kit->rig->driver->connected(kit->session)) {
        PsValue back;
        assert_int_equal(kit->rig->driver->write(kit->session, ps_kit_writable(kit, 0),
                                                 ps_value_int(1), &back, &kit->diag),
                         kit->rig->in_process ? PS_OK : PS_ERR_TIMEOUT);
    }
    ps_kit_end_faults(kit);
    ps_kit_read_well(kit, 0);
}

void ps_kit_case_slow_answer(void **state) {
    PsKit *kit = *state;
    if (!may_begin(kit, PS_KIT_SLOW)) {
        return;
    }
    open_all(kit, PS_KIT_LONG_S);
    ps_kit_turn(kit, PS_KIT_SLOW);
    PsMono start = ps_mono_now();
    assert_int_equal(ps_kit_read(kit, 0), PS_OK);
    assert_true(ps_mono_diff_ns(ps_mono_now(), start) >= ps_seconds_to_ns(0.08));
    expect_all(kit);
    ps_kit_end_faults(kit);
}

// Two sets of one number each, read in turn while the answers come too late: whichever value is
// given for one must not be the other's.
void ps_kit_case_late_answer(void **state) {
    PsKit *kit = *state;
    if (!may_begin(kit, PS_KIT_LATE) || kit->rig->in_process) {
        return;
    }
    uint32_t first = ps_kit_writable(kit, 0);
    uint32_t second = ps_kit_writable(kit, 1);
    PsValue values[2] = {ps_value_int(11), ps_value_int(22)};
    ps_kit_add(kit, &kit->rig->variables[first].variable);
    ps_kit_add(kit, &kit->rig->variables[second].variable);
    ps_kit_add_set(kit, 0, 1);
    ps_kit_add_set(kit, 1, 1);
    kit->device.timeout = PS_KIT_LONG_S;
    ps_kit_open(kit);
    ps_kit_connect(kit);
    ps_kit_write(kit, 0, values[0]);
    ps_kit_write(kit, 1, values[1]);
    kit->device.timeout = PS_KIT_SHORT_S;
    ps_kit_replan(kit);
    ps_kit_turn(kit, PS_KIT_LATE);
    for (uint32_t i = 0; i < SPOILED_READS; i++) {
        kit->diag = (PsDiag){0};
        bool up = kit->rig->driver->connected(kit->session) ||
                  kit->rig->driver->connect(kit->session, &kit->diag) == PS_OK;
        if (up && ps_kit_read(kit, i % 2) == PS_OK) {
            ps_kit_expect(kit, i % 2, values[i % 2]);
        }
    }
    ps_kit_end_faults(kit);
    kit->device.timeout = PS_KIT_LONG_S;
    ps_kit_replan(kit);
    for (uint32_t i = 0; i < SPOILED_READS; i++) {
        ps_kit_read_well(kit, i % 2);
        ps_kit_expect(kit, i % 2, values[i % 2]);
    }
}

// Reads while each answer is spoiled. What is good all the same must be right.
static void read_spoiled(PsKit *kit, PsKitFault fault) {
    if (!may_begin(kit, fault)) {
        return;
    }
    open_all(kit, PS_KIT_SHORT_S);
    ps_kit_turn(kit, fault);
    unsigned failed = 0;
    for (int i = 0; i < SPOILED_READS; i++) {
        kit->diag = (PsDiag){0};
        bool up = kit->rig->driver->connected(kit->session) ||
                  kit->rig->driver->connect(kit->session, &kit->diag) == PS_OK;
        PsErr err = up ? ps_kit_read(kit, 0) : PS_ERR_CLOSED;
        failed += err != PS_OK;
        if (err == PS_OK) {
            expect_all(kit);
        }
    }
    assert_true(failed > 0);
    ps_kit_end_faults(kit);
    kit->device.timeout = PS_KIT_LONG_S;
    ps_kit_replan(kit);
    for (int i = 0; i < 3; i++) {
        ps_kit_read_well(kit, 0);
        expect_all(kit);
    }
}

void ps_kit_case_garbage(void **state) {
    read_spoiled(*state, PS_KIT_GARBAGE);
}

void ps_kit_case_truncated(void **state) {
    read_spoiled(*state, PS_KIT_TRUNCATED);
}

void ps_kit_case_wrong_id(void **state) {
    read_spoiled(*state, PS_KIT_WRONG_ID);
}

void ps_kit_case_reset(void **state) {
    PsKit *kit = *state;
    if (!may_begin(kit, PS_KIT_RESET)) {
        return;
    }
    open_all(kit, PS_KIT_LONG_S);
    ps_kit_turn(kit, PS_KIT_RESET);
    PsErr err = ps_kit_read(kit, 0);
    if (err != PS_ERR_CLOSED && err != PS_ERR_IO) {
        fail_msg("a broken connection: %s: %s", ps_err_name(err), kit->diag.text);
    }
    ps_kit_end_faults(kit);
    ps_kit_read_well(kit, 0);
    expect_all(kit);
}

void ps_kit_case_restart(void **state) {
    PsKit *kit = *state;
    if (kit->plant == NULL) {
        skip();
        return;
    }
    open_all(kit, PS_KIT_LONG_S);
    ps_kit_plant_kill(kit->plant);
    PsErr err = ps_kit_read(kit, 0);
    assert_true(err == PS_ERR_CLOSED || err == PS_ERR_IO);
    assert_false(kit->rig->driver->connected(kit->session));
    assert_int_not_equal(kit->rig->driver->connect(kit->session, &kit->diag), PS_OK);
    ps_kit_plant_again(kit->plant);
    ps_kit_read_well(kit, 0);
}
