//! What is asked of a device to read a variable, for people. Pure.
#pragma once

#include "drivers/driver.h"

/// As PsDriver.describe.
void ps_modbus_describe(const PsConfig *config, const PsPollSet *set, uint32_t variable,
                        PsBuf *out);
