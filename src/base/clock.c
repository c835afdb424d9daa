// When the wall clock was set. Pure.
#include "base/clock.h"

#define PLAUSIBLE_S INT64_C(1704067200) // 2024-01-01 00:00:00 UTC
#define JUMP_NS (86400 * PS_NS_PER_S)

bool ps_clock_is_plausible(PsWall wall) {
    return wall.ns >= PLAUSIBLE_S * PS_NS_PER_S;
}

PsClockEra ps_clock_begin(PsWall wall, PsMono since_boot) {
    return (PsClockEra){.started = wall, .offset_ns = wall.ns - since_boot.ns};
}

bool ps_clock_look(PsClockEra *era, PsWall wall, PsMono since_boot, PsWall *ret_before,
                   int64_t *ret_moved_ns) {
    int64_t offset = wall.ns - since_boot.ns;
    PsWall before = {era->offset_ns + since_boot.ns};
    int64_t moved = offset - era->offset_ns;
    bool was_set = ps_clock_is_plausible(before);
    if (!ps_clock_is_plausible(wall)) {
        return false; // measured from where it began when it is set
    }
    era->offset_ns = offset; // a clock that is right is corrected in small steps
    bool jumped = !was_set || moved > JUMP_NS || moved < -JUMP_NS;
    if (era->settled || !jumped) {
        return false;
    }
    era->settled = true;
    *ret_before = before;
    *ret_moved_ns = moved;
    return true;
}
