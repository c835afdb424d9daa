//! The Modbus TCP driver for the registry. Threads and errors: drivers/driver.h.
#pragma once

#include "drivers/driver.h"

extern const PsDriver ps_modbus_tcp_driver;
