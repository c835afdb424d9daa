// Scratch folders. Their content is a script's doing, so walks are bounded, follow no links, and
// removal needs neither recursion nor long paths. Runs in penstock-script.
#include "script/worker/scratch.h"

#include "base/mem.h"
#include "base/time.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRIES_MAX 4096
#define DEPTH_MAX 16
#define SLACK_BYTES (64 * 1024) // what the folders themselves take
#define BLOCK_BYTES 512         // of st_blocks, POSIX
#define FOLDER_MODE 0700
#define RUN_PREFIX "run-" // of the folders that penstock-script makes for itself

static char *join(const char *folder, const char *name) {
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = ps_alloc(size);
    snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static DIR *open_folder(int at, const char *name) {
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL && fd >= 0) {
        close(fd);
    }
    return dir;
}

static int fd_of(DIR *dir) {
    int fd = dirfd(dir);
    PS_ASSERT(fd >= 0); // an open folder has one
    return fd;
}

// The next entry that is neither "." nor "..".
static const struct dirent *next_entry(DIR *dir) {
    const struct dirent *entry = readdir(dir);
    while (entry != NULL && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)) {
        entry = readdir(dir);
    }
    return entry;
}

// --- removal ------------------------------------------------------------------------------------

static bool is_folder(int at, const char *name) {
    struct stat info;
    return fstatat(at, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

// Moves what is in folder `name` up into `top`, under names of their own, and removes it.
static bool lift(int top, const char *name, uint64_t *number) {
    // A script may have closed it to itself.
    bool ok = fchmodat(top, name, FOLDER_MODE, 0) == 0;
    DIR *dir = ok ? open_folder(top, name) : NULL;
    if (dir == NULL) {
        return false;
    }
    const struct dirent *entry = next_entry(dir);
    while (ok && entry != NULL) {
        char fresh[40];
        snprintf(fresh, sizeof fresh, "..lifted-%llu", (unsigned long long)(*number)++);
        ok = renameat(fd_of(dir), entry->d_name, top, fresh) == 0;
        entry = next_entry(dir);
    }
    closedir(dir);
    return ok && unlinkat(top, name, AT_REMOVEDIR) == 0;
}

// One pass over the top folder. Returns how many entries went or were turned inside out.
static size_t remove_pass(DIR *dir, uint64_t *number) {
    size_t done = 0;
    rewinddir(dir);
    for (const struct dirent *entry = next_entry(dir); entry != NULL; entry = next_entry(dir)) {
        if (!is_folder(fd_of(dir), entry->d_name)) {
            done += unlinkat(fd_of(dir), entry->d_name, 0) == 0;
        } else {
            done += unlinkat(fd_of(dir), entry->d_name, AT_REMOVEDIR) == 0 ||
                    lift(fd_of(dir), entry->d_name, number);
        }
    }
    return done;
}

static void remove_tree(const char *path) {
    DIR *dir = open_folder(AT_FDCWD, path);
    if (dir == NULL) {
        return;
    }
    uint64_t number = 0;
    size_t done = 1;
    while (done > 0) { // each pass takes away a level; one that does nothing is the last
        done = remove_pass(dir, &number);
    }
    closedir(dir);
    rmdir(path);
}

void ps_scratch_remove(char *path) {
    if (path != NULL) {
        remove_tree(path);
        free(path);
    }
}

// --- the folder of this penstock-script ---------------------------------------------------------

// The lock of a folder somebody still uses cannot be had.
static int lock_folder(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void remove_leftovers(const char *parent) {
    DIR *dir = open_folder(AT_FDCWD, parent);
    const struct dirent *entry = dir != NULL ? next_entry(dir) : NULL;
    for (; entry != NULL; entry = next_entry(dir)) {
        char *path = join(parent, entry->d_name);
        bool ours = strncmp(entry->d_name, RUN_PREFIX, strlen(RUN_PREFIX)) == 0;
        int lock = ours ? lock_folder(path) : -1;
        if (lock >= 0) {
            remove_tree(path);
            close(lock);
        }
        free(path);
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

// Another penstock-script that starts at the same moment may take a folder that is not yet locked
// for a leftover.
static bool is_still_there(const char *path, int lock) {
    struct stat by_path;
    struct stat by_lock;
    return stat(path, &by_path) == 0 && fstat(lock, &by_lock) == 0 &&
           by_path.st_ino == by_lock.st_ino;
}

void ps_scratch_open(PsScratch *scratch, const char *parent) {
    *scratch = (PsScratch){.lock = -1};
    bool made = mkdir(parent, FOLDER_MODE) == 0 || errno == EEXIST;
    char *absolute = made ? realpath(parent, NULL) : NULL;
    if (absolute == NULL) {
        fprintf(stderr, "scratch folder '%s': %s; scripts cannot write files\n", parent,
                strerror(errno));
        return;
    }
    remove_leftovers(absolute);
    for (int tries = 0; tries < 3 && scratch->folder == NULL; tries++) {
        char *path = join(absolute, RUN_PREFIX "XXXXXX");
        int lock = mkdtemp(path) != NULL ? lock_folder(path) : -1;
        if (lock >= 0 && is_still_there(path, lock)) {
            scratch->folder = path;
            scratch->lock = lock;
            break;
        }
        if (lock >= 0) {
            close(lock);
        }
        free(path);
    }
    if (scratch->folder == NULL) {
        fprintf(stderr, "scratch folder in '%s': %s; scripts cannot write files\n", absolute,
                strerror(errno));
    }
    free(absolute);
}

void ps_scratch_close(PsScratch *scratch) {
    if (scratch->folder != NULL) {
        ps_scratch_remove(scratch->folder);
        close(scratch->lock);
    }
    *scratch = (PsScratch){.lock = -1};
}

char *ps_scratch_add(const PsScratch *scratch, uint32_t slot, uint32_t generation) {
    if (scratch->folder == NULL) {
        return NULL;
    }
    char name[32];
    snprintf(name, sizeof name, "%u.%u", slot, generation);
    char *path = join(scratch->folder, name);
    if (mkdir(path, FOLDER_MODE) < 0) {
        fprintf(stderr, "scratch folder '%s': %s; the script cannot write files\n", path,
                strerror(errno));
        free(path);
        return NULL;
    }
    return path;
}

// --- its size -----------------------------------------------------------------------------------

typedef struct Walk {
    uint64_t bytes;
    size_t entries;
    bool endless; // more than can be looked through, or closed to us
} Walk;

static void walk(int at, const char *name, int depth, Walk *walked);

static void walk_entry(int at, const char *name, int depth, Walk *walked) {
    struct stat info;
    if (fstatat(at, name, &info, AT_SYMLINK_NOFOLLOW) < 0) {
        return; // removed meanwhile
    }
    walked->bytes += (uint64_t)info.st_blocks * BLOCK_BYTES;
    walked->endless |= ++walked->entries > ENTRIES_MAX;
    if (S_ISDIR(info.st_mode)) {
        walk(at, name, depth + 1, walked);
    }
}

static void walk(int at, const char *name, int depth, Walk *walked) {
    DIR *dir = depth < DEPTH_MAX ? open_folder(at, name) : NULL;
    if (dir == NULL) {
        walked->endless |= depth >= DEPTH_MAX || errno != ENOENT;
        return;
    }
    const struct dirent *entry = next_entry(dir);
    for (; entry != NULL && !walked->endless; entry = next_entry(dir)) {
        walk_entry(fd_of(dir), entry->d_name, depth, walked);
    }
    closedir(dir);
}

static void walk_open_files(pid_t pid, Walk *walked) {
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *dir = open_folder(AT_FDCWD, path);
    const struct dirent *entry = dir != NULL ? next_entry(dir) : NULL;
    for (; entry != NULL; entry = next_entry(dir)) {
        struct stat info;
        if (fstatat(fd_of(dir), entry->d_name, &info, 0) == 0 && S_ISREG(info.st_mode) &&
            info.st_nlink == 0) {
            walked->bytes += (uint64_t)info.st_blocks * BLOCK_BYTES;
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

// The time that no script can set.
int64_t ps_scratch_changed_ns(const char *path) {
    struct stat info;
    return stat(path, &info) < 0 ? 0 : info.st_ctim.tv_sec * PS_NS_PER_S + info.st_ctim.tv_nsec;
}

bool ps_scratch_is_over(const char *path, pid_t pid, uint64_t limit) {
    Walk walked = {0};
    walk(AT_FDCWD, path, 0, &walked);
    walk_open_files(pid, &walked);
    return walked.endless || walked.bytes > limit + SLACK_BYTES;
}
