// Requests per second by name: a window of one second for each name that asked lately. A clock that
// is set back opens new windows.
#include "localcloud/service/meter.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void ps_meter_deinit(PsMeter *meter) {
    for (size_t i = 0; i < meter->count; i++) {
        free(meter->entries[i].name);
    }
    free(meter->entries);
    *meter = (PsMeter){0};
}

static bool is_over(const PsMeterEntry *entry, PsWall now) {
    int64_t age_ns = now.ns - entry->since.ns;
    return age_ns < 0 || age_ns >= PS_NS_PER_S;
}

static void forget_old(PsMeter *meter, PsWall now) {
    size_t kept = 0;
    for (size_t i = 0; i < meter->count; i++) {
        if (is_over(&meter->entries[i], now)) {
            free(meter->entries[i].name);
        } else {
            meter->entries[kept++] = meter->entries[i];
        }
    }
    meter->count = kept;
}

bool ps_meter_allow(PsMeter *meter, const char *name, unsigned limit, PsWall now) {
    for (size_t i = 0; i < meter->count; i++) {
        PsMeterEntry *entry = &meter->entries[i];
        if (strcmp(entry->name, name) == 0 && !is_over(entry, now)) {
            return entry->count < limit && ++entry->count > 0;
        }
    }
    forget_old(meter, now);
    if (meter->count == meter->capacity) {
        meter->capacity = meter->capacity > 0 ? 2 * meter->capacity : 16;
        meter->entries = ps_grow_array(meter->entries, meter->capacity, sizeof(PsMeterEntry));
    }
    meter->entries[meter->count++] = (PsMeterEntry){ps_strdup(name), now, 1};
    return limit > 0;
}
