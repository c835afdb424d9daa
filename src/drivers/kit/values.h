//! Values as constants of a rig.
#pragma once

#include "tags/value.h"

#define PS_KIT_INT(whole) {.kind = PS_VALUE_INT, .integer = (whole)}
#define PS_KIT_UINT(whole) {.kind = PS_VALUE_UINT, .unsigned_integer = (whole)}
#define PS_KIT_FLOAT(fraction) {.kind = PS_VALUE_FLOAT, .number = (fraction)}
#define PS_KIT_BOOL(truth) {.kind = PS_VALUE_BOOL, .boolean = (truth)}
#define PS_KIT_TEXT(words) {.kind = PS_VALUE_TEXT, .text_len = sizeof(words) - 1, .text = (words)}
