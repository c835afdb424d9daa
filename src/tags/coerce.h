//! From what a script or a person gave to the value a variable's data type can hold.
//! Pure; any thread.
#pragma once

#include "model/config.h"
#include "tags/value.h"

/// Checks `value` against the variable's data type and brings it to the kind a driver encodes:
/// BOOL -> bool, BIT -> 0 or 1, integers -> int (uint only above INT64_MAX), FLOAT and DOUBLE ->
/// float, STRING -> text. Taken are: bool, 0, 1, "true" and "false" for BOOL and BIT; whole numbers
/// in range for integers (a float without fraction counts as one, a bool as 0 or 1); any finite
/// number for FLOAT (that a 32-bit float can hold) and DOUBLE; at most `size` bytes of text for
/// STRING. Text in the result is borrowed from `value`. PS_ERR_INVALID (wrong kind), PS_ERR_RANGE,
/// PS_ERR_TOO_BIG; `diag` names the variable and what it takes.
PsErr ps_coerce(const PsVariable *variable, PsValue value, PsValue *ret_value, PsDiag *diag);

/// The same from text as typed on a command line: `true`, `12`, `-3.5`, `1e3`; for STRING the
/// text itself. Blanks around numbers are not taken. Text in the result is borrowed from `text`.
PsErr ps_coerce_text(const PsVariable *variable, const char *text, PsValue *ret_value,
                     PsDiag *diag);
