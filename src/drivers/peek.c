// Picks from what was learned what lies near a place. Pure; any thread.
#include "drivers/peek.h"

#include <stdio.h>

// How far a hole is from the place: 0 when they touch.
static uint32_t distance(const PsLearnedHole *hole, const PsLearnedHole *place) {
    if (hole->first + hole->count <= place->first) {
        return place->first - (hole->first + hole->count) + 1;
    }
    return hole->first >= place->first + place->count
               ? hole->first - (place->first + place->count) + 1
               : 0;
}

static void put(PsPeek *peek, const PsLearnedHole *hole, bool here, PsPeekName *name) {
    PsPeekHole *shown = &peek->holes[peek->hole_count++];
    *shown = (PsPeekHole){.code = hole->code,
                          .refusals = hole->refusals,
                          .since = hole->since,
                          .next_try = hole->next_try,
                          .here = here};
    name(hole->area, hole->first, shown->first, sizeof shown->first);
    name(hole->area, hole->first + hole->count - 1, shown->last, sizeof shown->last);
}

void ps_peek_learned(PsPeek *peek, const PsLearned *learned, const PsLearnedHole *place,
                     PsPeekName *name) {
    uint32_t count = 0;
    const PsLearnedHole *holes = ps_learned_holes(learned, &count);
    peek->hole_count = 0;
    peek->holes_elsewhere = 0;
    uint32_t most = ps_learned_max(learned, place->unit, place->area, UINT32_MAX);
    peek->most_items = most != UINT32_MAX ? most : 0;
    // They stand in order of place: those of the area are in a row, and so are the nearest.
    uint32_t first = 0;
    uint32_t end = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool there = holes[i].unit == place->unit && holes[i].area == place->area;
        peek->holes_elsewhere += holes[i].unit == place->unit && !there ? 1 : 0;
        first = there && end == 0 ? i : first;
        end = there ? i + 1 : end;
    }
    while (end - first > PS_PEEK_HOLES_MAX) {
        bool left_is_farther = distance(&holes[first], place) > distance(&holes[end - 1], place);
        first += left_is_farther ? 1 : 0;
        end -= left_is_farther ? 0 : 1;
        peek->holes_elsewhere++;
    }
    for (uint32_t i = first; i < end; i++) {
        put(peek, &holes[i], distance(&holes[i], place) == 0, name);
    }
}
