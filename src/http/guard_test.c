// Who may speak to a server on loopback, and to one in a network.
#include "http/guard.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_who_may_speak(void **state) {
    (void)state;
    static const PsGuardRules rules = {.loopback_hosts = true};
    static const struct {
        PsGuardFacts facts;
        bool passes;
    } cases[] = {
        {{"POST", "localhost:80", NULL, NULL}, true},
        {{"POST", "LOCALHOST", NULL, NULL}, true},
        {{"POST", "[::1]:8080", NULL, NULL}, true},
        {{"GET", NULL, NULL, NULL}, false},
        {{"GET", "evil.example", NULL, NULL}, false},
        {{"GET", "localhost.evil.example", NULL, NULL}, false},
        {{"GET", "127.0.0.1.evil.example", NULL, NULL}, false},
        {{"GET", "localhost:", NULL, NULL}, false},
        {{"GET", "localhost:8x", NULL, NULL}, false},
        {{"GET", "localhost:1", "http://evil.example", "cross-site"}, true}, // it reads nothing
        {{"POST", "localhost:1", "http://localhost:1", "same-origin"}, true},
        {{"POST", "localhost:1", "http://localhost:2", NULL}, false},
        {{"POST", "localhost:1", "https://localhost:1", NULL}, false},
        {{"POST", "localhost:1", "null", NULL}, false},
        {{"DELETE", "localhost:1", NULL, "cross-site"}, false},
        {{"PUT", "localhost:1", NULL, "same-site"}, false},
        {{"PUT", "localhost:1", NULL, "none"}, true},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        if ((ps_guard_objects(&rules, &cases[i].facts) == NULL) != cases[i].passes) {
            fail_msg("case %zu: %s", i, cases[i].passes ? "refused" : "let through");
        }
    }
}

static const PsGuardRules network = {
    .loopback_hosts = true,
    .address_hosts = true,
    .hosts = (const char *const[]){"gw1.plant.example"},
    .host_count = 1,
    .tls = true,
};

static bool passes(const PsGuardRules *rules, const char *method, const char *host,
                   const char *origin) {
    PsGuardFacts facts = {.method = method, .host = host, .origin = origin};
    return ps_guard_objects(rules, &facts) == NULL;
}

static void test_names_in_a_network(void **state) {
    static const char *const good[] = {
        "192.168.2.7",       "192.168.2.7:9443",       "[fe80::1]:9443",
        "gw1.plant.example", "GW1.plant.example:9443", "localhost"};
    static const char *const bad[] = {"gw1.plant.example.evil",
                                      "evil.example",
                                      "192.168.2",
                                      "192.168.2.7:",
                                      "[fe80::1",
                                      "[evil]",
                                      "",
                                      ":9443",
                                      "1.2.3.4:999999"};
    for (size_t i = 0; i < PS_COUNT(good); i++) {
        if (!passes(&network, "GET", good[i], NULL)) {
            fail_msg("%s is refused", good[i]);
        }
    }
    for (size_t i = 0; i < PS_COUNT(bad); i++) {
        if (passes(&network, "GET", bad[i], NULL)) {
            fail_msg("%s is let through", bad[i]);
        }
    }
}

static void test_origins_with_tls(void **state) {
    assert_true(passes(&network, "PUT", "192.168.2.7:9443", "https://192.168.2.7:9443"));
    assert_false(passes(&network, "PUT", "192.168.2.7:9443", "http://192.168.2.7:9443"));
    assert_false(passes(&network, "PUT", "192.168.2.7:9443", "https://192.168.2.8:9443"));
}

static void test_any_name(void **state) {
    static const PsGuardRules any = {.any_host = true, .tls = true};
    assert_true(passes(&any, "PUT", "what.ever", "https://what.ever"));
    assert_false(passes(&any, "PUT", "what.ever", "https://evil.example"));
    assert_false(passes(&any, "GET", "a b:c", NULL));
    assert_false(passes(&any, "GET", NULL, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_may_speak),
        cmocka_unit_test(test_names_in_a_network),
        cmocka_unit_test(test_origins_with_tls),
        cmocka_unit_test(test_any_name),
    };
    return cmocka_run_group_tests_name("http guard", tests, NULL, NULL);
}
