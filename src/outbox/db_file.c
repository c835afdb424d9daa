// Pages of the database, where the write-ahead log has a newer one from there. Blocks on the disk.
#include "outbox/db_file.h"

#include "base/cleanup.h"
#include "base/mem.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LOG_HEAD_BYTES ((size_t)32)
#define FRAME_HEAD_BYTES ((size_t)24)
#define FRAME_BYTES (FRAME_HEAD_BYTES + PS_PAGE_BYTES)
#define MAGIC 0x377f0682u            // its lowest bit: checksums of big-endian words
#define MOST_PAGES ((size_t)1 << 24) // 64 GB

typedef struct Frame {
    uint32_t page;
    bool good;    // what it holds fits a checksum
    bool belongs; // good, and of this log: older frames may stand behind
    bool sound;   // SQLite would take it
    bool commits; // last of a transaction
    bool applies;
    uint64_t salt;
} Frame;

struct PsDbFile {
    int db; // -1 when there is none
    int log;
    uint32_t db_pages;
    uint32_t page_count;
    uint32_t *frames; // of each page: number of its frame from 1, 0 when it is in the database
    bool log_is_damaged;
};

typedef struct Sum {
    uint32_t a;
    uint32_t b;
} Sum;

static uint32_t word(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t little_word(const uint8_t *at) {
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static Sum add(Sum sum, bool big, const uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i += 8) {
        sum.a += (big ? word(bytes + i) : little_word(bytes + i)) + sum.b;
        sum.b += (big ? word(bytes + i + 4) : little_word(bytes + i + 4)) + sum.a;
    }
    return sum;
}

static uint64_t salt_at(const uint8_t *at) {
    return (uint64_t)word(at) << 32 | word(at + 4);
}

static bool is_sum(Sum sum, const uint8_t *stored) {
    return sum.a == word(stored) && sum.b == word(stored + 4);
}

static bool read_at(int fd, size_t at, uint8_t *out, size_t len) {
    return fd >= 0 && pread(fd, out, len, (off_t)at) == (ssize_t)len;
}

// ---- the log

typedef struct Log {
    Frame *frames;
    size_t count;
    bool head_is_good;
} Log;

static Sum stored_sum(const uint8_t *at) {
    return (Sum){word(at), word(at + 4)};
}

static Sum frame_sum(Sum before, bool big, const uint8_t *frame) {
    return add(add(before, big, frame, 8), big, frame + FRAME_HEAD_BYTES, PS_PAGE_BYTES);
}

// Checksums go on from frame to frame. Each frame is held against the one that stands in the frame
// before it, so that broken bytes spoil their own frame only; and against the one that comes out
// for the frame before it: when that fits, only the number that stands there is broken.
static void read_frames(int fd, bool big, Sum stored, Sum made, Log *log) {
    uint8_t frame[FRAME_BYTES];
    for (size_t i = 0; i < log->count; i++) {
        if (!read_at(fd, LOG_HEAD_BYTES + i * FRAME_BYTES, frame, sizeof frame)) {
            continue;
        }
        bool fits_stored = is_sum(frame_sum(stored, big, frame), frame + 16);
        bool fits_made = is_sum(frame_sum(made, big, frame), frame + 16);
        log->frames[i] = (Frame){.page = word(frame),
                                 .commits = word(frame + 4) != 0,
                                 .salt = salt_at(frame + 8),
                                 .good = fits_stored || fits_made,
                                 .sound = fits_stored};
        if (i > 0 && fits_made && !fits_stored) {
            log->frames[i - 1].good = true;
        }
        made = frame_sum(fits_stored || !fits_made ? stored : made, big, frame);
        stored = stored_sum(frame + 16);
    }
}

static void read_log(int fd, size_t size, Log *log) {
    uint8_t head[LOG_HEAD_BYTES];
    log->count = size > LOG_HEAD_BYTES ? (size - LOG_HEAD_BYTES) / FRAME_BYTES : 0;
    log->frames = ps_alloc_array(log->count, sizeof *log->frames);
    if (log->count == 0 || !read_at(fd, 0, head, sizeof head)) {
        log->count = 0;
        return;
    }
    bool big = word(head) == (MAGIC | 1);
    Sum sum = add((Sum){0}, big, head, 24);
    log->head_is_good = (word(head) | 1) == (MAGIC | 1) && is_sum(sum, head + 24) &&
                        word(head + 8) == PS_PAGE_BYTES;
    read_frames(fd, big, stored_sum(head + 24), sum, log);
    uint64_t salt = salt_at(head + 16);
    for (size_t i = 0; i < log->count; i++) {
        log->frames[i].sound = log->frames[i].sound && log->frames[i].salt == salt;
    }
    for (size_t i = 0; !log->head_is_good && i < log->count; i++) {
        if (log->frames[i].good) {
            salt = log->frames[i].salt;
            break;
        }
    }
    // The checksum leaves the salt out; a frame that continues one of this log is of this log.
    for (size_t i = 0; i < log->count; i++) {
        Frame *frame = &log->frames[i];
        frame->belongs = frame->good && (frame->salt == salt || (i > 0 && frame[-1].belongs));
    }
}

// Marks what was committed and tells whether something committed is broken.
static bool choose_frames(Log *log) {
    size_t broken = 0; // the first frame that SQLite does not take, nor any behind it
    while (log->head_is_good && broken < log->count && log->frames[broken].sound) {
        broken++;
    }
    size_t sound = 0;  // frames of complete transactions before the broken place
    size_t behind = 0; // and of those behind it
    bool damaged = false;
    bool complete = false; // a transaction was complete behind the broken place
    bool whole = true;     // and nothing of it is missing
    for (size_t i = 0; i < log->count; i++) {
        whole = whole && log->frames[i].belongs;
        if (!log->frames[i].belongs) {
            continue;
        }
        damaged =
            damaged || (i > broken && complete) || (i >= broken && whole && log->frames[i].commits);
        if (log->frames[i].commits) {
            sound = i < broken ? i + 1 : sound;
            behind = i + 1;
            complete = complete || i >= broken;
        }
    }
    damaged = damaged || (!log->head_is_good && complete);
    size_t end = damaged ? behind : sound;
    for (size_t i = 0; i < end; i++) {
        log->frames[i].applies = log->frames[i].belongs;
    }
    return damaged;
}

static void apply_log(PsDbFile *file, const Log *log) {
    size_t most = file->db_pages; // the database may have been cut off
    for (size_t i = 0; i < log->count; i++) {
        uint32_t page = log->frames[i].page;
        most = log->frames[i].applies && page > most && page <= MOST_PAGES ? page : most;
    }
    file->frames = ps_alloc_array(most + 1, sizeof *file->frames);
    for (size_t i = 0; i < log->count; i++) {
        uint32_t page = log->frames[i].page;
        if (log->frames[i].applies && page > 0 && page <= most) {
            file->frames[page] = (uint32_t)i + 1;
            file->page_count = page > file->page_count ? page : file->page_count;
        }
    }
}

// ---- the file

static int open_regular(const char *path, size_t *ret_size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (fd >= 0 && (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))) {
        close(fd);
        fd = -1;
    }
    *ret_size = fd >= 0 ? (size_t)info.st_size : 0;
    return fd;
}

PsDbFile *ps_db_file_open(const char *path) {
    PsDbFile *file = ps_alloc(sizeof *file);
    char log_path[PATH_MAX];
    snprintf(log_path, sizeof log_path, "%s-wal", path);
    size_t db_size = 0;
    size_t log_size = 0;
    file->db = open_regular(path, &db_size);
    file->log = open_regular(log_path, &log_size);
    size_t pages = (db_size + PS_PAGE_BYTES - 1) / PS_PAGE_BYTES;
    file->db_pages = (uint32_t)(pages < MOST_PAGES ? pages : MOST_PAGES);
    file->page_count = file->db_pages;
    Log log = {0};
    read_log(file->log, log_size, &log);
    file->log_is_damaged = choose_frames(&log);
    apply_log(file, &log);
    file->log_is_damaged = file->log_is_damaged || (db_size == 0 && file->page_count > 0);
    free(log.frames);
    return file;
}

void ps_db_file_close(PsDbFile *file) {
    if (file == NULL) {
        return;
    }
    ps_cleanup_fd(&file->db);
    ps_cleanup_fd(&file->log);
    free(file->frames);
    free(file);
}

bool ps_db_file_log_is_damaged(const PsDbFile *file) {
    return file->log_is_damaged;
}

uint32_t ps_db_file_page_count(const PsDbFile *file) {
    return file->page_count;
}

bool ps_db_file_page(PsDbFile *file, uint32_t number, uint8_t page[PS_PAGE_BYTES]) {
    if (number == 0 || number > file->page_count) {
        return false;
    }
    uint32_t frame = file->frames[number];
    if (frame > 0) {
        size_t at = LOG_HEAD_BYTES + (frame - 1) * FRAME_BYTES + FRAME_HEAD_BYTES;
        return read_at(file->log, at, page, PS_PAGE_BYTES);
    }
    if (number > file->db_pages) {
        return false;
    }
    // The last page of a file that was cut off is read as far as it goes.
    memset(page, 0, PS_PAGE_BYTES);
    return pread(file->db, page, PS_PAGE_BYTES, (off_t)(number - 1) * (off_t)PS_PAGE_BYTES) > 0;
}
