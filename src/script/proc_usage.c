// /proc/<pid>/stat, parsed. The program's name in field 2 may hold anything, so fields are
// counted from its last closing bracket.
#include "script/proc_usage.h"

#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

PsErr ps_proc_usage_read(int pid, PsProcUsage *ret_usage) {
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return PS_ERR_NOT_FOUND;
    }
    char text[1024];
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    const char *rest = strrchr(text, ')');
    uint64_t user = 0;
    uint64_t kernel = 0;
    uint64_t pages = 0;
    uint64_t threads = 0;
    int got = rest == NULL ? 0
                           : sscanf(rest,
                                    ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64
                                    " %" SCNu64 " %*d %*d %*d %*d %" SCNu64 " %*d %*u %*u %" SCNu64,
                                    &user, &kernel, &threads, &pages);
    if (got != 4) {
        return PS_ERR_NOT_FOUND;
    }
    *ret_usage = (PsProcUsage){
        .cpu_s = (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK),
        .rss_kib = pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024,
        .threads = threads,
    };
    return PS_OK;
}

PsErr ps_proc_usage_cpu(int pid, int64_t *ret_cpu_ns) {
    clockid_t clock;
    struct timespec used;
    // 0 would be this process.
    if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) < 0) {
        return PS_ERR_NOT_FOUND;
    }
    *ret_cpu_ns = used.tv_sec * PS_NS_PER_S + used.tv_nsec;
    return PS_OK;
}

PsErr ps_proc_usage_peak(int pid, uint64_t *ret_peak_kib) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return PS_ERR_NOT_FOUND;
    }
    char line[256];
    bool found = false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        found = sscanf(line, "VmHWM: %" SCNu64, ret_peak_kib) == 1;
    }
    fclose(file);
    return found ? PS_OK : PS_ERR_NOT_FOUND;
}
