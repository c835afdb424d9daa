// Takes a backup apart and verifies it on the way; what does not fit is refused whole. Pure, apart
// from what opening the sealed part costs.
#include "backup/archive.h"
#include "backup/gzip.h"
#include "backup/manifest.h"
#include "backup/seal.h"
#include "backup/tar.h"
#include "base/cleanup.h"
#include "base/map.h"

#include <string.h>

// One tar that is being read: the outer one or the sealed one.
typedef struct Reading {
    PsArchive *archive; // takes the files
    bool secret;        // it is the sealed one
    PsReader reader;
    json_t *manifest;
    PsMap names;
} Reading;

static void cleanup_reading(Reading *reading) {
    json_decref(reading->manifest);
    ps_map_deinit(&reading->names);
}

#define AUTO_READING PS_CLEANUP(cleanup_reading)
#define AUTO_SECRET PS_CLEANUP(ps_seal_wipe)
#define AUTO_ARCHIVE PS_CLEANUP(ps_archive_deinit)

static PsErr refuse_name(const char *name, PsDiag *diag) {
    return ps_fail(PS_ERR_CORRUPT, diag, "archive", NULL,
                   "holds %.200s, which does not belong there or is there twice; do not trust it",
                   name);
}

static PsErr take_manifest(Reading *reading, PsDiag *diag) {
    PsTarEntry entry;
    PsErr err = ps_tar_next(&reading->reader, &entry, diag);
    if (err == PS_ERR_NOT_FOUND || (err == PS_OK && strcmp(entry.name, PS_MANIFEST_NAME) != 0)) {
        return ps_fail(
            PS_ERR_INVALID, diag, "archive", NULL,
            "is not a backup of Penstock: it does not begin with %s; name the right file",
            PS_MANIFEST_NAME);
    }
    if (err != PS_OK) {
        return err;
    }
    // The sealed manifest repeats what the outer one says; only its list counts.
    AUTO_ARCHIVE PsArchive ignored = {0};
    reading->manifest = ps_manifest_read(
        reading->secret ? PS_MANIFEST_SECRETS_FORMAT : PS_MANIFEST_FORMAT, entry.bytes, entry.len,
        reading->secret ? &ignored : reading->archive, &err, diag);
    return err;
}

static PsErr take_file(Reading *reading, const PsTarEntry *entry, PsDiag *diag) {
    const size_t skip = strlen(PS_MANIFEST_FOLDER);
    PsArchive *archive = reading->archive;
    PS_AUTO_BUF PsBuf bytes = {0};
    if (!reading->secret && strcmp(entry->name, PS_MANIFEST_SEALED) == 0 &&
        archive->sealed.len == 0) {
        ps_buf_put(&archive->sealed, entry->bytes, entry->len);
        return ps_seal_check(entry->bytes, entry->len, diag);
    }
    if (strncmp(entry->name, PS_MANIFEST_FOLDER, skip) != 0 || archive->sealed.len > 0) {
        return refuse_name(entry->name, diag);
    }
    ps_buf_put(&bytes, entry->bytes, entry->len);
    ps_archive_put(archive, entry->name + skip, reading->secret, &bytes);
    const char *name = archive->files[archive->file_count - 1].name;
    return ps_map_put(&reading->names, NULL, name, 0) ? PS_OK : refuse_name(name, diag);
}

static PsErr take_all(Reading *reading, PsDiag *diag) {
    PsErr err = take_manifest(reading, diag);
    size_t count = 0;
    for (PsTarEntry entry; err == PS_OK; count++) {
        err = ps_tar_next(&reading->reader, &entry, diag);
        if (err == PS_ERR_NOT_FOUND) {
            break;
        }
        if (err == PS_OK) {
            err = ps_manifest_check_file(reading->manifest, count, entry.name, entry.bytes,
                                         entry.len, diag);
        }
        err = err == PS_OK ? take_file(reading, &entry, diag) : err;
    }
    if (err != PS_ERR_NOT_FOUND) {
        return err;
    }
    return count == ps_manifest_count(reading->manifest)
               ? PS_OK
               : ps_fail(PS_ERR_CORRUPT, diag, "archive", NULL,
                         "lacks files that its manifest lists; take another copy of it");
}

PsErr ps_archive_read(const void *bytes, size_t len, PsArchive *ret_archive, PsDiag *diag) {
    AUTO_ARCHIVE PsArchive archive = {0};
    PS_AUTO_BUF PsBuf tar = {0};
    PsErr err = ps_gzip_unpack(bytes, len, PS_ARCHIVE_UNPACKED_MAX, &tar, diag);
    if (err != PS_OK) {
        return err;
    }
    AUTO_READING Reading reading = {.archive = &archive, .reader = ps_reader(tar.data, tar.len)};
    err = take_all(&reading, diag);
    if (err != PS_OK) {
        return err;
    }
    for (size_t i = 0; i < archive.gap_count; i++) {
        bool outside = strcmp(archive.gaps[i].why, PS_GAP_OUTSIDE) == 0;
        if (!outside && !ps_tar_name_is_clean(archive.gaps[i].name)) {
            return refuse_name(archive.gaps[i].name, diag);
        }
    }
    ps_manifest_digest(reading.manifest, archive.digest);
    *ret_archive = archive;
    archive = (PsArchive){0};
    return PS_OK;
}

PsErr ps_archive_open(PsArchive *archive, const char *passphrase, PsDiag *diag) {
    AUTO_SECRET PsBuf plain = {0};
    PsErr err = ps_unseal(archive->sealed.data, archive->sealed.len, passphrase, &plain, diag);
    if (err != PS_OK) {
        return err;
    }
    AUTO_ARCHIVE PsArchive secrets = {0};
    AUTO_READING Reading reading = {
        .archive = &secrets, .secret = true, .reader = ps_reader(plain.data, plain.len)};
    err = take_all(&reading, diag);
    if (err != PS_OK) {
        return err;
    }
    const char *confirmed =
        json_string_value(json_object_get(reading.manifest, PS_MANIFEST_CONFIRMS));
    if (confirmed == NULL || strcmp(confirmed, archive->digest) != 0) {
        return ps_fail(PS_ERR_CORRUPT, diag, "archive", NULL,
                       "was put together of two backups: its sealed part does not belong to the "
                       "rest; do not trust it");
    }
    for (size_t i = 0; i < secrets.file_count; i++) {
        PsArchiveFile *file = &secrets.files[i];
        if (ps_archive_find(archive, file->name) != NULL) {
            return refuse_name(file->name, diag);
        }
    }
    for (size_t i = 0; i < secrets.file_count; i++) {
        ps_archive_put(archive, secrets.files[i].name, true, &secrets.files[i].bytes);
    }
    ps_buf_deinit(&archive->sealed);
    return PS_OK;
}
