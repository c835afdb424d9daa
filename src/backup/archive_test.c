// Backups as bytes: round trips, and everything that is refused. Pure.
#include "backup/archive.h"

#include "backup/gzip.h"
#include "backup/manifest.h"
#include "backup/tar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEY "-----BEGIN PRIVATE KEY-----\nabcdefgh\n"
#define PASSPHRASE "correct horse battery"

static void put(PsArchive *archive, const char *name, bool secret, const char *text) {
    PsBuf bytes = {0};
    ps_buf_put(&bytes, text, strlen(text));
    ps_archive_put(archive, name, secret, &bytes);
}

static void fill(PsArchive *archive) {
    snprintf(archive->gateway, sizeof archive->gateway, "9.8.7");
    archive->created_s = 1700000000;
    put(archive, "penstock.json", false, "{\"version\": 1}");
    put(archive, "certs/key.pem", true, KEY);
    put(archive, "scripts/a.py", false, "def main():\n    pass\n");
    put(archive, "empty", false, "");
    ps_archive_put_gap(archive, "/etc/ssl/ca.pem", PS_GAP_OUTSIDE);
}

static void make(const char *passphrase, PsBuf *out) {
    PsArchive archive = {0};
    PsDiag diag = {0};
    fill(&archive);
    if (ps_archive_write(&archive, passphrase, out, &diag) != PS_OK) {
        fail_msg("%s: %s", diag.object, diag.text);
    }
    ps_archive_deinit(&archive);
}

static PsErr read_back(const PsBuf *bytes, PsArchive *archive, PsDiag *diag) {
    *archive = (PsArchive){0};
    PsErr err = ps_archive_read(bytes->data, bytes->len, archive, diag);
    if (err != PS_OK) {
        assert_true(diag->text[0] != '\0');
        assert_int_equal(archive->file_count, 0);
    }
    return err;
}

static void expect_refused(const PsBuf *bytes, PsErr expected, const char *words) {
    PsArchive archive;
    PsDiag diag = {0};
    assert_int_equal(read_back(bytes, &archive, &diag), expected);
    if (strstr(diag.text, words) == NULL) {
        fail_msg("'%s' does not say '%s'", diag.text, words);
    }
}

static void expect_file(const PsArchive *archive, const char *name, bool secret, const char *text) {
    const PsArchiveFile *file = ps_archive_find(archive, name);
    assert_non_null(file);
    assert_int_equal(file->secret, secret);
    assert_int_equal(file->bytes.len, strlen(text));
    assert_memory_equal(file->bytes.len > 0 ? (const char *)file->bytes.data : "", text,
                        strlen(text));
}

static void without_a_passphrase_nothing_secret_is_in_it(void **state) {
    PS_AUTO_BUF PsBuf bytes = {0};
    PS_AUTO_BUF PsBuf tar = {0};
    PsArchive archive;
    PsDiag diag = {0};
    make(NULL, &bytes);
    assert_int_equal(ps_gzip_unpack(bytes.data, bytes.len, 1 << 20, &tar, &diag), PS_OK);
    assert_null(memmem(tar.data, tar.len, "abcdefgh", 8));
    assert_int_equal(read_back(&bytes, &archive, &diag), PS_OK);
    assert_int_equal(archive.file_count, 3);
    assert_int_equal(archive.sealed.len, 0);
    assert_string_equal(archive.gateway, "9.8.7");
    assert_int_equal(archive.created_s, 1700000000);
    expect_file(&archive, "penstock.json", false, "{\"version\": 1}");
    expect_file(&archive, "scripts/a.py", false, "def main():\n    pass\n");
    expect_file(&archive, "empty", false, "");
    assert_string_equal(ps_archive_find_gap(&archive, "certs/key.pem")->why, PS_GAP_SECRET);
    assert_string_equal(ps_archive_find_gap(&archive, "/etc/ssl/ca.pem")->why, PS_GAP_OUTSIDE);
    ps_archive_deinit(&archive);
}

static void the_same_archive_gives_the_same_bytes(void **state) {
    PS_AUTO_BUF PsBuf a = {0};
    PS_AUTO_BUF PsBuf b = {0};
    make(NULL, &a);
    make(NULL, &b);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
}

static void with_a_passphrase_all_comes_back(void **state) {
    PS_AUTO_BUF PsBuf bytes = {0};
    PS_AUTO_BUF PsBuf tar = {0};
    PsArchive archive;
    PsDiag diag = {0};
    make(PASSPHRASE, &bytes);
    assert_int_equal(ps_gzip_unpack(bytes.data, bytes.len, 1 << 20, &tar, &diag), PS_OK);
    assert_null(memmem(tar.data, tar.len, "abcdefgh", 8));
    assert_int_equal(read_back(&bytes, &archive, &diag), PS_OK);
    assert_string_equal(ps_archive_find_gap(&archive, "certs/key.pem")->why, PS_GAP_SEALED);
    assert_int_equal(ps_archive_secrets(&archive), 0);
    assert_int_equal(ps_archive_open(&archive, "another passphrase", &diag), PS_ERR_DENIED);
    assert_int_equal(ps_archive_secrets(&archive), 0);
    assert_int_equal(ps_archive_open(&archive, PASSPHRASE, &diag), PS_OK);
    expect_file(&archive, "certs/key.pem", true, KEY);
    assert_int_equal(archive.file_count, 4);
    ps_archive_deinit(&archive);
}

static void the_sealed_part_confirms_the_rest(void **state) {
    PS_AUTO_BUF PsBuf bytes = {0};
    PS_AUTO_BUF PsBuf forged = {0};
    PsArchive archive;
    PsDiag diag = {0};
    make(PASSPHRASE, &bytes);
    assert_int_equal(read_back(&bytes, &archive, &diag), PS_OK);
    PsArchiveFile *script = ps_archive_find(&archive, "scripts/a.py");
    script->bytes.data[0] = 'D';
    // The forger packs it anew, with a manifest that fits, and keeps the sealed part.
    PS_AUTO_BUF PsBuf tar = {0};
    PS_AUTO_BUF PsBuf text = {0};
    json_t *manifest = ps_manifest_new(PS_MANIFEST_FORMAT, &archive);
    char name[300];
    for (size_t i = 0; i < archive.file_count; i++) {
        snprintf(name, sizeof name, "config/%s", archive.files[i].name);
        ps_manifest_put_file(manifest, name, archive.files[i].bytes.data,
                             archive.files[i].bytes.len);
    }
    ps_manifest_put_file(manifest, PS_MANIFEST_SEALED, archive.sealed.data, archive.sealed.len);
    ps_manifest_write(manifest, &text);
    json_decref(manifest);
    assert_int_equal(ps_tar_put(&tar, PS_MANIFEST_NAME, text.data, text.len, 0, NULL), PS_OK);
    for (size_t i = 0; i < archive.file_count; i++) {
        snprintf(name, sizeof name, "config/%s", archive.files[i].name);
        assert_int_equal(ps_tar_put(&tar, name, archive.files[i].bytes.data,
                                    archive.files[i].bytes.len, 0, NULL),
                         PS_OK);
    }
    assert_int_equal(
        ps_tar_put(&tar, PS_MANIFEST_SEALED, archive.sealed.data, archive.sealed.len, 0, NULL),
        PS_OK);
    ps_tar_end(&tar);
    ps_gzip_pack(tar.data, tar.len, &forged);
    ps_archive_deinit(&archive);
    assert_int_equal(read_back(&forged, &archive, &diag), PS_OK);
    assert_int_equal(ps_archive_open(&archive, PASSPHRASE, &diag), PS_ERR_CORRUPT);
    assert_non_null(strstr(diag.text, "two backups"));
    assert_int_equal(ps_archive_secrets(&archive), 0);
    ps_archive_deinit(&archive);
}

// An archive of these files, with this head of the manifest; `listed` of them are in the manifest.
static void forge(const char *head, const char *const *names, size_t count, size_t listed,
                  PsBuf *out) {
    PS_AUTO_BUF PsBuf tar = {0};
    PS_AUTO_BUF PsBuf text = {0};
    json_t *manifest = json_loads(head, 0, NULL);
    assert_non_null(manifest);
    for (size_t i = 0; i < listed; i++) {
        ps_manifest_put_file(manifest, names[i], "x", 1);
    }
    ps_manifest_write(manifest, &text);
    json_decref(manifest);
    assert_int_equal(ps_tar_put(&tar, PS_MANIFEST_NAME, text.data, text.len, 0, NULL), PS_OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(ps_tar_put(&tar, names[i], "x", 1, 0, NULL), PS_OK);
    }
    ps_tar_end(&tar);
    ps_gzip_pack(tar.data, tar.len, out);
}

#define HEAD                                                                                       \
    "{\"format\": \"penstock-backup\", \"version\": 1, \"gateway\": \"1\", \"created_s\": 1, "     \
    "\"files\": [], \"left_out\": []}"

static void names_that_do_not_belong_are_refused(void **state) {
    static const struct {
        const char *names[2];
        size_t count;
        size_t listed;
        PsErr expected;
        const char *words;
    } rows[] = {
        {{"config/a", "config/b"}, 2, 2, PS_OK, ""},
        {{"config/a", "config/a"}, 2, 2, PS_ERR_CORRUPT, "is there twice"},
        {{"config/a", "config/b"}, 2, 1, PS_ERR_CORRUPT, "nothing more"},
        {{"config/a", "config/b"}, 1, 2, PS_ERR_CORRUPT, "lacks files"},
        {{"config/b", "config/a"}, 0, 1, PS_ERR_CORRUPT, "lacks files"},
        {{"etc/passwd", NULL}, 1, 1, PS_ERR_CORRUPT, "does not belong there"},
        {{"penstock.json", NULL}, 1, 1, PS_ERR_CORRUPT, "does not belong there"},
        {{"manifest.json", NULL}, 1, 1, PS_ERR_CORRUPT, "does not belong there"},
        {{"secrets.cms", NULL}, 1, 1, PS_ERR_CORRUPT, "is not encrypted"},
    };
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO_BUF PsBuf bytes = {0};
        forge(HEAD, rows[i].names, rows[i].count, rows[i].listed, &bytes);
        if (rows[i].expected == PS_OK) {
            PsArchive archive;
            PsDiag diag = {0};
            assert_int_equal(read_back(&bytes, &archive, &diag), PS_OK);
            ps_archive_deinit(&archive);
        } else {
            expect_refused(&bytes, rows[i].expected, rows[i].words);
        }
    }
}

static void other_formats_are_named(void **state) {
    static const struct {
        const char *head;
        PsErr expected;
        const char *words;
    } rows[] = {
        {"{\"format\": \"penstock-backup\", \"version\": 2, \"gateway\": \"7.1.0\", \"other\": 1}",
         PS_ERR_UNSUPPORTED, "made by Penstock 7.1.0: install that version or a newer one"},
        {"{\"format\": \"penstock-backup\", \"version\": 0}", PS_ERR_CORRUPT, "another copy"},
        {"{\"format\": \"else\", \"version\": 1}", PS_ERR_INVALID, "not a backup of Penstock"},
        {"{}", PS_ERR_INVALID, "not a backup of Penstock"},
        {"{\"format\": \"penstock-backup\", \"version\": 1}", PS_ERR_CORRUPT, "another copy"},
    };
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO_BUF PsBuf bytes = {0};
        forge(rows[i].head, NULL, 0, 0, &bytes);
        expect_refused(&bytes, rows[i].expected, rows[i].words);
    }
}

// Packed text can say the same in two ways (a repeat of zeros from nearer or farther back).
static void expect_same_content(const PsBuf *packed, const PsBuf *tar) {
    PS_AUTO_BUF PsBuf other = {0};
    PsDiag diag = {0};
    assert_int_equal(ps_gzip_unpack(packed->data, packed->len, 1 << 20, &other, &diag), PS_OK);
    assert_int_equal(other.len, tar->len);
    assert_memory_equal(other.data, tar->data, tar->len);
}

static void a_changed_or_cut_byte_is_refused(void **state) {
    PS_AUTO_BUF PsBuf bytes = {0};
    PS_AUTO_BUF PsBuf tar = {0};
    size_t harmless = 0;
    PsDiag diag = {0};
    make(NULL, &bytes);
    assert_int_equal(ps_gzip_unpack(bytes.data, bytes.len, 1 << 20, &tar, &diag), PS_OK);
    for (size_t at = 0; at < bytes.len; at++) {
        PsArchive archive;
        uint8_t bit = (uint8_t)(1U << (at % 8));
        bytes.data[at] ^= bit;
        if (read_back(&bytes, &archive, &diag) == PS_OK) {
            expect_same_content(&bytes, &tar);
            harmless++;
        }
        bytes.data[at] ^= bit;
        ps_archive_deinit(&archive);
    }
    assert_true(harmless < bytes.len / 20);
    for (size_t len = 0; len < bytes.len; len++) {
        PsBuf cut = {.data = bytes.data, .len = len};
        PsArchive archive;
        assert_int_not_equal(read_back(&cut, &archive, &diag), PS_OK);
    }
    ps_buf_put_u8(&bytes, 0);
    expect_refused(&bytes, PS_ERR_CORRUPT, "damaged or cut off");
}

static void a_bomb_is_refused(void **state) {
    PS_AUTO_BUF PsBuf zeros = {0};
    PS_AUTO_BUF PsBuf packed = {0};
    PS_AUTO_BUF PsBuf out = {0};
    PsDiag diag = {0};
    ps_buf_reserve(&zeros, 32 << 20);
    memset(zeros.data, 0, 32 << 20);
    zeros.len = 32 << 20;
    ps_gzip_pack(zeros.data, zeros.len, &packed);
    assert_true(packed.len < 64 << 10);
    assert_int_equal(ps_gzip_unpack(packed.data, packed.len, 1 << 20, &out, &diag), PS_ERR_TOO_BIG);
    assert_true(out.capacity < 4 << 20);
    assert_int_equal(out.len, 0);
    assert_int_equal(ps_gzip_unpack(packed.data, packed.len, 32 << 20, &out, &diag), PS_OK);
    assert_int_equal(out.len, 32 << 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_passphrase_nothing_secret_is_in_it),
        cmocka_unit_test(the_same_archive_gives_the_same_bytes),
        cmocka_unit_test(with_a_passphrase_all_comes_back),
        cmocka_unit_test(the_sealed_part_confirms_the_rest),
        cmocka_unit_test(names_that_do_not_belong_are_refused),
        cmocka_unit_test(other_formats_are_named),
        cmocka_unit_test(a_changed_or_cut_byte_is_refused),
        cmocka_unit_test(a_bomb_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
