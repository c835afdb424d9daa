// One look at one worker: a system call or two while it is idle. Runs in penstock-script.
#include "script/worker/watch.h"

#include "script/proc_usage.h"
#include "script/worker/scratch.h"

// The share may be passed for this long at a stretch.
#define SHARE_OVER_S 10.0
// A worker that used less than this since its threads were counted has started none worth counting.
#define COUNT_AFTER_NS (5 * PS_NS_PER_MS)

void ps_watch_init(PsWatch *watch, pid_t pid, const PsWireFork *order, const char *scratch) {
    *watch = (PsWatch){.pid = pid, .order = *order, .scratch = scratch, .at = ps_mono_now()};
    watch->fresh_ns = scratch != NULL ? ps_scratch_changed_ns(scratch) : 0;
}

static bool over_cpu(PsWatch *watch, int64_t cpu_ns, PsMono now) {
    double share = watch->order.cpu_percent / 100.0;
    double used_s = (double)(cpu_ns - watch->cpu_ns) / (double)PS_NS_PER_S;
    double passed_s = (double)ps_mono_diff_ns(now, watch->at) / (double)PS_NS_PER_S;
    double debt_s = watch->debt_s + used_s - share * passed_s;
    watch->debt_s = debt_s > 0 ? debt_s : 0;
    watch->cpu_ns = cpu_ns;
    watch->at = now;
    return watch->debt_s > share * SHARE_OVER_S;
}

static bool over_threads(PsWatch *watch, int64_t cpu_ns) {
    if (cpu_ns - watch->counted_ns < COUNT_AFTER_NS) {
        return false;
    }
    watch->counted_ns = cpu_ns;
    PsProcUsage usage;
    return ps_proc_usage_read(watch->pid, &usage) == PS_OK &&
           usage.threads > watch->order.threads_max;
}

static bool over_scratch(const PsWatch *watch) {
    return watch->scratch != NULL && ps_scratch_changed_ns(watch->scratch) != watch->fresh_ns &&
           ps_scratch_is_over(watch->scratch, watch->pid, watch->order.scratch_limit);
}

PsWireLimit ps_watch_look(PsWatch *watch, PsMono now) {
    int64_t cpu_ns = 0;
    if (watch->told || ps_proc_usage_cpu(watch->pid, &cpu_ns) != PS_OK) {
        return PS_LIMIT_NONE;
    }
    PsWireLimit limit = PS_LIMIT_NONE;
    if (over_cpu(watch, cpu_ns, now)) {
        limit = PS_LIMIT_CPU;
    } else if (over_threads(watch, cpu_ns)) {
        limit = PS_LIMIT_THREADS;
    } else if (over_scratch(watch)) {
        limit = PS_LIMIT_SCRATCH;
    }
    watch->told = limit != PS_LIMIT_NONE;
    return limit;
}
