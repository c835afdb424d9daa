// What devices have taught over restarts: the file's content, times in another run, damaged files,
// and the way to the disk.
#include "collect/learned_store.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const PsMono then = {5000 * PS_NS_PER_S};
static const PsMono later = {77 * PS_NS_PER_S}; // the system has been started anew
static const PsWall noon = {INT64_C(1700000000) * PS_NS_PER_S};

static PsLearned *teach(void) {
    PsLearned *learned = ps_learned_new();
    ps_learned_refused(learned, 1, 3, 40, 2, 2, then, noon);
    ps_learned_refused(learned, 1, 3, 50, 1, 3, then, noon);
    ps_learned_refused(learned, 1, 3, 50, 1, 3, then, noon); // 120 s
    ps_learned_set_max(learned, 1, 3, 60, then);
    return learned;
}

static char *write_one(void) {
    PsLearned *learned = teach();
    PsLearned *nothing = ps_learned_new();
    char first[] = "ModbusTCP 10.0.0.1:502";
    char second[] = "ModbusTCP 10.0.0.2:502";
    PsLearnedEntry entries[] = {{second, nothing}, {first, learned}};
    char *text = ps_learned_file_write(entries, 2, then, noon);
    ps_learned_free(learned);
    ps_learned_free(nothing);
    return text;
}

static void what_was_written_is_read(void **state) {
    (void)state;
    char *text = write_one();
    PsLearnedEntry *entries;
    uint32_t count;
    PsWall soon = {noon.ns + 30 * PS_NS_PER_S};
    assert_int_equal(ps_learned_file_read(text, strlen(text), later, soon, &entries, &count, NULL),
                     PS_OK);
    assert_int_equal(count, 1); // the other had taught nothing
    assert_string_equal(entries[0].endpoint, "ModbusTCP 10.0.0.1:502");
    const PsLearned *learned = entries[0].learned;
    assert_int_equal(ps_learned_max(learned, 1, 3, 125), 60);
    const PsLearnedHole *holes = ps_learned_holes(learned, &count);
    assert_int_equal(count, 2);
    assert_int_equal(holes[0].first, 40);
    assert_int_equal(holes[0].count, 2);
    assert_int_equal(holes[0].code, 2);
    assert_int_equal(holes[0].since.ns, noon.ns);
    assert_int_equal(holes[0].next_try.ns, later.ns + 60 * PS_NS_PER_S); // 30 were left: a minute
    assert_int_equal(holes[1].refusals, 2);
    assert_int_equal(holes[1].next_try.ns, later.ns + 90 * PS_NS_PER_S);
    ps_learned_entries_free(entries, 1);
    free(text);
}

static void a_clock_that_was_set_postpones_nothing_for_long(void **state) {
    (void)state;
    char *text = write_one();
    PsLearnedEntry *entries;
    uint32_t count;
    assert_int_equal(
        ps_learned_file_read(text, strlen(text), later, (PsWall){0}, &entries, &count, NULL),
        PS_OK);
    const PsLearnedHole *holes = ps_learned_holes(entries[0].learned, &count);
    assert_int_equal(holes[1].next_try.ns, later.ns + PS_LEARNED_PAUSE_MAX_S * PS_NS_PER_S);
    ps_learned_entries_free(entries, 1);
    free(text);
}

#define ENTRY(lists) "{\"version\":1,\"endpoints\":[{\"endpoint\":\"a\"," lists "}]}"
#define NO_LIMIT "{\"unit\":1,\"area\":1,\"max\":0,\"next_try\":1}"
#define NO_PLACE                                                                                   \
    "{\"unit\":1,\"area\":3,\"first\":4294967295,\"count\":2,\"code\":2,\"refusals\":1,\"since\":" \
    "1,"                                                                                           \
    "\"next_try\":1}"

static void damaged_files_are_known(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"version\":2,\"endpoints\":[]}",
        "{\"version\":1,\"endpoints\":{}}",
        "{\"version\":1,\"endpoints\":[1]}",
        ENTRY("\"limits\":[],\"holes\":1"),
        ENTRY("\"limits\":[{}],\"holes\":[]"),
        ENTRY("\"limits\":[" NO_LIMIT "],\"holes\":[]"),
        ENTRY("\"limits\":[],\"holes\":[" NO_PLACE "]"),
    };
    for (size_t i = 0; i < PS_COUNT(bad); i++) {
        PsLearnedEntry *entries;
        uint32_t count;
        PsDiag diag = {0};
        assert_int_equal(
            ps_learned_file_read(bad[i], strlen(bad[i]), later, noon, &entries, &count, &diag),
            PS_ERR_CORRUPT);
        assert_true(diag.text[0] != '\0');
    }
}

// --- the store -----------------------------------------------------------------------------------

typedef struct Folder {
    char path[64];
    char file[128];
    uv_loop_t loop;
} Folder;

static Folder *make_folder(void) {
    Folder *folder = ps_alloc(sizeof *folder);
    snprintf(folder->path, sizeof folder->path, "/tmp/penstock-learned-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    snprintf(folder->file, sizeof folder->file, "%s/drivers/learned.json", folder->path);
    uv_loop_init(&folder->loop);
    return folder;
}

static void remove_folder(Folder *folder) {
    char pattern[160];
    snprintf(pattern, sizeof pattern, "%s/drivers/*", folder->path);
    glob_t found;
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            unlink(found.gl_pathv[i]);
        }
        globfree(&found);
    }
    snprintf(pattern, sizeof pattern, "%s/drivers", folder->path);
    rmdir(pattern);
    rmdir(folder->path);
    assert_int_equal(uv_loop_close(&folder->loop), 0);
    free(folder);
}

static void on_closed(void *ctx) {
    (*(int *)ctx)++;
}

static void close_store(Folder *folder, PsLearnedStore *store) {
    int closed = 0;
    ps_learned_store_close(store, on_closed, &closed);
    uv_run(&folder->loop, UV_RUN_DEFAULT);
    assert_int_equal(closed, 1);
}

static PsLearnedStore *open_store(Folder *folder) {
    PsLearnedStore *store = ps_learned_store_new(folder->path);
    ps_learned_store_start(store, &folder->loop);
    return store;
}

static void a_store_keeps_over_a_restart(void **state) {
    (void)state;
    Folder *folder = make_folder();
    PsLearnedStore *store = open_store(folder);
    PsLearned *nothing = ps_learned_store_take(store, "ModbusTCP a:1");
    assert_int_equal(ps_learned_max(nothing, 1, 3, 125), 125);
    ps_learned_free(nothing);
    ps_learned_store_put(store, "ModbusTCP a:1", ps_learned_new());
    ps_learned_store_put(store, "ModbusTCP a:1", teach());
    close_store(folder, store);
    struct stat status;
    assert_int_equal(stat(folder->file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);

    store = open_store(folder);
    PsLearned *kept = ps_learned_store_take(store, "ModbusTCP a:1");
    assert_int_equal(ps_learned_max(kept, 1, 3, 125), 60);
    ps_learned_free(kept);
    assert_null(ps_learned_store_find(store, "ModbusTCP b:1"));
    close_store(folder, store);
    remove_folder(folder);
}

static void a_damaged_file_is_set_aside(void **state) {
    (void)state;
    Folder *folder = make_folder();
    close_store(folder, open_store(folder)); // makes the folder
    assert_int_equal(ps_file_write(folder->file, "{\"version\":", 11, 0600, NULL), PS_OK);
    PsLearnedStore *store = open_store(folder);
    assert_int_not_equal(access(folder->file, F_OK), 0);
    char pattern[192];
    snprintf(pattern, sizeof pattern, "%s.damaged-*", folder->file);
    glob_t found;
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    globfree(&found);
    ps_learned_store_put(store, "ModbusTCP a:1", teach());
    close_store(folder, store);
    assert_int_equal(access(folder->file, F_OK), 0);
    remove_folder(folder);
}

static void without_a_folder_nothing_is_kept(void **state) {
    (void)state;
    Folder *folder = make_folder();
    PsLearnedStore *store = ps_learned_store_new(NULL);
    ps_learned_store_start(store, &folder->loop);
    ps_learned_store_put(store, "ModbusTCP a:1", teach());
    assert_non_null(ps_learned_store_find(store, "ModbusTCP a:1"));
    close_store(folder, store);
    assert_int_not_equal(access(folder->file, F_OK), 0);
    remove_folder(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(a_clock_that_was_set_postpones_nothing_for_long),
        cmocka_unit_test(damaged_files_are_known),
        cmocka_unit_test(a_store_keeps_over_a_restart),
        cmocka_unit_test(a_damaged_file_is_set_aside),
        cmocka_unit_test(without_a_folder_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
