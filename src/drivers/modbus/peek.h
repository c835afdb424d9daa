//! A look at one variable's place: the request, both frames, the value's bytes. Runs on the
//! channel's thread and blocks there.
#pragma once

#include "drivers/modbus/connection.h"

/// As PsDriver.peek; the connection is open. `learned` is what the endpoint has taught so far.
PsErr ps_modbus_peek(PsModbusConnection *connection, const PsEndpoint *endpoint,
                     const PsLearned *learned, uint32_t variable, PsPeek *peek, PsDiag *diag);
