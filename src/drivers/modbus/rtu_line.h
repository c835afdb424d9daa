//! Requests and answers as RTU frames, on a serial port or through a converter on the network.
#pragma once

#include "drivers/modbus/connection.h"

/// PsModbusWay.exchange. A slave that owes an answer is first asked for something that none of its
/// late answers can be taken for (patience.h), within a short limit. One that has answered so far
/// and is silent or damaged once is asked again at once, so that noise does not cost a device its
/// cycle. Frames of others are passed over and counted as late.
int ps_modbus_rtu_exchange(PsModbusConnection *connection, PsModbusUnit unit,
                           const PsModbusAdu *adu, uint8_t *ret_answer);
