// Modbus RTU on a pseudo terminal of penstock-sim, through the conformance kit.
#include "drivers/kit/kit.h"
#include "drivers/kit/modbus_rows.h"
#include "drivers/modbus/driver.h"

static const PsKitRig rig = {
    .name = "Modbus RTU",
    .driver = &ps_modbus_rtu_driver,
    .plant = {.line = true},
    .device = {.slave = 1},
    .serial = {.baud_rate = 115200, .data_bits = 8, .parity = PS_PARITY_NONE, .stop_bits = 1},
    .variables = ps_kit_modbus_rows,
    .variable_count = PS_COUNT(ps_kit_modbus_rows),
    .absent = PS_KIT_MODBUS_ABSENT,
    .absent_command = PS_KIT_MODBUS_HOLE,
    .faults = {[PS_KIT_SILENT] = "silence",
               [PS_KIT_SLOW] = "delay 100",
               [PS_KIT_LATE] = "late 450",
               [PS_KIT_GARBAGE] = "garbage",
               [PS_KIT_TRUNCATED] = "truncate",
               [PS_KIT_WRONG_ID] = "wrong-id",
               [PS_KIT_CLOSED] = "refuse"},
    .end_faults = "ok",
};

int main(void) {
    return ps_kit_run(&rig);
}
