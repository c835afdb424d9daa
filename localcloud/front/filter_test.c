// Topics and filters with AWS's differences from MQTT.
#include "localcloud/front/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static PsBytes text(const char *words) {
    return ps_bytes(words, strlen(words));
}

typedef struct MatchCase {
    const char *filter;
    const char *topic;
    bool matches;
} MatchCase;

static void test_matching(void **state) {
    (void)state;
    static const MatchCase cases[] = {
        {"a/b", "a/b", true},       {"a/b", "a/bc", false},
        {"a/b", "a", false},        {"a", "a/b", false},
        {"a/+", "a/b", true},       {"a/+", "a/", true},
        {"a/+", "a", false},        {"a/+", "a/b/c", false},
        {"+/+", "/b", true},        {"+", "/b", false},
        {"a/#", "a/b", true},       {"a/#", "a/b/c", true},
        {"a/#", "a/", true},        {"#", "a", true},
        {"#", "a/b/c", true},       {"#", "$aws/x", false},
        {"+/x", "$aws/x", false},   {"$aws/#", "$aws/x", true},
        {"$aws/+", "$aws/x", true}, {"$share/g/a/#", "a/b", true},
        {"$share/g/a", "a", true},  {"a/+/c", "a/b/c", true},
        {"a/+/#", "a/b/c/d", true}, {"a/+/#", "a/b", false},
        {"/", "/", true},           {"/+", "/finance", true},
        {"+", "/finance", false},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        if (ps_filter_matches(text(cases[i].filter), text(cases[i].topic)) != cases[i].matches) {
            fail_msg("%s and %s", cases[i].filter, cases[i].topic);
        }
    }
}

// Spec 4, row "#": `sensor/#` takes `sensor/` and `sensor/a`, not `sensor`.
static void test_row_hash_without_parent(void **state) {
    (void)state;
    assert_false(ps_filter_matches(text("sensor/#"), text("sensor")));
    assert_true(ps_filter_matches(text("sensor/#"), text("sensor/")));
    assert_true(ps_filter_matches(text("sensor/#"), text("sensor/a")));
    assert_true(ps_filter_is_parent_only(text("sensor/#"), text("sensor")));
    assert_true(ps_filter_is_parent_only(text("+/#"), text("sensor")));
    assert_true(ps_filter_is_parent_only(text("$share/g/sensor/#"), text("sensor")));
    assert_false(ps_filter_is_parent_only(text("sensor/#"), text("sensor/a")));
    assert_false(ps_filter_is_parent_only(text("#"), text("sensor")));
    assert_false(ps_filter_is_parent_only(text("sensor/+"), text("sensor")));
}

static void test_valid(void **state) {
    (void)state;
    static const char *const good[] = {"a",  "#",    "+",   "a/#",        "+/+/#",
                                       "//", "/a/+", "a b", "$share/g/#", "$share/g//"};
    static const char *const bad[] = {
        "",          "a#",        "a/#/b",      "a+",     "+a/b",        "##",         "$share/g",
        "$share//a", "$share/g/", "$share/+/a", "\xff/a", "$share/g#/a", "$share/g/a#"};
    for (size_t i = 0; i < PS_COUNT(good); i++) {
        assert_true(ps_filter_is_valid(text(good[i]), 128));
    }
    for (size_t i = 0; i < PS_COUNT(bad); i++) {
        if (ps_filter_is_valid(text(bad[i]), 128)) {
            fail_msg("%s", bad[i]);
        }
    }
    assert_true(ps_topic_is_valid(text("a/b")));
    assert_false(ps_topic_is_valid(text("a/+")));
    assert_false(ps_topic_is_valid(text("#")));
    assert_false(ps_topic_is_valid(text("")));
}

// Spec 4.4, row "shared subscription": the prefix does not count, its name has up to 128 bytes.
static void test_row_share_name(void **state) {
    (void)state;
    char filter[200] = "$share/";
    memset(filter + 7, 'n', 128);
    memcpy(filter + 7 + 128, "/a", 3);
    assert_true(ps_filter_is_valid(text(filter), 128));
    assert_false(ps_filter_is_valid(text(filter), 127));
    PsBytes inner = ps_filter_without_share(text(filter));
    assert_int_equal(inner.len, 1);
}

// Spec 4.4, row "Basic Ingest": the prefix counts neither for length nor for slashes.
static void test_row_basic_ingest_prefix(void **state) {
    (void)state;
    PsBytes counted = ps_topic_counted(text("$aws/rules/store/a/b"));
    assert_true(ps_bytes_are(counted, "a/b"));
    assert_int_equal(ps_topic_slashes(counted), 1);
    assert_true(ps_bytes_are(ps_topic_counted(text("$aws/rules/store")), ""));
    assert_true(ps_bytes_are(ps_topic_counted(text("$aws/things/x")), "$aws/things/x"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matching),
        cmocka_unit_test(test_row_hash_without_parent),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_row_share_name),
        cmocka_unit_test(test_row_basic_ingest_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
