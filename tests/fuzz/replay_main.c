// Feeds every file of a folder, and every file cut short at each of its first bytes, to a fuzz
// target: what the fuzzers start from is also a unit test of every build. One thread.
#include "base/cleanup.h"
#include "base/file.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define LARGEST_SEED ((size_t)1024 * 1024)
// Cutting everywhere is quadratic; most decoders have decided by here.
#define CUTS_PER_SEED ((size_t)512)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

// In a block of exactly its size, so that a sanitizer sees the first byte read beyond it.
static int feed(const uint8_t *bytes, size_t len) {
    PS_AUTO_FREE uint8_t *copy = malloc(len > 0 ? len : 1);
    if (copy == NULL) {
        return 1;
    }
    memcpy(copy, bytes, len);
    return LLVMFuzzerTestOneInput(copy, len);
}

static int replay(const char *folder, const char *name) {
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    PS_AUTO_BUF PsBuf seed = {0};
    PsDiag diag;
    if (length < 0 || (size_t)length >= sizeof path) {
        fprintf(stderr, "%s/%s: the path is too long\n", folder, name);
        return 1;
    }
    if (ps_file_read(path, LARGEST_SEED, &seed, &diag) != PS_OK) {
        char text[640];
        ps_diag_format(&diag, text, sizeof text);
        fprintf(stderr, "%s\n", text);
        return 1;
    }
    size_t cuts = seed.len < CUTS_PER_SEED ? seed.len : CUTS_PER_SEED;
    for (size_t len = 0; len < cuts; len++) {
        if (feed(seed.data, len) != 0) {
            return 1;
        }
    }
    return feed(seed.data, seed.len);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    DIR *folder = opendir(argv[1]);
    if (folder == NULL) {
        fprintf(stderr, "%s: cannot be read; a fuzz target needs seeds there\n", argv[1]);
        return 1;
    }
    int seeds = 0;
    int bad = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] != '.') {
            seeds++;
            bad += replay(argv[1], entry->d_name) != 0;
        }
    }
    closedir(folder);
    printf("%d seeds, %d bad\n", seeds, bad);
    return seeds > 0 && bad == 0 ? 0 : 1;
}
