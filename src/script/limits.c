// Limits of a script: configuration in, order and words out. Pure.
#include "script/limits.h"

#include <stdio.h>

#define MIB ((uint64_t)1024 * 1024)

// As in the option tables; a host that is built without a file (tests) has zeros.
static const PsScriptLimits defaults = {
    .memory_mb = 512, .cpu_percent = 100, .threads = 32, .scratch_mb = 16};

static uint32_t or_default(int value, int fallback) {
    return (uint32_t)(value > 0 ? value : fallback);
}

void ps_script_limits_put(const PsScriptLimits *limits, PsWireFork *order) {
    order->memory_limit = or_default(limits->memory_mb, defaults.memory_mb) * MIB;
    order->scratch_limit = or_default(limits->scratch_mb, defaults.scratch_mb) * MIB;
    order->cpu_percent = or_default(limits->cpu_percent, defaults.cpu_percent);
    order->threads_max = or_default(limits->threads, defaults.threads);
    order->network = limits->network;
}

const char *ps_script_limit_text(const PsScriptLimits *limits, PsWireLimit limit, char *text,
                                 size_t size) {
    PsWireFork order = {0};
    ps_script_limits_put(limits, &order);
    switch (limit) {
    case PS_LIMIT_CPU:
        snprintf(text, size, "it used more than %u %% of a processor (cpu_percent)",
                 order.cpu_percent);
        break;
    case PS_LIMIT_THREADS:
        snprintf(text, size, "it has more than %u threads (threads)", order.threads_max);
        break;
    case PS_LIMIT_SCRATCH:
        snprintf(text, size,
                 "its scratch folder holds more than %u MB, or too many files (scratch_mb)",
                 (unsigned)(order.scratch_limit / MIB));
        break;
    case PS_LIMIT_NONE:
        snprintf(text, size, "it passed a limit");
        break;
    }
    return text;
}
