//! Which requests read a set of variables: neighbours merged into ranges of bytes, ranges packed
//! into as few telegrams as the length agreed on allows, and what becomes of a range that the
//! controller refuses. Pure; one owner.
#pragma once

#include "base/time.h"
#include "drivers/driver.h"
#include "drivers/learned.h"
#include "drivers/s7/codec.h"
#include "drivers/s7/pdu.h"

/// One variable inside a plan.
typedef struct PsS7Item {
    uint32_t variable; ///< index into PsConfig.variables
    uint32_t first;    ///< byte
    uint16_t len;
    uint16_t db;
    uint8_t area; ///< PsS7Area
    PsS7Field field;
} PsS7Item;

typedef enum PsS7RangeState {
    PS_S7_ASKED,   ///< read in each cycle
    PS_S7_SUSPECT, ///< was refused in this cycle, and may hold something good
    PS_S7_TRIAL,   ///< a part of what was refused, to be asked for by itself now
    PS_S7_REFUSED, ///< is not there; not asked for before `next_try`
} PsS7RangeState;

/// Bytes that are asked for as one item of a read, and the variables in them.
typedef struct PsS7Range {
    uint32_t first;
    uint32_t len;
    uint32_t first_item;
    uint32_t item_count;
    uint16_t db;
    uint8_t area;
    uint8_t state;   ///< PsS7RangeState
    uint8_t code;    ///< of the refusal
    bool retried;    ///< something in it was refused before
    PsMono next_try; ///< of a refused one
} PsS7Range;

/// One telegram: `range_count` of plan->order from `first` on. `pieces`: its only range is longer
/// than a telegram (a long text), and is read in pieces.
typedef struct PsS7Request {
    uint32_t first;
    uint32_t range_count;
    bool pieces;
} PsS7Request;

typedef struct PsS7Plan {
    PsS7Item *items; ///< sorted by area, block, offset, length
    uint32_t item_count;
    PsS7Range *ranges; ///< in the order of the items; never more than items
    uint32_t range_count;
    uint32_t *order; ///< ranges that are asked for, request by request
    PsS7Request *requests;
    uint32_t request_count;
    uint16_t pdu;
    bool any_refused;
    PsMono next_try; ///< the earliest of the refused ranges
} PsS7Plan;

/// Longest range that a telegram of `pdu` bytes brings as its only item.
static inline uint32_t ps_s7_longest_range(uint16_t pdu) {
    return pdu - PS_S7_ANSWER_HEAD - PS_S7_ANSWER_ITEM;
}

/// Items a telegram of `pdu` bytes can ask for.
uint32_t ps_s7_most_items(uint16_t pdu);

/// The variables have passed ps_s7_check_variable. Merged for the smallest telegram.
void ps_s7_plan_init(PsS7Plan *plan, const PsConfig *config, const PsPollSet *set);
/// Accepts a zeroed plan.
void ps_s7_plan_deinit(PsS7Plan *plan);

/// Does it read the same places as `other`, whatever the numbers of the variables? Then it takes
/// over what the device has refused.
bool ps_s7_plan_follow(PsS7Plan *plan, const PsS7Plan *other);

/// Merges and packs anew for telegrams of `pdu` bytes. What `learned` (may be NULL) says is not
/// there at `now` is left out; everything else is asked for.
void ps_s7_plan_merge(PsS7Plan *plan, uint16_t pdu, const PsLearned *learned, PsMono now);

/// Refused ranges whose time has come are asked for again. Cheap when there are none.
void ps_s7_plan_retry(PsS7Plan *plan, PsMono now);

/// Puts two trial ranges in the place of a suspect one, cut at its widest gap, or in the middle
/// when it has none. False when its variables all stand at the same place. Afterwards pack anew.
bool ps_s7_plan_split(PsS7Plan *plan, uint32_t range);

/// Makes requests of the ranges that are asked for.
void ps_s7_plan_pack(PsS7Plan *plan);

/// What a telegram asks for: the ranges of a request as items.
static inline PsS7Ask ps_s7_range_ask(const PsS7Range *range) {
    return (PsS7Ask){
        .area = range->area, .db = range->db, .first = range->first, .len = (uint16_t)range->len};
}
