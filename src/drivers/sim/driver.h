//! A device that is only thought of: its values are computed here from their addresses. For trying
//! Penstock without any device, and as the worked example of a driver (docs/drivers.md).
#pragma once

#include "drivers/driver.h"

extern const PsDriver ps_simulator_driver;
