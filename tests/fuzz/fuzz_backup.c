// Fuzz target: the reader of backups. The bytes are an unpacked tar, since no fuzzer gets past the
// check sum of gzip; an archive that is taken holds only clean names, and read once more after it
// was written again it is the same.
#include "backup/archive.h"
#include "backup/gzip.h"
#include "backup/tar.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
    if (!holds) {
        abort();
    }
}

static void must_be_same(const PsArchive *a, const PsArchive *b) {
    must(a->file_count == b->file_count);
    for (size_t i = 0; i < a->file_count; i++) {
        const PsArchiveFile *one = &a->files[i];
        const PsArchiveFile *other = &b->files[i];
        must(strcmp(one->name, other->name) == 0 && one->bytes.len == other->bytes.len);
        must(one->bytes.len == 0 ||
             memcmp(one->bytes.data, other->bytes.data, one->bytes.len) == 0);
    }
}

static void read_written(const PsArchive *archive) {
    PsBuf packed = {0};
    PsArchive again = {0};
    PsDiag diag = {0};
    must(ps_archive_write(archive, NULL, &packed, &diag) == PS_OK);
    must(ps_archive_read(packed.data, packed.len, &again, &diag) == PS_OK);
    must_be_same(archive, &again);
    ps_archive_deinit(&again);
    ps_buf_deinit(&packed);
}

// Whatever tar says by itself, without a manifest.
static void walk(const uint8_t *data, size_t size) {
    PsReader reader = ps_reader(data, size);
    PsTarEntry entry;
    PsDiag diag = {0};
    while (ps_tar_next(&reader, &entry, &diag) == PS_OK) {
        must(ps_tar_name_is_clean(entry.name) && strstr(entry.name, "..//") == NULL);
        must(entry.bytes >= data && entry.bytes + entry.len <= data + size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    PsBuf packed = {0};
    PsArchive archive = {0};
    PsDiag diag = {0};
    walk(data, size);
    must(ps_archive_read(data, size, &archive, &diag) == PS_OK || diag.text[0] != '\0');
    ps_archive_deinit(&archive);
    ps_gzip_pack(data, size, &packed);
    if (ps_archive_read(packed.data, packed.len, &archive, &diag) == PS_OK) {
        for (size_t i = 0; i < archive.file_count; i++) {
            must(ps_tar_name_is_clean(archive.files[i].name));
        }
        read_written(&archive);
        ps_archive_deinit(&archive);
    } else {
        must(diag.text[0] != '\0' && archive.file_count == 0 && archive.files == NULL);
    }
    ps_buf_deinit(&packed);
    return 0;
}
