// Accounts and tokens: what is taken, what is refused, and the file as text. Pure.
#include "access/accounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HASH "$y$j9T$abcdefghijklmnopqrstuv$0123456789012345678901234567890123456789012"
#define DAY_NS (INT64_C(86400) * PS_NS_PER_S)

static const PsWall now = {INT64_C(1767000000) * PS_NS_PER_S};

static int fresh(void **state) {
    *state = calloc(1, sizeof(PsAccounts));
    return *state == NULL;
}

static int end(void **state) {
    free(*state);
    return 0;
}

static void add(PsAccounts *accounts, const char *name, PsRole role) {
    assert_int_equal(ps_accounts_add(accounts, name, role, HASH, now, NULL), PS_OK);
}

static void names_are_checked(void **state) {
    PsAccounts *accounts = *state;
    static const char *const wrong[] = {
        "",    "-a",  "a b",  "ä",
        "a\n", "a/b", "../x", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < PS_COUNT(wrong); i++) {
        assert_int_equal(ps_accounts_add(accounts, wrong[i], PS_ROLE_VIEWER, HASH, now, NULL),
                         PS_ERR_INVALID);
    }
    add(accounts, "anna.b-c_d@plant", PS_ROLE_VIEWER);
    assert_int_equal(ps_accounts_add(accounts, "Anna.B-c_d@plant", PS_ROLE_VIEWER, HASH, now, NULL),
                     PS_ERR_EXISTS);
    assert_int_equal(ps_accounts_add(accounts, "b", PS_ROLE_NONE, HASH, now, NULL), PS_ERR_INVALID);
    assert_non_null(ps_accounts_find(accounts, "ANNA.b-c_d@plant"));
    assert_int_equal(accounts->count, 1);
}

static void the_last_administrator_stays(void **state) {
    PsAccounts *accounts = *state;
    PsDiag diag;
    add(accounts, "anna", PS_ROLE_ADMINISTRATOR);
    add(accounts, "bert", PS_ROLE_ENGINEER);
    assert_int_equal(ps_accounts_remove(accounts, "Anna", &diag), PS_ERR_REFUSED);
    assert_string_equal(diag.object, "user 'anna'");
    assert_int_equal(ps_accounts_change(accounts, "anna", PS_ROLE_VIEWER, NULL, -1, NULL),
                     PS_ERR_REFUSED);
    assert_int_equal(ps_accounts_change(accounts, "anna", PS_ROLE_NONE, NULL, 1, NULL),
                     PS_ERR_REFUSED);
    assert_int_equal(ps_accounts_change(accounts, "bert", PS_ROLE_ADMINISTRATOR, NULL, 1, NULL),
                     PS_OK); // an administrator who cannot log in is no help
    assert_int_equal(ps_accounts_remove(accounts, "anna", NULL), PS_ERR_REFUSED);
    assert_int_equal(ps_accounts_change(accounts, "bert", PS_ROLE_NONE, NULL, 0, NULL), PS_OK);
    assert_int_equal(ps_accounts_remove(accounts, "anna", NULL), PS_OK);
    assert_int_equal(ps_accounts_remove(accounts, "anna", NULL), PS_ERR_NOT_FOUND);
    assert_true(ps_accounts_has_administrator(accounts, NULL));
}

static void accounts_are_bounded(void **state) {
    PsAccounts *accounts = *state;
    char name[16];
    for (int i = 0; i < PS_ACCOUNTS_MAX; i++) {
        snprintf(name, sizeof name, "user%d", i);
        add(accounts, name, PS_ROLE_VIEWER);
    }
    assert_int_equal(ps_accounts_add(accounts, "more", PS_ROLE_VIEWER, HASH, now, NULL),
                     PS_ERR_FULL);
}

static PsErr add_token(PsAccounts *accounts, const char *owner, const char *name, PsRole role,
                       int days) {
    char id[PS_TOKEN_ID_SIZE];
    char text[80];
    snprintf(text, sizeof text, "pst_%s%s", owner, name);
    return ps_accounts_add_token(accounts, owner, name, role, days, text, now, id, NULL);
}

static const PsApiToken *use(PsAccounts *accounts, const char *text, PsWall when, PsRole *role) {
    uint8_t hash[PS_SECRET_HASH];
    ps_secret_hash(text, hash);
    return ps_accounts_token_of(accounts, hash, when, role);
}

static void tokens_end_and_follow_their_account(void **state) {
    PsAccounts *accounts = *state;
    PsRole role = PS_ROLE_NONE;
    add(accounts, "root", PS_ROLE_ADMINISTRATOR);
    add(accounts, "anna", PS_ROLE_ENGINEER);
    assert_int_equal(add_token(accounts, "anna", "t", PS_ROLE_ADMINISTRATOR, 1), PS_ERR_DENIED);
    assert_int_equal(add_token(accounts, "anna", "t", PS_ROLE_ENGINEER, 0), PS_ERR_RANGE);
    assert_int_equal(add_token(accounts, "anna", "t", PS_ROLE_ENGINEER, 3651), PS_ERR_RANGE);
    assert_int_equal(add_token(accounts, "nobody", "t", PS_ROLE_VIEWER, 1), PS_ERR_NOT_FOUND);
    assert_int_equal(add_token(accounts, "anna", "t", PS_ROLE_ENGINEER, 1), PS_OK);
    assert_int_equal(add_token(accounts, "ANNA", "T", PS_ROLE_ENGINEER, 1), PS_ERR_EXISTS);
    assert_non_null(use(accounts, "pst_annat", now, &role));
    assert_int_equal(role, PS_ROLE_ENGINEER);
    assert_null(use(accounts, "pst_annax", now, &role));
    assert_null(use(accounts, "", now, &role));
    assert_non_null(use(accounts, "pst_annat", (PsWall){now.ns + DAY_NS - 1}, &role));
    assert_null(use(accounts, "pst_annat", (PsWall){now.ns + DAY_NS}, &role));
    assert_null(use(accounts, "pst_annat", (PsWall){0}, &role)); // the clock is not set

    assert_int_equal(ps_accounts_change(accounts, "anna", PS_ROLE_VIEWER, NULL, -1, NULL), PS_OK);
    assert_non_null(use(accounts, "pst_annat", now, &role));
    assert_int_equal(role, PS_ROLE_VIEWER);
    uint64_t number = ps_token_number(use(accounts, "pst_annat", now, &role));
    assert_non_null(ps_accounts_token_by_number(accounts, number, now, &role));
    assert_int_equal(ps_accounts_change(accounts, "anna", PS_ROLE_NONE, NULL, 1, NULL), PS_OK);
    assert_null(use(accounts, "pst_annat", now, &role));
    assert_null(ps_accounts_token_by_number(accounts, number, now, &role));
    assert_int_equal(ps_accounts_remove(accounts, "anna", NULL), PS_OK);
    assert_int_equal(accounts->token_count, 0);
}

static void only_ones_own_token_is_removed(void **state) {
    PsAccounts *accounts = *state;
    char id[PS_TOKEN_ID_SIZE];
    add(accounts, "anna", PS_ROLE_VIEWER);
    add(accounts, "bert", PS_ROLE_VIEWER);
    assert_int_equal(add_token(accounts, "anna", "t", PS_ROLE_VIEWER, 1), PS_OK);
    snprintf(id, sizeof id, "%s", accounts->tokens[0].id);
    assert_int_equal(ps_accounts_remove_token(accounts, "bert", id, NULL), PS_ERR_NOT_FOUND);
    assert_int_equal(ps_accounts_remove_token(accounts, "", id, NULL), PS_ERR_NOT_FOUND);
    assert_int_equal(ps_accounts_remove_token(accounts, "anna", id, NULL), PS_OK);
    assert_int_equal(add_token(accounts, "", "cli", PS_ROLE_ADMINISTRATOR, 3650), PS_OK);
    snprintf(id, sizeof id, "%s", accounts->tokens[0].id);
    assert_int_equal(ps_accounts_remove_token(accounts, NULL, id, NULL), PS_OK);
}

static void no_token_without_a_clock(void **state) {
    PsAccounts *accounts = *state;
    char id[PS_TOKEN_ID_SIZE];
    assert_int_equal(
        ps_accounts_add_token(accounts, "", "t", PS_ROLE_VIEWER, 1, "x", (PsWall){1000}, id, NULL),
        PS_ERR_REFUSED);
}

// ---- as text

static void what_is_written_is_read(void **state) {
    PsAccounts *accounts = *state;
    add(accounts, "anna", PS_ROLE_ADMINISTRATOR);
    add(accounts, "bert", PS_ROLE_OPERATOR);
    accounts->items[0].last_login = now;
    accounts->items[1].disabled = true;
    assert_int_equal(add_token(accounts, "bert", "line-3", PS_ROLE_VIEWER, 30), PS_OK);
    assert_int_equal(add_token(accounts, "", "cli", PS_ROLE_ADMINISTRATOR, 1), PS_OK);
    char *text = ps_accounts_write(accounts);
    PsAccounts *again = calloc(1, sizeof *again);
    assert_int_equal(ps_accounts_read(text, strlen(text), again, NULL), PS_OK);
    assert_int_equal(again->count, 2);
    assert_int_equal(again->items[0].last_login.ns, now.ns);
    assert_true(again->items[1].disabled);
    assert_int_equal(again->token_count, 2);
    assert_memory_equal(again->tokens, accounts->tokens, 2 * sizeof *again->tokens);
    assert_null(strstr(text, "pst_"));
    free(again);
    free(text);
}

#define ACCOUNT                                                                                    \
    "{\"name\":\"a\",\"role\":\"viewer\",\"created\":1,\"last_login\":null,\"disabled\":false,"    \
    "\"password\":\"" HASH "\"}"
#define WHOLE(accounts, tokens)                                                                    \
    "{\"version\":1,\"accounts\":[" accounts "],\"tokens\":[" tokens "]}"

static void damaged_is_refused_whole(void **state) {
    PsAccounts *accounts = *state;
    static const struct {
        const char *text;
        const char *object;
        const char *field;
    } cases[] = {
        {"", "", "line 1"},
        {"{\"version\":1,\n\"accounts\":[", "", "line 2"},
        {"[]", "", "version"},
        {"{\"version\":2,\"accounts\":[],\"tokens\":[]}", "", "version"},
        {"{\"version\":1,\"accounts\":[],\"tokens\":[],\"x\":1}", "", "version"},
        {"{\"version\":1,\"accounts\":{},\"tokens\":[]}", "accounts", ""},
        {WHOLE("1", ""), "accounts[0]", ""},
        {WHOLE(ACCOUNT "," ACCOUNT, ""), "accounts[1]", "name"},
        {WHOLE("{\"name\":\"a\"}", ""), "accounts[0]", "role"},
        {WHOLE("{\"name\":\"a\",\"role\":\"none\"}", ""), "accounts[0]", "role"},
        {WHOLE("{\"name\":\"a\\u0000b\",\"role\":\"viewer\"}", ""), "", "line 1"},
        {WHOLE("{\"name\":\"a\",\"role\":\"viewer\",\"created\":1,\"last_login\":null,"
               "\"disabled\":false,\"password\":\"$1$weak\"}",
               ""),
         "accounts[0]", "password"},
        {WHOLE("{\"name\":\"a\",\"role\":\"viewer\",\"created\":1e30,\"last_login\":null,"
               "\"disabled\":false,\"password\":\"" HASH "\"}",
               ""),
         "accounts[0]", "created"},
        {WHOLE("", "{\"id\":\"x\",\"sha256\":\"y\"}"), "tokens[0]", "sha256"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsDiag diag = {0};
        assert_int_equal(ps_accounts_read(cases[i].text, strlen(cases[i].text), accounts, &diag),
                         PS_ERR_CORRUPT);
        assert_string_equal(diag.object, cases[i].object);
        assert_string_equal(diag.field, cases[i].field);
        assert_int_equal(accounts->count, 0);
    }
    const char *fine = WHOLE(ACCOUNT, "");
    assert_int_equal(ps_accounts_read(fine, strlen(fine), accounts, NULL), PS_OK);
}

static void times_noted_meanwhile_are_kept(void **state) {
    PsAccounts *accounts = *state;
    add(accounts, "anna", PS_ROLE_ADMINISTRATOR);
    assert_int_equal(add_token(accounts, "anna", "t", PS_ROLE_VIEWER, 30), PS_OK);
    PsAccounts *draft = calloc(1, sizeof *draft);
    *draft = *accounts;
    accounts->items[0].last_login = now;
    accounts->tokens[0].last_used = now;
    ps_accounts_take_times(draft, accounts);
    assert_int_equal(draft->items[0].last_login.ns, now.ns);
    assert_int_equal(draft->tokens[0].last_used.ns, now.ns);
    free(draft);
}

static void roles_have_names(void **state) {
    for (int i = PS_ROLE_NONE; i <= PS_ROLE_ADMINISTRATOR; i++) {
        assert_int_equal(ps_role_of(ps_role_name((PsRole)i)), i);
    }
    assert_int_equal(ps_role_of(NULL), PS_ROLE_NONE);
    assert_int_equal(ps_role_of("Administrator"), PS_ROLE_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_checked, fresh, end),
        cmocka_unit_test_setup_teardown(the_last_administrator_stays, fresh, end),
        cmocka_unit_test_setup_teardown(accounts_are_bounded, fresh, end),
        cmocka_unit_test_setup_teardown(tokens_end_and_follow_their_account, fresh, end),
        cmocka_unit_test_setup_teardown(only_ones_own_token_is_removed, fresh, end),
        cmocka_unit_test_setup_teardown(no_token_without_a_clock, fresh, end),
        cmocka_unit_test_setup_teardown(what_is_written_is_read, fresh, end),
        cmocka_unit_test_setup_teardown(damaged_is_refused_whole, fresh, end),
        cmocka_unit_test_setup_teardown(times_noted_meanwhile_are_kept, fresh, end),
        cmocka_unit_test(roles_have_names),
    };
    return cmocka_run_group_tests_name("access/accounts", tests, NULL, NULL);
}
