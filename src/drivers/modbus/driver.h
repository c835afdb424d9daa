//! The Modbus drivers for the registry: TCP, and RTU on a serial port or over TCP. Threads and
//! errors: drivers/driver.h.
#pragma once

#include "drivers/driver.h"

extern const PsDriver ps_modbus_tcp_driver;
extern const PsDriver ps_modbus_rtu_driver;
