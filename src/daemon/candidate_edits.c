// Applies edits to the text of the running revision. Worker thread; blocks on the disk.
#include "daemon/candidate_edits.h"

#include "base/log.h"
#include "model/edit.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

bool ps_candidate_is_edited(const PsCandidate *candidate) {
    return candidate->edits != NULL || candidate->rewrite != NULL;
}

static bool is_on_disk(const char *folder, const char *path) {
    char full[PATH_MAX];
    return ps_content_path(folder, path, full, NULL) == PS_OK && access(full, F_OK) == 0;
}

// The scripts of the revision that the disk does not have any more, unless one was edited.
static void keep_lost_scripts(PsContent *content, PsContent *running, const char *folder) {
    for (size_t i = 1; i < running->count; i++) {
        PsContentFile *file = &running->files[i];
        if (ps_content_find(content, file->path) == NULL && !is_on_disk(folder, file->path)) {
            ps_content_put(content, file->path, &file->bytes);
        }
    }
}

static void take_files(PsCandidate *candidate, const PsEdited *edited, PsContent *content) {
    json_decref(candidate->unwanted);
    candidate->unwanted = json_array();
    for (size_t i = 0; i < edited->file_count; i++) {
        const PsEditFile *file = &edited->files[i];
        PsBuf bytes = {0};
        if (file->remove) {
            json_array_append_new(candidate->unwanted, json_string(file->path));
        } else {
            ps_buf_put(&bytes, file->text, file->len);
            ps_content_put(content, file->path, &bytes);
        }
    }
}

static PsErr rewrite(PsCandidate *candidate, const PsBuf *before, PsEdited *edited) {
    if (candidate->rewrite != NULL) {
        return candidate->rewrite(before->data, before->len, &edited->json, &candidate->findings,
                                  &candidate->diag, candidate->rewrite_ctx);
    }
    return ps_edit_apply(before->data, before->len, candidate->edits, &candidate->findings, edited,
                         &candidate->diag);
}

PsErr ps_candidate_take_edits(PsCandidate *candidate, const PsCandidateTools *tools,
                              PsContent *content) {
    const PsRevision *newest = ps_revision_store_newest(tools->store);
    if (newest == NULL) {
        return ps_fail(PS_ERR_NOT_FOUND, &candidate->diag, "edits", NULL,
                       "no revision is kept that could be edited; run: penstock apply");
    }
    PS_AUTO_CONTENT PsContent running = {0};
    PS_AUTO_EDITED PsEdited edited = {0};
    PsErr err = ps_revision_store_read(tools->store, newest->number, &running, &candidate->diag);
    err = err == PS_OK ? rewrite(candidate, &running.files[0].bytes, &edited) : err;
    if (err == PS_OK) {
        ps_content_put(content, PS_CONFIG_FILE, &edited.json);
        take_files(candidate, &edited, content);
        keep_lost_scripts(content, &running, tools->folder);
    }
    return err;
}

void ps_candidate_remove_files(const PsCandidate *candidate, const PsCandidateTools *tools) {
    size_t index;
    json_t *path;
    json_array_foreach(candidate->unwanted, index, path) {
        char full[PATH_MAX];
        if (ps_content_path(tools->folder, json_string_value(path), full, NULL) == PS_OK &&
            unlink(full) != 0 && errno != ENOENT) {
            PS_LOGW("SCRIPT-REMOVE", "%s cannot be removed: %s", full, strerror(errno));
        }
    }
}
