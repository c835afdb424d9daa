// Revisions on the disk: which there are, reading and removing them. Blocks; one thread at a time.
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "revision/store_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define META_MAX ((size_t)16 * 1024 * 1024)

// --- the gate -----------------------------------------------------------------------------------

PsErr ps_revision_before(const PsRevisionStore *store, const char *what, PsDiag *diag) {
    PsErr err = store->gate != NULL ? store->gate->step(false, what, store->gate->ctx) : PS_OK;
    return err == PS_OK ? PS_OK
                        : ps_fail(err, diag, what, NULL, "cannot write: %s", strerror(ENOSPC));
}

void ps_revision_after(const PsRevisionStore *store, const char *what) {
    if (store->gate != NULL) {
        PsErr ignored = store->gate->step(true, what, store->gate->ctx);
        (void)ignored; // it has happened
    }
}

// --- files --------------------------------------------------------------------------------------

void ps_revision_path(const PsRevisionStore *store, const char *folder, const char *name,
                      char *out) {
    int length = snprintf(out, PATH_MAX, "%s/%s%s%s", store->folder, folder,
                          name[0] != '\0' ? "/" : "", name);
    PS_ASSERT(length > 0 && length < PATH_MAX); // names are ours and short
}

void ps_revision_folder(uint32_t number, char out[static 16]) {
    snprintf(out, 16, "%u", number);
}

// Everything in the folder and itself; `depth` levels of folders.
static void remove_tree(const char *path, int depth) {
    DIR *entries = opendir(path);
    if (entries == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        char inside[PATH_MAX];
        int length = snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || length < 0 ||
            (size_t)length >= sizeof inside) {
            continue;
        }
        if (unlink(inside) != 0 && depth > 0) {
            remove_tree(inside, depth - 1);
        }
    }
    closedir(entries);
    (void)rmdir(path); // what stays is removed at the next start
}

void ps_revision_sync(const char *path) {
    PS_AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd); // some file systems refuse this on folders
    }
}

// The facts go first: without them the rest is rubbish that the next start removes.
void ps_revision_remove_folder(const PsRevisionStore *store, const char *folder) {
    char path[PATH_MAX];
    ps_revision_path(store, folder, PS_REVISION_META, path);
    (void)unlink(path);
    ps_revision_path(store, folder, "", path);
    ps_revision_sync(path);
    remove_tree(path, 1);
}

// --- opening ------------------------------------------------------------------------------------

json_t *ps_revision_read_json(const char *path) {
    PS_AUTO_BUF PsBuf text = {0};
    PsErr err = ps_file_read(path, META_MAX, &text, NULL);
    return err == PS_OK ? json_loadb((const char *)text.data, text.len, 0, NULL) : NULL;
}

void ps_revision_take(PsRevisionStore *store, const PsRevision *revision) {
    store->items = ps_grow_array(store->items, store->count + 1, sizeof *store->items);
    size_t at = store->count++;
    for (; at > 0 && store->items[at - 1].number > revision->number; at--) {
        store->items[at] = store->items[at - 1];
    }
    store->items[at] = *revision;
}

static void look_at(PsRevisionStore *store, const char *name) {
    long long number = 0;
    if (!ps_text_to_int(name, 1, UINT32_MAX, &number)) {
        return;
    }
    char path[PATH_MAX];
    ps_revision_path(store, name, PS_REVISION_META, path);
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        ps_revision_remove_folder(store, name);
        return;
    }
    json_t *json = ps_revision_read_json(path);
    PsRevision revision;
    if (ps_revision_from_json(json, &revision) == PS_OK && revision.number == number) {
        ps_revision_take(store, &revision);
    } else {
        PS_LOGW("REVISION-DAMAGED", "%s cannot be understood; this revision is passed over", path);
    }
    json_decref(json);
}

static PsErr set_folders(PsRevisionStore *store, const char *folder, const char *config_folder,
                         PsDiag *diag) {
    int length = snprintf(store->folder, sizeof store->folder, "%s", folder);
    int other = snprintf(store->config_folder, sizeof store->config_folder, "%s", config_folder);
    if (length <= 0 || (size_t)length >= sizeof store->folder || other <= 0 ||
        (size_t)other >= sizeof store->config_folder) {
        return ps_fail(PS_ERR_TOO_BIG, diag, folder, NULL, "the path is too long");
    }
    return ps_dir_make(folder, 0700, diag);
}

PsErr ps_revision_store_open(const char *folder, const char *config_folder,
                             const PsRevisionGate *gate, PsRevisionStore **ret_store,
                             PsDiag *diag) {
    PsRevisionStore *store = ps_alloc(sizeof *store);
    store->gate = gate;
    PsErr err = set_folders(store, folder, config_folder, diag);
    DIR *entries = err == PS_OK ? opendir(folder) : NULL;
    if (err == PS_OK && entries == NULL) {
        err = ps_fail(PS_ERR_IO, diag, folder, NULL, "cannot be read: %s", strerror(errno));
    }
    if (err != PS_OK) {
        free(store);
        return err;
    }
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        look_at(store, entry->d_name);
    }
    closedir(entries);
    ps_revision_recover(store);
    *ret_store = store;
    return PS_OK;
}

bool ps_revision_store_unfinished(const PsRevisionStore *store) {
    return store->unfinished;
}

void ps_revision_store_close(PsRevisionStore *store) {
    if (store != NULL) {
        free(store->items);
        free(store);
    }
}

const char *ps_revision_store_folder(const PsRevisionStore *store) {
    return store->folder;
}

size_t ps_revision_store_count(const PsRevisionStore *store) {
    return store->count;
}

const PsRevision *ps_revision_store_at(const PsRevisionStore *store, size_t index) {
    PS_ASSERT(index < store->count);
    return &store->items[index];
}

const PsRevision *ps_revision_store_newest(const PsRevisionStore *store) {
    return store->count > 0 ? &store->items[store->count - 1] : NULL;
}

const PsRevision *ps_revision_store_find(const PsRevisionStore *store, uint32_t number) {
    for (size_t i = 0; i < store->count; i++) {
        if (store->items[i].number == number) {
            return &store->items[i];
        }
    }
    return NULL;
}

const PsRevision *ps_revision_store_before(const PsRevisionStore *store, uint32_t number) {
    const PsRevision *found = NULL;
    for (size_t i = 0; i < store->count && store->items[i].number < number; i++) {
        found = &store->items[i];
    }
    return found;
}

// --- removing -----------------------------------------------------------------------------------

void ps_revision_store_remove(PsRevisionStore *store, uint32_t number) {
    char name[16];
    ps_revision_folder(number, name);
    for (size_t i = 0; i < store->count; i++) {
        if (store->items[i].number == number) {
            ps_revision_remove_folder(store, name);
            store->count--;
            memmove(&store->items[i], &store->items[i + 1],
                    (store->count - i) * sizeof *store->items);
            return;
        }
    }
}

void ps_revision_store_prune(PsRevisionStore *store, uint32_t keep) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < store->count; i++) {
        bytes += store->items[i].bytes;
    }
    size_t at = 0;
    while (at + 1 < store->count &&
           (store->count > PS_REVISIONS_MAX || bytes > PS_REVISIONS_BYTES_MAX)) {
        PsRevision oldest = store->items[at];
        if (oldest.number == keep) {
            at++;
            continue;
        }
        bytes -= oldest.bytes;
        ps_revision_store_remove(store, oldest.number);
    }
}

// --- reading ------------------------------------------------------------------------------------

static PsErr read_file(const PsRevisionStore *store, const char *folder, const json_t *file,
                       PsContent *content, PsDiag *diag) {
    const char *path = json_string_value(json_object_get(file, "path"));
    const char *stored = json_string_value(json_object_get(file, "stored"));
    if (path == NULL || stored == NULL || strlen(stored) > 127 || strstr(stored, "../") != NULL) {
        return ps_fail(PS_ERR_CORRUPT, diag, folder, PS_REVISION_META, "cannot be understood");
    }
    char from[PATH_MAX];
    ps_revision_path(store, folder, stored, from);
    PS_AUTO_BUF PsBuf bytes = {0};
    PsErr err = ps_file_read(from, PS_CONFIG_BYTES_MAX, &bytes, diag);
    if (err == PS_OK) {
        ps_content_put(content, path, &bytes);
    }
    return err;
}

PsErr ps_revision_store_read(const PsRevisionStore *store, uint32_t number, PsContent *content,
                             PsDiag *diag) {
    char folder[16];
    char path[PATH_MAX];
    ps_revision_folder(number, folder);
    ps_revision_path(store, folder, PS_REVISION_META, path);
    if (ps_revision_store_find(store, number) == NULL) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, "revision", folder,
                       "is not kept; 'penstock revisions' lists those that are");
    }
    json_t *meta = ps_revision_read_json(path);
    PsErr err = PS_OK;
    size_t index;
    json_t *file;
    json_array_foreach(json_object_get(meta, "files"), index, file) {
        err = err == PS_OK ? read_file(store, folder, file, content, diag) : err;
    }
    json_decref(meta);
    if (err == PS_OK &&
        (content->count == 0 || strcmp(content->files[0].path, PS_CONFIG_FILE) != 0)) {
        err = ps_fail(PS_ERR_CORRUPT, diag, "revision", folder, "%s cannot be understood", path);
    }
    return err;
}

json_t *ps_revision_store_credentials(const PsRevisionStore *store, uint32_t number) {
    char folder[16];
    char path[PATH_MAX];
    ps_revision_folder(number, folder);
    ps_revision_path(store, folder, PS_REVISION_META, path);
    json_t *meta = ps_revision_read_json(path);
    json_t *noted = json_incref(json_object_get(meta, "credentials"));
    json_decref(meta);
    return noted;
}

json_t *ps_revision_difference(const char *store_folder, uint32_t number) {
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%u/difference.json", store_folder, number);
    return length > 0 && (size_t)length < sizeof path ? ps_revision_read_json(path) : NULL;
}
