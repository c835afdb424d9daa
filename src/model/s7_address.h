//! S7 addresses as engineers write them: the absolute notation of the programming software
//! ("%DB6.DBD18", "IW3", "M10.2"), with German letters as well ("EW3", "A0.1"), and the short form
//! of Device Supervisor ("DB6.18", "DB6.2.0", "I4"). Pure; any thread.
#pragma once

#include "base/err.h"

#define PS_S7_BYTE_MAX 65535

typedef struct PsS7Address {
    int area;      ///< PsS7Area
    int dbnumber;  ///< 0 when the area is no data block
    int byte;      ///< the first one
    int bit;       ///< PS_UNSET: it is no single bit
    int data_type; ///< PsDataType its width is read as: BOOL, BYTE, WORD, DWORD; PS_UNSET when the
                   ///< notation does not say how wide it is
} PsS7Address;

/// Case and blanks around it do not count. V is the variable memory of S7-200 and LOGO!, which is
/// data block 1 to everybody else. PS_ERR_INVALID, PS_ERR_RANGE: `diag` has field "address".
PsErr ps_s7_address_parse(const char *text, PsS7Address *ret_address, PsDiag *diag);
