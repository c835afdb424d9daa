//! Where S7 values lie: areas, widths, TSAPs, and which variables a controller can have. Pure.
#pragma once

#include "model/config.h"

/// Bytes of the largest block or area that absolute addresses reach (STEP 7: a data block with
/// standard access has at most 64 KiB).
#define PS_S7_AREA_BYTES 65536U

/// Longest text ps_s7_name_bytes writes, with its NUL.
#define PS_S7_NAME_SIZE 48

/// Bytes of a value; 0 when the type has no S7 form. `size` counts only for texts.
uint32_t ps_s7_width(int data_type, int size);

/// Number of an area in requests: "area" of the S7ANY item.
uint8_t ps_s7_area_code(int area);

/// The area's number among what devices have taught (drivers/learned.h).
uint32_t ps_s7_learned_area(int area, uint16_t db);

/// "DB6 byte 14", "DB6 bytes 14 to 21", "M byte 10".
void ps_s7_name_bytes(int area, uint16_t db, uint32_t first, uint32_t len, char *out, size_t size);

/// "10.00" is 0x1000. PS_ERR_INVALID in words; `field` is the key it came from.
PsErr ps_s7_tsap_parse(const char *text, const char *field, uint16_t *ret_tsap, PsDiag *diag);

/// Both ends of the connection to a device: of the mode TSAP as written, of Rack/Slot the TSAPs of
/// an OP connection. PS_ERR_INVALID when a TSAP is none.
PsErr ps_s7_tsaps(const PsDevice *device, uint16_t *ret_local, uint16_t *ret_remote, PsDiag *diag);

PsErr ps_s7_check_variable(const PsDevice *device, const PsVariable *variable, PsDiag *diag);
