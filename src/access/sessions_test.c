// Sessions: new secrets at each log-in, idle and absolute end, bounds. Times are made up.
#include "access/sessions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE (60 * PS_NS_PER_S)

static PsMono at(int minutes) {
    return (PsMono){(1000 + minutes) * MINUTE};
}

static int fresh(void **state) {
    PsSessions *sessions = calloc(1, sizeof *sessions);
    sessions->idle_ns = 30 * MINUTE;
    sessions->longest_ns = 120 * MINUTE;
    *state = sessions;
    return 0;
}

static int end(void **state) {
    free(*state);
    return 0;
}

static void each_log_in_has_new_secrets(void **state) {
    PsSessions *sessions = *state;
    char one[PS_SECRET_TEXT];
    char two[PS_SECRET_TEXT];
    const PsSession *first = ps_sessions_begin(sessions, "anna", at(0), one);
    const PsSession *second = ps_sessions_begin(sessions, "anna", at(0), two);
    assert_int_equal(strlen(one), 43);
    assert_string_not_equal(one, two);
    assert_string_not_equal(first->csrf, second->csrf);
    assert_string_not_equal(first->csrf, one);
    assert_ptr_equal(ps_sessions_find(sessions, one, at(0)), first);
    assert_ptr_equal(ps_sessions_find(sessions, two, at(0)), second);
    assert_null(ps_sessions_find(sessions, "", at(0)));
    assert_null(ps_sessions_find(sessions, first->csrf, at(0)));
    // The cookie itself is kept nowhere.
    assert_null(memmem(sessions, sizeof *sessions, one, 43));
}

static void a_session_ends_when_idle_and_at_last(void **state) {
    PsSessions *sessions = *state;
    char cookie[PS_SECRET_TEXT];
    ps_sessions_begin(sessions, "anna", at(0), cookie);
    for (int minute = 20; minute < 120; minute += 20) {
        PsSession *session = ps_sessions_find(sessions, cookie, at(minute));
        assert_non_null(session);
        session->used = at(minute);
    }
    assert_non_null(ps_sessions_find(sessions, cookie, at(119)));
    assert_null(ps_sessions_find(sessions, cookie, at(120)));
    assert_null(ps_sessions_find(sessions, cookie, at(0))); // once ended, it is gone

    ps_sessions_begin(sessions, "anna", at(0), cookie);
    assert_non_null(ps_sessions_find(sessions, cookie, at(29)));
    assert_null(ps_sessions_find(sessions, cookie, at(30)));
}

static void other_limits_hold_at_once(void **state) {
    PsSessions *sessions = *state;
    char cookie[PS_SECRET_TEXT];
    ps_sessions_begin(sessions, "anna", at(0), cookie);
    sessions->idle_ns = 5 * MINUTE;
    assert_null(ps_sessions_find(sessions, cookie, at(5)));
}

static void an_account_has_so_many_only(void **state) {
    PsSessions *sessions = *state;
    char first[PS_SECRET_TEXT];
    char second[PS_SECRET_TEXT];
    char other[PS_SECRET_TEXT];
    char cookie[PS_SECRET_TEXT];
    ps_sessions_begin(sessions, "bert", at(0), other);
    ps_sessions_begin(sessions, "anna", at(0), first);
    ps_sessions_begin(sessions, "anna", at(1), second);
    ps_sessions_find(sessions, first, at(2))->used = at(2);
    for (int i = 2; i <= PS_SESSIONS_EACH; i++) {
        ps_sessions_begin(sessions, "Anna", at(3), cookie);
    }
    assert_non_null(ps_sessions_find(sessions, first, at(3)));
    assert_null(ps_sessions_find(sessions, second, at(3))); // longest unused
    assert_non_null(ps_sessions_find(sessions, other, at(3)));
    assert_non_null(ps_sessions_find(sessions, cookie, at(3)));
}

static void the_table_is_bounded(void **state) {
    PsSessions *sessions = *state;
    char first[PS_SECRET_TEXT];
    char cookie[PS_SECRET_TEXT];
    char name[16];
    ps_sessions_begin(sessions, "first", at(0), first);
    for (int i = 0; i < PS_SESSIONS_MAX; i++) {
        snprintf(name, sizeof name, "u%d", i);
        ps_sessions_begin(sessions, name, at(1), cookie);
    }
    assert_null(ps_sessions_find(sessions, first, at(1)));
    assert_non_null(ps_sessions_find(sessions, cookie, at(1)));
}

static void all_of_an_account_end_but_one(void **state) {
    PsSessions *sessions = *state;
    char cookies[3][PS_SECRET_TEXT];
    ps_sessions_begin(sessions, "anna", at(0), cookies[0]);
    const PsSession *kept = ps_sessions_begin(sessions, "anna", at(0), cookies[1]);
    ps_sessions_begin(sessions, "bert", at(0), cookies[2]);
    uint64_t id = kept->id;
    ps_sessions_end_of(sessions, "ANNA", id);
    assert_null(ps_sessions_find(sessions, cookies[0], at(0)));
    assert_non_null(ps_sessions_find(sessions, cookies[1], at(0)));
    assert_non_null(ps_sessions_by_id(sessions, id, at(0)));
    ps_sessions_end_of(sessions, "anna", 0);
    assert_null(ps_sessions_by_id(sessions, id, at(0)));
    assert_null(ps_sessions_by_id(sessions, 0, at(0)));
    assert_non_null(ps_sessions_find(sessions, cookies[2], at(0)));
}

static void hexadecimal_goes_both_ways(void **state) {
    uint8_t bytes[3] = {0, 0xab, 0xff};
    uint8_t back[3];
    char text[7];
    ps_secret_to_hex(bytes, 3, text);
    assert_string_equal(text, "00abff");
    assert_true(ps_secret_from_hex(text, back, 3));
    assert_memory_equal(bytes, back, 3);
    assert_false(ps_secret_from_hex("00abf", back, 3));
    assert_false(ps_secret_from_hex("00abfg", back, 3));
    assert_true(ps_secret_equal_text("abc", "abc"));
    assert_false(ps_secret_equal_text("abc", "abcd"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_log_in_has_new_secrets, fresh, end),
        cmocka_unit_test_setup_teardown(a_session_ends_when_idle_and_at_last, fresh, end),
        cmocka_unit_test_setup_teardown(other_limits_hold_at_once, fresh, end),
        cmocka_unit_test_setup_teardown(an_account_has_so_many_only, fresh, end),
        cmocka_unit_test_setup_teardown(the_table_is_bounded, fresh, end),
        cmocka_unit_test_setup_teardown(all_of_an_account_end_but_one, fresh, end),
        cmocka_unit_test(hexadecimal_goes_both_ways),
    };
    return cmocka_run_group_tests_name("access/sessions", tests, NULL, NULL);
}
