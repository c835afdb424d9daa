// Stands between penstockd and the C library (LD_PRELOAD) and does what disks and clocks do in the
// field: writes that fail, syncs that take long, a wall clock that jumps. Any thread of penstockd
// and of the script workers; owns nothing but a shared page of numbers, which the test turns:
//
//   int64 errno that every write to a file fails with, 0: none
//   int64 nanoseconds that the wall clock is ahead
//   int64 nanoseconds that a sync takes longer
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000

typedef struct Knobs {
    volatile int64_t disk_errno;
    volatile int64_t clock_ns;
    volatile int64_t sync_ns;
} Knobs;

static const Knobs none;

static const Knobs *knobs(void) {
    static const Knobs *shared;
    if (shared != NULL) {
        return shared;
    }
    const char *path = getenv("FAULT_SHIM");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *page = fd >= 0 ? mmap(NULL, sizeof(Knobs), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0) {
        close(fd);
    }
    shared = page != MAP_FAILED ? page : &none;
    return shared;
}

__attribute__((constructor)) static void begin(void) {
    (void)knobs(); // while the file can still be opened: scripts are confined later
}

// ---- disk

static int refuses(void) {
    int64_t number = knobs()->disk_errno;
    errno = number != 0 ? (int)number : errno;
    return number != 0;
}

typedef ssize_t Write(int fd, const void *data, size_t len, off64_t offset);

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset) {
    Write *real = (Write *)dlsym(RTLD_NEXT, "pwrite64");
    return refuses() ? -1 : real(fd, data, len, offset);
}

typedef int Truncate(int fd, off64_t len);

int ftruncate64(int fd, off64_t len) {
    Truncate *real = (Truncate *)dlsym(RTLD_NEXT, "ftruncate64");
    return refuses() ? -1 : real(fd, len);
}

typedef int Sync(int fd);

int fdatasync(int fd) {
    Sync *real = (Sync *)dlsym(RTLD_NEXT, "fdatasync");
    struct timespec pause = {knobs()->sync_ns / NS_PER_S, knobs()->sync_ns % NS_PER_S};
    nanosleep(&pause, NULL);
    return refuses() ? -1 : real(fd);
}

// ---- clock

typedef int GetTime(clockid_t clock, struct timespec *ret_time);

int clock_gettime(clockid_t clock, struct timespec *ret_time) {
    GetTime *real = (GetTime *)dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, ret_time);
    if (failed == 0 && clock == CLOCK_REALTIME && knobs()->clock_ns != 0) {
        int64_t ns = ret_time->tv_sec * (int64_t)NS_PER_S + ret_time->tv_nsec + knobs()->clock_ns;
        *ret_time = (struct timespec){ns / NS_PER_S, ns % NS_PER_S};
    }
    return failed;
}

time_t time(time_t *ret_time) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ret_time != NULL) {
        *ret_time = now.tv_sec;
    }
    return now.tv_sec;
}
