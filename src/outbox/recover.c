// Setting a damaged database aside and putting a recovered one in its place. Blocks on the disk.
#include "outbox/recover.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "outbox/db_file.h"
#include "outbox/salvage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define KEPT_FILES 3
#define ASIDE ".damaged-"

static const char *const endings[] = {"", "-wal", "-shm", "-journal"};

// ---- names

static void folder_of(const char *path, char out[PATH_MAX]) {
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    snprintf(out, PATH_MAX, "%s", dirname(copy));
}

static bool exists(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0;
}

static void sync_folder(const char *path) {
    char folder[PATH_MAX];
    folder_of(path, folder);
    PS_AUTO_FD int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
    }
}

static bool remove_all(const char *path) {
    bool gone = true;
    for (size_t i = 0; i < PS_COUNT(endings); i++) {
        char name[PATH_MAX];
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        gone = (remove(name) == 0 || errno == ENOENT) && gone;
    }
    return gone;
}

static bool rename_all(const char *path, const char *aside) {
    bool renamed = true;
    for (size_t i = 0; i < PS_COUNT(endings); i++) {
        char from[PATH_MAX];
        char to[PATH_MAX];
        snprintf(from, sizeof from, "%s%s", path, endings[i]);
        snprintf(to, sizeof to, "%s%s", aside, endings[i]);
        renamed = (rename(from, to) == 0 || errno == ENOENT) && renamed;
    }
    return renamed;
}

static void name_aside(const char *path, char out[PATH_MAX]) {
    char stamp[32];
    time_t now = time(NULL);
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &parts);
    snprintf(out, PATH_MAX, "%s" ASIDE "%s", path, stamp);
    for (int more = 2; exists(out) && more < 1000; more++) {
        snprintf(out, PATH_MAX, "%s" ASIDE "%s-%03d", path, stamp, more);
    }
}

// ---- the newest three

static bool is_aside(const char *entry, const char *prefix) {
    size_t len = strlen(entry);
    for (size_t i = 1; i < PS_COUNT(endings); i++) {
        size_t ending = strlen(endings[i]);
        if (len > ending && strcmp(entry + len - ending, endings[i]) == 0) {
            return false;
        }
    }
    return strncmp(entry, prefix, strlen(prefix)) == 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Their names sort by time. A clock that was set back makes the wrong one the oldest, no more.
static void remove_old(const char *path) {
    char folder[PATH_MAX];
    char copy[PATH_MAX];
    char prefix[PATH_MAX];
    folder_of(path, folder);
    snprintf(copy, sizeof copy, "%s", path);
    int length = snprintf(prefix, sizeof prefix, "%s" ASIDE, basename(copy));
    PS_ASSERT(length > 0 && (size_t)length < sizeof prefix);
    DIR *entries = opendir(folder);
    char **names = NULL;
    size_t count = 0;
    struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        if (is_aside(entry->d_name, prefix)) {
            names = ps_grow_array(names, count + 1, sizeof *names);
            names[count++] = ps_strdup(entry->d_name);
        }
    }
    if (entries != NULL) {
        closedir(entries);
    }
    if (count > 0) {
        qsort(names, count, sizeof *names, by_name);
    }
    for (size_t i = 0; i < count; i++) {
        char old[PATH_MAX];
        length = snprintf(old, sizeof old, "%s/%s", folder, names[i]);
        if (i + KEPT_FILES < count && length > 0 && (size_t)length < sizeof old) {
            (void)remove_all(old); // what cannot be removed stays
        }
        free(names[i]);
    }
    free(names);
}

// ---- recovery

static void log_recovered(const PsSalvage *salvage, const char *why, const char *path,
                          const char *aside) {
    char lost[200] = "no row is seen to be lost";
    if (salvage->lost > 0 || salvage->unread > 0) {
        snprintf(lost, sizeof lost, "%llu rows are seen to be lost, %llu of %llu pages are unread",
                 (unsigned long long)salvage->lost, (unsigned long long)salvage->unread,
                 (unsigned long long)salvage->pages);
    }
    char counts[200] = "";
    if (salvage->restarted > 0) {
        snprintf(counts, sizeof counts,
                 "; %llu definitions count from 0 again, %llu of them under a made-up name",
                 (unsigned long long)salvage->restarted, (unsigned long long)salvage->renamed);
    }
    char changed[80] = "";
    if (salvage->changed > 0) {
        snprintf(changed, sizeof changed, "; %llu rows with changed bytes are left out",
                 (unsigned long long)salvage->changed);
    }
    PS_LOGE("OUTBOX-DAMAGED",
            "outbox: %s is damaged (%s); recovered %llu messages, %llu dead letters and the counts "
            "of %llu definitions; %s%s%s; the damaged file is kept as %s, check the disk",
            path, why, (unsigned long long)salvage->messages, (unsigned long long)salvage->letters,
            (unsigned long long)salvage->books, lost, changed, counts, aside);
}

// Fills `fresh`, complete on the disk when it returns.
static PsErr make_fresh(const char *path, const char *fresh, bool salvage_it, PsSalvage *salvage,
                        PsDiag *diag) {
    if (!remove_all(fresh)) {
        return ps_fail(PS_ERR_IO, diag, fresh, NULL, "cannot be removed: %s", strerror(errno));
    }
    PsDb *db = NULL;
    PsErr err = ps_db_open(fresh, &db, diag);
    if (err != PS_OK) {
        return err;
    }
    err = salvage_it ? ps_salvage(path, db, salvage) : PS_OK;
    if (err == PS_OK) {
        err = ps_db_settle(db);
    }
    ps_db_close(db);
    if (err != PS_OK) {
        return ps_fail(err, diag, fresh, NULL,
                       "cannot be written to recover a damaged outbox: %s; make room on the disk",
                       ps_err_name(err));
    }
    return PS_OK;
}

static PsErr put_in_place(const char *path, const char *fresh, const char *aside, PsDiag *diag) {
    if (!rename_all(path, aside)) {
        return ps_fail(PS_ERR_IO, diag, path, NULL, "is damaged and cannot be set aside: %s",
                       strerror(errno));
    }
    sync_folder(path);
    if (rename(fresh, path) != 0) {
        return ps_fail(PS_ERR_IO, diag, fresh, NULL, "cannot be put in place: %s", strerror(errno));
    }
    sync_folder(path);
    return PS_OK;
}

static PsErr recover(const char *path, const char *fresh, const char *why, bool salvage_it,
                     PsDiag *diag) {
    PsSalvage salvage = {0};
    PsErr err = make_fresh(path, fresh, salvage_it, &salvage, diag);
    if (err != PS_OK) {
        return err;
    }
    char aside[PATH_MAX];
    name_aside(path, aside);
    err = put_in_place(path, fresh, aside, diag);
    if (err == PS_OK) {
        log_recovered(&salvage, why, path, aside);
        remove_old(path);
    }
    return err;
}

// A recovery was cut off when the damaged file was out of the way and the new one complete.
static void finish_recovery(const char *path, const char *fresh) {
    if (exists(path) || !exists(fresh)) {
        return;
    }
    char aside[PATH_MAX];
    name_aside(path, aside);
    PsDiag diag = {0};
    if (put_in_place(path, fresh, aside, &diag) == PS_OK) {
        PS_LOGI("OUTBOX-RECOVERED", "outbox: %s was recovered before the last end", path);
    }
}

// ---- opening

// SQLite's locks (https://www.sqlite.org/fileformat2.html, 1.2.2: the lock-byte page). A log that
// somebody writes at the moment may look like anything.
static bool is_in_use(const char *path) {
    PS_AUTO_FD int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000000, .l_len = 512};
    return fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static bool looks_damaged(const char *path, PsDiag *diag) {
    struct stat info;
    if (lstat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISLNK(info.st_mode)) {
        ps_diag_set(diag, path, NULL, "is no file");
        return true;
    }
    if (is_in_use(path)) {
        return false;
    }
    PsDbFile *file = ps_db_file_open(path);
    bool damaged = ps_db_file_log_is_damaged(file);
    ps_db_file_close(file);
    if (damaged) {
        ps_diag_set(diag, path, NULL, "its write-ahead log is broken before its end");
    }
    return damaged;
}

// Not allowed to write although the file may be written: a head that asks for that.
static bool shows_damage(PsErr err, const char *path) {
    return err == PS_ERR_CORRUPT || err == PS_ERR_IO ||
           (err == PS_ERR_DENIED && access(path, R_OK | W_OK) == 0);
}

PsErr ps_recover_open(const char *path, PsRecoverHow how, PsDb **ret_db, PsDiag *diag) {
    char fresh[PATH_MAX];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    finish_recovery(path, fresh);
    PsDiag why = {0};
    ps_diag_set(&why, path, NULL, "%s",
                how == PS_RECOVER_NOTHING ? "what was recovered cannot be read" : "seen at work");
    if (how == PS_RECOVER_IF_DAMAGED && !looks_damaged(path, &why)) {
        PsErr err = ps_db_open(path, ret_db, &why);
        if (err == PS_ERR_IO) { // what the disk refuses once is not lost yet
            err = ps_db_open(path, ret_db, &why);
        }
        if (!shows_damage(err, path)) {
            if (err != PS_OK && diag != NULL) {
                *diag = why;
            }
            return err;
        }
    }
    PsErr err = recover(path, fresh, why.text, how != PS_RECOVER_NOTHING, diag);
    return err == PS_OK ? ps_db_open(path, ret_db, diag) : err;
}
