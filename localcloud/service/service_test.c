// Provisioning, presence, Basic Ingest and Device Defender over their topics.
#include "localcloud/service/service_test_rig.h"

#include "base/file.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define CREATE "$aws/certificates/create/json"
#define PROVISION "$aws/provisioning-templates/fleet/provision/json"

static void put_template(Rig *rig, bool enabled) {
    PsTemplateRow row = {
        .body = ps_strdup(
            "{\"Parameters\":{\"S\":{\"Type\":\"String\"}},\"Resources\":{"
            "\"policy\":{\"Type\":\"AWS::IoT::Policy\",\"Properties\":{\"PolicyName\":\"there\"}},"
            "\"certificate\":{\"Type\":\"AWS::IoT::Certificate\",\"Properties\":{"
            "\"CertificateId\":{\"Ref\":\"AWS::IoT::Certificate::Id\"}}},"
            "\"thing\":{\"Type\":\"AWS::IoT::Thing\",\"Properties\":{"
            "\"ThingName\":{\"Ref\":\"S\"},\"AttributePayload\":{\"a\":\"1\"}}}}}"),
        .role = ps_strdup("role"),
        .enabled = enabled,
    };
    (void)snprintf(row.name, sizeof row.name, "fleet");
    assert_int_equal(ps_template_insert(rig->db, &row), PS_OK);
    ps_template_row_deinit(&row);
}

static void provision(Rig *rig, const char *token, const char *name) {
    char payload[512];
    (void)snprintf(payload, sizeof payload,
                   "{\"certificateOwnershipToken\":\"%s\",\"parameters\":{\"S\":\"%s\"}}", token,
                   name);
    assert_int_equal(rig_send(rig, PROVISION, payload), PS_SERVICE_CONSUMED);
}

static void test_a_claim_becomes_a_thing(void **state) {
    static const char *const steps[] = {
        "make",
        "attach policy there c0ffee",
        "thing t7 - {\"a\":\"1\"}",
        "attach thing t7 c0ffee",
        "status c0ffee ACTIVE",
    };
    Rig rig;
    rig_open(&rig, NULL);
    put_template(&rig, true);
    rig_send(&rig, CREATE, "");
    PS_AUTO_JSON json_t *made = rig_take(&rig, "device", CREATE "/accepted");
    assert_string_equal(json_string_value(json_object_get(made, "privateKey")), "KEY");
    const char *token = json_string_value(json_object_get(made, "certificateOwnershipToken"));
    provision(&rig, token, "t7");
    rig_expect(&rig, "device", PROVISION "/accepted",
               "{\"deviceConfiguration\":{},\"thingName\":\"t7\"}");
    assert_int_equal(rig.made_count, PS_COUNT(steps));
    for (size_t i = 0; i < PS_COUNT(steps); i++) {
        assert_string_equal(rig.made[i], steps[i]);
    }
    provision(&rig, token, "t8"); // used up
    PS_AUTO_JSON json_t *refused = rig_take(&rig, "device", PROVISION "/rejected");
    assert_string_equal(json_string_value(json_object_get(refused, "errorCode")),
                        "InvalidCertificateOwnershipToken");
    rig_close(&rig);
}

static void test_which_messages_wait_for_a_key(void **state) {
    assert_true(ps_services_needs_key(CREATE));
    assert_true(ps_services_needs_key("$aws/certificates/create/cbor"));
    assert_false(ps_services_needs_key("$aws/certificates/create/xml"));
    assert_false(ps_services_needs_key("$aws/certificates/create-from-csr/json"));
    assert_false(ps_services_needs_key(PROVISION));
    assert_false(ps_services_needs_key("a/b"));
}

static void test_a_token_dies_after_an_hour(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    put_template(&rig, true);
    rig_send(&rig, CREATE, "");
    PS_AUTO_JSON json_t *made = rig_take(&rig, "device", CREATE "/accepted");
    const char *token = json_string_value(json_object_get(made, "certificateOwnershipToken"));
    rig.now.ns += 3599 * PS_NS_PER_S;
    (void)ps_services_tick(rig.services, rig.now, &rig.out);
    assert_int_equal(rig.made_count, 1);
    rig.now.ns += PS_NS_PER_S;
    provision(&rig, token, "t7"); // dead before anybody has looked
    json_decref(rig_take(&rig, "device", PROVISION "/rejected"));
    (void)ps_services_tick(rig.services, rig.now, &rig.out);
    assert_string_equal(rig.made[1], "drop c0ffee");
    rig_close(&rig);
}

static void test_a_disabled_template_makes_nothing(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    put_template(&rig, false);
    rig_send(&rig, CREATE, "");
    PS_AUTO_JSON json_t *made = rig_take(&rig, "device", CREATE "/accepted");
    provision(&rig, json_string_value(json_object_get(made, "certificateOwnershipToken")), "t7");
    PS_AUTO_JSON json_t *refused = rig_take(&rig, "device", PROVISION "/rejected");
    assert_string_equal(json_string_value(json_object_get(refused, "errorCode")),
                        "InvalidTemplate");
    assert_int_equal(rig.made_count, 1);
    rig_close(&rig);
}

// ---- presence

static PsServiceSession tell(Rig *rig, PsPresence event, PsServiceSession session) {
    event.now = rig->now;
    event.client_id = event.client_id != NULL ? event.client_id : "c";
    event.certificate_id = "ce";
    ps_services_presence(rig->services, &event, &session, &rig->out);
    return session;
}

static void test_each_event_has_its_fields(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    PsServiceSession one = tell(
        &rig, (PsPresence){.kind = PS_PRESENCE_CONNECTED, .ip_address = "192.0.2.1", .thing = "t"},
        (PsServiceSession){0});
    char text[640];
    (void)snprintf(text, sizeof text,
                   "{\"clientId\":\"c\",\"thingName\":\"t\",\"timestamp\":1700000000000,"
                   "\"eventType\":\"connected\",\"sessionIdentifier\":\"%s\","
                   "\"principalIdentifier\":\"ce\",\"ipAddress\":\"192.0.2.1\","
                   "\"versionNumber\":0}",
                   one.id);
    rig_expect(&rig, NULL, "$aws/events/presence/connected/c", text);
    const char *topics[] = {"a", "b/#"};
    tell(&rig, (PsPresence){.kind = PS_PRESENCE_SUBSCRIBED, .topics = topics, .topic_count = 2},
         one);
    (void)snprintf(text, sizeof text,
                   "{\"clientId\":\"c\",\"timestamp\":1700000000000,\"eventType\":\"subscribed\","
                   "\"sessionIdentifier\":\"%s\",\"principalIdentifier\":\"ce\","
                   "\"topics\":[\"a\",\"b/#\"]}",
                   one.id);
    rig_expect(&rig, NULL, "$aws/events/subscriptions/subscribed/c", text);
    PsServiceSession two =
        tell(&rig, (PsPresence){.kind = PS_PRESENCE_CONNECTED}, (PsServiceSession){0});
    json_decref(rig_take(&rig, NULL, "$aws/events/presence/connected/c"));
    assert_int_equal(two.version, 1);
    // The older connection ends after the newer one has begun, and keeps its own number.
    tell(&rig,
         (PsPresence){.kind = PS_PRESENCE_DISCONNECTED, .reason = PS_DISCONNECT_DUPLICATE_CLIENTID},
         one);
    (void)snprintf(text, sizeof text,
                   "{\"clientId\":\"c\",\"timestamp\":1700000000000,"
                   "\"eventType\":\"disconnected\",\"sessionIdentifier\":\"%s\","
                   "\"principalIdentifier\":\"ce\",\"clientInitiatedDisconnect\":false,"
                   "\"disconnectReason\":\"DUPLICATE_CLIENTID\",\"versionNumber\":0}",
                   one.id);
    rig_expect(&rig, NULL, "$aws/events/presence/disconnected/c", text);
    tell(&rig, (PsPresence){.kind = PS_PRESENCE_CONNECT_FAILED, .client_id = "d"},
         (PsServiceSession){0});
    PS_AUTO_JSON json_t *failed = rig_take(&rig, NULL, "$aws/events/presence/connect_failed/d");
    assert_string_equal(json_string_value(json_object_get(failed, "connectFailureReason")),
                        "AUTHORIZATION_FAILED");
    tell(&rig, (PsPresence){.kind = PS_PRESENCE_CONNECTED, .client_id = "a+b"},
         (PsServiceSession){0});
    rig_silent(&rig);
    rig_close(&rig);
}

static void test_versions_start_over_after_an_hour(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    for (uint64_t i = 0; i < 3; i++) {
        PsServiceSession session =
            tell(&rig, (PsPresence){.kind = PS_PRESENCE_CONNECTED}, (PsServiceSession){0});
        json_decref(rig_take(&rig, NULL, "$aws/events/presence/connected/c"));
        assert_int_equal(session.version, i);
        rig.now.ns += 1800 * PS_NS_PER_S;
    }
    rig.now.ns += 3600 * PS_NS_PER_S;
    PsServiceSession again =
        tell(&rig, (PsPresence){.kind = PS_PRESENCE_CONNECTED}, (PsServiceSession){0});
    json_decref(rig_take(&rig, NULL, "$aws/events/presence/connected/c"));
    assert_int_equal(again.version, 0);
    rig_close(&rig);
}

// ---- rules and reports

static size_t file_size(const Rig *rig, const char *name) {
    char path[128];
    (void)snprintf(path, sizeof path, "%s/rules/%s", rig->folder, name);
    PS_AUTO_BUF PsBuf buf = {0};
    return ps_file_read(path, 1 << 20, &buf, NULL) == PS_OK ? buf.len : 0;
}

static void test_rule_files_are_bounded(void **state) {
    Rig rig;
    rig_open(&rig, &(PsServicesOptions){.ingest_by_use = true, .limits = {.ingest_bytes = 500}});
    for (int i = 0; i < 100; i++) {
        assert_int_equal(rig_send(&rig, "$aws/rules/r/a/b", "{\"v\":1}"), PS_SERVICE_CONSUMED);
        assert_true(file_size(&rig, "r.jsonl") <= 500 && file_size(&rig, "r.jsonl.1") <= 500);
    }
    assert_true(file_size(&rig, "r.jsonl") > 0 && file_size(&rig, "r.jsonl.1") > 0);
    rig_close(&rig);
}

static void test_an_unknown_rule_is_only_logged(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    assert_int_equal(rig_send(&rig, "$aws/rules/r/a", "1"), PS_SERVICE_CONSUMED);
    assert_int_equal(rig_send(&rig, "$aws/rules/../../x", "1"), PS_SERVICE_CONSUMED);
    assert_int_equal(file_size(&rig, "r.jsonl"), 0);
    PsRuleRow row = {0};
    assert_int_equal(ps_rule_find(rig.db, "r", &row), PS_ERR_NOT_FOUND);

    ps_services_set_ingest_by_use(rig.services, true);
    rig_send(&rig, "$aws/rules/r/a", "1");
    size_t size = file_size(&rig, "r.jsonl");
    assert_true(size > 0);
    ps_services_set_ingest_by_use(rig.services, false);
    rig_send(&rig, "$aws/rules/other/a", "1");
    assert_int_equal(file_size(&rig, "other.jsonl"), 0);
    rig_send(&rig, "$aws/rules/r/a", "1"); // it exists now
    assert_int_equal(file_size(&rig, "r.jsonl"), 2 * size);
    rig_close(&rig);
}

static void test_reports_of_metrics(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    rig_send(&rig, "$aws/things/t/defender/metrics/json",
             "{\"hed\":{\"rid\":7,\"v\":\"1.0\"},\"met\":{}}");
    rig_expect(&rig, NULL, "$aws/things/t/defender/metrics/json/accepted",
               "{\"thingName\":\"t\",\"reportId\":7,\"status\":\"ACCEPTED\","
               "\"timestamp\":1700000000000}");
    rig_send(&rig, "$aws/things/t/defender/metrics/json", "{\"header\":{\"report_id\":8}}");
    PS_AUTO_JSON json_t *json =
        rig_take(&rig, NULL, "$aws/things/t/defender/metrics/json/rejected");
    assert_string_equal(json_string_value(json_object_get(json, "status")), "REJECTED");
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_claim_becomes_a_thing),
        cmocka_unit_test(test_a_token_dies_after_an_hour),
        cmocka_unit_test(test_which_messages_wait_for_a_key),
        cmocka_unit_test(test_a_disabled_template_makes_nothing),
        cmocka_unit_test(test_each_event_has_its_fields),
        cmocka_unit_test(test_versions_start_over_after_an_hour),
        cmocka_unit_test(test_rule_files_are_bounded),
        cmocka_unit_test(test_an_unknown_rule_is_only_logged),
        cmocka_unit_test(test_reports_of_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
