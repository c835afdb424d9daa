//! Modbus addresses as Device Supervisor 2.x writes them. Pure; any thread.
#pragma once

#include "base/err.h"

/// The number of a register in penstock.json, and the bit of it: `ret_bit` is -1 when none is
/// given. Forms: table and item ("4X0001"), five or six digits ("40001", "400001", "00001"), each
/// with a bit behind a point ("40001.3"). In 2.x five digits end at item 9999: what stood at 20000,
/// 40000 and 50000 in 1.x is 110000, 310000 and 410000 there.
PsErr ps_ds_address_parse(const char *text, int *ret_address, int *ret_bit, PsDiag *diag);
