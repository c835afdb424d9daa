//! CPU time and memory of another process, from /proc. Any thread; reads files that never block.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct PsProcUsage {
    double cpu_s;     ///< user and system time
    uint64_t rss_kib; ///< resident set, shared pages included
    uint64_t threads;
} PsProcUsage;

/// Fields 14, 15, 20 and 24 of /proc/<pid>/stat (proc(5)). PS_ERR_NOT_FOUND when it has gone.
PsErr ps_proc_usage_read(int pid, PsProcUsage *ret_usage);

/// User and system time of all its threads, those that have ended too, in nanoseconds
/// (clock_getcpuclockid(3)). PS_ERR_NOT_FOUND when it has gone, and for 0.
PsErr ps_proc_usage_cpu(int pid, int64_t *ret_cpu_ns);
/// The most memory it ever had resident: VmHWM of /proc/<pid>/status. PS_ERR_NOT_FOUND.
PsErr ps_proc_usage_peak(int pid, uint64_t *ret_peak_kib);
