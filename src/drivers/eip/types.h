//! The elementary types of CIP: one row each, so that a new type is a new row. Constant data; any
//! thread.
//!
//! Sources: CIP Volume 1, appendix C-6.1; Rockwell 1756-PM020, chapter 1, "Atomic data types".
#pragma once

#include "base/err.h"

#include <stdint.h>

#define PS_EIP_TYPE_BOOL 0x00C1U
#define PS_EIP_TYPE_SINT 0x00C2U
#define PS_EIP_TYPE_DINT 0x00C4U
#define PS_EIP_TYPE_STRING2 0x00D0U ///< 16 bits of length, then the characters
#define PS_EIP_TYPE_DWORD 0x00D3U   ///< of Logix: 32 elements of a BOOL array
#define PS_EIP_TYPE_SHORT_STRING 0x00DAU
#define PS_EIP_TYPE_STRUCTURE 0x02A0U

typedef enum PsEipFamily {
    PS_EIP_FAMILY_BOOL,
    PS_EIP_FAMILY_SIGNED,
    PS_EIP_FAMILY_UNSIGNED,
    PS_EIP_FAMILY_FLOAT,
    PS_EIP_FAMILY_TEXT,
} PsEipFamily;

typedef struct PsEipType {
    uint16_t code;
    uint8_t size;     ///< bytes; 0: it varies
    uint8_t family;   ///< PsEipFamily
    const char *name; ///< "DINT"
} PsEipType;

/// NULL when the code is none of the elementary ones.
const PsEipType *ps_eip_type_find(uint16_t code);
/// Bits of an integer type, otherwise 0.
unsigned ps_eip_type_bits(const PsEipType *type);
