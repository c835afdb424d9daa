//! What the simulated S7 controller has in its areas, seen byte by byte: the plant's tables under
//! S7 names, some memory of its own, and what the faults take away. Any thread.
#pragma once

#include "sim/side.h"

#define PS_SIM_S7_INPUTS 0x81
#define PS_SIM_S7_OUTPUTS 0x82
#define PS_SIM_S7_FLAGS 0x83
#define PS_SIM_S7_DB 0x84

/// Return code of an item that is fine.
#define PS_SIM_S7_FINE 0xFF

typedef struct PsSimS7Memory PsSimS7Memory;

/// `setup` is copied, its plant borrowed.
PsSimS7Memory *ps_sim_s7_memory_new(const PsSimSideSetup *setup);
/// Accepts NULL.
void ps_sim_s7_memory_free(PsSimS7Memory *memory);

/// Bytes of an area or block.
typedef struct PsSimS7Place {
    uint8_t area;
    uint16_t db;
    uint32_t first;
    uint32_t len;
} PsSimS7Place;

/// Return code for the place: PS_SIM_S7_FINE, 0x05 out of range or in a hole, 0x0A no such block,
/// or what the fault `exception` says.
uint8_t ps_sim_s7_code(PsSimS7Memory *memory, const PsSimS7Place *place);
/// The place's code is PS_SIM_S7_FINE.
void ps_sim_s7_read(PsSimS7Memory *memory, const PsSimS7Place *place, uint8_t *ret_bytes);
void ps_sim_s7_write(PsSimS7Memory *memory, const PsSimS7Place *place, const uint8_t *bytes);
/// One bit of the place's first byte.
void ps_sim_s7_write_bit(PsSimS7Memory *memory, const PsSimS7Place *place, unsigned bit, bool on);

/// Is all access to data switched off ("putget off")?
bool ps_sim_s7_refuses(PsSimS7Memory *memory);
/// Is the CPU in STOP?
bool ps_sim_s7_stopped(PsSimS7Memory *memory);
/// As PsSimSideKind.fault.
PsErr ps_sim_s7_memory_fault(PsSimS7Memory *memory, const char *line, PsDiag *diag);
