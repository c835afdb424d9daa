// The store of revisions: kept, pruned, installed whole or not at all, whenever the process is
// killed and whatever step finds no room. In a temporary folder each; children are killed with
// SIGKILL and waited for.
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "model/config_test_rig.h"
#include "revision/store.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define JSON(timeout)                                                                              \
    "{\"version\": 1, \"devices\": [{\"device_name\": \"D\", \"protocol\": \"ModbusTCP\", "        \
    "\"ip\": \"127.0.0.1\", \"timeout\": " timeout "}], \"cloud\": {\"enable\": false, "           \
    "\"endpoint\": \"h\", \"client_id\": \"c\"}, \"publish\": [{\"name\": \"one\", \"topic\": "    \
    "\"t\", \"groups\": [\"default\"], \"main_function\": \"main\", \"script\": "                  \
    "\"scripts/a.py\"}, {\"name\": \"two\", \"topic\": \"t\", \"groups\": [\"default\"], "         \
    "\"main_function\": \"main\", \"script\": \"scripts/b.py\"}]}"

typedef struct Fixture {
    char root[40];
    char config[64];
    char state[64];
} Fixture;

static void put(const Fixture *fixture, const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", fixture->config, name);
    assert_int_equal(ps_file_write(path, text, strlen(text), 0644, NULL), PS_OK);
}

static void assert_holds(const Fixture *fixture, const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", fixture->config, name);
    PS_AUTO_BUF PsBuf bytes = {0};
    assert_int_equal(ps_file_read(path, 10000, &bytes, NULL), PS_OK);
    assert_string_equal((const char *)bytes.data, text);
}

static int make_folders(void **state) {
    static Fixture fixture;
    snprintf(fixture.root, sizeof fixture.root, "/tmp/penstock-store-XXXXXX");
    if (mkdtemp(fixture.root) == NULL) {
        return -1;
    }
    snprintf(fixture.config, sizeof fixture.config, "%s/config", fixture.root);
    snprintf(fixture.state, sizeof fixture.state, "%s/state/revisions", fixture.root);
    char scripts[80];
    snprintf(scripts, sizeof scripts, "%s/scripts", fixture.config);
    ps_log_set_fd(-1);
    *state = &fixture;
    return ps_dir_make(scripts, 0755, NULL) == PS_OK ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw) {
    return remove(path);
}

static int remove_folders(void **state) {
    const Fixture *fixture = *state;
    return nftw(fixture->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int count_one;

static int count_entry(const char *path, const struct stat *status, int type, struct FTW *ftw) {
    count_one++;
    return 0;
}

static int count_below(const char *folder) {
    count_one = 0;
    assert_int_equal(nftw(folder, count_entry, 8, FTW_PHYS), 0);
    return count_one;
}

static PsContent content_of(const char *json, const char *a, const char *b) {
    PsContent content = {0};
    const char *const parts[][2] = {
        {PS_CONFIG_FILE, json}, {"scripts/a.py", a}, {"scripts/b.py", b}};
    for (size_t i = 0; i < PS_COUNT(parts); i++) {
        PsBuf bytes = {0};
        ps_buf_put(&bytes, parts[i][1], strlen(parts[i][1]));
        ps_content_put(&content, parts[i][0], &bytes);
    }
    return content;
}

static PsContent older(void) {
    return content_of(JSON("1"), "a1", "b1");
}

static PsContent newer(void) {
    return content_of(JSON("2"), "a2 longer", "b2");
}

static PsRevisionStore *open_store(const Fixture *fixture, const PsRevisionGate *gate) {
    PsRevisionStore *store = NULL;
    assert_int_equal(ps_revision_store_open(fixture->state, fixture->config, gate, &store, NULL),
                     PS_OK);
    return store;
}

static PsErr add_entry(const Fixture *fixture, PsRevisionStore *store, PsContent *content,
                       PsRevisionEntry entry, PsRevision *revision, PsDiag *diag) {
    PsFindings findings = {0};
    PsConfig *config = NULL;
    assert_int_equal(ps_content_load(content, fixture->config, NULL, &findings, &config), PS_OK);
    json_t *difference = json_pack("{s:s}", "summary", "1 device changed");
    entry.content = content;
    entry.config = config;
    entry.difference = difference;
    revision->time = ps_wall_now();
    PsErr err = ps_revision_store_put(store, revision, &entry, diag);
    json_decref(difference);
    ps_config_free(config);
    ps_findings_deinit(&findings);
    return err;
}

static PsErr add(const Fixture *fixture, PsRevisionStore *store, PsContent *content,
                 const PsContent *running, PsRevision *revision, PsDiag *diag) {
    return add_entry(fixture, store, content, (PsRevisionEntry){.running = running}, revision,
                     diag);
}

// The folder holds the older configuration as revision 1.
static PsRevisionStore *begin(const Fixture *fixture) {
    put(fixture, PS_CONFIG_FILE, JSON("1"));
    put(fixture, "scripts/a.py", "a1");
    put(fixture, "scripts/b.py", "b1");
    PsRevisionStore *store = open_store(fixture, NULL);
    PS_AUTO_CONTENT PsContent content = older();
    PsRevision revision = {.kind = PS_REVISION_START, .who = "penstockd"};
    assert_int_equal(add(fixture, store, &content, NULL, &revision, NULL), PS_OK);
    assert_int_equal(revision.number, 1);
    return store;
}

static void what_is_put_is_found_again(void **state) {
    const Fixture *fixture = *state;
    ps_revision_store_close(begin(fixture));
    PsRevisionStore *store = open_store(fixture, NULL);
    PS_AUTO_CONTENT PsContent before = older();
    PS_AUTO_CONTENT PsContent content = newer();
    PsRevision revision = {
        .kind = PS_REVISION_REVERT, .of = 1, .who = "anna", .why = "pump", .summary = "s"};
    assert_int_equal(add(fixture, store, &content, &before, &revision, NULL), PS_OK);
    ps_revision_store_close(store);
    assert_holds(fixture, PS_CONFIG_FILE, JSON("2"));
    assert_holds(fixture, "scripts/a.py", "a2 longer");

    store = open_store(fixture, NULL);
    assert_int_equal(ps_revision_store_count(store), 2);
    const PsRevision *newest = ps_revision_store_newest(store);
    assert_int_equal(newest->number, 2);
    assert_int_equal(newest->kind, PS_REVISION_REVERT);
    assert_int_equal(newest->of, 1);
    assert_string_equal(newest->who, "anna");
    assert_string_equal(newest->why, "pump");
    assert_int_equal(ps_revision_store_before(store, 2)->number, 1);
    assert_null(ps_revision_store_before(store, 1));
    PS_AUTO_CONTENT PsContent read = {0};
    assert_int_equal(ps_revision_store_read(store, 1, &read, NULL), PS_OK);
    assert_true(ps_content_equal(&read, &before));
    PsDiag diag;
    assert_int_equal(ps_revision_store_read(store, 7, &read, &diag), PS_ERR_NOT_FOUND);
    json_t *difference = ps_revision_difference(fixture->state, 2);
    assert_string_equal(json_string_value(json_object_get(difference, "summary")),
                        "1 device changed");
    json_decref(difference);
    ps_revision_store_close(store);
}

static int assert_private(const char *path, const struct stat *status, int type, struct FTW *ftw) {
    assert_int_equal(status->st_mode & 07777, S_ISDIR(status->st_mode) ? 0700 : 0600);
    return 0;
}

static void nobody_else_reads_it(void **state) {
    const Fixture *fixture = *state;
    mode_t mask = umask(0);
    ps_revision_store_close(begin(fixture));
    umask(mask);
    assert_int_equal(nftw(fixture->state, assert_private, 8, FTW_PHYS), 0);
}

static void an_edited_file_is_kept_beside(void **state) {
    const Fixture *fixture = *state;
    PsRevisionStore *store = begin(fixture);
    put(fixture, "scripts/a.py", "edited");
    PS_AUTO_CONTENT PsContent before = older();
    PS_AUTO_CONTENT PsContent content = newer();
    PsRevision revision = {.who = "anna"};
    assert_int_equal(add(fixture, store, &content, &before, &revision, NULL), PS_OK);
    assert_holds(fixture, "scripts/a.py", "a2 longer");
    assert_holds(fixture, "scripts/a.py.edited-before-2", "edited");
    ps_revision_store_close(store);
}

// Also where that is what ran before: somebody took a change back while it was being applied.
static void what_was_saved_meanwhile_stays(void **state) {
    const Fixture *fixture = *state;
    PsRevisionStore *store = begin(fixture);
    PS_AUTO_CONTENT PsContent before = older();
    PS_AUTO_CONTENT PsContent content = newer();
    put(fixture, "scripts/b.py", "b2"); // as it was read; the others were saved again since
    PsRevision revision = {.who = "anna"};
    PsRevisionEntry entry = {.running = &before, .from_folder = true};
    assert_int_equal(add_entry(fixture, store, &content, entry, &revision, NULL), PS_OK);
    assert_int_equal(revision.number, 2);
    assert_holds(fixture, PS_CONFIG_FILE, JSON("1"));
    assert_holds(fixture, "scripts/a.py", "a1");
    assert_holds(fixture, "scripts/b.py", "b2");
    PS_AUTO_CONTENT PsContent kept = {0};
    assert_int_equal(ps_revision_store_read(store, 2, &kept, NULL), PS_OK);
    PS_AUTO_CONTENT PsContent wanted = newer();
    assert_true(ps_content_equal(&kept, &wanted));
    ps_revision_store_close(store);
}

static void the_oldest_go_but_not_the_one_to_go_back_to(void **state) {
    const Fixture *fixture = *state;
    PsRevisionStore *store = begin(fixture);
    for (int i = 2; i <= PS_REVISIONS_MAX + 5; i++) {
        PS_AUTO_CONTENT PsContent content = i % 2 == 0 ? newer() : older();
        PsRevision revision = {.who = "anna"};
        assert_int_equal(add(fixture, store, &content, NULL, &revision, NULL), PS_OK);
        ps_revision_store_prune(store, 2);
    }
    assert_int_equal(ps_revision_store_count(store), PS_REVISIONS_MAX);
    assert_null(ps_revision_store_find(store, 1));
    assert_non_null(ps_revision_store_find(store, 2));
    assert_int_equal(ps_revision_store_at(store, 1)->number, 7);
    ps_revision_store_close(store);
    store = open_store(fixture, NULL);
    assert_int_equal(ps_revision_store_count(store), PS_REVISIONS_MAX);
    ps_revision_store_close(store);
}

static void rubbish_and_damage_are_passed_over(void **state) {
    const Fixture *fixture = *state;
    ps_revision_store_close(begin(fixture));
    int entries = count_below(fixture->state);
    char path[128];
    snprintf(path, sizeof path, "%s/7/scripts", fixture->state);
    assert_int_equal(ps_dir_make(path, 0700, NULL), PS_OK); // its removal was cut short
    ps_revision_store_close(open_store(fixture, NULL));
    assert_int_equal(count_below(fixture->state), entries);
    snprintf(path, sizeof path, "%s/1/meta.json", fixture->state);
    assert_int_equal(ps_file_write(path, "{", 1, 0600, NULL), PS_OK);
    PsRevisionStore *store = open_store(fixture, NULL);
    assert_int_equal(ps_revision_store_count(store), 0);
    ps_revision_store_close(store);
}

// --- every step ---------------------------------------------------------------------------------

typedef struct Fault {
    int at; // of the points passed
    int seen;
    bool kill; // false: the step finds no room
} Fault;

static PsErr pass(bool after, const char *what, void *ctx) {
    Fault *fault = ctx;
    if (!fault->kill && after) {
        return PS_OK;
    }
    if (fault->seen++ != fault->at) {
        return PS_OK;
    }
    if (fault->kill) {
        raise(SIGKILL);
    }
    return PS_ERR_FULL;
}

static void put_newer(const Fixture *fixture, Fault *fault) {
    PsRevisionGate gate = {.step = pass, .ctx = fault};
    PsRevisionStore *store = open_store(fixture, &gate);
    PS_AUTO_CONTENT PsContent before = older();
    PS_AUTO_CONTENT PsContent content = newer();
    PsRevision revision = {.who = "anna"};
    PsErr err = add(fixture, store, &content, &before, &revision, NULL);
    ps_revision_store_close(store);
    _exit(err == PS_OK ? 0 : 1);
}

// Runs it in a process of its own; true when it came to its end.
static bool survives(const Fixture *fixture, Fault fault) {
    pid_t child = fork();
    if (child == 0) {
        put_newer(fixture, &fault);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFEXITED(status);
}

// What a start finds: all of the one or all of the other, and the store says which.
static uint32_t assert_whole(const Fixture *fixture) {
    PsRevisionStore *store = open_store(fixture, NULL);
    assert_false(ps_revision_store_unfinished(store));
    uint32_t number = ps_revision_store_newest(store)->number;
    assert_true(number == 1 || number == 2);
    PS_AUTO_CONTENT PsContent wanted = number == 1 ? older() : newer();
    for (size_t i = 0; i < wanted.count; i++) {
        assert_holds(fixture, wanted.files[i].path, (const char *)wanted.files[i].bytes.data);
    }
    ps_revision_store_close(store);
    assert_int_equal(count_below(fixture->config), 5); // two folders, three files, nothing else
    return number;
}

static void start_over(const Fixture *fixture) {
    assert_int_equal(nftw(fixture->state, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    ps_revision_store_close(begin(fixture));
}

static void killed_at_any_point_it_is_whole(void **state) {
    const Fixture *fixture = *state;
    ps_revision_store_close(begin(fixture));
    int old_ones = 0;
    int new_ones = 0;
    bool through = false;
    for (int at = 0; !through; at++) {
        through = survives(fixture, (Fault){.at = at, .kill = true});
        uint32_t number = assert_whole(fixture);
        assert_true(number == 2 || new_ones == 0); // once decided, it stays decided
        old_ones += number == 1;
        new_ones += number == 2;
        start_over(fixture);
    }
    print_message("killed at %d points: %d times the old one, %d times the new one\n",
                  old_ones + new_ones - 1, old_ones, new_ones - 1);
    assert_true(old_ones >= 14);
    assert_true(new_ones >= 10);
}

static void killed_while_a_start_completes_it_is_whole(void **state) {
    const Fixture *fixture = *state;
    ps_revision_store_close(begin(fixture));
    int decided = 0;
    while (true) { // the first point after which the new one comes
        (void)survives(fixture, (Fault){.at = decided, .kill = true});
        if (assert_whole(fixture) == 2) {
            break;
        }
        start_over(fixture);
        decided++;
    }
    bool through = false;
    for (int at = 0; !through; at++) {
        start_over(fixture);
        (void)survives(fixture, (Fault){.at = decided, .kill = true});
        pid_t child = fork();
        if (child == 0) {
            Fault fault = {.at = at, .kill = true};
            PsRevisionGate gate = {.step = pass, .ctx = &fault};
            ps_revision_store_close(open_store(fixture, &gate));
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        through = WIFEXITED(status);
        assert_int_equal(assert_whole(fixture), 2);
    }
}

static void without_room_nothing_has_changed(void **state) {
    const Fixture *fixture = *state;
    ps_revision_store_close(begin(fixture));
    int entries = count_below(fixture->state);
    int refused = 0;
    int later = 0;
    bool through = false;
    for (int at = 0; !through; at++) {
        Fault fault = {.at = at};
        PsRevisionGate gate = {.step = pass, .ctx = &fault};
        PsRevisionStore *store = open_store(fixture, &gate);
        PS_AUTO_CONTENT PsContent before = older();
        PS_AUTO_CONTENT PsContent content = newer();
        PsRevision revision = {.who = "anna"};
        PsDiag diag = {0};
        PsErr err = add(fixture, store, &content, &before, &revision, &diag);
        ps_revision_store_close(store);
        through = fault.seen <= at;
        if (err == PS_OK) {
            // What found no room after the decision is completed by the next start.
            assert_int_equal(assert_whole(fixture), 2);
            start_over(fixture);
            later += !through;
            continue;
        }
        assert_int_equal(err, PS_ERR_FULL);
        assert_non_null(strstr(diag.text, "cannot write"));
        assert_int_equal(assert_whole(fixture), 1);
        assert_int_equal(count_below(fixture->state), entries);
        refused++;
    }
    assert_true(refused >= 10);
    assert_true(later >= 4);
}

static void a_folder_that_cannot_be_written_is_refused(void **state) {
    const Fixture *fixture = *state;
    PsRevisionStore *store = begin(fixture);
    char path[128];
    snprintf(path, sizeof path, "%s/scripts/a.py" PS_FILE_STAGED, fixture->config);
    assert_int_equal(mkdir(path, 0700), 0); // nothing can be staged there
    PS_AUTO_CONTENT PsContent before = older();
    PS_AUTO_CONTENT PsContent content = newer();
    PsRevision revision = {.who = "anna"};
    PsDiag diag = {0};
    assert_int_not_equal(add(fixture, store, &content, &before, &revision, &diag), PS_OK);
    assert_non_null(strstr(diag.object, "scripts/a.py"));
    ps_revision_store_close(store);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(assert_whole(fixture), 1);
}

#define STORE_TEST(function) cmocka_unit_test_setup_teardown(function, make_folders, remove_folders)

int main(void) {
    const struct CMUnitTest tests[] = {
        STORE_TEST(what_is_put_is_found_again),
        STORE_TEST(nobody_else_reads_it),
        STORE_TEST(an_edited_file_is_kept_beside),
        STORE_TEST(what_was_saved_meanwhile_stays),
        STORE_TEST(the_oldest_go_but_not_the_one_to_go_back_to),
        STORE_TEST(rubbish_and_damage_are_passed_over),
        STORE_TEST(killed_at_any_point_it_is_whole),
        STORE_TEST(killed_while_a_start_completes_it_is_whole),
        STORE_TEST(without_room_nothing_has_changed),
        STORE_TEST(a_folder_that_cannot_be_written_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
