// The audit log: written in order, files changed, looked up from the end, torn and failing disks.
#include "access/audit.h"

#include "base/file.h"
#include "base/log.h"

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
    uv_loop_t loop;
    json_t *found;
    PsErr err;
    bool answered;
} Fixture;

static int fresh(void **state) {
    Fixture *fixture = calloc(1, sizeof *fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/penstock-audit-XXXXXX");
    ps_log_set_fd(-1);
    uv_loop_init(&fixture->loop);
    *state = fixture;
    return mkdtemp(fixture->folder) == NULL;
}

static int end(void **state) {
    Fixture *fixture = *state;
    char command[128];
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    json_decref(fixture->found);
    (void)chmod(fixture->folder, 0700);
    for (int i = 0; i < 9; i++) {
        snprintf(command, sizeof command, i == 0 ? "%s/" PS_AUDIT_FILE : "%s/" PS_AUDIT_FILE ".%d",
                 fixture->folder, i);
        unlink(command);
    }
    rmdir(fixture->folder);
    free(fixture);
    return 0;
}

static void on_found(const PsAccessAnswer *answer, void *ctx) {
    Fixture *fixture = ctx;
    fixture->answered = true;
    fixture->err = answer->err;
    json_decref(fixture->found);
    fixture->found = json_incref(answer->json);
}

static size_t find(Fixture *fixture, PsAudit *audit, PsAuditQuery query) {
    fixture->answered = false;
    ps_audit_find(audit, &query, on_found, fixture);
    while (!fixture->answered) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_int_equal(fixture->err, PS_OK);
    return json_array_size(json_object_get(fixture->found, "items"));
}

static json_int_t id_at(const Fixture *fixture, size_t at) {
    return json_integer_value(
        json_object_get(json_array_get(json_object_get(fixture->found, "items"), at), "id"));
}

static const char *text_at(const Fixture *fixture, size_t at, const char *key) {
    return json_string_value(
        json_object_get(json_array_get(json_object_get(fixture->found, "items"), at), key));
}

static void put(PsAudit *audit, const char *who, const char *what, const char *object) {
    ps_audit_put(audit, &(PsAuditLine){who, "10.0.0.1", what, object, "ok", NULL},
                 (PsWall){INT64_C(1767000000123) * PS_NS_PER_MS});
}

static void what_is_put_is_found_from_the_end(void **state) {
    Fixture *fixture = *state;
    PsAudit *audit = ps_audit_open(&fixture->loop, fixture->folder);
    char object[32];
    for (int i = 1; i <= 250; i++) {
        snprintf(object, sizeof object, "device '%d'", i);
        put(audit, i % 2 == 0 ? "anna" : "bert", i % 10 == 0 ? "users.add" : "devices.put", object);
    }
    assert_int_equal(find(fixture, audit, (PsAuditQuery){.after = -1, .limit = 100}), 100);
    assert_int_equal(id_at(fixture, 0), 250);
    assert_string_equal(text_at(fixture, 0, "object"), "device '250'");
    assert_string_equal(text_at(fixture, 0, "detail"), "");
    json_int_t next = json_integer_value(json_object_get(fixture->found, "next"));
    assert_int_equal(next, 151);
    assert_int_equal(
        find(fixture, audit, (PsAuditQuery){.before = next, .after = -1, .limit = 200}), 150);
    assert_int_equal(id_at(fixture, 149), 1);
    assert_true(json_is_null(json_object_get(fixture->found, "next")));

    assert_int_equal(
        find(fixture, audit, (PsAuditQuery){.after = -1, .limit = 1000, .who = "ANNA"}), 125);
    assert_int_equal(
        find(fixture, audit, (PsAuditQuery){.after = -1, .limit = 1000, .what = "users."}), 25);
    assert_int_equal(
        find(fixture, audit, (PsAuditQuery){.after = -1, .limit = 1000, .search = "DEVICE '2'"}),
        1);
    assert_int_equal(
        find(fixture, audit, (PsAuditQuery){.after = -1, .limit = 1000, .search = "none"}), 0);

    // One who follows: oldest first, and nothing is skipped when there are more than asked for.
    assert_int_equal(find(fixture, audit, (PsAuditQuery){.after = 200, .limit = 20}), 20);
    assert_int_equal(id_at(fixture, 0), 201);
    assert_int_equal(json_integer_value(json_object_get(fixture->found, "next")), 220);
    assert_int_equal(find(fixture, audit, (PsAuditQuery){.after = 250, .limit = 20}), 0);
    assert_int_equal(json_integer_value(json_object_get(fixture->found, "next")), 250);
    assert_int_equal(
        find(fixture, audit, (PsAuditQuery){.after = 0, .limit = 20, .search = "none"}), 0);
    assert_int_equal(json_integer_value(json_object_get(fixture->found, "next")), 250);
    ps_audit_close(audit);
}

static void ids_go_on_and_the_file_is_private(void **state) {
    Fixture *fixture = *state;
    char path[96];
    struct stat status;
    PsAudit *audit = ps_audit_open(&fixture->loop, fixture->folder);
    put(audit, "anna", "first", "");
    ps_audit_close(audit);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    snprintf(path, sizeof path, "%s/" PS_AUDIT_FILE, fixture->folder);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    // A power cut has left half a line.
    PS_AUTO_BUF PsBuf text = {0};
    assert_int_equal(ps_file_read(path, 10000, &text, NULL), PS_OK);
    ps_buf_printf(&text, "%s", "{\"id\":2,\"time\":17670");
    assert_int_equal(ps_file_write(path, text.data, text.len, 0600, NULL), PS_OK);

    audit = ps_audit_open(&fixture->loop, fixture->folder);
    put(audit, "anna\x01\xff\n", "second", "a \"quoted\" one");
    assert_int_equal(find(fixture, audit, (PsAuditQuery){.after = -1, .limit = 10}), 2);
    assert_int_equal(id_at(fixture, 0), 2);
    assert_int_equal(id_at(fixture, 1), 1);
    assert_string_equal(text_at(fixture, 0, "who"), "anna\x01?\n");
    ps_audit_close(audit);
}

static void full_files_become_former_ones(void **state) {
    Fixture *fixture = *state;
    PsAuditFile file;
    int64_t id = -1;
    char line[128];
    assert_int_equal(ps_audit_file_open(&file, fixture->folder, &id, NULL), PS_OK);
    assert_int_equal(id, 0);
    file.file_bytes = 500;
    file.files = 3;
    for (int i = 1; i <= 100; i++) {
        snprintf(line, sizeof line, "{\"id\":%d,\"who\":\"anna\"}\n", i);
        assert_int_equal(ps_audit_file_put(&file, line, strlen(line), NULL), PS_OK);
    }
    size_t count = 0;
    size_t bytes = 0;
    for (int i = 0; i < 9; i++) {
        struct stat status;
        snprintf(line, sizeof line, i == 0 ? "%s/" PS_AUDIT_FILE : "%s/" PS_AUDIT_FILE ".%d",
                 fixture->folder, i);
        if (stat(line, &status) == 0) {
            count++;
            bytes += (size_t)status.st_size;
            assert_true(status.st_size <= 500);
        }
    }
    assert_int_equal(count, 3);
    assert_true(bytes > 1000);
    json_t *found = NULL;
    PsAuditQuery query = {.after = -1, .limit = 1000};
    assert_int_equal(ps_audit_file_find(&file, &query, &found, NULL), PS_OK);
    json_t *items = json_object_get(found, "items");
    size_t kept = json_array_size(items);
    assert_in_range(kept, 40, 75);
    for (size_t i = 0; i < kept; i++) { // over the files, without a hole
        assert_int_equal(json_integer_value(json_object_get(json_array_get(items, i), "id")),
                         100 - (json_int_t)i);
    }
    json_decref(found);
    // The next start goes on, also right after a file became a former one.
    snprintf(line, sizeof line, "%s/" PS_AUDIT_FILE, fixture->folder);
    unlink(line);
    assert_int_equal(ps_audit_file_open(&file, fixture->folder, &id, NULL), PS_OK);
    assert_true(id > 50);
}

static void a_disk_that_takes_nothing_is_outlasted(void **state) {
    Fixture *fixture = *state;
    char path[96];
    snprintf(path, sizeof path, "%s/" PS_AUDIT_FILE, fixture->folder);
    assert_int_equal(mkdir(path, 0700), 0); // no file can be opened there, whoever we are
    PsAudit *audit = ps_audit_open(&fixture->loop, fixture->folder);
    for (int i = 0; i < PS_AUDIT_WAITING_MAX + 100; i++) {
        put(audit, "anna", "devices.put", "");
    }
    fixture->answered = false;
    PsAuditQuery query = {.after = -1, .limit = 1000};
    ps_audit_find(audit, &query, on_found, fixture);
    while (!fixture->answered) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_int_not_equal(fixture->err, PS_OK);
    assert_int_equal(rmdir(path), 0);
    // A question is reason enough to try again. Those that were lost are told.
    assert_int_equal(find(fixture, audit, (PsAuditQuery){.after = -1, .limit = 1000}), 1000);
    assert_int_equal(
        find(fixture, audit, (PsAuditQuery){.after = -1, .limit = 10, .what = "audit"}), 1);
    assert_string_equal(text_at(fixture, 0, "result"), "lost");
    assert_string_equal(text_at(fixture, 0, "detail"), "100 entries");
    ps_audit_close(audit);
}

static void a_stop_answers_questions(void **state) {
    Fixture *fixture = *state;
    PsAudit *audit = ps_audit_open(&fixture->loop, fixture->folder);
    PsAuditQuery query = {.after = -1, .limit = 10, .who = "anna", .what = "a", .search = "b"};
    for (int i = 0; i < PS_AUDIT_QUERIES_MAX + 5; i++) {
        ps_audit_find(audit, &query, on_found, fixture);
    }
    assert_int_equal(fixture->err, PS_ERR_BUSY); // so many only
    put(audit, "anna", "last", "");
    ps_audit_close(audit);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(fixture->err, PS_ERR_CANCELLED);
    audit = ps_audit_open(&fixture->loop, fixture->folder);
    assert_int_equal(find(fixture, audit, (PsAuditQuery){.after = -1, .limit = 10}), 1);
    ps_audit_close(audit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_put_is_found_from_the_end, fresh, end),
        cmocka_unit_test_setup_teardown(ids_go_on_and_the_file_is_private, fresh, end),
        cmocka_unit_test_setup_teardown(full_files_become_former_ones, fresh, end),
        cmocka_unit_test_setup_teardown(a_disk_that_takes_nothing_is_outlasted, fresh, end),
        cmocka_unit_test_setup_teardown(a_stop_answers_questions, fresh, end),
    };
    return cmocka_run_group_tests_name("access/audit", tests, NULL, NULL);
}
