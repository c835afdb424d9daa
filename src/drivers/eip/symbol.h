//! The name of a tag as the controller's program has it, taken apart and made into the path of a
//! CIP request: "Tag", "Tag.Member", "Tag[1,2]", "Program:Main.Tag", "Local:1:I.Data", and single
//! bits of integers, "Tag.3". Pure; any thread.
//!
//! Sources: Rockwell 1756-PM020, "CIP addressing of tags" (symbolic segments); CIP Volume 1,
//! appendix C-1.4 (segments).
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/// Characters of one name between dots; brackets do not count.
#define PS_EIP_NAME_MAX 40U
#define PS_EIP_DIMENSIONS_MAX 3U
/// Bits of the widest integer.
#define PS_EIP_BITS 64
/// A path's size goes over the wire as a number of words in one byte.
#define PS_EIP_PATH_MAX 510U
#define PS_EIP_ELEMENT_MAX 6U ///< bytes of an element segment
#define PS_EIP_NO_BIT (-1)

typedef struct PsEipSymbol {
    uint8_t path[PS_EIP_PATH_MAX]; ///< without the last index when `indexed`
    uint16_t path_len;             ///< always even
    /// It ends with one index in brackets, a bit may follow. What the index counts is known when
    /// the controller has said what it is: a BOOL array goes over the wire as words of 32 bits.
    bool indexed;
    uint32_t index;
    int8_t bit; ///< of the integer that the path leads to, or PS_EIP_NO_BIT
} PsEipSymbol;

/// PS_ERR_INVALID with words (field `symbol`) that show the place and an example.
PsErr ps_eip_symbol_parse(const char *text, PsEipSymbol *ret_symbol, PsDiag *diag);

/// Appends the segment that chooses an element of an array: 8, 16 or 32 bits wide, as it needs.
/// `out` has room for PS_EIP_ELEMENT_MAX bytes; how many they are.
uint16_t ps_eip_element_put(uint8_t *out, uint32_t index);

/// Appends the segment of a name; how many bytes it takes, at most 2 + len + 1.
uint16_t ps_eip_name_put(uint8_t *out, const char *name, size_t len);
