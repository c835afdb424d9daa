// Reading a configuration's files and restoring them: what is secret, what changes, what is
// refused, and a process that is killed before each of its system calls.
#include "backup/restore.h"

#include "backup/set.h"
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define KEY "-----BEGIN PRIVATE KEY-----\nabcdefgh\n"
#define JSON                                                                                       \
    "{\"version\": 1, \"cloud\": {\"endpoint\": \"h\", \"client_id\": \"c\", \"cert\": "           \
    "\"certs/c.pem\", \"key\": \"certs/k.pem\", \"root_ca\": \"certs/r.pem\", "                    \
    "\"password_file\": \"pw\"}, \"publish\": [{\"name\": \"p\", \"topic\": \"t\", \"groups\": "   \
    "[\"default\"], \"main_function\": \"main\", \"script\": \"scripts/p.py\"}]}"

typedef struct Rig {
    char base[64];
    char folder[80];
} Rig;

static PsVariableCheck *no_check(int protocol) {
    return NULL; // no variables here
}

// In memory where that is possible: the killed process syncs often.
static int set_up(void **state) {
    Rig *rig = calloc(1, sizeof *rig);
    bool shm = access("/dev/shm", W_OK) == 0;
    snprintf(rig->base, sizeof rig->base, "%s/ps-restore-XXXXXX", shm ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(rig->base));
    snprintf(rig->folder, sizeof rig->folder, "%s/c", rig->base);
    *state = rig;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at) {
    return at->level == 0 ? 0 : remove(path);
}

static void empty(const Rig *rig) {
    assert_int_equal(nftw(rig->base, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int tear_down(void **state) {
    empty(*state);
    assert_int_equal(rmdir(((Rig *)*state)->base), 0);
    free(*state);
    return 0;
}

static void write_at(const Rig *rig, const char *name, const char *text, mode_t mode) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", rig->folder, name);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void read_at(const Rig *rig, const char *name, PsBuf *out) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", rig->folder, name);
    ps_buf_clear(out);
    ps_buf_put(out, "", 0);
    (void)ps_file_read(path, 1 << 20, out, NULL);
}

static void expect_at(const Rig *rig, const char *name, const char *text, mode_t mode) {
    PS_AUTO_BUF PsBuf bytes = {0};
    char path[256];
    struct stat status;
    read_at(rig, name, &bytes);
    assert_int_equal(bytes.len, strlen(text));
    assert_memory_equal(bytes.data, text, bytes.len);
    snprintf(path, sizeof path, "%s/%s", rig->folder, name);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, mode);
}

static void write_config(const Rig *rig) {
    write_at(rig, "penstock.json", JSON, 0644);
    write_at(rig, "scripts/p.py", "old script\n", 0640);
    write_at(rig, "certs/c.pem", "certificate\n", 0644);
    write_at(rig, "certs/r.pem", "root\n", 0644);
    write_at(rig, "certs/k.pem", KEY, 0600);
    write_at(rig, "pw", "geheimes Wort\n", 0600);
}

static PsErr read_set(const Rig *rig, PsArchive *archive, PsDiag *diag) {
    PsFindings findings = {0};
    PsErr err = ps_config_set_read(rig->folder, no_check, NULL, &findings, archive, diag);
    ps_findings_deinit(&findings);
    return err;
}

static void expect_secret(const PsArchive *archive, const char *name, bool secret) {
    const PsArchiveFile *file = ps_archive_find(archive, name);
    assert_non_null(file);
    assert_int_equal(file->secret, secret);
}

static void secret_files_are_found(void **state) {
    const Rig *rig = *state;
    PsArchive archive = {0};
    PsDiag diag = {0};
    write_config(rig);
    assert_int_equal(read_set(rig, &archive, &diag), PS_OK);
    assert_int_equal(archive.file_count, 6);
    expect_secret(&archive, "penstock.json", false);
    expect_secret(&archive, "scripts/p.py", false);
    expect_secret(&archive, "certs/c.pem", false);
    expect_secret(&archive, "certs/r.pem", false);
    expect_secret(&archive, "certs/k.pem", true);
    expect_secret(&archive, "pw", true);
    ps_archive_deinit(&archive);
    // A key beside its certificate, and a script that repeats the password.
    write_at(rig, "certs/c.pem", "certificate\n" KEY, 0644);
    write_at(rig, "scripts/p.py", "word = 'geheimes Wort'\n", 0644);
    assert_int_equal(read_set(rig, &archive, &diag), PS_OK);
    expect_secret(&archive, "certs/c.pem", true);
    expect_secret(&archive, "scripts/p.py", true);
    ps_archive_deinit(&archive);
    write_at(rig, "pw", "\"client_id\": \"c\"", 0600); // now penstock.json gives it away
    assert_int_equal(read_set(rig, &archive, &diag), PS_ERR_DENIED);
    assert_string_equal(diag.object, "penstock.json");
    ps_archive_deinit(&archive);
}

static void a_folder_of_its_own_name_becomes_portable(void **state) {
    const Rig *rig = *state;
    PsArchive archive = {0};
    PsDiag diag = {0};
    char json[1024];
    write_config(rig);
    snprintf(json, sizeof json,
             "{\"version\": 1, \"cloud\": {\"endpoint\": \"h\", \"client_id\": \"c\", \"cert\": "
             "\"%s/certs/c.pem\", \"key\": \"certs/k.pem\", \"root_ca\": \"/dev/null\"}}",
             rig->folder);
    write_at(rig, "penstock.json", json, 0644);
    assert_int_equal(read_set(rig, &archive, &diag), PS_OK);
    const PsArchiveFile *file = ps_archive_find(&archive, "penstock.json");
    assert_null(strstr((const char *)file->bytes.data, rig->folder));
    assert_non_null(strstr((const char *)file->bytes.data, "\"certs/c.pem\""));
    assert_string_equal(ps_archive_find_gap(&archive, "/dev/null")->why, PS_GAP_OUTSIDE);
    ps_archive_deinit(&archive);
}

// An archive as it would be read: the secrets are there or gaps.
static void take_archive(const Rig *rig, bool secrets, PsArchive *archive) {
    PsArchive all = {0};
    PsDiag diag = {0};
    assert_int_equal(read_set(rig, &all, &diag), PS_OK);
    for (size_t i = 0; i < all.file_count; i++) {
        PsArchiveFile *file = &all.files[i];
        if (secrets || !file->secret) {
            ps_archive_put(archive, file->name, file->secret, &file->bytes);
        } else {
            ps_archive_put_gap(archive, file->name, PS_GAP_SECRET);
        }
    }
    ps_archive_deinit(&all);
}

// Stands for what only an upper layer can judge.
static PsErr refuse_word(const PsConfig *config, PsFindings *findings, PsDiag *diag) {
    for (uint32_t i = 0; i < config->publish_count; i++) {
        const PsBuf *source = &config->publish[i].source;
        if (memmem(source->data, source->len, "unsound", 7) != NULL) {
            ps_findings_error(findings, "p.py", NULL, NULL, "is unsound; correct it");
            return PS_ERR_INVALID;
        }
    }
    return PS_OK;
}

static PsErr prepare(const Rig *rig, const PsArchive *archive, PsRestore *restore, PsDiag *diag) {
    PsFindings findings = {0};
    PsErr err =
        ps_restore_prepare(archive, rig->folder, no_check, refuse_word, &findings, restore, diag);
    ps_findings_deinit(&findings);
    return err;
}

static void expect_rows(const PsRestore *restore, const char *expected) {
    char text[512] = "";
    for (size_t i = 0; i < restore->count; i++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "%s %s\n", ps_change_name(restore->rows[i].change),
                 restore->rows[i].name);
    }
    assert_string_equal(text, expected);
}

static size_t entries(const Rig *rig) {
    size_t count = 0;
    DIR *folder = opendir(rig->base);
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        count += entry->d_name[0] != '.' ? 1 : 0;
    }
    closedir(folder);
    return count;
}

static void an_empty_machine_gets_everything(void **state) {
    const Rig *rig = *state;
    PsArchive archive = {0};
    PsRestore restore = {0};
    PsDiag diag = {0};
    char former[PATH_MAX] = "x";
    write_config(rig);
    take_archive(rig, true, &archive);
    empty(rig);
    assert_int_equal(prepare(rig, &archive, &restore, &diag), PS_OK);
    expect_rows(&restore, "added certs/c.pem\nadded certs/k.pem\nadded certs/r.pem\n"
                          "added penstock.json\nadded pw\nadded scripts/p.py\n");
    assert_int_equal(access(rig->folder, F_OK), -1);
    assert_int_equal(ps_restore_finish(&restore, former, sizeof former, &diag), PS_OK);
    ps_restore_deinit(&restore);
    assert_string_equal(former, "");
    assert_int_equal(entries(rig), 1);
    expect_at(rig, "penstock.json", JSON, 0644);
    expect_at(rig, "certs/k.pem", KEY, 0600);
    expect_at(rig, "pw", "geheimes Wort\n", 0600);
    expect_at(rig, "scripts/p.py", "old script\n", 0644);
    assert_int_equal(prepare(rig, &archive, &restore, &diag), PS_OK);
    assert_false(ps_restore_changes(&restore));
    ps_restore_deinit(&restore);
    assert_int_equal(entries(rig), 1);
    ps_archive_deinit(&archive);
}

static void secrets_that_are_not_in_it_stay(void **state) {
    const Rig *rig = *state;
    PsArchive archive = {0};
    PsRestore restore = {0};
    PsDiag diag = {0};
    char former[PATH_MAX] = "";
    write_config(rig);
    take_archive(rig, false, &archive);
    write_at(rig, "scripts/p.py", "new script\n", 0640);
    write_at(rig, "scripts/draft.py", "draft\n", 0644);
    write_at(rig, "certs/k.pem", "another key", 0640);
    char path[256];
    snprintf(path, sizeof path, "%s/pw", rig->folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(prepare(rig, &archive, &restore, &diag), PS_OK);
    expect_rows(&restore, "same certs/c.pem\nkept certs/k.pem\nsame certs/r.pem\n"
                          "same penstock.json\nabsent pw\nremoved scripts/draft.py\n"
                          "changed scripts/p.py\n");
    expect_at(rig, "scripts/p.py", "new script\n", 0640);
    assert_int_equal(ps_restore_finish(&restore, former, sizeof former, &diag), PS_OK);
    ps_restore_deinit(&restore);
    expect_at(rig, "scripts/p.py", "old script\n", 0640);
    expect_at(rig, "certs/k.pem", "another key", 0600);
    assert_int_equal(access(path, F_OK), -1);
    Rig old = {0};
    assert_true(strlen(former) < sizeof old.folder);
    memcpy(old.folder, former, strlen(former));
    expect_at(&old, "scripts/draft.py", "draft\n", 0644);
    expect_at(&old, "scripts/p.py", "new script\n", 0640);
    assert_int_equal(entries(rig), 2);
    ps_archive_deinit(&archive);
}

static void what_the_check_refuses_changes_nothing(void **state) {
    const Rig *rig = *state;
    static const struct {
        const char *name;
        const char *text;
        PsErr expected;
    } rows[] = {
        {"penstock.json", "{\"version\": 1, \"devices\": 5}", PS_ERR_INVALID},
        {"penstock.json", "", PS_ERR_INVALID},
        {"scripts/p.py", "unsound\n", PS_ERR_INVALID},
        {"stranger.py", "import os\n", PS_ERR_CORRUPT},
        {"certs", "a file where a folder is", PS_ERR_IO},
    };
    write_config(rig);
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PsArchive archive = {0};
        PsRestore restore = {0};
        PsDiag diag = {0};
        PsBuf bytes = {0};
        take_archive(rig, true, &archive);
        ps_buf_put(&bytes, rows[i].text, strlen(rows[i].text));
        PsArchiveFile *file = ps_archive_find(&archive, rows[i].name);
        if (file != NULL) {
            ps_buf_deinit(&file->bytes);
            file->bytes = bytes;
        } else {
            ps_archive_put(&archive, rows[i].name, false, &bytes);
        }
        assert_int_equal(prepare(rig, &archive, &restore, &diag), rows[i].expected);
        assert_true(diag.text[0] != '\0');
        ps_restore_deinit(&restore);
        ps_archive_deinit(&archive);
        assert_int_equal(entries(rig), 1);
        expect_at(rig, "penstock.json", JSON, 0644);
    }
}

static void a_link_to_the_folder_stays_one(void **state) {
    const Rig *rig = *state;
    PsArchive archive = {0};
    PsRestore restore = {0};
    PsDiag diag = {0};
    char former[PATH_MAX] = "";
    struct stat status;
    Rig link = {0};
    write_config(rig);
    take_archive(rig, true, &archive);
    write_at(rig, "scripts/p.py", "new script\n", 0644);
    snprintf(link.folder, sizeof link.folder, "%s/link", rig->base);
    assert_int_equal(symlink("c", link.folder), 0);
    assert_int_equal(prepare(&link, &archive, &restore, &diag), PS_OK);
    assert_int_equal(ps_restore_finish(&restore, former, sizeof former, &diag), PS_OK);
    ps_restore_deinit(&restore);
    ps_archive_deinit(&archive);
    assert_int_equal(lstat(link.folder, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    expect_at(&link, "scripts/p.py", "old script\n", 0644);
}

// ---- killed

static void restore_here(const Rig *rig, const PsArchive *archive) {
    PsRestore restore = {0};
    char former[PATH_MAX];
    PsDiag diag = {0};
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0 ||
        prepare(rig, archive, &restore, &diag) != PS_OK ||
        ps_restore_finish(&restore, former, sizeof former, &diag) != PS_OK) {
        _exit(1);
    }
    _exit(0);
}

// Restores in a process that is killed at its `stop`th step into or out of the system. True when it
// came to its end before.
static bool restore_until(const Rig *rig, const PsArchive *archive, int stop) {
    pid_t child = fork();
    int status = 0;
    assert_true(child >= 0);
    if (child == 0) {
        restore_here(rig, archive);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSTOPPED(status));
    for (int i = 0; i < stop; i++) {
        assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            return true;
        }
        assert_true(WIFSTOPPED(status));
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    return false;
}

static void write_newer(const Rig *rig) {
    write_config(rig);
    write_at(rig, "penstock.json", "{\"version\": 1}", 0644);
    write_at(rig, "scripts/p.py", "new script\n", 0644);
}

static void a_kill_leaves_the_old_or_the_new_one(void **state) {
    const Rig *rig = *state;
    PsArchive archive = {0};
    PS_AUTO_BUF PsBuf json = {0};
    PS_AUTO_BUF PsBuf script = {0};
    int before = 0;
    int after = 0;
    bool ended = false;
    write_config(rig);
    take_archive(rig, true, &archive);
    for (int stop = 0; !ended; stop++) {
        empty(rig);
        write_newer(rig);
        ended = restore_until(rig, &archive, stop);
        read_at(rig, "penstock.json", &json);
        read_at(rig, "scripts/p.py", &script);
        bool restored = strcmp((const char *)json.data, JSON) == 0;
        if (restored) {
            after++;
            expect_at(rig, "scripts/p.py", "old script\n", 0644);
            expect_at(rig, "certs/k.pem", KEY, 0600);
            expect_at(rig, "pw", "geheimes Wort\n", 0600);
        } else {
            before++;
            expect_at(rig, "penstock.json", "{\"version\": 1}", 0644);
            expect_at(rig, "scripts/p.py", "new script\n", 0644);
        }
        assert_true(restored || !ended);
    }
    print_message("killed %d times: the old one stood %d times, the new one %d times\n",
                  before + after - 1, before, after - 1);
    assert_true(before > 50 && after > 2);
    ps_archive_deinit(&archive);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(secret_files_are_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_of_its_own_name_becomes_portable, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_empty_machine_gets_everything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(secrets_that_are_not_in_it_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_check_refuses_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_to_the_folder_stays_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_kill_leaves_the_old_or_the_new_one, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
