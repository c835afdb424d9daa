// Arithmetic of polling: an endpoint reads one group after the other. Pure.
#include "collect/load.h"

#include "base/err.h"
#include "base/text.h"

#include <string.h>

#define SMOOTH 8 // cycles

static double load_of(const PsCycleCost *cycle) {
    return cycle->interval_ms > 0 ? cycle->cycle_ms / cycle->interval_ms : 0;
}

double ps_load_of(const PsCycleCost *cycles, size_t count) {
    double load = 0;
    for (size_t i = 0; i < count; i++) {
        load += load_of(&cycles[i]);
    }
    return load;
}

static void put_words(double load, const PsCycleCost *most, char *out, size_t size) {
    ps_text_format(out, size,
                   "%s: reading takes %.0f %% of the time, most of it group '%.60s' (%.1f ms every "
                   "%g s); poll less often, or read fewer variables so often",
                   load > 1 ? "the groups ask for more than the line gives"
                            : "the line has little room left",
                   load * 100, most->group, most->cycle_ms, most->interval_ms / 1000);
}

bool ps_load_words(const PsCycleCost *cycles, size_t count, char *out, size_t size) {
    double load = ps_load_of(cycles, count);
    if (load <= PS_LOAD_CLOSE) {
        return false;
    }
    const PsCycleCost *most = &cycles[0];
    for (size_t i = 1; i < count; i++) {
        most = load_of(&cycles[i]) > load_of(most) ? &cycles[i] : most;
    }
    put_words(load, most, out, size);
    return true;
}

// The first cycle finds connections cold and holes unknown: the second takes its place.
void ps_load_measure(PsScheduleEntry *entry, int64_t took_ns, uint64_t requests) {
    bool first = entry->measured < 2;
    entry->measured += entry->measured < PS_LOAD_SURE ? 1 : 0;
    entry->cycle_ns = first ? took_ns : entry->cycle_ns + (took_ns - entry->cycle_ns) / SMOOTH;
    entry->cycle_requests =
        first ? (double)requests
              : entry->cycle_requests + ((double)requests - entry->cycle_requests) / SMOOTH;
}

double ps_load_of_entries(const PsScheduleEntry *entries, uint32_t count) {
    double load = 0;
    for (uint32_t i = 0; i < count; i++) {
        load += (double)entries[i].cycle_ns / (double)entries[i].interval_ns;
    }
    return load;
}

const PsScheduleEntry *ps_load_most_of_entries(const PsScheduleEntry *entries, uint32_t count) {
    const PsScheduleEntry *most = NULL;
    for (uint32_t i = 0; i < count; i++) {
        const PsScheduleEntry *entry = &entries[i];
        bool more = most == NULL || (double)entry->cycle_ns / (double)entry->interval_ns >
                                        (double)most->cycle_ns / (double)most->interval_ns;
        most = more && entry->measured > 0 ? entry : most;
    }
    return most;
}

bool ps_load_words_of_entries(const PsConfig *config, const PsScheduleEntry *entries,
                              uint32_t count, char *out, size_t size) {
    // The words name the group that takes most: the sum and that one are all they need.
    double load = ps_load_of_entries(entries, count);
    const PsScheduleEntry *most = ps_load_most_of_entries(entries, count);
    if (most == NULL || load <= PS_LOAD_CLOSE || most->measured < PS_LOAD_SURE) {
        return false;
    }
    PsCycleCost cost = {config->groups[most->group].name, (double)most->interval_ns / 1e6,
                        (double)most->cycle_ns / 1e6};
    put_words(load, &cost, out, size);
    return true;
}
