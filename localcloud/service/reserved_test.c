// What clients may do with topics that begin with a dollar sign.
#include "localcloud/service/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct Case {
    const char *topic;
    PsReservedUse publish;
    PsReservedUse subscribe;
} Case;

#define NOT PS_RESERVED_NOT
#define YES PS_RESERVED_ALLOWED
#define NO PS_RESERVED_UNSUPPORTED

static const Case cases[] = {
    {"plant/line", NOT, NOT},
    {"aws/things/t/shadow/get", NOT, NOT},
    {"$aws/things/t/shadow/get", YES, YES},
    {"$aws/things/t/shadow/update", YES, YES},
    {"$aws/things/t/shadow/delete", YES, YES},
    {"$aws/things/t/shadow/update/delta", NO, YES},
    {"$aws/things/t/shadow/update/documents", NO, YES},
    {"$aws/things/t/shadow/update/accepted", NO, YES},
    {"$aws/things/t/shadow/get/delta", NO, NO},
    {"$aws/things/t/shadow/name/s/update", YES, YES},
    {"$aws/things/t/shadow/name/s/update/rejected", NO, YES},
    {"$aws/things/t/shadow/name/update", NO, NO},
    {"$aws/things//shadow/get", NO, NO},
    {"$aws/things/t/shadow", NO, NO},
    {"$aws/things/t/shadow/get/", NO, NO},
    {"$aws/things/t/jobs/get", YES, NO},
    {"$aws/things/t/jobs/get/accepted", NO, YES},
    {"$aws/things/t/jobs/start-next", YES, NO},
    {"$aws/things/t/jobs/start-next/rejected", NO, YES},
    {"$aws/things/t/jobs/$next/get", YES, NO},
    {"$aws/things/t/jobs/j1/get/accepted", NO, YES},
    {"$aws/things/t/jobs/j1/update", YES, NO},
    {"$aws/things/t/jobs/j1/update/accepted", NO, YES},
    {"$aws/things/t/jobs/notify", NO, YES},
    {"$aws/things/t/jobs/notify-next", NO, YES},
    {"$aws/things/t/jobs/made/up", YES, NO}, // answered with InvalidTopic
    {"$aws/certificates/create/json", YES, NO},
    {"$aws/certificates/create/json/accepted", NO, YES},
    {"$aws/certificates/create/xml", NO, NO},
    {"$aws/certificates/create-from-csr/cbor", YES, NO},
    {"$aws/certificates/create-from-csr/cbor/rejected", NO, YES},
    {"$aws/provisioning-templates/x/provision/json", YES, NO},
    {"$aws/provisioning-templates/x/provision/json/accepted", NO, YES},
    {"$aws/rules/r", YES, NO},
    {"$aws/rules/r/a/b/c", YES, NO},
    {"$aws/rules", NO, NO},
    {"$aws/events/presence/connected/c", NO, YES},
    {"$aws/events/subscriptions/subscribed/c", NO, YES},
    {"$aws/things/t/defender/metrics/json", YES, NO},
    {"$aws/things/t/defender/metrics/json/accepted", NO, YES},
    {"$aws/things/t/streams/1/get/cbor", YES, NO},
    {"$aws/things/t/streams/1/data/cbor", NO, YES},
    {"$aws/things/t/tunnels/notify", NO, YES},
    {"$aws/made/up", NO, NO},
    {"$SYS/broker/uptime", NO, NO},
    {"$mine", NO, NO},
};

static void test_each_topic(void **state) {
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        if (ps_reserved_publish(cases[i].topic) != cases[i].publish ||
            ps_reserved_subscribe(cases[i].topic) != cases[i].subscribe) {
            fail_msg("%s: publish %d, subscribe %d", cases[i].topic,
                     ps_reserved_publish(cases[i].topic), ps_reserved_subscribe(cases[i].topic));
        }
    }
}

static void test_filters_with_wildcards(void **state) {
    static const struct {
        const char *filter;
        PsReservedUse use;
    } filters[] = {
        {"#", NOT},
        {"+/things", NOT},
        {"$aws/#", YES},
        {"$aws/things/+/shadow/#", YES},
        {"$aws/things/t/jobs/+/update/+", YES},
        {"$aws/things/t/jobs/#", YES},
        {"$aws/events/presence/+/+", YES},
        {"$aws/+/t/shadow/get", YES},
        {"$aws/rules/#", NO},
        {"$aws/rules/+/a", NO},
        {"$aws/made/#", NO},
        {"$SYS/#", NO},
        {"$share/g/plant/#", NOT},
        {"$share/g/$aws/things/t/shadow/update/delta", YES},
        {"$share/g/$SYS/#", NO},
        {"$share/g", NO},
    };
    for (size_t i = 0; i < PS_COUNT(filters); i++) {
        if (ps_reserved_subscribe(filters[i].filter) != filters[i].use) {
            fail_msg("%s: %d", filters[i].filter, ps_reserved_subscribe(filters[i].filter));
        }
    }
}

static void test_the_prefix_of_basic_ingest_does_not_count(void **state) {
    assert_string_equal(ps_reserved_counted("$aws/rules/r/a/b"), "a/b");
    assert_string_equal(ps_reserved_counted("$aws/rules/r"), "");
    assert_string_equal(ps_reserved_counted("$aws/rules/r/"), "");
    assert_string_equal(ps_reserved_counted("$aws/things/t/shadow/get"),
                        "$aws/things/t/shadow/get");
    assert_string_equal(ps_reserved_counted("a/b"), "a/b");
}

static void test_each_disconnect_reason_has_its_name(void **state) {
    assert_string_equal(ps_disconnect_reason_name(PS_DISCONNECT_CLIENT_INITIATED),
                        "CLIENT_INITIATED_DISCONNECT");
    assert_string_equal(ps_disconnect_reason_name(PS_DISCONNECT_KEEP_ALIVE_TIMEOUT),
                        "MQTT_KEEP_ALIVE_TIMEOUT");
    assert_string_equal(ps_disconnect_reason_name(PS_DISCONNECT_CUSTOMAUTH_TTL),
                        "CUSTOMAUTH_TTL_EXPIRATION");
    assert_false(ps_disconnect_sends_will(PS_DISCONNECT_CLIENT_INITIATED));
    for (int reason = 0; reason <= PS_DISCONNECT_CUSTOMAUTH_TTL; reason++) {
        assert_non_null(ps_disconnect_reason_name((PsDisconnectReason)reason));
        if (reason != PS_DISCONNECT_CLIENT_INITIATED) {
            assert_true(ps_disconnect_sends_will((PsDisconnectReason)reason));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_topic),
        cmocka_unit_test(test_filters_with_wildcards),
        cmocka_unit_test(test_the_prefix_of_basic_ingest_does_not_count),
        cmocka_unit_test(test_each_disconnect_reason_has_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
