// The configuration folder's side of a revision: staging, the mark, taking the names, and what a
// start finds of it after a sudden end. Blocks; one thread.
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "revision/store_private.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum OnDisk {
    SAME,
    OTHER,
    ABSENT,
} OnDisk;

// What stands at the path, compared with a file; `ret_bytes` has it when it is another.
static PsErr look(const char *path, const PsBuf *bytes, OnDisk *ret_state, PsBuf *ret_bytes,
                  PsDiag *diag) {
    PsErr err = ps_file_read(path, PS_CONFIG_BYTES_MAX, ret_bytes, diag);
    if (err == PS_ERR_NOT_FOUND) {
        *ret_state = ABSENT;
        return PS_OK;
    }
    bool same = ret_bytes->len == bytes->len &&
                (bytes->len == 0 || memcmp(ret_bytes->data, bytes->data, bytes->len) == 0);
    *ret_state = same ? SAME : OTHER;
    return err;
}

static bool holds(const PsContent *content, const char *path, const PsBuf *bytes) {
    const PsContentFile *file = content != NULL ? ps_content_find(content, path) : NULL;
    return file != NULL && file->bytes.len == bytes->len &&
           (bytes->len == 0 || memcmp(file->bytes.data, bytes->data, bytes->len) == 0);
}

static PsErr keep_edited(const PsRevisionStore *store, uint32_t number, const char *path,
                         const PsBuf *bytes, PsDiag *diag) {
    char kept[PATH_MAX];
    int length = snprintf(kept, sizeof kept, "%s.edited-before-%u", path, number);
    if (length < 0 || (size_t)length >= sizeof kept) {
        return ps_fail(PS_ERR_TOO_BIG, diag, path, NULL, "the path is too long");
    }
    struct stat status;
    mode_t mode = stat(path, &status) == 0 ? status.st_mode & 07777 : 0600;
    PsErr err = ps_revision_before(store, kept, diag);
    if (err == PS_OK) {
        err = ps_file_write(kept, bytes->data, bytes->len, mode, diag);
        ps_revision_after(store, kept);
    }
    if (err == PS_OK) {
        PS_LOGW("REVISION-EDITED", "%s was edited and not applied; what it held is kept as %s",
                path, kept);
    }
    return err;
}

static PsErr stage_file(const PsRevisionStore *store, uint32_t number, const PsContentFile *file,
                        const PsRevisionEntry *entry, bool *ret_any, PsDiag *diag) {
    char path[PATH_MAX];
    PS_AUTO_BUF PsBuf there = {0};
    OnDisk state = SAME;
    PsErr err = ps_content_path(store->config_folder, file->path, path, diag);
    err = err == PS_OK ? look(path, &file->bytes, &state, &there, diag) : err;
    if (err != PS_OK || state == SAME) {
        return err;
    }
    if (state == OTHER && entry->from_folder) {
        PS_LOGW(
            "REVISION-EDITED",
            "%s was saved again while revision %u was made of it; it stays as it is, and is not "
            "applied yet",
            path, number);
        return PS_OK;
    }
    if (state == OTHER && entry->running != NULL && !holds(entry->running, file->path, &there)) {
        err = keep_edited(store, number, path, &there, diag);
    }
    if (err == PS_OK && state == ABSENT) {
        char copy[PATH_MAX];
        snprintf(copy, sizeof copy, "%s", path);
        err = ps_dir_make(dirname(copy), 0755, diag);
    }
    err = err == PS_OK ? ps_revision_before(store, path, diag) : err;
    if (err == PS_OK) {
        err = ps_file_stage(path, file->bytes.data, file->bytes.len, 0644, diag);
        ps_revision_after(store, path);
    }
    *ret_any |= err == PS_OK;
    return err;
}

PsErr ps_revision_stage(const PsRevisionStore *store, uint32_t number, const PsRevisionEntry *entry,
                        bool *ret_any, PsDiag *diag) {
    PsErr err = PS_OK;
    for (size_t i = 0; err == PS_OK && i < entry->content->count; i++) {
        err = stage_file(store, number, &entry->content->files[i], entry, ret_any, diag);
    }
    if (err != PS_OK) {
        ps_revision_unstage(store, entry->content);
    }
    return err;
}

void ps_revision_unstage(const PsRevisionStore *store, const PsContent *content) {
    for (size_t i = 0; i < content->count; i++) {
        char path[PATH_MAX];
        if (ps_content_path(store->config_folder, content->files[i].path, path, NULL) == PS_OK) {
            ps_file_unstage(path);
        }
    }
}

// Those that were not staged are as they should be.
PsErr ps_revision_commit(const PsRevisionStore *store, const PsContent *content, PsDiag *diag) {
    PsErr first = PS_OK;
    for (size_t i = 0; i < content->count; i++) {
        char path[PATH_MAX];
        PsDiag mine = {0};
        PsErr err = ps_content_path(store->config_folder, content->files[i].path, path, &mine);
        err = err == PS_OK ? ps_revision_before(store, path, &mine) : err;
        if (err == PS_OK) {
            err = ps_file_commit(path, &mine);
            ps_revision_after(store, path);
        }
        if (err != PS_OK && err != PS_ERR_NOT_FOUND && first == PS_OK) {
            first = err;
            *diag = mine;
        }
    }
    return first;
}

// --- the mark -----------------------------------------------------------------------------------

static void marker_path(const PsRevisionStore *store, char *out) {
    ps_revision_path(store, PS_REVISION_MARKER, "", out);
}

PsErr ps_revision_mark(const PsRevisionStore *store, uint32_t number, PsDiag *diag) {
    char path[PATH_MAX];
    char text[16];
    marker_path(store, path);
    ps_revision_folder(number, text);
    PsErr err = ps_revision_before(store, PS_REVISION_MARKER, diag);
    if (err == PS_OK) {
        err = ps_file_write(path, text, strlen(text), 0600, diag);
        ps_revision_after(store, PS_REVISION_MARKER);
    }
    return err;
}

void ps_revision_unmark(const PsRevisionStore *store) {
    char path[PATH_MAX];
    PsDiag diag = {0};
    marker_path(store, path);
    if (ps_revision_before(store, "unmark", &diag) == PS_OK) {
        (void)unlink(path); // a mark that stays is harmless: the start finds everything done
        ps_revision_sync(store->folder);
        ps_revision_after(store, "unmark");
    }
}

static uint32_t marked_number(const PsRevisionStore *store) {
    char path[PATH_MAX];
    long long number = 0;
    PS_AUTO_BUF PsBuf text = {0};
    marker_path(store, path);
    bool found = ps_file_read(path, 16, &text, NULL) == PS_OK &&
                 ps_text_to_int((const char *)text.data, 1, UINT32_MAX, &number);
    return found ? (uint32_t)number : 0;
}

// --- at the start -------------------------------------------------------------------------------

// A revision that was written and not decided: what was staged for it goes, and so does it.
static void drop_undecided(const PsRevisionStore *store) {
    char path[PATH_MAX];
    ps_revision_path(store, PS_REVISION_NEW, PS_REVISION_META, path);
    json_t *meta = ps_revision_read_json(path);
    size_t index;
    json_t *file;
    json_array_foreach(json_object_get(meta, "files"), index, file) {
        const char *name = json_string_value(json_object_get(file, "path"));
        char staged[PATH_MAX];
        if (name != NULL && ps_content_path(store->config_folder, name, staged, NULL) == PS_OK) {
            ps_file_unstage(staged);
        }
    }
    json_decref(meta);
    ps_revision_remove_folder(store, PS_REVISION_NEW);
}

// The folder of the marked number, if it did not get its name yet.
static PsErr name_marked(PsRevisionStore *store, uint32_t number, PsDiag *diag) {
    if (ps_revision_store_find(store, number) != NULL) {
        return PS_OK;
    }
    char path[PATH_MAX];
    PsRevision revision;
    ps_revision_path(store, PS_REVISION_NEW, PS_REVISION_META, path);
    json_t *meta = ps_revision_read_json(path);
    PsErr err = ps_revision_from_json(meta, &revision);
    json_decref(meta);
    if (err != PS_OK || revision.number != number) {
        return ps_fail(PS_ERR_CORRUPT, diag, path, NULL, "is not that of revision %u", number);
    }
    err = ps_revision_take_number(store, number, diag);
    if (err == PS_OK) {
        ps_revision_take(store, &revision);
    }
    return err;
}

static PsErr complete(PsRevisionStore *store, uint32_t number, PsDiag *diag) {
    PS_AUTO_CONTENT PsContent content = {0};
    bool any = false;
    PsErr err = name_marked(store, number, diag);
    err = err == PS_OK ? ps_revision_store_read(store, number, &content, diag) : err;
    PsRevisionEntry entry = {.content = &content};
    err = err == PS_OK ? ps_revision_stage(store, number, &entry, &any, diag) : err;
    err = err == PS_OK ? ps_revision_commit(store, &content, diag) : err;
    if (err == PS_OK) {
        ps_revision_unmark(store);
    }
    return err;
}

void ps_revision_recover(PsRevisionStore *store) {
    uint32_t number = marked_number(store);
    if (number == 0) {
        drop_undecided(store);
        return;
    }
    PsDiag diag = {0};
    PsErr err = complete(store, number, &diag);
    store->unfinished = err != PS_OK;
    if (err == PS_OK) {
        PS_LOGI("REVISION-COMPLETED",
                "revision %u was being installed when the gateway ended; it is in %s now", number,
                store->config_folder);
    } else {
        char text[sizeof diag];
        ps_diag_format(&diag, text, sizeof text);
        PS_LOGE("REVISION-INSTALL", "revision %u is not all in %s: %s", number,
                store->config_folder, text);
    }
}
