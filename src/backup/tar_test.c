// The tar of backups: what is written is read, and nothing else is. Pure.
#include "backup/tar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BLOCK 512

static PsErr first(const PsBuf *tar, PsTarEntry *ret_entry) {
    PsReader reader = ps_reader(tar->data, tar->len);
    PsDiag diag = {0};
    PsErr err = ps_tar_next(&reader, ret_entry, &diag);
    assert_true(err == PS_OK || err == PS_ERR_NOT_FOUND || diag.text[0] != '\0');
    return err;
}

static void one_file(PsBuf *tar) {
    assert_int_equal(ps_tar_put(tar, "config/a.py", "hello", 5, 1000, NULL), PS_OK);
    ps_tar_end(tar);
}

// What a header would sum up to after a change that a forger made.
static void correct_sum(PsBuf *tar) {
    unsigned sum = 0;
    memset(tar->data + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++) {
        sum += tar->data[i];
    }
    char text[16];
    snprintf(text, sizeof text, "%06o", sum);
    memcpy(tar->data + 148, text, 7);
}

static void files_come_back(void **state) {
    PS_AUTO_BUF PsBuf tar = {0};
    PS_AUTO_BUF PsBuf large = {0};
    for (int i = 0; i < 1024; i++) {
        ps_buf_put_u8(&large, (uint8_t)i);
    }
    assert_int_equal(ps_tar_put(&tar, "empty", NULL, 0, 0, NULL), PS_OK);
    assert_int_equal(ps_tar_put(&tar, "two/blocks", large.data, large.len, 5, NULL), PS_OK);
    assert_int_equal(ps_tar_put(&tar, "odd", large.data, 513, -1, NULL), PS_OK);
    ps_tar_end(&tar);
    PsReader reader = ps_reader(tar.data, tar.len);
    PsTarEntry entry;
    assert_int_equal(ps_tar_next(&reader, &entry, NULL), PS_OK);
    assert_string_equal(entry.name, "empty");
    assert_int_equal(entry.len, 0);
    assert_int_equal(ps_tar_next(&reader, &entry, NULL), PS_OK);
    assert_string_equal(entry.name, "two/blocks");
    assert_int_equal(entry.len, 1024);
    assert_memory_equal(entry.bytes, large.data, 1024);
    assert_int_equal(ps_tar_next(&reader, &entry, NULL), PS_OK);
    assert_int_equal(entry.len, 513);
    assert_int_equal(ps_tar_next(&reader, &entry, NULL), PS_ERR_NOT_FOUND);
}

static void long_names_are_split_or_refused(void **state) {
    char name[400];
    for (int folder = 1; folder < 200; folder++) {
        for (int file = 1; file < 130; file += 3) {
            PS_AUTO_BUF PsBuf tar = {0};
            snprintf(name, sizeof name, "%0*d/%0*d", folder, 0, file, 0);
            PsErr err = ps_tar_put(&tar, name, "x", 1, 0, NULL);
            bool fits = folder + 1 + file <= 100 || (folder <= 155 && file <= 100);
            assert_int_equal(err, fits ? PS_OK : PS_ERR_TOO_BIG);
            ps_tar_end(&tar);
            PsTarEntry entry;
            if (fits) {
                assert_int_equal(first(&tar, &entry), PS_OK);
                assert_string_equal(entry.name, name);
            }
        }
    }
}

static void only_clean_names_pass(void **state) {
    static const char *const clean[] = {"a", "a/b", "..a", "a..", ".hidden", "a b/ü", "..."};
    static const char *const others[] = {
        "",     "/a",   "a/",   "a//b",  ".",        "..",   "../a",     "a/../b", "a/./b",
        "a/..", "a\\b", "a\nb", "a\x7f", "\x1b[2Ja", "\xff", "\xc0\xaf", "./a",    "a/.",
    };
    for (size_t i = 0; i < PS_COUNT(clean); i++) {
        assert_true(ps_tar_name_is_clean(clean[i]));
    }
    for (size_t i = 0; i < PS_COUNT(others); i++) {
        PS_AUTO_BUF PsBuf tar = {0};
        PsDiag diag = {0};
        assert_false(ps_tar_name_is_clean(others[i]));
        assert_int_equal(ps_tar_put(&tar, others[i], "", 0, 0, &diag), PS_ERR_INVALID);
        assert_int_equal(tar.len, 0);
    }
}

static void a_forged_name_is_refused(void **state) {
    static const char *const names[] = {"../../etc/cron.d/x", "/etc/passwd", "config/../x", ""};
    for (size_t i = 0; i < PS_COUNT(names); i++) {
        PS_AUTO_BUF PsBuf tar = {0};
        PsTarEntry entry;
        one_file(&tar);
        memset(tar.data, 0, 100);
        memcpy(tar.data, names[i], strlen(names[i]));
        correct_sum(&tar);
        assert_int_equal(first(&tar, &entry), PS_ERR_CORRUPT);
    }
}

static void only_plain_files_pass(void **state) {
    for (int type = 0; type < 256; type++) {
        PS_AUTO_BUF PsBuf tar = {0};
        PsTarEntry entry;
        one_file(&tar);
        tar.data[156] = (uint8_t)type;
        correct_sum(&tar);
        assert_int_equal(first(&tar, &entry), type == '0' ? PS_OK : PS_ERR_CORRUPT);
    }
    PS_AUTO_BUF PsBuf tar = {0};
    PsTarEntry entry;
    one_file(&tar);
    tar.data[157] = 'x'; // a target of a link
    correct_sum(&tar);
    assert_int_equal(first(&tar, &entry), PS_ERR_CORRUPT);
}

static void a_size_beyond_the_end_is_refused(void **state) {
    static const char *const sizes[] = {"00000001001", "77777777777", "-0000000001", "           ",
                                        "0000000000x"};
    for (size_t i = 0; i < PS_COUNT(sizes); i++) {
        PS_AUTO_BUF PsBuf tar = {0};
        PsTarEntry entry;
        one_file(&tar);
        memcpy(tar.data + 124, sizes[i], 11);
        correct_sum(&tar);
        PsReader reader = ps_reader(tar.data, 2 * BLOCK);
        assert_int_equal(ps_tar_next(&reader, &entry, NULL), PS_ERR_CORRUPT);
    }
    PS_AUTO_BUF PsBuf tar = {0};
    PsTarEntry entry;
    one_file(&tar);
    tar.data[124] = (char)0x80; // a size in binary, as GNU tar writes large ones
    correct_sum(&tar);
    assert_int_equal(first(&tar, &entry), PS_ERR_CORRUPT);
}

static void a_changed_header_is_refused(void **state) {
    for (size_t at = 0; at < BLOCK; at++) {
        PS_AUTO_BUF PsBuf tar = {0};
        PsTarEntry entry;
        one_file(&tar);
        tar.data[at] ^= 0x01;
        if (at != 155) { // the blank behind the sum, which nothing reads
            assert_int_equal(first(&tar, &entry), PS_ERR_CORRUPT);
        }
    }
}

static void a_cut_or_longer_archive_is_refused(void **state) {
    PS_AUTO_BUF PsBuf tar = {0};
    one_file(&tar);
    for (size_t len = 0; len < tar.len; len++) {
        PsReader reader = ps_reader(tar.data, len);
        PsTarEntry entry;
        PsErr err = ps_tar_next(&reader, &entry, NULL);
        if (err == PS_OK) {
            err = ps_tar_next(&reader, &entry, NULL);
        }
        assert_int_equal(err, PS_ERR_CORRUPT);
    }
    ps_buf_put_u8(&tar, 1);
    PsReader reader = ps_reader(tar.data, tar.len);
    PsTarEntry entry;
    assert_int_equal(ps_tar_next(&reader, &entry, NULL), PS_OK);
    assert_int_equal(ps_tar_next(&reader, &entry, NULL), PS_ERR_CORRUPT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_back),
        cmocka_unit_test(long_names_are_split_or_refused),
        cmocka_unit_test(only_clean_names_pass),
        cmocka_unit_test(a_forged_name_is_refused),
        cmocka_unit_test(only_plain_files_pass),
        cmocka_unit_test(a_size_beyond_the_end_is_refused),
        cmocka_unit_test(a_changed_header_is_refused),
        cmocka_unit_test(a_cut_or_longer_archive_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
