//! What the devices of one endpoint have taught: places they do not have, and the most they give in
//! one request. Kept by a driver while it reads, saved by the channel, so that a restart need not
//! ask for everything anew.
//!
//! Places are whole numbers: unit (slave; 0 where there is none), area (the driver's own number of
//! a table, a data block...), first and count in the area's items. A hole is a place that was
//! refused when it was asked for alone. A request that holds a whole hole will be refused as well;
//! one that only touches it may be answered, because not all of the hole need be missing. So of two
//! holes, one inside the other, only the smaller is kept. A silent device teaches nothing.
//!
//! Pure: time comes in. One owner per object: the channel thread; copies are their owner's.
#pragma once

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

/// Holes that are remembered for one endpoint; the one that was tried longest ago makes room.
#define PS_LEARNED_HOLES_MAX 4096U
/// Pairs of unit and area whose largest request is remembered.
#define PS_LEARNED_LIMITS_MAX 1024U

/// A place that a device has refused is asked for again after this pause, which doubles up to the
/// longest.
#define PS_LEARNED_PAUSE_S 60
#define PS_LEARNED_PAUSE_MAX_S 3600
/// What was learned as the largest request is put to the test again after so long.
#define PS_LEARNED_LIMIT_PAUSE_S 86400

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

typedef struct PsLearnedLimit {
    uint32_t unit;
    uint32_t area;
    uint32_t max; ///< items in one request
    PsMono next_try;
} PsLearnedLimit;

PsLearned *ps_learned_new(void);
/// Accepts NULL.
void ps_learned_free(PsLearned *learned);
/// Accepts NULL, and gives an empty one.
PsLearned *ps_learned_dup(const PsLearned *learned);

// Everything below accepts NULL for `learned` and then knows and keeps nothing.

/// Most items that unit and area have given in one request; `fallback` when nothing was learned.
uint32_t ps_learned_max(const PsLearned *learned, uint32_t unit, uint32_t area, uint32_t fallback);
/// Only ever makes it smaller. To be tried again after PS_LEARNED_LIMIT_PAUSE_S.
void ps_learned_set_max(PsLearned *learned, uint32_t unit, uint32_t area, uint32_t max, PsMono now);
/// Whether a limit was learned that is to be tried again.
bool ps_learned_max_is_due(const PsLearned *learned, uint32_t unit, uint32_t area, PsMono now);
/// It gives more by now: nothing is known any more.
void ps_learned_forget_max(PsLearned *learned, uint32_t unit, uint32_t area);

/// The first hole that lies inside the place and is not to be tried at `now`, or NULL; with `now`
/// zero: the first, whenever it is to be tried. Borrowed until the next change.
const PsLearnedHole *ps_learned_find(const PsLearned *learned, uint32_t unit, uint32_t area,
                                     uint32_t first, uint32_t count, PsMono now);
/// Of the holes of unit and area between `first` and `end` that are to be tried at `now`, the one
/// that has waited longest, or NULL. Borrowed until the next change. `ret_next` (may be NULL) is
/// when the next of the others is to be tried: far away when there is none.
const PsLearnedHole *ps_learned_due(const PsLearned *learned, uint32_t unit, uint32_t area,
                                    uint32_t first, uint32_t end, PsMono now, PsMono *ret_next);
/// The device has refused exactly this place: new, or once more. When it holds known holes they are
/// the reason, and nothing is new.
void ps_learned_refused(PsLearned *learned, uint32_t unit, uint32_t area, uint32_t first,
                        uint32_t count, int code, PsMono now, PsWall wall);
/// The device has answered for it: what was a hole inside it is none any more. True when one was.
bool ps_learned_answered(PsLearned *learned, uint32_t unit, uint32_t area, uint32_t first,
                         uint32_t count);
/// All holes of the unit are to be tried now: its program, or what is asked of it, has changed.
void ps_learned_retry(PsLearned *learned, uint32_t unit, PsMono now);

/// Rises with each change that is worth saving.
uint64_t ps_learned_version(const PsLearned *learned);
/// All holes, in order of place. Borrowed until the next change.
const PsLearnedHole *ps_learned_holes(const PsLearned *learned, uint32_t *ret_count);
/// All limits, in order of unit and area. Borrowed until the next change.
const PsLearnedLimit *ps_learned_limits(const PsLearned *learned, uint32_t *ret_count);

/// For whoever reads it from a file: takes over what was learned in another run. False when there
/// is no room, or it is no place.
bool ps_learned_put_hole(PsLearned *learned, const PsLearnedHole *hole);
bool ps_learned_put_limit(PsLearned *learned, const PsLearnedLimit *limit);
