// Names of certificates against those of servers.
#include "drivers/opcua/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *compare(const char *endpoint, const char *hosts, const char *announced,
                           const char *uri) {
    static PsTrustEntry entry;
    entry = (PsTrustEntry){.warning = "of before"};
    snprintf(entry.endpoint, sizeof entry.endpoint, "%s", endpoint);
    snprintf(entry.hosts, sizeof entry.hosts, "%s", hosts);
    snprintf(entry.announced, sizeof entry.announced, "%s", announced);
    snprintf(entry.uri, sizeof entry.uri, "%s", uri);
    ps_opcua_names_compare(&entry);
    return entry.warning;
}

static void test_names_that_match(void **state) {
    static const char *const rows[][2] = {
        {"opc.tcp://press:4840", "press"},
        {"opc.tcp://Press.Plant:4840/UA", "other, press.plant"},
        {"opc.tcp://press.plant:4840", "*.plant"},
        {"opc.tcp://10.0.0.5:4840", "press, 10.0.0.5, 10.0.0.6"},
        {"opc.tcp://[fd00::5]:4840", "fd00:0:0:0:0:0:0:5"},
        {"opc.tcp://press:4840", ""}, // nothing to compare
        {"", "press"},
    };
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        assert_string_equal(compare(rows[i][0], rows[i][1], "urn:a", "urn:a"), "");
    }
    assert_string_equal(compare("", "", "urn:a", ""), "");
    assert_string_equal(compare("", "", "", "urn:a"), "");
}

static void test_hosts_that_do_not(void **state) {
    static const char *const rows[][2] = {
        {"opc.tcp://press:4840", "press.plant"}, {"opc.tcp://a.press.plant:4840", "*.plant"},
        {"opc.tcp://.plant:4840", "*.plant"},    {"opc.tcp://10.0.0.5:4840", "10.0.0.50"},
        {"opc.tcp://press:4840", "pres, ress"},
    };
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        assert_non_null(strstr(compare(rows[i][0], rows[i][1], "", ""), rows[i][1]));
    }
    assert_string_equal(compare("opc.tcp://10.0.0.5:4840", "a, b", "", ""),
                        "the server was asked as 10.0.0.5, its certificate is for a, b");
}

static void test_applications_that_do_not(void **state) {
    assert_string_equal(compare("opc.tcp://a:1", "a", "urn:x", "urn:y"),
                        "the server calls itself urn:x, its certificate is for urn:y");
    assert_string_equal(compare("opc.tcp://b:1", "a", "urn:x", "urn:y"),
                        "the server was asked as b, its certificate is for a; the server calls "
                        "itself urn:x, its certificate is for urn:y");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_that_match),
        cmocka_unit_test(test_hosts_that_do_not),
        cmocka_unit_test(test_applications_that_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
