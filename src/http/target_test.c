// Paths and queries as they come from outside.
#include "http/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static char joined[PS_TARGET_MAX + 1];

static void test_a_target_is_taken_apart(void **state) {
    (void)state;
    static PsTarget target;
    assert_int_equal(ps_target_read("/topics/gw%2F1%2Fcmd%2Fx%20y?qos=1&flag&a=b%26c+d", &target),
                     PS_OK);
    assert_int_equal(target.segment_count, 2);
    assert_string_equal(target.segments[1], "gw/1/cmd/x y");
    assert_int_equal(target.query_count, 3);
    assert_string_equal(target.query[0].value, "1");
    assert_string_equal(target.query[1].name, "flag");
    assert_string_equal(target.query[1].value, "");
    assert_string_equal(target.query[2].value, "b&c d");
    assert_int_equal(ps_target_read("/a+b", &target), PS_OK);
    assert_string_equal(target.segments[0], "a+b"); // a blank only in queries
}

static void test_targets_that_are_none(void **state) {
    (void)state;
    static PsTarget target;
    static const char *const bad[] = {"",     "things", "/%",   "/%4",
                                      "/%zz", "/%00",   "/%ff", "/a?b=%g0"};
    for (size_t i = 0; i < PS_COUNT(bad); i++) {
        assert_int_equal(ps_target_read(bad[i], &target), PS_ERR_INVALID);
    }
    static char text[PS_TARGET_MAX + 2];
    memset(text, 'a', sizeof text - 1);
    text[0] = '/';
    assert_int_equal(ps_target_read(text, &target), PS_ERR_TOO_BIG);
    text[PS_TARGET_MAX] = '\0';
    assert_int_equal(ps_target_read(text, &target), PS_OK);
    for (size_t i = 0; i < 64; i++) {
        text[i] = '/';
    }
    assert_int_equal(ps_target_read(text, &target), PS_ERR_TOO_BIG);
}

typedef struct RouteCase {
    const char *target;
    const char *path;
    const char *first; // NULL: does not fit
    const char *second;
} RouteCase;

static void test_paths_fit_routes(void **state) {
    (void)state;
    static const RouteCase cases[] = {
        {"/things/gw", "/things/{n}", "gw", NULL},
        {"/things/", "/things/{n}", NULL, NULL},
        {"/things", "/things/{n}", NULL, NULL},
        {"/things/gw/x", "/things/{n}", NULL, NULL},
        {"/things/gw/shadow", "/things/{n}/shadow", "gw", NULL},
        {"/things/gw/shadows", "/things/{n}/shadow", NULL, NULL},
        {"/policies/p/version/2", "/policies/{n}/version/{id}", "p", "2"},
        {"/topics/a/b%2Fc", "/topics/{t+}", "a/b/c", NULL},
        {"/topics/", "/topics/{t+}", NULL, NULL},
        {"/topics", "/topics/{t+}", NULL, NULL},
        {"/a%2Fb", "/a/b", NULL, NULL},
        {"/things", "/things", "", NULL},
        {"/thing", "/things", NULL, NULL},
    };
    static PsTarget target;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        const char *found[3] = {"", NULL, NULL};
        assert_int_equal(ps_target_read(cases[i].target, &target), PS_OK);
        bool fits = ps_target_fits(&target, cases[i].path, found, 3, joined);
        assert_int_equal(fits, cases[i].first != NULL);
        if (fits) {
            assert_string_equal(found[0], cases[i].first);
        }
        if (cases[i].second != NULL) {
            assert_string_equal(found[1], cases[i].second);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_target_is_taken_apart),
        cmocka_unit_test(test_targets_that_are_none),
        cmocka_unit_test(test_paths_fit_routes),
    };
    return cmocka_run_group_tests_name("http target", tests, NULL, NULL);
}
