// Arithmetic of polling: an endpoint reads one group after the other. Pure.
#include "cli/live_budget.h"

#include "base/text.h"

// Above this a single request that is sent again makes a cycle late.
#define CLOSE_LOAD 0.8

static double load_of(const LiveCycle *cycle) {
    return cycle->interval_ms > 0 ? cycle->cycle_ms / cycle->interval_ms : 0;
}

double live_budget_load(const LiveCycle *cycles, size_t count) {
    double load = 0;
    for (size_t i = 0; i < count; i++) {
        load += load_of(&cycles[i]);
    }
    return load;
}

bool live_budget_words(const LiveCycle *cycles, size_t count, char *out, size_t size) {
    double load = live_budget_load(cycles, count);
    if (load <= CLOSE_LOAD) {
        return false;
    }
    const LiveCycle *most = &cycles[0];
    for (size_t i = 1; i < count; i++) {
        most = load_of(&cycles[i]) > load_of(most) ? &cycles[i] : most;
    }
    ps_text_format(out, size,
                   "%s: reading takes %.0f %% of the time, most of it group '%.60s' (%.1f ms every "
                   "%g s); poll less often, or read fewer variables so often",
                   load > 1 ? "the groups ask for more than the line gives"
                            : "the line has little room left",
                   load * 100, most->group, most->cycle_ms, most->interval_ms / 1000);
    return true;
}
