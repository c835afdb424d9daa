// What a backup holds, and how it is put together; everything is in memory. Pure, apart from what
// sealing costs.
#include "backup/archive.h"

#include "backup/gzip.h"
#include "backup/manifest.h"
#include "backup/seal.h"
#include "backup/tar.h"
#include "base/cleanup.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static void cleanup_json(json_t **json) {
    json_decref(*json);
}

#define AUTO_JSON PS_CLEANUP(cleanup_json)
#define AUTO_SECRET PS_CLEANUP(ps_seal_wipe)

void ps_archive_deinit(PsArchive *archive) {
    for (size_t i = 0; i < archive->file_count; i++) {
        free(archive->files[i].name);
        if (archive->files[i].secret) {
            ps_seal_wipe(&archive->files[i].bytes);
        }
        ps_buf_deinit(&archive->files[i].bytes);
    }
    for (size_t i = 0; i < archive->gap_count; i++) {
        free(archive->gaps[i].name);
        free(archive->gaps[i].why);
    }
    free(archive->files);
    free(archive->gaps);
    ps_buf_deinit(&archive->sealed);
    *archive = (PsArchive){0};
}

void ps_archive_put(PsArchive *archive, const char *name, bool secret, PsBuf *bytes) {
    archive->files = ps_grow_array(archive->files, archive->file_count + 1, sizeof *archive->files);
    archive->files[archive->file_count++] =
        (PsArchiveFile){.name = ps_strdup(name), .secret = secret, .bytes = *bytes};
    *bytes = (PsBuf){0};
}

void ps_archive_put_gap(PsArchive *archive, const char *name, const char *why) {
    archive->gaps = ps_grow_array(archive->gaps, archive->gap_count + 1, sizeof *archive->gaps);
    archive->gaps[archive->gap_count++] =
        (PsArchiveGap){.name = ps_strdup(name), .why = ps_strdup(why)};
}

PsArchiveFile *ps_archive_find(const PsArchive *archive, const char *name) {
    for (size_t i = 0; i < archive->file_count; i++) {
        if (strcmp(archive->files[i].name, name) == 0) {
            return &archive->files[i];
        }
    }
    return NULL;
}

const PsArchiveGap *ps_archive_find_gap(const PsArchive *archive, const char *name) {
    for (size_t i = 0; i < archive->gap_count; i++) {
        if (strcmp(archive->gaps[i].name, name) == 0) {
            return &archive->gaps[i];
        }
    }
    return NULL;
}

size_t ps_archive_secrets(const PsArchive *archive) {
    size_t count = 0;
    for (size_t i = 0; i < archive->file_count; i++) {
        count += archive->files[i].secret ? 1 : 0;
    }
    return count;
}

// The files of one part into its list and its tar.
static PsErr put_files(const PsArchive *archive, bool secret, json_t *manifest, PsBuf *tar,
                       PsDiag *diag) {
    PsErr err = PS_OK;
    for (size_t i = 0; i < archive->file_count && err == PS_OK; i++) {
        const PsArchiveFile *file = &archive->files[i];
        if (file->secret == secret) {
            char name[PS_TAR_NAME_SIZE + sizeof PS_MANIFEST_FOLDER];
            snprintf(name, sizeof name, PS_MANIFEST_FOLDER "%s", file->name);
            ps_manifest_put_file(manifest, name, file->bytes.data, file->bytes.len);
            err =
                ps_tar_put(tar, name, file->bytes.data, file->bytes.len, archive->created_s, diag);
        }
    }
    return err;
}

// The manifest stands before the files that it lists.
static PsErr join(const PsArchive *archive, const json_t *manifest, const PsBuf *files, PsBuf *out,
                  PsDiag *diag) {
    PS_AUTO_BUF PsBuf text = {0};
    ps_manifest_write(manifest, &text);
    PsErr err = ps_tar_put(out, PS_MANIFEST_NAME, text.data, text.len, archive->created_s, diag);
    if (err == PS_OK) {
        ps_buf_put(out, files->data, files->len);
        ps_tar_end(out);
    }
    return err;
}

static PsErr put_secrets(const PsArchive *archive, const char *passphrase, json_t *manifest,
                         PsBuf *tar, PsDiag *diag) {
    AUTO_JSON json_t *inner = ps_manifest_new(PS_MANIFEST_SECRETS_FORMAT, archive);
    AUTO_SECRET PsBuf files = {0};
    AUTO_SECRET PsBuf plain = {0};
    PS_AUTO_BUF PsBuf sealed = {0};
    char digest[65];
    ps_manifest_digest(manifest, digest);
    json_object_set_new(inner, PS_MANIFEST_CONFIRMS, json_string(digest));
    PsErr err = put_files(archive, true, inner, &files, diag);
    err = err == PS_OK ? join(archive, inner, &files, &plain, diag) : err;
    err = err == PS_OK ? ps_seal(plain.data, plain.len, passphrase, PS_SEAL_ROUNDS, &sealed, diag)
                       : err;
    if (err == PS_OK) {
        ps_manifest_put_file(manifest, PS_MANIFEST_SEALED, sealed.data, sealed.len);
        err =
            ps_tar_put(tar, PS_MANIFEST_SEALED, sealed.data, sealed.len, archive->created_s, diag);
    }
    return err;
}

static void note_secrets(const PsArchive *archive, const char *why, json_t *manifest) {
    json_t *gaps = json_object_get(manifest, "left_out");
    for (size_t i = 0; i < archive->file_count; i++) {
        if (archive->files[i].secret) {
            json_array_append_new(
                gaps, json_pack("{s:s, s:s}", "name", archive->files[i].name, "why", why));
        }
    }
}

PsErr ps_archive_write(const PsArchive *archive, const char *passphrase, PsBuf *out, PsDiag *diag) {
    AUTO_JSON json_t *manifest = ps_manifest_new(PS_MANIFEST_FORMAT, archive);
    PS_AUTO_BUF PsBuf files = {0};
    PS_AUTO_BUF PsBuf plain = {0};
    PsErr err = put_files(archive, false, manifest, &files, diag);
    bool seals = passphrase != NULL && ps_archive_secrets(archive) > 0;
    note_secrets(archive, seals ? PS_GAP_SEALED : PS_GAP_SECRET, manifest);
    if (err == PS_OK && seals) {
        err = put_secrets(archive, passphrase, manifest, &files, diag);
    }
    err = err == PS_OK ? join(archive, manifest, &files, &plain, diag) : err;
    if (err == PS_OK && plain.len > PS_ARCHIVE_UNPACKED_MAX) {
        err = ps_fail(PS_ERR_TOO_BIG, diag, "archive", NULL,
                      "would hold more than %zu bytes, which could not be restored",
                      PS_ARCHIVE_UNPACKED_MAX);
    }
    if (err == PS_OK) {
        ps_gzip_pack(plain.data, plain.len, out);
    }
    return err;
}
