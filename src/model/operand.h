//! The operand of an alarm's condition: a number as it is written, without loss. Pure.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct PsOperand {
    bool whole;
    bool negative;      ///< of a whole number
    uint64_t magnitude; ///< of a whole number
    double number;      ///< the same, rounded, or a number with a fraction
} PsOperand;

/// Digits with an optional sign, fraction and exponent: "30", "-1.5", "2e3". PS_ERR_INVALID for
/// anything else: blanks, hexadecimal, "nan", what a double cannot hold.
PsErr ps_operand_parse(const char *text, PsOperand *ret_operand);

/// `operand` + `by`. When both are whole the sum is, cut where 64 bits end.
PsOperand ps_operand_shift(const PsOperand *operand, double by);
