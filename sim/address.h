//! Modbus addresses as people write them: table digit and item number. Pure.
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/// Items in each of the four tables (Modbus Application Protocol 1.1b3, section 4.3).
#define PS_SIM_TABLE_ITEMS 65536

typedef enum PsSimTable {
    PS_SIM_COIL,     ///< 0x, writable bits
    PS_SIM_DISCRETE, ///< 1x, read-only bits
    PS_SIM_INPUT,    ///< 3x, read-only registers
    PS_SIM_HOLDING,  ///< 4x, writable registers
} PsSimTable;

typedef struct PsSimAddress {
    PsSimTable table;
    uint16_t offset; ///< as on the wire: item number - 1
} PsSimAddress;

/// Takes 1-9999 with or without leading zeros (coils), the five-digit forms 10001-20000,
/// 30001-40000, 40001-50000 and the six-digit forms 100001-165536, 300001-365536, 400001-465536;
/// 50000 is the ten-thousandth holding register, not a coil. `text` needs no terminator.
/// PS_ERR_INVALID (no number), PS_ERR_RANGE (no table has it).
PsErr ps_sim_address_parse(const char *text, size_t len, PsSimAddress *ret_address);
