// Modbus TCP against penstock-sim, through the conformance kit.
#include "drivers/kit/kit.h"
#include "drivers/kit/modbus_rows.h"
#include "drivers/modbus/driver.h"

static const PsKitRig rig = {
    .name = "Modbus TCP",
    .driver = &ps_modbus_tcp_driver,
    .device = {.slave = 1},
    .variables = ps_kit_modbus_rows,
    .variable_count = PS_COUNT(ps_kit_modbus_rows),
    .absent = PS_KIT_MODBUS_ABSENT,
    .absent_command = PS_KIT_MODBUS_HOLE,
    PS_KIT_FAULTS_OF(""),
};

int main(void) {
    return ps_kit_run(&rig);
}
