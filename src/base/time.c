// The two clocks and their formatting. Any thread.
#include "base/time.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id) {
    struct timespec spec;
    clock_gettime(id, &spec);
    return (int64_t)spec.tv_sec * PS_NS_PER_S + spec.tv_nsec;
}

PsMono ps_mono_now(void) {
    return (PsMono){read_clock(CLOCK_MONOTONIC)};
}

PsMono ps_boot_now(void) {
    return (PsMono){read_clock(CLOCK_BOOTTIME)};
}

PsWall ps_wall_now(void) {
    return (PsWall){read_clock(CLOCK_REALTIME)};
}

void ps_wall_format(PsWall time, char *out, size_t size) {
    int64_t fraction = time.ns % PS_NS_PER_S;
    time_t seconds = (time_t)(time.ns / PS_NS_PER_S);
    if (fraction < 0) { // before 1970, division rounds towards it
        fraction += PS_NS_PER_S;
        seconds--;
    }
    struct tm parts;
    localtime_r(&seconds, &parts);
    char day[32];
    strftime(day, sizeof day, "%Y-%m-%d %H:%M:%S", &parts);
    snprintf(out, size, "%s,%03d", day, (int)(fraction / PS_NS_PER_MS));
}

int ps_mono_poll_ms(PsMono now, PsMono deadline) {
    if (deadline.ns <= now.ns) {
        return 0;
    }
    int64_t left = 0;
    if (__builtin_sub_overflow(deadline.ns, now.ns, &left)) {
        return INT_MAX;
    }
    int64_t ms = left / PS_NS_PER_MS + (left % PS_NS_PER_MS != 0);
    return ms > INT_MAX ? INT_MAX : (int)ms;
}
