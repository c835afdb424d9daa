// The manifest as JSON. Pure.
#include "backup/manifest.h"

#include "base/text.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NEWEST_YEAR_S INT64_C(253402300799) // the last second of the year 9999

void ps_sha256_hex(const void *bytes, size_t len, char out[65]) {
    unsigned char digest[32];
    int done = EVP_Digest(bytes, len, digest, NULL, EVP_sha256(), NULL);
    PS_ASSERT(done == 1); // the default provider always has it
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    }
}

static json_t *gaps_json(const PsArchive *archive) {
    json_t *list = json_array();
    for (size_t i = 0; i < archive->gap_count; i++) {
        json_array_append_new(list, json_pack("{s:s, s:s}", "name", archive->gaps[i].name, "why",
                                              archive->gaps[i].why));
    }
    return list;
}

json_t *ps_manifest_new(const char *format, const PsArchive *archive) {
    char stamp[32] = "1970-01-01T00:00:00Z";
    time_t time = archive->created_s;
    struct tm parts;
    if (archive->created_s >= 0 && archive->created_s <= NEWEST_YEAR_S &&
        gmtime_r(&time, &parts) != NULL) {
        strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &parts);
    }
    return json_pack("{s:s, s:i, s:s, s:s, s:I, s:[], s:o}", "format", format, "version",
                     PS_ARCHIVE_VERSION, "gateway", archive->gateway, "created", stamp, "created_s",
                     (json_int_t)archive->created_s, "files", "left_out", gaps_json(archive));
}

void ps_manifest_put_file(json_t *manifest, const char *name, const void *bytes, size_t len) {
    char digest[65];
    ps_sha256_hex(bytes, len, digest);
    json_array_append_new(
        json_object_get(manifest, "files"),
        json_pack("{s:s, s:I, s:s}", "name", name, "size", (json_int_t)len, "sha256", digest));
}

void ps_manifest_write(const json_t *manifest, PsBuf *out) {
    char *text = json_dumps(manifest, JSON_INDENT(2));
    PS_ASSERT(text != NULL); // it was built here, of UTF-8
    ps_buf_put(out, text, strlen(text));
    ps_buf_put_u8(out, '\n');
    free(text);
}

static PsErr damaged(PsDiag *diag) {
    return ps_fail(PS_ERR_CORRUPT, diag, "archive", PS_MANIFEST_NAME,
                   "is not as Penstock writes it; take another copy of the archive");
}

static PsErr check_head(const json_t *json, const char *format, PsDiag *diag) {
    const char *given = json_string_value(json_object_get(json, "format"));
    const json_t *version = json_object_get(json, "version");
    const char *gateway = json_string_value(json_object_get(json, "gateway"));
    if (given == NULL || strcmp(given, format) != 0 || !json_is_integer(version)) {
        return ps_fail(PS_ERR_INVALID, diag, "archive", NULL,
                       "is not a backup of Penstock; name the right file");
    }
    if (json_integer_value(version) > PS_ARCHIVE_VERSION) {
        char name[64];
        ps_text_format(name, sizeof name, "%.40s", gateway != NULL ? gateway : "a newer version");
        return ps_fail(PS_ERR_UNSUPPORTED, diag, "archive", NULL,
                       "has format %lld, this Penstock reads up to %d; it was made by Penstock %s: "
                       "install that version or a newer one and restore with it",
                       (long long)json_integer_value(version), PS_ARCHIVE_VERSION, name);
    }
    return json_integer_value(version) < 1 ? damaged(diag) : PS_OK;
}

static PsErr take_gaps(const json_t *json, PsArchive *archive, PsDiag *diag) {
    const json_t *list = json_object_get(json, "left_out");
    if (!json_is_array(list) || json_array_size(list) > PS_ARCHIVE_FILES_MAX) {
        return damaged(diag);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(row, "name"));
        const char *why = json_string_value(json_object_get(row, "why"));
        if (name == NULL || why == NULL) {
            return damaged(diag);
        }
        ps_archive_put_gap(archive, name, why);
    }
    return PS_OK;
}

static PsErr take_head(const json_t *json, PsArchive *archive, PsDiag *diag) {
    const char *gateway = json_string_value(json_object_get(json, "gateway"));
    const json_t *created = json_object_get(json, "created_s");
    const json_t *files = json_object_get(json, "files");
    if (gateway == NULL || !json_is_integer(created) || !json_is_array(files) ||
        json_array_size(files) > PS_ARCHIVE_FILES_MAX) {
        return damaged(diag);
    }
    ps_text_format(archive->gateway, sizeof archive->gateway, "%s", gateway);
    archive->created_s = json_integer_value(created);
    return take_gaps(json, archive, diag);
}

json_t *ps_manifest_read(const char *format, const void *text, size_t len, PsArchive *archive,
                         PsErr *ret_err, PsDiag *diag) {
    json_t *json =
        len <= PS_MANIFEST_BYTES_MAX ? json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    PsErr err = json != NULL ? check_head(json, format, diag) : damaged(diag);
    err = err == PS_OK ? take_head(json, archive, diag) : err;
    if (err != PS_OK) {
        json_decref(json);
        *ret_err = err;
        return NULL;
    }
    return json;
}

PsErr ps_manifest_check_file(const json_t *manifest, size_t index, const char *name,
                             const void *bytes, size_t len, PsDiag *diag) {
    const json_t *row = json_array_get(json_object_get(manifest, "files"), index);
    const char *expected = json_string_value(json_object_get(row, "name"));
    const char *digest = json_string_value(json_object_get(row, "sha256"));
    char own[65];
    if (expected == NULL || strcmp(expected, name) != 0) {
        return ps_fail(PS_ERR_CORRUPT, diag, "archive", NULL,
                       "holds %.100s where its manifest has %.100s; take another copy of it", name,
                       expected != NULL ? expected : "nothing more");
    }
    ps_sha256_hex(bytes, len, own);
    if (json_integer_value(json_object_get(row, "size")) != (json_int_t)len || digest == NULL ||
        strcmp(digest, own) != 0) {
        return ps_fail(PS_ERR_CORRUPT, diag, "archive", NULL,
                       "holds a %.100s that does not fit the manifest: it was damaged or edited; "
                       "take another copy of it",
                       name);
    }
    return PS_OK;
}

size_t ps_manifest_count(const json_t *manifest) {
    return json_array_size(json_object_get(manifest, "files"));
}

void ps_manifest_digest(const json_t *manifest, char digest[65]) {
    const json_t *files = json_object_get(manifest, "files");
    json_t *listed = json_array();
    for (size_t i = 0; i < json_array_size(files); i++) {
        json_t *row = json_array_get(files, i);
        const char *name = json_string_value(json_object_get(row, "name"));
        if (name == NULL || strcmp(name, PS_MANIFEST_SEALED) != 0) {
            json_array_append(listed, row);
        }
    }
    char *text = json_dumps(listed, JSON_COMPACT | JSON_SORT_KEYS);
    PS_ASSERT(text != NULL);
    ps_sha256_hex(text, strlen(text), digest);
    free(text);
    json_decref(listed);
}
