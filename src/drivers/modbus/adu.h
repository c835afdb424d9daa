//! Requests as bytes on the wire, and whether an answer belongs to its request. Pure; any thread.
//!
//! An ADU is the MBAP header (transaction, protocol 0, length, unit; Modbus Messaging on TCP/IP
//! V1.0b, section 3.1.3), then function code and data (Modbus Application Protocol V1.1b3,
//! section 6).
#pragma once

#include "drivers/modbus/address.h"

#include <stddef.h>

#define PS_MODBUS_ADU_MAX 260U ///< V1.0b section 4.4.2: 7 bytes of header, 253 of PDU

#define PS_MODBUS_ADU_HEADER 6U ///< before the unit: what RTU frames do not have

typedef struct PsModbusAdu {
    uint8_t bytes[PS_MODBUS_ADU_MAX];
    size_t len;
} PsModbusAdu;

/// Who is asked for what; the same for every kind of request.
typedef struct PsModbusAsk {
    uint16_t transaction;
    uint8_t slave;
    uint16_t offset;
} PsModbusAsk;

/// Functions 1 to 4. `count` at most PS_MODBUS_READ_..._MAX.
PsModbusAdu ps_modbus_adu_read(PsModbusAsk ask, PsModbusTable table, uint16_t count);
/// Function 5.
PsModbusAdu ps_modbus_adu_write_coil(PsModbusAsk ask, bool on);
/// Function 6 for one register, 16 for more; `count` at most PS_MODBUS_WRITE_REGISTERS_MAX.
PsModbusAdu ps_modbus_adu_write_registers(PsModbusAsk ask, const uint16_t *registers,
                                          uint16_t count);

/// Functions 1 to 4: the answer has values.
bool ps_modbus_adu_is_read(const PsModbusAdu *request);

/// Checks every field of an answer against its request. NULL when it is the answer: then
/// `ret_exception` is 0, or the exception code the device refused with. Otherwise what does not
/// fit, in words. The slave number must be the one that was asked (a serial gateway may give out
/// another slave's late answer under our transaction number), except 0 and 255, which devices
/// without slaves behind them put there.
const char *ps_modbus_adu_check(const PsModbusAdu *request, const uint8_t *answer, size_t len,
                                int *ret_exception);

/// The values of a checked answer to ps_modbus_adu_read: one byte 0 or 1 for each bit.
void ps_modbus_adu_bits(const uint8_t *answer, uint16_t count, uint8_t *ret_bits);
void ps_modbus_adu_registers(const uint8_t *answer, uint16_t count, uint16_t *ret_registers);
