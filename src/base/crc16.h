//! CRC-16 of Modbus (Modbus over Serial Line V1.02, section 6.2.2): polynomial 0xA001 reflected,
//! begins with 0xFFFF; on the wire its low byte comes first. Pure; any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

uint16_t ps_crc16(const void *bytes, size_t len);
