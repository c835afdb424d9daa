//! The simulated plant: a heated vessel with a stirrer, seen as four Modbus tables. Pure: time
//! comes in as milliseconds, registers come out. Not thread-safe; the server holds its lock.
//! The point list for people is in sim/README.md.
#pragma once

#include "sim/address.h"

#include <stdbool.h>
#include <stdint.h>

/// The plant moves in steps of this length; between two steps nothing changes.
#define PS_PLANT_STEP_MS 100
/// A moving point that a client wrote keeps the written value this long, then moves on from it.
#define PS_PLANT_HOLD_MS 5000
/// Moving points (the const table in plant.c).
#define PS_PLANT_POINTS 15

typedef struct PsPlant {
    uint8_t coils[PS_SIM_TABLE_ITEMS]; ///< 0 or 1 each
    uint8_t discretes[PS_SIM_TABLE_ITEMS];
    uint16_t inputs[PS_SIM_TABLE_ITEMS];
    uint16_t holdings[PS_SIM_TABLE_ITEMS];
    int64_t now_ms; ///< end of the last step
    double temperature;
    double speed;
    double counter;
    int64_t held_until_ms[PS_PLANT_POINTS]; ///< INT64_MAX: forced
} PsPlant;

/// The start-up state at time `now_ms` (any clock that only goes forward). About 400 KB.
PsPlant *ps_plant_new(int64_t now_ms);
void ps_plant_free(PsPlant *plant);

/// Moves the plant to `now_ms`; a time before the last one changes nothing.
void ps_plant_advance(PsPlant *plant, int64_t now_ms);

/// Tells the plant that a client wrote `count` items from `offset`: moving points among them hold
/// the written value for PS_PLANT_HOLD_MS and the process continues from it.
void ps_plant_written(PsPlant *plant, PsSimTable table, uint32_t offset, uint32_t count);

/// Puts `count` items as a client's write does, and tells the plant. What is past the end of the
/// table is dropped.
void ps_plant_write(PsPlant *plant, PsSimAddress first, size_t count, const uint16_t *values);

/// Puts one item (a bit takes 0 or 1) and holds it until released: how a test drives values.
void ps_plant_force(PsPlant *plant, PsSimAddress address, uint16_t value);
/// Lets every forced point move again.
void ps_plant_release(PsPlant *plant);
/// The item as it is now.
uint16_t ps_plant_item(const PsPlant *plant, PsSimAddress address);
