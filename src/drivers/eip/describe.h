//! What is asked of a controller to read a variable, in words, and whether a variable can be asked
//! for at all. Pure; any thread.
#pragma once

#include "drivers/driver.h"

PsErr ps_eip_check_variable(const PsDevice *device, const PsVariable *variable, PsDiag *diag);
void ps_eip_describe(const PsConfig *config, const PsPollSet *set, uint32_t variable, PsBuf *out);
