// Tests of whole-file reading and crash-safe writing, in a temporary folder each.
#include "base/file.h"

#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct Fixture {
    char folder[64];
    char path[128];
    PsDiag diag;
} Fixture;

static int make_folder(void **state) {
    Fixture *fixture = calloc(1, sizeof *fixture);
    if (fixture == NULL) {
        return -1;
    }
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/penstock-file-test-XXXXXX");
    if (mkdtemp(fixture->folder) == NULL) {
        free(fixture);
        return -1;
    }
    snprintf(fixture->path, sizeof fixture->path, "%s/file", fixture->folder);
    *state = fixture;
    return 0;
}

// Removes what is in `folder`, one level of folders deep; returns how many entries there were.
static int empty_folder(const char *folder) {
    DIR *entries = opendir(folder);
    if (entries == NULL) {
        return 0;
    }
    int count = 0;
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            count++;
            if (remove(path) != 0) {
                empty_folder(path);
                assert_int_equal(remove(path), 0);
            }
        }
    }
    closedir(entries);
    return count;
}

static int remove_folder(void **state) {
    Fixture *fixture = *state;
    empty_folder(fixture->folder);
    int result = rmdir(fixture->folder);
    free(fixture);
    return result;
}

static PsErr write_text(Fixture *fixture, const char *text, mode_t mode) {
    return ps_file_write(fixture->path, text, strlen(text), mode, &fixture->diag);
}

static void test_written_file_reads_back(void **state) {
    Fixture *fixture = *state;
    PS_AUTO_BUF PsBuf buf = {0};
    assert_int_equal(write_text(fixture, "one", 0644), PS_OK);
    ps_buf_put(&buf, "zero ", 5);
    assert_int_equal(ps_file_read(fixture->path, 100, &buf, &fixture->diag), PS_OK);
    assert_string_equal((const char *)buf.data, "zero one"); // appended
}

static void test_empty_file_reads_as_empty_text(void **state) {
    Fixture *fixture = *state;
    PS_AUTO_BUF PsBuf buf = {0};
    assert_int_equal(ps_file_write(fixture->path, NULL, 0, 0644, &fixture->diag), PS_OK);
    assert_int_equal(ps_file_read(fixture->path, 0, &buf, &fixture->diag), PS_OK);
    assert_int_equal(buf.len, 0);
    assert_string_equal((const char *)buf.data, "");
}

static void test_large_file(void **state) {
    Fixture *fixture = *state;
    size_t len = (size_t)300 * 1024 + 7;
    char *bytes = malloc(len);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (char)(i * 31);
    }
    PS_AUTO_BUF PsBuf buf = {0};
    assert_int_equal(ps_file_write(fixture->path, bytes, len, 0644, &fixture->diag), PS_OK);
    assert_int_equal(ps_file_read(fixture->path, len, &buf, &fixture->diag), PS_OK);
    assert_int_equal(buf.len, len);
    assert_memory_equal(buf.data, bytes, len);
    free(bytes);
}

static void test_limit_is_exact_and_failure_leaves_the_buffer(void **state) {
    Fixture *fixture = *state;
    PS_AUTO_BUF PsBuf buf = {0};
    assert_int_equal(write_text(fixture, "12345", 0644), PS_OK);
    ps_buf_put(&buf, "kept", 4);
    assert_int_equal(ps_file_read(fixture->path, 4, &buf, &fixture->diag), PS_ERR_TOO_BIG);
    assert_non_null(strstr(fixture->diag.text, "4 bytes"));
    assert_string_equal(fixture->diag.object, fixture->path);
    assert_string_equal((const char *)buf.data, "kept");
    assert_int_equal(buf.len, 4);
    assert_int_equal(ps_file_read(fixture->path, 5, &buf, &fixture->diag), PS_OK);
    assert_string_equal((const char *)buf.data, "kept12345");
}

static void test_missing_file_and_folder_are_named(void **state) {
    Fixture *fixture = *state;
    PS_AUTO_BUF PsBuf buf = {0};
    assert_int_equal(ps_file_read(fixture->path, 10, &buf, &fixture->diag), PS_ERR_NOT_FOUND);
    assert_string_equal(fixture->diag.object, fixture->path);
    assert_int_equal(ps_file_read(fixture->folder, 10, &buf, &fixture->diag), PS_ERR_IO);
    assert_int_equal(ps_file_read(fixture->path, 10, &buf, NULL), PS_ERR_NOT_FOUND);
    snprintf(fixture->path, sizeof fixture->path, "%s/no/file", fixture->folder);
    assert_int_equal(write_text(fixture, "x", 0644), PS_ERR_NOT_FOUND);
}

static void test_mode_is_exact_whatever_the_umask(void **state) {
    Fixture *fixture = *state;
    const mode_t modes[] = {0600, 0640, 0666};
    for (size_t i = 0; i < PS_COUNT(modes); i++) {
        mode_t old = umask(i == 0 ? 0 : 077);
        PsErr err = write_text(fixture, "x", modes[i]);
        umask(old);
        assert_int_equal(err, PS_OK);
        struct stat status;
        assert_int_equal(stat(fixture->path, &status), 0);
        assert_int_equal(status.st_mode & 07777, modes[i]);
    }
}

static void test_replacing_leaves_nothing_else_behind(void **state) {
    Fixture *fixture = *state;
    PS_AUTO_BUF PsBuf buf = {0};
    assert_int_equal(write_text(fixture, "a long first version", 0644), PS_OK);
    assert_int_equal(write_text(fixture, "second", 0600), PS_OK);
    assert_int_equal(ps_file_read(fixture->path, 100, &buf, &fixture->diag), PS_OK);
    assert_string_equal((const char *)buf.data, "second");
    assert_int_equal(empty_folder(fixture->folder), 1);
}

static void test_failed_write_leaves_no_temporary(void **state) {
    Fixture *fixture = *state;
    assert_int_equal(mkdir(fixture->path, 0755), 0); // a folder stands where the file should go
    assert_int_not_equal(write_text(fixture, "x", 0644), PS_OK);
    assert_non_null(strstr(fixture->diag.text, "cannot write"));
    assert_int_equal(empty_folder(fixture->folder), 1);
}

static void test_too_long_a_path(void **state) {
    Fixture *fixture = *state;
    char path[PATH_MAX + 100];
    memset(path, 'x', sizeof path - 1);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    assert_int_equal(ps_file_write(path, "x", 1, 0644, &fixture->diag), PS_ERR_TOO_BIG);
}

static void test_dir_make_makes_two_levels(void **state) {
    Fixture *fixture = *state;
    char path[192];
    struct stat status;
    snprintf(path, sizeof path, "%s/a/b", fixture->folder);
    assert_int_equal(ps_dir_make(path, 0700, &fixture->diag), PS_OK);
    assert_int_equal(ps_dir_make(path, 0700, &fixture->diag), PS_OK);
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISDIR(status.st_mode));
    assert_int_equal(rmdir(path), 0);
    snprintf(path, sizeof path, "%s/x/y/z", fixture->folder);
    assert_int_equal(ps_dir_make(path, 0700, &fixture->diag), PS_ERR_NOT_FOUND);
    assert_string_equal(fixture->diag.object, path);
}

static void test_dir_make_where_a_file_stands(void **state) {
    Fixture *fixture = *state;
    assert_int_equal(write_text(fixture, "x", 0644), PS_OK);
    assert_int_not_equal(ps_dir_make(fixture->path, 0700, &fixture->diag), PS_OK);
    assert_string_equal(fixture->diag.object, fixture->path);
}

#define FILE_TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

// Nobody writes into the pipe: a plain open would wait for ever.
static void a_pipe_or_a_device_is_refused_at_once(void **state) {
    Fixture *fixture = *state;
    PS_AUTO_BUF PsBuf buf = {0};
    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    assert_int_equal(ps_file_read(fixture->path, 100, &buf, &fixture->diag), PS_ERR_INVALID);
    assert_non_null(strstr(fixture->diag.text, "not a plain file"));
    assert_int_equal(ps_file_read("/dev/zero", 100, &buf, &fixture->diag), PS_ERR_INVALID);
    assert_int_equal(buf.len, 0);
}

static void replacing_keeps_mode_owner_and_link(void **state) {
    Fixture *fixture = *state;
    char link_path[160];
    struct stat status;
    snprintf(link_path, sizeof link_path, "%s/link", fixture->folder);
    assert_int_equal(ps_file_replace(fixture->path, "x", 1, &fixture->diag), PS_ERR_NOT_FOUND);
    assert_int_equal(write_text(fixture, "old", 0640), PS_OK);
    uid_t other = geteuid() == 0 ? 12345 : geteuid();
    assert_int_equal(chown(fixture->path, other, (gid_t)-1), 0);
    assert_int_equal(symlink("file", link_path), 0);
    assert_int_equal(ps_file_replace(link_path, "newer", 5, &fixture->diag), PS_OK);
    assert_int_equal(lstat(link_path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(lstat(fixture->path, &status), 0);
    assert_true(S_ISREG(status.st_mode));
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(status.st_uid, other);
    assert_int_equal(status.st_size, 5);
}

static void assert_holds(const char *path, const char *text) {
    PS_AUTO_BUF PsBuf bytes = {0};
    assert_int_equal(ps_file_read(path, 100, &bytes, NULL), PS_OK);
    assert_string_equal((const char *)bytes.data, text);
}

static void staged_bytes_take_the_name_later(void **state) {
    Fixture *fixture = *state;
    char link_path[128];
    snprintf(link_path, sizeof link_path, "%s/link", fixture->folder);
    assert_int_equal(ps_file_write(fixture->path, "old", 3, 0640, &fixture->diag), PS_OK);
    assert_int_equal(symlink("file", link_path), 0);
    assert_int_equal(ps_file_stage(link_path, "newer", 5, 0600, &fixture->diag), PS_OK);
    assert_holds(fixture->path, "old");
    assert_int_equal(ps_file_commit(link_path, &fixture->diag), PS_OK);
    assert_holds(fixture->path, "newer");
    struct stat status;
    assert_int_equal(lstat(link_path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640); // that of the file which was there
    assert_int_equal(ps_file_commit(link_path, &fixture->diag), PS_ERR_NOT_FOUND);
}

static void unstaging_leaves_what_was_there(void **state) {
    Fixture *fixture = *state;
    assert_int_equal(ps_file_stage(fixture->path, "new", 3, 0604, &fixture->diag), PS_OK);
    ps_file_unstage(fixture->path);
    ps_file_unstage(fixture->path);
    assert_int_equal(empty_folder(fixture->folder), 0);
    assert_int_equal(ps_file_stage(fixture->path, "new", 3, 0604, &fixture->diag), PS_OK);
    assert_int_equal(ps_file_commit(fixture->path, &fixture->diag), PS_OK);
    struct stat status;
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0604);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FILE_TEST(staged_bytes_take_the_name_later),
        FILE_TEST(unstaging_leaves_what_was_there),
        FILE_TEST(a_pipe_or_a_device_is_refused_at_once),
        FILE_TEST(replacing_keeps_mode_owner_and_link),
        FILE_TEST(test_written_file_reads_back),
        FILE_TEST(test_empty_file_reads_as_empty_text),
        FILE_TEST(test_large_file),
        FILE_TEST(test_limit_is_exact_and_failure_leaves_the_buffer),
        FILE_TEST(test_missing_file_and_folder_are_named),
        FILE_TEST(test_mode_is_exact_whatever_the_umask),
        FILE_TEST(test_replacing_leaves_nothing_else_behind),
        FILE_TEST(test_failed_write_leaves_no_temporary),
        FILE_TEST(test_too_long_a_path),
        FILE_TEST(test_dir_make_makes_two_levels),
        FILE_TEST(test_dir_make_where_a_file_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
