//! Binary coded decimals: four bits a digit, the first digit in the highest. A convention of
//! controllers, the same in every protocol. Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/// False when one of the `digits` (at most 16) is above 9.
bool ps_bcd_decode(uint64_t bits, unsigned digits, int64_t *ret_number);

/// The last `digits` of a number that is not negative.
uint64_t ps_bcd_encode(int64_t number, unsigned digits);
