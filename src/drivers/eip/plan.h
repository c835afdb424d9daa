//! The requests that read a poll set: places in the controller, packed into as few messages as the
//! connection allows, and what has been learned about each place. Pure: time comes in; one owner.
//!
//! Several variables may lie in one place (bits of an integer, elements of a BOOL array), which is
//! then asked once; neighbours in an array are read together. Requests are made when something
//! changes, and sent again as they are.
#pragma once

#include "base/buf.h"
#include "base/time.h"
#include "drivers/driver.h"
#include "drivers/eip/codec.h"
#include "drivers/eip/symbol.h"

/// What the index at the end of a symbol counts.
typedef enum PsEipIndexing {
    PS_EIP_INDEX_NONE,  ///< there is none
    PS_EIP_INDEX_ASKED, ///< not known: the word that would hold it is asked for, which says the
                        ///< type
    PS_EIP_INDEX_ELEMENT,
    PS_EIP_INDEX_BIT, ///< of a BOOL array, which goes over the wire in words of 32
} PsEipIndexing;

typedef struct PsEipItem {
    uint32_t variable;
    uint32_t path_at; ///< in plan->paths: without the index at the end
    uint16_t path_len;
    uint8_t indexing; ///< PsEipIndexing
    uint32_t index;
    PsEipField field;
    uint32_t cycle; ///< plan->cycle when it got its sample
} PsEipItem;

/// A place that is asked for: all items in it.
typedef struct PsEipEntry {
    uint32_t first_item;
    uint32_t item_count;
    uint16_t answer_len; ///< most bytes its answer has had, with its head; 0: not known yet
    uint16_t extended;   ///< of the last refusal
    uint8_t status;      ///< likewise; 0: it is not refused
    uint8_t size;        ///< bytes of its value when that has a fixed length; 0: not, or not known
    bool supposed;       ///< answer_len is a supposition after it did not fit among others
    bool fragments;      ///< its answer never fits: as much as fits is read, by itself
    bool apart;          ///< not to be asked for together with its neighbours in an array
    bool resting;        ///< refused or no value, and not to be asked for before `next_try`
    uint16_t handle;     ///< of one that rests because it is a structure
    uint32_t refusals;   ///< in a row
    PsMono next_try;
} PsEipEntry;

/// One Read Tag: an entry, or several elements of an array next to each other.
typedef struct PsEipSpan {
    uint32_t first; ///< entry
    uint32_t entries;
    uint16_t elements; ///< that are read, those between the entries included
} PsEipSpan;

typedef struct PsEipPacket {
    uint32_t first; ///< span
    uint16_t count;
    uint32_t at; ///< in plan->requests
    uint32_t len;
} PsEipPacket;

/// What one message may hold.
typedef struct PsEipLimits {
    uint32_t request; ///< bytes
    uint32_t answer;  ///< bytes that are expected
    bool multiple;    ///< several services in one packet
} PsEipLimits;

typedef struct PsEipPlan {
    PsEipItem *items; ///< sorted by place
    uint32_t item_count;
    PsEipEntry *entries; ///< in order of place; room for one per item
    uint32_t entry_count;
    PsEipSpan *spans; ///< likewise
    uint32_t span_count;
    PsEipPacket *packets;
    uint32_t packet_count;
    PsBuf paths;
    PsBuf requests;
    uint32_t cycle;
    bool unsorted;   ///< an item asks for another place now
    bool unpacked;   ///< what is asked for, or how much comes, has changed
    PsMono next_try; ///< the first time at which a resting entry is to be asked; 0: none rests
} PsEipPlan;

/// All variables have passed the check.
void ps_eip_plan_init(PsEipPlan *plan, const PsConfig *config, const PsPollSet *set);
void ps_eip_plan_deinit(PsEipPlan *plan);

/// Takes over what `other` knows about places that both ask for.
void ps_eip_plan_follow(PsEipPlan *plan, const PsEipPlan *other);
/// The controller may have another program now: what it refused is asked for again.
void ps_eip_plan_forgive(PsEipPlan *plan);

/// Makes the packets anew, of all entries or only of those with an item that has no sample yet
/// (pack.c).
void ps_eip_plan_pack(PsEipPlan *plan, const PsEipLimits *limits, bool open_only, PsMono now);

/// A new cycle: makes the packets anew when something has changed or a pause is over.
void ps_eip_plan_begin(PsEipPlan *plan, const PsEipLimits *limits, PsMono now);
/// Within a cycle: packets for the items that have no sample yet. False when there are none to
/// be asked for.
bool ps_eip_plan_again(PsEipPlan *plan, const PsEipLimits *limits, PsMono now);

static inline bool ps_eip_item_done(const PsEipPlan *plan, const PsEipItem *item) {
    return item->cycle == plan->cycle;
}

/// Bytes of the longest path with an index.
#define PS_EIP_PLACE_PATH_MAX (PS_EIP_PATH_MAX + PS_EIP_ELEMENT_MAX)

/// The path of an entry; how many bytes. `out` has room for PS_EIP_PLACE_PATH_MAX.
uint16_t ps_eip_entry_path(const PsEipPlan *plan, const PsEipEntry *entry, uint8_t *out);
/// What the path's index counts: elements, or words of a BOOL array. 0 when there is none.
uint32_t ps_eip_entry_index(const PsEipPlan *plan, const PsEipEntry *entry);

/// The type of the entry's value is known: so many bytes, 0 when they vary.
void ps_eip_entry_sized(PsEipPlan *plan, PsEipEntry *entry, uint32_t size);
/// It is to be asked for without its neighbours.
void ps_eip_entry_apart(PsEipPlan *plan, PsEipEntry *entry);

/// The controller has given `len` bytes for the entry, with the head of the answer.
void ps_eip_entry_answered(PsEipPlan *plan, PsEipEntry *entry, size_t len);
/// The controller has refused it: it rests, 60 s at first and up to an hour.
void ps_eip_entry_refused(PsEipPlan *plan, PsEipEntry *entry, uint8_t status, uint16_t extended,
                          PsMono now);
/// It is there, but no value that anybody could want: a structure. It rests for an hour.
void ps_eip_entry_no_value(PsEipPlan *plan, PsEipEntry *entry, uint16_t handle, PsMono now);
/// Its answer did not fit beside others, and how long it is was not known: it is asked for alone.
/// False when it was known.
bool ps_eip_entry_suppose(PsEipPlan *plan, PsEipEntry *entry, uint32_t len);
/// The type of an item's place is known: settles what its index counts. False when another place
/// is to be asked for, now that it is known.
bool ps_eip_item_settle(PsEipPlan *plan, PsEipItem *item, uint16_t type);
/// What the item wants of its place: `bit` is also that of a BOOL array's word.
PsEipField ps_eip_item_field(const PsEipItem *item);
