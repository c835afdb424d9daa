// Makes a revision durable and installs it into the configuration folder. The new one is written
// into a folder of its own, what is to change is staged beside what is there, and then the mark
// decides: before it nothing has happened, after it everything will have. Blocks; one thread.
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "revision/credentials.h"
#include "revision/store_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIFFERENCE "difference.json"
#define SCRIPTS "scripts"

// --- writing it ---------------------------------------------------------------------------------

static PsErr write_file(const PsRevisionStore *store, const char *name, const void *bytes,
                        size_t len, PsDiag *diag) {
    char path[PATH_MAX];
    ps_revision_path(store, PS_REVISION_NEW, name, path);
    PsErr err = ps_revision_before(store, name, diag);
    if (err == PS_OK) {
        err = ps_file_write(path, bytes, len, 0600, diag);
        ps_revision_after(store, name);
    }
    return err;
}

static PsErr write_json(const PsRevisionStore *store, const char *name, const json_t *json,
                        PsDiag *diag) {
    PS_AUTO_FREE char *text = json_dumps(json, JSON_INDENT(2));
    return text != NULL ? write_file(store, name, text, strlen(text), diag)
                        : ps_fail(PS_ERR_INTERNAL, diag, name, NULL, "cannot be made");
}

// "scripts/0-main.py": a name that is short and safe wherever the script itself lies.
static void stored_name(const PsContent *content, size_t index, char *out, size_t size) {
    const char *path = content->files[index].path;
    const char *slash = strrchr(path, '/');
    if (index == 0) {
        snprintf(out, size, "%s", PS_CONFIG_FILE);
    } else {
        ps_text_format(out, size, SCRIPTS "/%zu-%.100s", index - 1,
                       slash != NULL ? slash + 1 : path);
    }
}

static json_t *make_meta(const PsRevision *revision, const PsContent *content,
                         const PsConfig *config) {
    json_t *meta = ps_revision_json(revision);
    json_t *files = json_array();
    for (size_t i = 0; i < content->count; i++) {
        char name[128];
        stored_name(content, i, name, sizeof name);
        json_array_append_new(
            files, json_pack("{s:s, s:s}", "path", content->files[i].path, "stored", name));
    }
    json_object_set_new(meta, "files", files);
    json_object_set_new(meta, "credentials", ps_credentials_note(&config->cloud));
    return meta;
}

static PsErr make_folder(const PsRevisionStore *store, const char *name, PsDiag *diag) {
    char path[PATH_MAX];
    ps_revision_path(store, PS_REVISION_NEW, name, path);
    PsErr err = ps_revision_before(store, "folder", diag);
    if (err == PS_OK) {
        err = ps_dir_make(path, 0700, diag);
        ps_revision_after(store, "folder");
    }
    return err;
}

static PsErr write_files(const PsRevisionStore *store, const PsRevision *revision,
                         const PsContent *content, const PsConfig *config, const json_t *difference,
                         PsDiag *diag) {
    PsErr err = make_folder(store, SCRIPTS, diag);
    for (size_t i = 0; err == PS_OK && i < content->count; i++) {
        char name[128];
        stored_name(content, i, name, sizeof name);
        const PsBuf *bytes = &content->files[i].bytes;
        err = write_file(store, name, bytes->data, bytes->len, diag);
    }
    if (err == PS_OK) {
        err = write_json(store, DIFFERENCE, difference, diag);
    }
    if (err == PS_OK) {
        json_t *meta = make_meta(revision, content, config);
        err = write_json(store, PS_REVISION_META, meta, diag);
        json_decref(meta);
    }
    return err;
}

PsErr ps_revision_take_number(const PsRevisionStore *store, uint32_t number, PsDiag *diag) {
    char from[PATH_MAX];
    char to[PATH_MAX];
    char name[16];
    ps_revision_folder(number, name);
    ps_revision_path(store, PS_REVISION_NEW, "", from);
    ps_revision_path(store, name, "", to);
    PsErr err = ps_revision_before(store, "rename", diag);
    if (err != PS_OK) {
        return err;
    }
    ps_revision_remove_folder(store, name); // a damaged one
    if (rename(from, to) != 0) {
        return ps_fail(errno == ENOSPC ? PS_ERR_FULL : PS_ERR_IO, diag, to, NULL,
                       "cannot be made: %s", strerror(errno));
    }
    ps_revision_sync(store->folder);
    ps_revision_after(store, "rename");
    return PS_OK;
}

static uint64_t bytes_of(const PsContent *content) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < content->count; i++) {
        bytes += content->files[i].bytes.len;
    }
    return bytes;
}

// What fails after the decision is completed at the next start; the new configuration runs anyway.
static void finish(PsRevisionStore *store, uint32_t number, const PsContent *content) {
    PsDiag diag = {0};
    PsErr err = ps_revision_take_number(store, number, &diag);
    err = err == PS_OK ? ps_revision_commit(store, content, &diag) : err;
    if (err == PS_OK) {
        ps_revision_unmark(store);
    } else {
        char text[sizeof diag];
        ps_diag_format(&diag, text, sizeof text);
        PS_LOGE("REVISION-INSTALL", "revision %u is not all in %s: %s; the next start completes it",
                number, store->config_folder, text);
    }
}

PsErr ps_revision_store_put(PsRevisionStore *store, PsRevision *revision,
                            const PsRevisionEntry *entry, PsDiag *diag) {
    const PsRevision *newest = ps_revision_store_newest(store);
    revision->number = newest != NULL ? newest->number + 1 : 1;
    revision->bytes = bytes_of(entry->content);
    ps_revision_remove_folder(store, PS_REVISION_NEW); // what could not be removed before
    bool any = false;
    PsErr err =
        write_files(store, revision, entry->content, entry->config, entry->difference, diag);
    if (err == PS_OK) {
        err = ps_revision_stage(store, revision->number, entry, &any, diag);
    }
    if (err == PS_OK) {
        err = any ? ps_revision_mark(store, revision->number, diag)
                  : ps_revision_take_number(store, revision->number, diag);
        if (err != PS_OK) {
            ps_revision_unstage(store, entry->content);
        }
    }
    if (err != PS_OK) {
        ps_revision_remove_folder(store, PS_REVISION_NEW);
        return err;
    }
    if (any) {
        finish(store, revision->number, entry->content);
    }
    ps_revision_take(store, revision);
    return PS_OK;
}
