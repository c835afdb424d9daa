// All drivers of this build, in one table to look at. Immutable; any thread.
#include "drivers/driver.h"
#include "drivers/eip/driver.h"
#include "drivers/modbus/driver.h"
#include "drivers/opcua/driver.h"
#include "drivers/s7/driver.h"
#include "drivers/sim/driver.h"

static const PsDriver *const drivers[] = {
    &ps_modbus_tcp_driver, &ps_modbus_rtu_driver, &ps_opcua_driver,
    &ps_s7_driver,         &ps_simulator_driver,  &ps_eip_driver,
};

const PsDriver *ps_driver_find(int protocol) {
    for (size_t i = 0; i < PS_COUNT(drivers); i++) {
        if (drivers[i]->protocol == protocol) {
            return drivers[i];
        }
    }
    return NULL;
}

PsVariableCheck *ps_driver_check_for(int protocol) {
    const PsDriver *driver = ps_driver_find(protocol);
    return driver != NULL ? driver->check_variable : NULL;
}
