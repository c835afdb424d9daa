//! Between registers or bits and values. Pure; any thread.
//!
//! Registers are 16 bits, sent high byte first (Modbus Application Protocol V1.1b3, section 4.2).
//! Everything wider, text and BCD are conventions of the devices: a value of 32 or 64 bits takes
//! two or four registers in one of four byte orders (PsByteOrder; with 64 bits badc swaps the
//! bytes within each register, cdab reverses the registers, dcba does both); a STRING has two
//! characters in each register, the first in the high byte, and ends at a NUL or at its size.
#pragma once

#include "model/config.h"
#include "tags/value.h"

#include <stdint.h>

/// Longest STRING in bytes: one read request.
#define PS_MODBUS_TEXT_MAX 250U

/// What decoding needs to know about a variable, compiled once.
typedef struct PsModbusField {
    uint8_t type; ///< PsDataType
    uint8_t bit;  ///< of the register, for BOOL and BIT in registers
    uint8_t decimals;
    uint8_t registers; ///< width; 0 in bit tables
    bool swap_bytes;
    bool reverse_registers;
    uint16_t size; ///< bytes of a STRING
} PsModbusField;

/// The variable has passed ps_modbus_check_variable.
PsModbusField ps_modbus_field(const PsDevice *device, const PsVariable *variable);

/// PS_QUALITY_GOOD with the value, or PS_QUALITY_UNDECODABLE with none: a BCD digit above 9, a
/// FLOAT or DOUBLE that is infinite or not a number (JSON and displays have no form for them).
/// `registers` holds field->registers words in host order. `text` is room for
/// PS_MODBUS_TEXT_MAX bytes; a text value borrows it.
PsQuality ps_modbus_decode(const PsModbusField *field, const uint16_t *registers, char *text,
                           PsValue *ret_value);

/// A BOOL or BIT out of a bit table.
PsValue ps_modbus_decode_bit(const PsModbusField *field, uint8_t bit);

/// The reverse, for a value that ps_coerce made for this variable. Writes field->registers words.
/// For BOOL and BIT `registers` comes in holding the register's present content, of which one bit
/// is changed.
void ps_modbus_encode(const PsModbusField *field, PsValue value, uint16_t *registers);
