//! Values inside the answers of Read Tag and the requests of Write Tag: the controller says what
//! type a tag has, and here that becomes a value and back. Pure; any thread.
//!
//! Sources: Rockwell 1756-PM020, chapter 1, "Atomic data types" and "Structure tags"; CIP Volume 1,
//! appendix C-6.1 (elementary types). All numbers little endian.
#pragma once

#include "base/buf.h"
#include "drivers/eip/types.h"
#include "model/config.h"
#include "tags/value.h"

/// Structure handle of the STRING that every Logix controller has: LEN and 82 characters.
#define PS_EIP_HANDLE_STRING 0x0FCEU
#define PS_EIP_STRING_CHARACTERS 82U
/// Longest value that a write of one tag makes: the text of a variable, with what stands before it.
#define PS_EIP_ENCODED_MAX 16U

/// The data of a Read Tag answer.
typedef struct PsEipData {
    uint16_t type;
    uint16_t handle;      ///< of a structure
    const uint8_t *bytes; ///< borrowed
    uint32_t len;
} PsEipData;

/// False when there is too little.
bool ps_eip_data_get(const uint8_t *data, size_t len, PsEipData *ret_data);

/// What the variable wants.
typedef struct PsEipField {
    int8_t data_type; ///< PsDataType; PS_TYPE_AUTO: whatever it is
    uint8_t decimals;
    int8_t bit;    ///< of the integer, or PS_EIP_NO_BIT
    uint16_t room; ///< bytes of text that are kept
} PsEipField;

PsEipField ps_eip_field(const PsVariable *variable);

/// PS_QUALITY_GOOD with the value (a text borrows from `data`), or PS_QUALITY_UNDECODABLE with
/// none and, when `diag` is not NULL, words. `text_shape`: a structure is a text, LEN and DATA.
PsQuality ps_eip_decode(const PsEipField *field, const PsEipData *data, bool text_shape,
                        PsValue *ret_value, PsDiag *diag);

/// The bytes of a value of an elementary type with fixed size, from any value that means one: 1,
/// 1.0, true, "12". PS_ERR_INVALID naming type and range when it does not fit. `out` has room for
/// PS_EIP_ENCODED_MAX bytes.
PsErr ps_eip_encode(uint16_t type, PsValue value, uint8_t *out, PsDiag *diag);
/// true or false out of any value that means one.
PsErr ps_eip_encode_bool(PsValue value, bool *ret_on, PsDiag *diag);

/// The text of a value for a tag that is a text: as it is, or a number as it is shown. `room` is
/// what the tag has. Text in the result is borrowed from `value` or `scratch`.
PsErr ps_eip_encode_text(PsValue value, uint32_t room, char *scratch, size_t scratch_size,
                         PsValue *ret_text, PsDiag *diag);
