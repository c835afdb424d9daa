//! What is asked of a controller to read a variable, in words. Pure.
#pragma once

#include "drivers/driver.h"

/// As PsDriver.describe.
void ps_s7_describe(const PsConfig *config, const PsPollSet *set, uint32_t variable, PsBuf *out);
