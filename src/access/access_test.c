// Access as a whole, with its worker threads and a folder on the disk: the first administrator,
// log-in, changes, tokens, delays, what is kept over a restart, damaged files.
#include "access/access.h"

#include "access/accounts.h"
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

#define GOOD "four words in a row"
#define OTHER "four other words instead"

typedef struct Fixture {
    char root[48];
    char folder[64];
    char file[96];
    uv_loop_t loop;
    PsAccess *access;
    PsAccessAnswer answer;
    char token[PS_API_TOKEN_SIZE];
    char id[PS_TOKEN_ID_SIZE];
    unsigned answers;
    unsigned changes;
} Fixture;

static void on_changed(void *ctx) {
    ((Fixture *)ctx)->changes++;
}

static void open_access(Fixture *fixture) {
    PsAccessSetup setup = {&fixture->loop, fixture->folder, 30, 12};
    assert_int_equal(ps_access_open(&setup, &fixture->access, NULL), PS_OK);
    ps_access_on_set_up(fixture->access, on_changed, fixture);
}

static void close_access(Fixture *fixture) {
    ps_access_close(fixture->access);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

static int fresh(void **state) {
    Fixture *fixture = calloc(1, sizeof *fixture);
    snprintf(fixture->root, sizeof fixture->root, "/tmp/penstock-access-XXXXXX");
    ps_log_set_fd(-1);
    if (mkdtemp(fixture->root) == NULL) {
        return -1;
    }
    snprintf(fixture->folder, sizeof fixture->folder, "%s/access", fixture->root);
    snprintf(fixture->file, sizeof fixture->file, "%s/access.json", fixture->folder);
    uv_loop_init(&fixture->loop);
    open_access(fixture);
    *state = fixture;
    return 0;
}

static int end(void **state) {
    Fixture *fixture = *state;
    char path[96];
    close_access(fixture);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    snprintf(path, sizeof path, "%s/audit.jsonl", fixture->folder);
    unlink(path);
    unlink(fixture->file);
    rmdir(fixture->folder);
    rmdir(fixture->root);
    free(fixture);
    return 0;
}

static void on_done(const PsAccessAnswer *answer, void *ctx) {
    Fixture *fixture = ctx;
    fixture->answer = *answer;
    fixture->answer.json = NULL;
    fixture->answers++;
    const char *token = json_string_value(json_object_get(answer->json, "token"));
    const char *id = json_string_value(json_object_get(answer->json, "id"));
    snprintf(fixture->token, sizeof fixture->token, "%s", token != NULL ? token : "");
    snprintf(fixture->id, sizeof fixture->id, "%s", id != NULL ? id : "");
}

static PsErr wait(Fixture *fixture, unsigned before) {
    while (fixture->answers == before) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    return fixture->answer.err;
}

static PsErr log_in(Fixture *fixture, const char *name, const char *password) {
    unsigned before = fixture->answers;
    ps_access_log_in(fixture->access, name, password, "10.0.0.1", on_done, fixture);
    return wait(fixture, before);
}

static PsErr set_up(Fixture *fixture, const char *code, const char *password) {
    unsigned before = fixture->answers;
    ps_access_set_up(fixture->access, code, "anna", password, "127.0.0.1", on_done, fixture);
    return wait(fixture, before);
}

static void make_anna(Fixture *fixture) {
    char code[PS_SETUP_CODE_SIZE];
    PsWall expires;
    assert_int_equal(ps_access_setup_code(fixture->access, code, sizeof code, &expires, NULL),
                     PS_OK);
    assert_int_equal(set_up(fixture, code, GOOD), PS_OK);
}

static PsErr add_user(Fixture *fixture, const char *name, PsRole role) {
    unsigned before = fixture->answers;
    ps_access_user_add(fixture->access, name, role, OTHER, on_done, fixture);
    return wait(fixture, before);
}

static PsErr change_user(Fixture *fixture, const char *name, PsUserChange change) {
    unsigned before = fixture->answers;
    ps_access_user_change(fixture->access, name, &change, on_done, fixture);
    return wait(fixture, before);
}

static void the_first_administrator_is_made_with_the_code(void **state) {
    Fixture *fixture = *state;
    char code[PS_SETUP_CODE_SIZE];
    PsWall expires;
    PsIdentity who;
    assert_false(ps_access_is_set_up(fixture->access));
    assert_int_equal(log_in(fixture, "admin", "admin"), PS_ERR_DENIED);
    assert_int_equal(log_in(fixture, "", ""), PS_ERR_DENIED);
    assert_int_equal(set_up(fixture, "AAAAA-AAAAA-AAAAA-AAAAA-AAAAAA", GOOD), PS_ERR_DENIED);
    assert_int_equal(ps_access_setup_code(fixture->access, code, sizeof code, &expires, NULL),
                     PS_OK);
    assert_int_equal(set_up(fixture, code, "password12"), PS_ERR_INVALID); // the code still holds
    assert_int_equal(fixture->changes, 0);
    assert_int_equal(set_up(fixture, code, GOOD), PS_OK);
    assert_true(ps_access_is_set_up(fixture->access));
    assert_int_equal(fixture->changes, 1);
    assert_int_equal(fixture->answer.identity.role, PS_ROLE_ADMINISTRATOR);
    assert_int_equal(ps_access_by_cookie(fixture->access, fixture->answer.cookie, &who), PS_OK);
    assert_string_equal(who.name, "anna");
    assert_true(ps_access_csrf_fits(&who, fixture->answer.identity.csrf));
    assert_false(ps_access_csrf_fits(&who, ""));
    assert_false(ps_access_csrf_fits(&who, NULL));
    assert_int_equal(set_up(fixture, code, GOOD), PS_ERR_REFUSED);
    assert_int_equal(ps_access_setup_code(fixture->access, code, sizeof code, &expires, NULL),
                     PS_ERR_REFUSED);
}

static void ten_wrong_codes_make_a_new_one(void **state) {
    Fixture *fixture = *state;
    char code[PS_SETUP_CODE_SIZE];
    char later[PS_SETUP_CODE_SIZE];
    PsWall expires;
    assert_int_equal(ps_access_setup_code(fixture->access, code, sizeof code, &expires, NULL),
                     PS_OK);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(set_up(fixture, "wrong", GOOD), PS_ERR_DENIED);
    }
    assert_int_equal(set_up(fixture, code, GOOD), PS_ERR_DENIED);
    assert_int_equal(ps_access_setup_code(fixture->access, later, sizeof later, &expires, NULL),
                     PS_OK);
    assert_string_not_equal(code, later);
    assert_int_equal(set_up(fixture, later, GOOD), PS_OK);
}

static void accounts_outlive_a_restart_and_sessions_do_not(void **state) {
    Fixture *fixture = *state;
    char cookie[PS_COOKIE_SIZE];
    PsIdentity who;
    struct stat status;
    make_anna(fixture);
    assert_int_equal(log_in(fixture, "Anna", GOOD), PS_OK);
    assert_string_equal(fixture->answer.identity.name, "anna");
    snprintf(cookie, sizeof cookie, "%s", fixture->answer.cookie);
    assert_int_equal(stat(fixture->file, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(stat(fixture->folder, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    (void)chmod(fixture->file, 0644); // somebody's mistake is put right

    close_access(fixture);
    open_access(fixture);
    assert_int_equal(stat(fixture->file, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_true(ps_access_is_set_up(fixture->access));
    assert_int_equal(ps_access_by_cookie(fixture->access, cookie, &who), PS_ERR_DENIED);
    assert_int_equal(log_in(fixture, "anna", GOOD), PS_OK);
    json_t *users = ps_access_users(fixture->access);
    assert_true(json_is_number(json_object_get(json_array_get(users, 0), "last_login")));
    assert_null(json_object_get(json_array_get(users, 0), "password"));
    json_decref(users);
}

static void a_log_in_that_fails_says_nothing(void **state) {
    Fixture *fixture = *state;
    make_anna(fixture);
    assert_int_equal(add_user(fixture, "bert", PS_ROLE_OPERATOR), PS_OK);
    assert_int_equal(change_user(fixture, "bert", (PsUserChange){.disabled = 1}), PS_OK);
    const char *const tries[][2] = {{"anna", OTHER}, {"nobody", GOOD}, {"bert", OTHER}};
    for (size_t i = 0; i < PS_COUNT(tries); i++) {
        assert_int_equal(log_in(fixture, tries[i][0], tries[i][1]), PS_ERR_DENIED);
        assert_string_equal(fixture->answer.diag.text, "the name or the password is wrong");
        assert_string_equal(fixture->answer.cookie, "");
        assert_string_equal(fixture->answer.identity.csrf, "");
    }
}

static void guessing_is_slowed_down(void **state) {
    Fixture *fixture = *state;
    make_anna(fixture);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(log_in(fixture, "anna", "wrong wrong"), PS_ERR_DENIED);
    }
    assert_int_equal(log_in(fixture, "anna", GOOD), PS_ERR_BUSY);
    assert_in_range(fixture->answer.retry_after_s, 1, 2);
    json_t *users = ps_access_users(fixture->access);
    assert_true(json_is_number(json_object_get(json_array_get(users, 0), "locked_until")));
    json_decref(users);
    // Another password is what an administrator gives: its delay is over.
    assert_int_equal(
        change_user(fixture, "anna", (PsUserChange){.password = OTHER, .disabled = -1}), PS_OK);
    unsigned before = fixture->answers;
    ps_access_log_in(fixture->access, "anna", OTHER, "10.0.0.2", on_done, fixture);
    assert_int_equal(wait(fixture, before), PS_OK);
}

static void many_at_once_gain_nothing(void **state) {
    Fixture *fixture = *state;
    make_anna(fixture);
    unsigned before = fixture->answers;
    for (int i = 0; i < 100; i++) {
        ps_access_log_in(fixture->access, "anna", "wrong wrong", "10.0.0.1", on_done, fixture);
    }
    assert_int_equal(fixture->answers - before, 96); // four wait, the others are refused at once
    while (fixture->answers - before < 100) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    char address[32];
    before = fixture->answers;
    for (int i = 0; i < 100; i++) { // from everywhere: half of the queue is not for strangers
        snprintf(address, sizeof address, "10.1.0.%d", i);
        ps_access_log_in(fixture->access, "x", "wrong wrong", address, on_done, fixture);
    }
    assert_in_range(fixture->answers - before, 80, 90);
    unsigned now = fixture->answers;
    ps_access_user_add(fixture->access, "bert", PS_ROLE_VIEWER, OTHER, on_done, fixture);
    assert_int_equal(fixture->answers, now); // taken
    while (fixture->answers - before < 101) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_int_equal(fixture->answer.err, PS_OK);
}

static void changes_of_an_account_end_its_sessions(void **state) {
    Fixture *fixture = *state;
    PsIdentity who;
    make_anna(fixture);
    assert_int_equal(add_user(fixture, "bert", PS_ROLE_OPERATOR), PS_OK);
    PsUserChange changes[] = {{.role = PS_ROLE_VIEWER, .disabled = -1},
                              {.password = OTHER, .disabled = -1},
                              {.disabled = 1}};
    for (size_t i = 0; i < PS_COUNT(changes); i++) {
        assert_int_equal(log_in(fixture, "bert", OTHER), PS_OK);
        PsAccessAnswer session = fixture->answer;
        assert_true(ps_access_is_valid(fixture->access, &session.identity));
        assert_int_equal(change_user(fixture, "bert", changes[i]), PS_OK);
        assert_int_equal(ps_access_by_cookie(fixture->access, session.cookie, &who), PS_ERR_DENIED);
        assert_false(ps_access_is_valid(fixture->access, &session.identity));
    }
    assert_int_equal(change_user(fixture, "anna", (PsUserChange){.disabled = 1}), PS_ERR_REFUSED);
    assert_int_equal(change_user(fixture, "none", (PsUserChange){.disabled = 1}), PS_ERR_NOT_FOUND);
}

static void ones_own_password(void **state) {
    Fixture *fixture = *state;
    PsIdentity who;
    make_anna(fixture);
    PsAccessAnswer other = fixture->answer;
    assert_int_equal(log_in(fixture, "anna", GOOD), PS_OK);
    PsAccessAnswer own = fixture->answer;
    unsigned before = fixture->answers;
    ps_access_change_password(fixture->access, &own.identity, OTHER, OTHER, "10.0.0.1", on_done,
                              fixture);
    assert_int_equal(wait(fixture, before), PS_ERR_DENIED);
    before = fixture->answers;
    ps_access_change_password(fixture->access, &own.identity, GOOD, "anna123456", "10.0.0.1",
                              on_done, fixture);
    assert_int_equal(wait(fixture, before), PS_ERR_INVALID);
    assert_string_equal(fixture->answer.diag.field, "new");
    before = fixture->answers;
    ps_access_change_password(fixture->access, &own.identity, GOOD, OTHER, "10.0.0.1", on_done,
                              fixture);
    assert_int_equal(wait(fixture, before), PS_OK);
    assert_int_equal(ps_access_by_cookie(fixture->access, own.cookie, &who), PS_OK);
    assert_int_equal(ps_access_by_cookie(fixture->access, other.cookie, &who), PS_ERR_DENIED);
    assert_int_equal(log_in(fixture, "anna", GOOD), PS_ERR_DENIED);
    assert_int_equal(log_in(fixture, "anna", OTHER), PS_OK);
    ps_access_log_out(fixture->access, &own.identity);
    assert_int_equal(ps_access_by_cookie(fixture->access, own.cookie, &who), PS_ERR_DENIED);
}

static void tokens_open_what_they_may(void **state) {
    Fixture *fixture = *state;
    PsIdentity who;
    char shown[160];
    make_anna(fixture);
    unsigned before = fixture->answers;
    ps_access_token_add(fixture->access, "anna", "line-3", PS_ROLE_OPERATOR, 30, on_done, fixture);
    assert_int_equal(wait(fixture, before), PS_OK);
    char token[PS_API_TOKEN_SIZE];
    char id[PS_TOKEN_ID_SIZE];
    snprintf(token, sizeof token, "%s", fixture->token);
    snprintf(id, sizeof id, "%s", fixture->id);
    assert_int_equal(strncmp(token, "pst_", 4), 0);
    assert_int_equal(ps_access_by_token(fixture->access, token, &who), PS_OK);
    assert_int_equal(who.role, PS_ROLE_OPERATOR);
    assert_string_equal(who.by, "token");
    ps_identity_show(&who, shown, sizeof shown);
    assert_string_equal(shown, "anna (token line-3)");
    token[10] ^= 1;
    assert_int_equal(ps_access_by_token(fixture->access, token, &who), PS_ERR_DENIED);
    token[10] ^= 1;
    // Nothing on the disk opens anything.
    PS_AUTO_BUF PsBuf text = {0};
    assert_int_equal(ps_file_read(fixture->file, PS_ACCOUNTS_TEXT_MAX, &text, NULL), PS_OK);
    assert_null(strstr((const char *)text.data, token + 4));
    assert_null(strstr((const char *)text.data, GOOD));

    close_access(fixture);
    open_access(fixture);
    assert_int_equal(ps_access_by_token(fixture->access, token, &who), PS_OK);
    json_t *tokens = ps_access_tokens(fixture->access, "ANNA");
    assert_int_equal(json_array_size(tokens), 1);
    assert_true(json_is_number(json_object_get(json_array_get(tokens, 0), "last_used")));
    json_decref(tokens);
    before = fixture->answers;
    ps_access_token_remove(fixture->access, "bert", id, on_done, fixture);
    assert_int_equal(wait(fixture, before), PS_ERR_NOT_FOUND);
    before = fixture->answers;
    ps_access_token_remove(fixture->access, NULL, id, on_done, fixture);
    assert_int_equal(wait(fixture, before), PS_OK);
    assert_int_equal(ps_access_by_token(fixture->access, token, &who), PS_ERR_DENIED);
    assert_false(ps_access_is_valid(fixture->access, &who));
}

static void a_change_that_is_not_on_the_disk_is_none(void **state) {
    Fixture *fixture = *state;
    make_anna(fixture);
    unlink(fixture->file);
    assert_int_equal(mkdir(fixture->file, 0700), 0); // nothing can take that name
    assert_int_not_equal(add_user(fixture, "bert", PS_ROLE_VIEWER), PS_OK);
    assert_int_equal(log_in(fixture, "bert", OTHER), PS_ERR_DENIED);
    rmdir(fixture->file);
    assert_int_equal(add_user(fixture, "bert", PS_ROLE_VIEWER), PS_OK);
}

static void a_damaged_file_lets_nobody_in(void **state) {
    Fixture *fixture = *state;
    PsDiag diag = {0};
    char code[PS_SETUP_CODE_SIZE];
    PsWall expires;
    make_anna(fixture);
    close_access(fixture);
    PS_AUTO_BUF PsBuf text = {0};
    assert_int_equal(ps_file_read(fixture->file, PS_ACCOUNTS_TEXT_MAX, &text, NULL), PS_OK);
    assert_int_equal(ps_file_write(fixture->file, text.data, text.len / 2, 0600, NULL), PS_OK);
    open_access(fixture);
    assert_int_equal(ps_access_problem(fixture->access, &diag), PS_ERR_CORRUPT);
    assert_string_equal(diag.object, fixture->file);
    assert_non_null(strstr(diag.text, "setup-code"));
    assert_false(ps_access_is_set_up(fixture->access));
    assert_int_equal(log_in(fixture, "anna", GOOD), PS_ERR_CORRUPT);
    assert_int_equal(ps_access_setup_code(fixture->access, code, sizeof code, &expires, NULL),
                     PS_ERR_CORRUPT);
    assert_int_equal(add_user(fixture, "bert", PS_ROLE_ADMINISTRATOR), PS_ERR_CORRUPT);
    close_access(fixture);
    struct stat status; // and it is left as it was, for whoever repairs it
    assert_int_equal(stat(fixture->file, &status), 0);
    assert_int_equal(status.st_size, text.len / 2);
    assert_int_equal(ps_file_write(fixture->file, text.data, text.len, 0600, NULL), PS_OK);
    open_access(fixture);
    assert_int_equal(log_in(fixture, "anna", GOOD), PS_OK);
}

static void a_stop_answers_everybody(void **state) {
    Fixture *fixture = *state;
    make_anna(fixture);
    unsigned before = fixture->answers;
    for (int i = 0; i < 3; i++) {
        ps_access_log_in(fixture->access, "anna", GOOD, "10.0.0.1", on_done, fixture);
    }
    close_access(fixture);
    assert_int_equal(fixture->answers - before, 3);
    open_access(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_administrator_is_made_with_the_code, fresh, end),
        cmocka_unit_test_setup_teardown(ten_wrong_codes_make_a_new_one, fresh, end),
        cmocka_unit_test_setup_teardown(accounts_outlive_a_restart_and_sessions_do_not, fresh, end),
        cmocka_unit_test_setup_teardown(a_log_in_that_fails_says_nothing, fresh, end),
        cmocka_unit_test_setup_teardown(guessing_is_slowed_down, fresh, end),
        cmocka_unit_test_setup_teardown(many_at_once_gain_nothing, fresh, end),
        cmocka_unit_test_setup_teardown(changes_of_an_account_end_its_sessions, fresh, end),
        cmocka_unit_test_setup_teardown(ones_own_password, fresh, end),
        cmocka_unit_test_setup_teardown(tokens_open_what_they_may, fresh, end),
        cmocka_unit_test_setup_teardown(a_change_that_is_not_on_the_disk_is_none, fresh, end),
        cmocka_unit_test_setup_teardown(a_damaged_file_lets_nobody_in, fresh, end),
        cmocka_unit_test_setup_teardown(a_stop_answers_everybody, fresh, end),
    };
    return cmocka_run_group_tests_name("access/access", tests, NULL, NULL);
}
