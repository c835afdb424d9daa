//! What the devices of one endpoint have taught: places they do not have, and the most they give in
//! one request. Kept by a driver while it reads, saved by the channel, so that a restart need not
//! ask for everything anew.
//!
//! Places are whole numbers: unit (slave; 0 where there is none), area (the driver's own number of
//! a table, a data block...), first and count in the area's items. Pure: time comes in. One owner
//! per object: the channel thread.
#pragma once

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

/// Holes that are remembered for one endpoint; the one that was tried longest ago makes room.
#define PS_LEARNED_HOLES_MAX 4096U

/// A place that a device has refused is asked for again after this pause, which doubles up to the
/// longest.
#define PS_LEARNED_PAUSE_S 60
#define PS_LEARNED_PAUSE_MAX_S 3600

typedef struct PsLearned PsLearned;

typedef struct PsLearnedHole {
    uint32_t unit;
    uint32_t area;
    uint32_t first;
    uint32_t count;
    int code;          ///< with which it was refused, in the protocol's numbers
    uint32_t refusals; ///< in a row
    PsWall since;      ///< the first of them
    PsMono next_try;
} PsLearnedHole;

PsLearned *ps_learned_new(void);
/// Accepts NULL.
void ps_learned_free(PsLearned *learned);

/// Most items that unit and area have given in one request; `fallback` when nothing was learned.
/// Everything here accepts NULL for `learned` and then knows and keeps nothing.
uint32_t ps_learned_max(const PsLearned *learned, uint32_t unit, uint32_t area, uint32_t fallback);
/// Only ever makes it smaller.
void ps_learned_set_max(PsLearned *learned, uint32_t unit, uint32_t area, uint32_t max);

/// The first hole that touches the place and is not to be tried at `now`, or NULL. Borrowed until
/// the next change.
const PsLearnedHole *ps_learned_find(const PsLearned *learned, uint32_t unit, uint32_t area,
                                     uint32_t first, uint32_t count, PsMono now);
/// The device has refused exactly this place: new, or once more.
void ps_learned_refused(PsLearned *learned, uint32_t unit, uint32_t area, uint32_t first,
                        uint32_t count, int code, PsMono now, PsWall wall);
/// The device has answered for it: no hole touches it any more.
void ps_learned_answered(PsLearned *learned, uint32_t unit, uint32_t area, uint32_t first,
                         uint32_t count);

/// Rises with each change that is worth saving.
uint64_t ps_learned_version(const PsLearned *learned);
/// All holes, in order of place. Borrowed until the next change.
const PsLearnedHole *ps_learned_holes(const PsLearned *learned, uint32_t *ret_count);
