//! The OPC UA driver for the registry. Threads and errors: drivers/driver.h.
#pragma once

#include "drivers/driver.h"

extern const PsDriver ps_opcua_driver;
