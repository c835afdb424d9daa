// /proc/<pid>/stat, parsed. The program's name in field 2 may hold anything, so fields are
// counted from its last closing bracket.
#include "script/proc_usage.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
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

PsErr ps_proc_usage_cpu(int pid, double *ret_cpu_s) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL) {
        return PS_ERR_NOT_FOUND;
    }
    uint64_t total_ns = 0;
    bool any = false;
    for (const struct dirent *task; (task = readdir(tasks)) != NULL;) {
        if (task->d_name[0] == '.') {
            continue;
        }
        char stat_path[128];
        snprintf(stat_path, sizeof stat_path, "%s/%.20s/schedstat", path, task->d_name);
        FILE *file = fopen(stat_path, "re");
        uint64_t ns = 0;
        if (file != NULL && fscanf(file, "%" SCNu64, &ns) == 1) {
            total_ns += ns;
            any = true;
        }
        if (file != NULL) {
            fclose(file);
        }
    }
    closedir(tasks);
    *ret_cpu_s = (double)total_ns / 1e9;
    return any ? PS_OK : PS_ERR_NOT_FOUND;
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
