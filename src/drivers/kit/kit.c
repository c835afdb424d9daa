// The table of cases, and one program for them: the plant is started once, each case has a session
// of its own. The test's thread.
#include "drivers/kit/kit.h"

#include "drivers/kit/cases.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

// cmocka gives its functions one pointer only.
static struct {
    const PsKitRig *rig;
    PsKitPlant *plant;
    PsKit kit;
} current;

static int start_plant(void **state) {
    (void)state;
    current.plant = current.rig->in_process ? NULL : ps_kit_plant_start(&current.rig->plant);
    return 0;
}

static int end_plant(void **state) {
    (void)state;
    ps_kit_plant_free(current.plant);
    return 0;
}

static int begin_case(void **state) {
    ps_kit_begin(&current.kit, current.rig, current.plant);
    *state = &current.kit;
    return 0;
}

static int end_case(void **state) {
    ps_kit_end(*state);
    if (current.plant != NULL && current.rig->end_faults != NULL) {
        ps_kit_plant_command(current.plant, current.rig->end_faults);
    }
    return 0;
}

#define CASE(name) {#name, ps_kit_case_##name, begin_case, end_case, NULL}

static const struct CMUnitTest cases[] = {
    CASE(connects),
    CASE(closed_port),
    CASE(reads_all_types),
    CASE(writes_and_reads_back),
    CASE(refuses_what_does_not_fit),
    CASE(one_absent_spoils_no_other),
    CASE(silent_device),
    CASE(slow_answer),
    CASE(late_answer),
    CASE(garbage),
    CASE(truncated),
    CASE(wrong_id),
    CASE(reset),
    CASE(restart),
    CASE(interrupt_read),
    CASE(interrupt_write),
    CASE(interrupt_peek),
    CASE(interrupt_connect),
    CASE(interrupt_handshake),
    CASE(replan_keeps_the_connection),
    CASE(describe),
    CASE(peek),
    CASE(browse),
    CASE(connects_leak_nothing),
    CASE(cycles_take_no_memory),
};

int ps_kit_run(const PsKitRig *rig) {
    current.rig = rig;
    return _cmocka_run_group_tests(rig->name, cases, PS_COUNT(cases), start_plant, end_plant);
}
