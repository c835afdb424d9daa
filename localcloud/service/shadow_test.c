// Shadows over their topics: whom each answer goes to, limits, what the database keeps.
#include "localcloud/service/service_test_rig.h"

#include <string.h>

#define CLASSIC "$aws/things/t/shadow/"
#define NAMED "$aws/things/t/shadow/name/s/"

static void test_an_update_is_told_on_three_topics(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    assert_int_equal(rig_send(&rig, CLASSIC "update",
                              "{\"state\":{\"desired\":{\"a\":1}},\"clientToken\":\"x\"}"),
                     PS_SERVICE_ROUTE);
    rig_expect(&rig, NULL, CLASSIC "update/accepted",
               "{\"state\":{\"desired\":{\"a\":1}},"
               "\"metadata\":{\"desired\":{\"a\":{\"timestamp\":1700000000}}},\"version\":1,"
               "\"timestamp\":1700000000,\"clientToken\":\"x\"}");
    rig_expect(&rig, NULL, CLASSIC "update/delta",
               "{\"state\":{\"a\":1},\"metadata\":{\"a\":{\"timestamp\":1700000000}},"
               "\"version\":1,\"timestamp\":1700000000,\"clientToken\":\"x\"}");
    rig_expect(&rig, NULL, CLASSIC "update/documents",
               "{\"previous\":{\"state\":{},\"metadata\":{},\"version\":0},"
               "\"current\":{\"state\":{\"desired\":{\"a\":1}},"
               "\"metadata\":{\"desired\":{\"a\":{\"timestamp\":1700000000}}},\"version\":1},"
               "\"timestamp\":1700000000,\"clientToken\":\"x\"}");
    rig_silent(&rig);
    rig_send(&rig, CLASSIC "get", "");
    rig_expect(&rig, NULL, CLASSIC "get/accepted",
               "{\"state\":{\"desired\":{\"a\":1},\"delta\":{\"a\":1}},"
               "\"metadata\":{\"desired\":{\"a\":{\"timestamp\":1700000000}}},\"version\":1,"
               "\"timestamp\":1700000000}");
    rig_send(&rig, CLASSIC "update", "{\"state\":{\"reported\":{\"a\":1}}}");
    json_decref(rig_take(&rig, NULL, CLASSIC "update/accepted"));
    json_decref(rig_take(&rig, NULL, CLASSIC "update/documents")); // no delta any more
    rig_close(&rig);
}

static void test_named_shadows_stand_apart(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    rig_send(&rig, NAMED "update", "{\"state\":{\"reported\":{\"a\":1}}}");
    json_decref(rig_take(&rig, NULL, NAMED "update/accepted"));
    json_decref(rig_take(&rig, NULL, NAMED "update/documents"));
    rig_send(&rig, CLASSIC "get", "{\"clientToken\":\"x\"}");
    rig_expect(&rig, NULL, CLASSIC "get/rejected",
               "{\"code\":404,\"message\":\"No shadow exists with name: 't'\","
               "\"clientToken\":\"x\"}");
    rig_send(&rig, "$aws/things/t/shadow/name/other/delete", "");
    rig_expect(&rig, NULL, "$aws/things/t/shadow/name/other/delete/rejected",
               "{\"code\":404,\"message\":\"No shadow exists with name: 't~other'\"}");
    rig_send(&rig, NAMED "delete", "");
    rig_expect(&rig, NULL, NAMED "delete/accepted", "{\"version\":1,\"timestamp\":1700000000}");
    rig_send(&rig, NAMED "update", "{\"state\":{\"reported\":{\"a\":1}}}");
    json_t *again = rig_take(&rig, NULL, NAMED "update/accepted");
    assert_int_equal(json_integer_value(json_object_get(again, "version")), 2);
    json_decref(again);
    json_decref(rig_take(&rig, NULL, NAMED "update/documents"));
    rig_close(&rig);
}

static void test_names_that_cannot_be_are_refused(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    const char *why = NULL;
    PsServiceCall call = {.client_id = "device",
                          .topic = "$aws/things/a b/shadow/get",
                          .payload = "",
                          .now = rig.now};
    assert_int_equal(ps_services_take(rig.services, &call, &rig.out, &why), PS_SERVICE_REFUSED);
    assert_non_null(strstr(why, "1 to 128"));
    call.topic = "$aws/things/t/shadow/name/s.s/get";
    assert_int_equal(ps_services_take(rig.services, &call, &rig.out, &why), PS_SERVICE_REFUSED);
    call.topic = "$aws/things/t/shadow/update/accepted";
    assert_int_equal(ps_services_take(rig.services, &call, &rig.out, &why), PS_SERVICE_REFUSED);
    call.topic = "$other";
    assert_int_equal(ps_services_take(rig.services, &call, &rig.out, &why), PS_SERVICE_REFUSED);
    call.topic = "plant/a";
    assert_int_equal(ps_services_take(rig.services, &call, &rig.out, &why), PS_SERVICE_ROUTE);
    rig_close(&rig);
}

static void test_more_than_20_requests_in_a_second_are_refused(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    for (int i = 0; i < 20; i++) {
        rig_send(&rig, CLASSIC "get", "");
        json_decref(rig_take(&rig, NULL, CLASSIC "get/rejected"));
    }
    rig_send(&rig, NAMED "get", "{\"clientToken\":\"x\"}"); // the thing counts, not the shadow
    rig_expect(&rig, NULL, NAMED "get/rejected",
               "{\"code\":429,\"message\":\"Too Many Requests\"}");
    rig_send(&rig, "$aws/things/other/shadow/get", "");
    json_t *other = rig_take(&rig, NULL, "$aws/things/other/shadow/get/rejected");
    assert_int_equal(json_integer_value(json_object_get(other, "code")), 404);
    json_decref(other);
    rig.now.ns += PS_NS_PER_S;
    rig_send(&rig, CLASSIC "get", "");
    json_t *later = rig_take(&rig, NULL, CLASSIC "get/rejected");
    assert_int_equal(json_integer_value(json_object_get(later, "code")), 404);
    json_decref(later);
    rig_close(&rig);
}

static void test_more_than_10_in_flight_are_refused(void **state) {
    Rig rig;
    rig_open(&rig, &(PsServicesOptions){.limits = {.shadow_delay_ms = 200}});
    for (int i = 0; i < 10; i++) {
        rig_send(&rig, CLASSIC "update", "{\"state\":{\"desired\":{\"a\":1}}}");
    }
    rig_silent(&rig);
    rig_send(&rig, CLASSIC "get", "");
    rig_expect(&rig, NULL, CLASSIC "get/rejected",
               "{\"code\":429,\"message\":\"Too Many Requests\"}");
    PsWall due = ps_services_tick(rig.services, rig.now, &rig.out);
    assert_int_equal(due.ns, rig.now.ns + 200 * PS_NS_PER_MS);
    rig_silent(&rig);
    (void)ps_services_tick(rig.services, due, &rig.out);
    for (int i = 0; i < 10; i++) {
        json_decref(rig_take(&rig, NULL, CLASSIC "update/accepted"));
        json_decref(rig_take(&rig, NULL, CLASSIC "update/delta"));
        json_decref(rig_take(&rig, NULL, CLASSIC "update/documents"));
    }
    rig_send(&rig, CLASSIC "get", "");
    rig_silent(&rig); // waits again, and is freed with the services
    rig_close(&rig);
}

static void test_things_can_be_asked_for(void **state) {
    Rig rig;
    rig_open(&rig, &(PsServicesOptions){.shadow_needs_thing = true});
    rig_send(&rig, "$aws/things/nobody/shadow/get", "");
    rig_expect(&rig, NULL, "$aws/things/nobody/shadow/get/rejected",
               "{\"code\":404,\"message\":\"Thing not found\"}");
    rig_close(&rig);
}

static void test_over_http_only_changes_are_published(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    PsShadowRequest request = {.thing = "t",
                               .name = "",
                               .verb = PS_SHADOW_GET,
                               .over_http = true,
                               .payload = "",
                               .now = rig.now};
    PsShadowResult result = {0};
    ps_shadows_ask(rig.services->shadows, &request, &rig.out, &result);
    assert_int_equal(result.code, 404);
    rig_silent(&rig);
    ps_shadow_result_deinit(&result);
    request.verb = PS_SHADOW_UPDATE;
    request.payload = "{\"state\":{\"desired\":{\"a\":1}}}";
    request.len = strlen(request.payload);
    ps_shadows_ask(rig.services->shadows, &request, &rig.out, &result);
    assert_int_equal(result.code, 200);
    json_decref(rig_take(&rig, NULL, CLASSIC "update/accepted"));
    json_decref(rig_take(&rig, NULL, CLASSIC "update/delta"));
    json_decref(rig_take(&rig, NULL, CLASSIC "update/documents"));
    ps_shadow_result_deinit(&result);
    request.verb = PS_SHADOW_DELETE;
    ps_shadows_ask(rig.services->shadows, &request, &rig.out, &result);
    json_decref(rig_take(&rig, NULL, CLASSIC "delete/accepted"));
    ps_shadow_result_deinit(&result);
    rig_close(&rig);
}

static void test_names_come_in_pages(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    static const char *const names[] = {"c", "a", "b", "gone"};
    for (size_t i = 0; i < PS_COUNT(names); i++) {
        char topic[64];
        (void)snprintf(topic, sizeof topic, "$aws/things/t/shadow/name/%s/update", names[i]);
        rig_send(&rig, topic, "{\"state\":{}}");
    }
    rig_send(&rig, CLASSIC "update", "{\"state\":{}}");
    rig_send(&rig, "$aws/things/t/shadow/name/gone/delete", "");
    while (rig.message_count > 0) {
        json_decref(rig_take(&rig, NULL, rig.messages[0].topic));
    }
    bool more = false;
    PS_AUTO_JSON json_t *first = ps_shadows_names(rig.services->shadows, "t", NULL, 2, &more);
    assert_true(more && json_array_size(first) == 2);
    assert_string_equal(json_string_value(json_array_get(first, 1)), "b");
    PS_AUTO_JSON json_t *rest = ps_shadows_names(rig.services->shadows, "t", "b", 2, &more);
    assert_true(!more && json_array_size(rest) == 1);
    assert_string_equal(json_string_value(json_array_get(rest, 0)), "c");
    rig_close(&rig);
}

static void test_what_is_exported_can_be_imported(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    rig_send(&rig, CLASSIC "update", "{\"state\":{\"desired\":{\"a\":0.1}}}");
    rig_send(&rig, NAMED "update", "{\"state\":{\"desired\":{\"a\":1}}}");
    rig_send(&rig, NAMED "delete", "");
    while (rig.message_count > 0) {
        json_decref(rig_take(&rig, NULL, rig.messages[0].topic));
    }
    PS_AUTO_JSON json_t *before = ps_shadows_export(rig.services->shadows);
    assert_int_equal(json_array_size(before), 2);
    assert_int_equal(ps_shadows_import(rig.services->shadows, NULL), PS_OK);
    PS_AUTO_JSON json_t *empty = ps_shadows_export(rig.services->shadows);
    assert_int_equal(json_array_size(empty), 0);
    assert_int_equal(ps_shadows_import(rig.services->shadows, before), PS_OK);
    PS_AUTO_JSON json_t *after = ps_shadows_export(rig.services->shadows);
    assert_true(json_equal(before, after));
    PS_AUTO_JSON json_t *wrong = json_pack("[{s:s}]", "thing", "t");
    assert_int_equal(ps_shadows_import(rig.services->shadows, wrong), PS_ERR_INVALID);
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_update_is_told_on_three_topics),
        cmocka_unit_test(test_named_shadows_stand_apart),
        cmocka_unit_test(test_names_that_cannot_be_are_refused),
        cmocka_unit_test(test_more_than_20_requests_in_a_second_are_refused),
        cmocka_unit_test(test_more_than_10_in_flight_are_refused),
        cmocka_unit_test(test_things_can_be_asked_for),
        cmocka_unit_test(test_over_http_only_changes_are_published),
        cmocka_unit_test(test_names_come_in_pages),
        cmocka_unit_test(test_what_is_exported_can_be_imported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
