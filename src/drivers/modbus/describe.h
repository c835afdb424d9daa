//! What is asked of a device to read a variable, for people. Pure.
#pragma once

#include "drivers/driver.h"
#include "drivers/modbus/address.h"

/// As PsDriver.describe.
void ps_modbus_describe(const PsConfig *config, const PsPollSet *set, uint32_t variable,
                        PsBuf *out);

/// One request for people: "function 3 to slave 1: 2 registers of ...".
void ps_modbus_describe_request(int slave, PsModbusTable table, unsigned offset, unsigned count,
                                PsBuf *out);
