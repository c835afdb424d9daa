//! EtherNet/IP: symbolic tags of Logix controllers, by CIP messages of the project's own.
#pragma once

#include "drivers/driver.h"

extern const PsDriver ps_eip_driver;
