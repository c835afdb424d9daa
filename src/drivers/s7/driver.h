//! Siemens S7 controllers over ISO-on-TCP: S7-300, 400, 1200, 1500, 200 Smart, LOGO!.
#pragma once

#include "drivers/driver.h"

extern const PsDriver ps_s7_driver;
