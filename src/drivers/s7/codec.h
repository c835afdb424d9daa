//! Bytes of a controller to values and back. S7 data is big-endian. Pure.
#pragma once

#include "model/config.h"
#include "tags/value.h"

/// Most bytes a value has: an S7STRING of 254 characters with its two bytes of lengths.
#define PS_S7_VALUE_MAX 256U

/// How the bytes of one variable are read.
typedef struct PsS7Field {
    uint8_t type; ///< PsDataType
    uint8_t bit;  ///< of BOOL and BIT
    uint8_t decimals;
    uint16_t len; ///< bytes
} PsS7Field;

/// The variable has passed ps_s7_check_variable.
PsS7Field ps_s7_field(const PsVariable *variable);

/// `bytes` has field->len of them, which the text of the value is borrowed from. BCD with a digit
/// above 9, a float that is no number and an S7STRING whose lengths contradict each other are
/// PS_QUALITY_UNDECODABLE. An S7STRING that holds more than the variable's size is cut.
PsQuality ps_s7_decode(const PsS7Field *field, const uint8_t *bytes, PsValue *ret_value);

/// Writes the field->len bytes of a coerced value (tags/coerce.h); a STRING is filled up with NULs.
/// Not for S7STRING, whose first byte is the controller's. BOOL and BIT: one byte, 0 or 1, as in a
/// write of a bit.
void ps_s7_encode(const PsS7Field *field, PsValue value, uint8_t *ret_bytes);
