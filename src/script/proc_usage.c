// /proc/<pid>/stat, parsed. The program's name in field 2 may hold anything, so fields are
// counted from its last closing bracket.
#include "script/proc_usage.h"

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
    int got = rest == NULL ? 0
                           : sscanf(rest,
                                    ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64
                                    " %" SCNu64 " %*d %*d %*d %*d %*d %*d %*u %*u %" SCNu64,
                                    &user, &kernel, &pages);
    if (got != 3) {
        return PS_ERR_NOT_FOUND;
    }
    *ret_usage = (PsProcUsage){
        .cpu_s = (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK),
        .rss_kib = pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024,
    };
    return PS_OK;
}
