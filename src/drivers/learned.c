// Holes and limits in sorted arrays: found by halving, since a driver asks in every cycle and they
// change seldom. Of two holes, one inside the other, only the inner one is kept, so those of an
// area are in order of their beginnings and of their ends alike. Pure; one owner per object.
#include "drivers/learned.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct PsLearned {
    PsLearnedHole *holes;
    uint32_t hole_count;
    uint32_t hole_room;
    PsLearnedLimit *limits;
    uint32_t limit_count;
    uint64_t version;
};

PsLearned *ps_learned_new(void) {
    return ps_alloc(sizeof(PsLearned));
}

void ps_learned_free(PsLearned *learned) {
    if (learned != NULL) {
        free(learned->holes);
        free(learned->limits);
        free(learned);
    }
}

PsLearned *ps_learned_dup(const PsLearned *learned) {
    PsLearned *copy = ps_learned_new();
    if (learned == NULL) {
        return copy;
    }
    *copy = *learned;
    copy->hole_room = learned->hole_count;
    copy->holes = NULL;
    copy->limits = NULL;
    if (learned->hole_count > 0) {
        copy->holes = ps_alloc_array(learned->hole_count, sizeof *copy->holes);
        memcpy(copy->holes, learned->holes, learned->hole_count * sizeof *copy->holes);
    }
    if (learned->limit_count > 0) {
        copy->limits = ps_alloc_array(learned->limit_count, sizeof *copy->limits);
        memcpy(copy->limits, learned->limits, learned->limit_count * sizeof *copy->limits);
    }
    return copy;
}

// --- limits ------------------------------------------------------------------------------------

// The limit of unit and area, or where it would stand.
static uint32_t limit_place(const PsLearned *learned, uint32_t unit, uint32_t area) {
    uint32_t low = 0;
    uint32_t high = learned->limit_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const PsLearnedLimit *limit = &learned->limits[middle];
        bool before = limit->unit != unit ? limit->unit < unit : limit->area < area;
        low = before ? middle + 1 : low;
        high = before ? high : middle;
    }
    return low;
}

static PsLearnedLimit *find_limit(const PsLearned *learned, uint32_t unit, uint32_t area) {
    if (learned == NULL || learned->limit_count == 0) {
        return NULL;
    }
    uint32_t place = limit_place(learned, unit, area);
    PsLearnedLimit *limit = &learned->limits[place];
    return place < learned->limit_count && limit->unit == unit && limit->area == area ? limit
                                                                                      : NULL;
}

uint32_t ps_learned_max(const PsLearned *learned, uint32_t unit, uint32_t area, uint32_t fallback) {
    const PsLearnedLimit *limit = find_limit(learned, unit, area);
    return limit != NULL && limit->max < fallback ? limit->max : fallback;
}

bool ps_learned_put_limit(PsLearned *learned, const PsLearnedLimit *limit) {
    PsLearnedLimit *present = find_limit(learned, limit->unit, limit->area);
    if (learned == NULL || limit->max == 0) {
        return false;
    }
    if (present != NULL) {
        *present = *limit;
        learned->version++;
        return true;
    }
    if (learned->limit_count == PS_LEARNED_LIMITS_MAX) {
        return false;
    }
    uint32_t place = limit_place(learned, limit->unit, limit->area);
    learned->limits =
        ps_grow_array(learned->limits, learned->limit_count + 1, sizeof *learned->limits);
    memmove(&learned->limits[place + 1], &learned->limits[place],
            (learned->limit_count - place) * sizeof *learned->limits);
    learned->limits[place] = *limit;
    learned->limit_count++;
    learned->version++;
    return true;
}

void ps_learned_set_max(PsLearned *learned, uint32_t unit, uint32_t area, uint32_t max,
                        PsMono now) {
    const PsLearnedLimit *present = find_limit(learned, unit, area);
    uint32_t least = max > 0 ? max : 1;
    PsLearnedLimit limit = {
        .unit = unit,
        .area = area,
        .max = present != NULL && present->max < least ? present->max : least,
        .next_try = ps_mono_add_ns(now, PS_LEARNED_LIMIT_PAUSE_S * PS_NS_PER_S),
    };
    (void)ps_learned_put_limit(learned, &limit);
}

bool ps_learned_max_is_due(const PsLearned *learned, uint32_t unit, uint32_t area, PsMono now) {
    const PsLearnedLimit *limit = find_limit(learned, unit, area);
    return limit != NULL && limit->next_try.ns <= now.ns;
}

void ps_learned_forget_max(PsLearned *learned, uint32_t unit, uint32_t area) {
    PsLearnedLimit *limit = find_limit(learned, unit, area);
    if (limit != NULL) {
        size_t after = learned->limit_count - (size_t)(limit - learned->limits) - 1;
        memmove(limit, limit + 1, after * sizeof *limit);
        learned->limit_count--;
        learned->version++;
    }
}

// --- holes -------------------------------------------------------------------------------------

static uint64_t end_of(const PsLearnedHole *hole) {
    return (uint64_t)hole->first + hole->count;
}

// The first hole of unit and area that begins at `first` or later, or where one would stand.
static uint32_t place_of(const PsLearned *learned, uint32_t unit, uint32_t area, uint32_t first) {
    uint32_t low = 0;
    uint32_t high = learned->hole_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const PsLearnedHole *hole = &learned->holes[middle];
        bool before = hole->unit != unit   ? hole->unit < unit
                      : hole->area != area ? hole->area < area
                                           : hole->first < first;
        low = before ? middle + 1 : low;
        high = before ? high : middle;
    }
    return low;
}

static bool is_of(const PsLearned *learned, uint32_t place, uint32_t unit, uint32_t area) {
    return place < learned->hole_count && learned->holes[place].unit == unit &&
           learned->holes[place].area == area;
}

const PsLearnedHole *ps_learned_find(const PsLearned *learned, uint32_t unit, uint32_t area,
                                     uint32_t first, uint32_t count, PsMono now) {
    if (learned == NULL || learned->hole_count == 0) {
        return NULL;
    }
    uint64_t end = (uint64_t)first + count;
    for (uint32_t i = place_of(learned, unit, area, first);
         is_of(learned, i, unit, area) && end_of(&learned->holes[i]) <= end; i++) {
        if (learned->holes[i].next_try.ns > now.ns || now.ns == 0) {
            return &learned->holes[i];
        }
    }
    return NULL;
}

const PsLearnedHole *ps_learned_due(const PsLearned *learned, uint32_t unit, uint32_t area,
                                    uint32_t first, uint32_t end, PsMono now, PsMono *ret_next) {
    const PsLearnedHole *found = NULL;
    PsMono next = {INT64_MAX};
    uint32_t i = learned != NULL ? place_of(learned, unit, area, first) : 0;
    for (; learned != NULL && is_of(learned, i, unit, area) && end_of(&learned->holes[i]) <= end;
         i++) {
        const PsLearnedHole *hole = &learned->holes[i];
        bool longer = hole->next_try.ns <= now.ns &&
                      (found == NULL || hole->next_try.ns < found->next_try.ns);
        const PsLearnedHole *other = longer ? found : hole;
        found = longer ? hole : found;
        next = other != NULL && other->next_try.ns < next.ns ? other->next_try : next;
    }
    if (ret_next != NULL) {
        *ret_next = next;
    }
    return found;
}

static void remove_at(PsLearned *learned, uint32_t place, uint32_t count) {
    if (count == 0) {
        return; // there may be no holes at all
    }
    memmove(&learned->holes[place], &learned->holes[place + count],
            (learned->hole_count - place - count) * sizeof *learned->holes);
    learned->hole_count -= count;
}

static int64_t pause_ns(uint32_t refusals) {
    int64_t seconds = PS_LEARNED_PAUSE_S;
    for (uint32_t i = 1; i < refusals && seconds < PS_LEARNED_PAUSE_MAX_S; i++) {
        seconds *= 2;
    }
    return (seconds < PS_LEARNED_PAUSE_MAX_S ? seconds : PS_LEARNED_PAUSE_MAX_S) * PS_NS_PER_S;
}

// The one that was tried longest ago gives way: its next try less its pause says when that was.
static void make_room(PsLearned *learned) {
    if (learned->hole_count == PS_LEARNED_HOLES_MAX) {
        uint32_t oldest = 0;
        int64_t oldest_ns = INT64_MAX;
        for (uint32_t i = 0; i < learned->hole_count; i++) {
            const PsLearnedHole *hole = &learned->holes[i];
            int64_t tried_ns = hole->next_try.ns - pause_ns(hole->refusals);
            oldest = tried_ns < oldest_ns ? i : oldest;
            oldest_ns = tried_ns < oldest_ns ? tried_ns : oldest_ns;
        }
        remove_at(learned, oldest, 1);
    }
    if (learned->hole_count == learned->hole_room) {
        learned->hole_room = learned->hole_room == 0 ? 8 : 2 * learned->hole_room;
        learned->holes = ps_grow_array(learned->holes, learned->hole_room, sizeof *learned->holes);
    }
}

// Those that hold all of the place stand before it; they begin no later and end no earlier.
static void remove_around(PsLearned *learned, const PsLearnedHole *place) {
    uint32_t at = place_of(learned, place->unit, place->area, place->first);
    uint32_t begin = at;
    while (begin > 0 && is_of(learned, begin - 1, place->unit, place->area) &&
           end_of(&learned->holes[begin - 1]) >= end_of(place)) {
        begin--;
    }
    uint32_t end = at;
    while (is_of(learned, end, place->unit, place->area) &&
           learned->holes[end].first == place->first) {
        end++; // longer than the place, or it would have been found inside
    }
    remove_at(learned, begin, end - begin);
}

bool ps_learned_put_hole(PsLearned *learned, const PsLearnedHole *hole) {
    if (learned == NULL || hole->count == 0 || end_of(hole) > UINT32_MAX) {
        return false;
    }
    PsMono any = {0};
    if (ps_learned_find(learned, hole->unit, hole->area, hole->first, hole->count, any) != NULL) {
        return true; // the smaller one is the reason
    }
    remove_around(learned, hole);
    make_room(learned);
    uint32_t place = place_of(learned, hole->unit, hole->area, hole->first);
    memmove(&learned->holes[place + 1], &learned->holes[place],
            (learned->hole_count - place) * sizeof *learned->holes);
    learned->holes[place] = *hole;
    learned->hole_count++;
    learned->version++;
    return true;
}

void ps_learned_refused(PsLearned *learned, uint32_t unit, uint32_t area, uint32_t first,
                        uint32_t count, int code, PsMono now, PsWall wall) {
    if (learned == NULL) {
        return;
    }
    uint32_t at = place_of(learned, unit, area, first);
    PsLearnedHole *hole = is_of(learned, at, unit, area) ? &learned->holes[at] : NULL;
    if (hole != NULL && hole->first == first && hole->count == count) {
        hole->code = code;
        hole->refusals++;
        hole->next_try = ps_mono_add_ns(now, pause_ns(hole->refusals));
        learned->version++;
        return;
    }
    PsLearnedHole anew = {
        .unit = unit,
        .area = area,
        .first = first,
        .count = count,
        .code = code,
        .refusals = 1,
        .since = wall,
        .next_try = ps_mono_add_ns(now, pause_ns(1)),
    };
    (void)ps_learned_put_hole(learned, &anew);
}

bool ps_learned_answered(PsLearned *learned, uint32_t unit, uint32_t area, uint32_t first,
                         uint32_t count) {
    if (learned == NULL || learned->hole_count == 0) {
        return false;
    }
    uint64_t end = (uint64_t)first + count;
    uint32_t begin = place_of(learned, unit, area, first);
    uint32_t stop = begin;
    while (is_of(learned, stop, unit, area) && end_of(&learned->holes[stop]) <= end) {
        stop++;
    }
    if (stop > begin) {
        remove_at(learned, begin, stop - begin);
        learned->version++;
    }
    return stop > begin;
}

void ps_learned_retry(PsLearned *learned, uint32_t unit, PsMono now) {
    for (uint32_t i = 0; learned != NULL && i < learned->hole_count; i++) {
        PsLearnedHole *hole = &learned->holes[i];
        if (hole->unit == unit && hole->next_try.ns > now.ns) {
            hole->next_try = now;
        }
    }
}

uint64_t ps_learned_version(const PsLearned *learned) {
    return learned != NULL ? learned->version : 0;
}

const PsLearnedHole *ps_learned_holes(const PsLearned *learned, uint32_t *ret_count) {
    *ret_count = learned != NULL ? learned->hole_count : 0;
    return learned != NULL ? learned->holes : NULL;
}

const PsLearnedLimit *ps_learned_limits(const PsLearned *learned, uint32_t *ret_count) {
    *ret_count = learned != NULL ? learned->limit_count : 0;
    return learned != NULL ? learned->limits : NULL;
}
