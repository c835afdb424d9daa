// Calls without a server: tables of services come first, what the front refuses is told on, and a
// call that fails leaves nothing behind.
#include "localcloud/rest/rest.h"

#include "localcloud/registry/test_account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Case {
    PsTestAccount account;
    PsRestSetup setup;
    PsRestCloud cloud;
    PsRestRoutes services;
    PsRestAnswer answer;
    const char *error_type;
    // what the front was told
    char topic[64];
    size_t len;
    int qos;
    size_t properties;
    char client[64];
    bool clean;
    bool no_will;
} Case;

static PsApiCode publish(void *ctx, const PsRestMessage *message, PsApiFault *fault) {
    Case *c = ctx;
    if (strcmp(message->topic, "refused") == 0) {
        return ps_api_fail(PS_API_THROTTLING, fault, "too fast");
    }
    snprintf(c->topic, sizeof c->topic, "%s", message->topic);
    c->len = message->len;
    c->qos = message->qos;
    c->properties = message->user_property_count;
    return PS_API_OK;
}

static PsApiCode disconnect_client(void *ctx, const char *client_id, bool clean_session,
                                   bool prevent_will, PsApiFault *fault) {
    Case *c = ctx;
    snprintf(c->client, sizeof c->client, "%s", client_id);
    c->clean = clean_session;
    c->no_will = prevent_will;
    return PS_API_OK;
}

static json_t *limits_take(void *ctx) {
    return json_pack("{s:i}", "publish-rate", 100);
}

static PsApiCode limits_put(void *ctx, const json_t *json, PsApiFault *fault) {
    return json_object_get(json, "publish-rate") != NULL
               ? PS_API_OK
               : ps_api_fail(PS_API_INVALID_REQUEST, fault, "no such limit");
}

static PsApiCode shadow(const PsRestCall *call, PsRestAnswer *answer, PsApiFault *fault) {
    answer->json = json_pack("{s:s, s:b}", "thing", call->parameters[0], "ctx", call->ctx != NULL);
    return PS_API_OK;
}

// Changes the registry, then refuses.
static PsApiCode half(const PsRestCall *call, PsRestAnswer *answer, PsApiFault *fault) {
    ps_registry_set(call->registry, "half", "done");
    answer->json = json_object();
    return ps_api_fail(PS_API_CONFLICT, fault, "no");
}

static const PsRestRoute service_rows[] = {
    {"GetThingShadow", "GET", "/things/{thingName}/shadow", shadow, PS_API_DATA},
    {"Half", "POST", "/half", half, PS_API_DATA},
};

static int setup(void **state) {
    Case *c = calloc(1, sizeof *c);
    ps_test_account_open(&c->account);
    c->cloud = (PsRestCloud){.ctx = c,
                             .publish = publish,
                             .disconnect_client = disconnect_client,
                             .limits_take = limits_take,
                             .limits_put = limits_put};
    c->services = (PsRestRoutes){service_rows, PS_COUNT(service_rows), c};
    c->setup = (PsRestSetup){.registry = c->account.registry,
                             .cloud = &c->cloud,
                             .services = &c->services,
                             .service_count = 1};
    *state = c;
    return 0;
}

static int teardown(void **state) {
    Case *c = *state;
    ps_rest_answer_deinit(&c->answer);
    ps_test_account_remove(&c->account);
    free(c);
    return 0;
}

static int call(Case *c, const char *method, const char *target, const char *body) {
    ps_rest_answer_deinit(&c->answer);
    PsRestRequest request = {.method = method,
                             .target = target,
                             .body = (const uint8_t *)body,
                             .body_len = body != NULL ? strlen(body) : 0};
    ps_rest_dispatch(&c->setup, &request, &c->answer, &c->error_type);
    return c->answer.status;
}

static const char *text(Case *c, const char *member) {
    return json_string_value(json_object_get(c->answer.json, member));
}

static void test_services_have_their_own_table(void **state) {
    Case *c = *state;
    assert_int_equal(call(c, "GET", "/things/gw/shadow", NULL), 200);
    assert_string_equal(text(c, "thing"), "gw");
    assert_true(json_is_true(json_object_get(c->answer.json, "ctx")));
    assert_int_equal(call(c, "POST", "/things/gw", NULL), 200);
    assert_int_equal(call(c, "PUT", "/things/gw/shadow", NULL), 405);
}

static bool needs_key(Case *c, const char *method, const char *target) {
    PsRestRequest request = {.method = method, .target = target};
    return ps_rest_needs_key(&c->setup, &request);
}

static void test_which_calls_wait_for_a_key(void **state) {
    Case *c = *state;
    assert_true(needs_key(c, "POST", "/keys-and-certificate"));
    assert_true(needs_key(c, "POST", "/keys-and-certificate?setAsActive=true"));
    assert_false(needs_key(c, "GET", "/keys-and-certificate"));
    assert_false(needs_key(c, "POST", "/certificates"));
    assert_false(needs_key(c, "POST", "/nothing"));
    assert_false(needs_key(c, "POST", "/%zz"));
}

static void test_what_is_refused_leaves_nothing(void **state) {
    Case *c = *state;
    assert_int_equal(call(c, "POST", "/half", NULL), 409);
    assert_string_equal(c->error_type, "ConflictException");
    assert_string_equal(text(c, "message"), "no");
    assert_null(ps_registry_setting(c->account.registry, "half"));
}

static void test_publish_goes_to_the_front(void **state) {
    Case *c = *state;
    assert_int_equal(call(c, "POST", "/topics/a%2Fb?qos=1", "hello"), 200);
    assert_string_equal(c->topic, "a/b");
    assert_int_equal(c->len, 5);
    assert_int_equal(c->qos, 1);
    assert_int_equal(call(c, "POST", "/topics/refused", "hello"), 429);
    assert_string_equal(c->error_type, "ThrottlingException");
}

static void test_a_client_is_cut(void **state) {
    Case *c = *state;
    assert_int_equal(
        call(c, "DELETE", "/connections/a%2Fb?cleanSession=true&preventWillMessage=true", NULL),
        200);
    assert_string_equal(c->client, "a/b");
    assert_true(c->clean && c->no_will);
}

static void test_limits_are_the_fronts(void **state) {
    Case *c = *state;
    assert_int_equal(call(c, "GET", "/_penstock/limits", NULL), 200);
    assert_int_equal(json_integer_value(json_object_get(c->answer.json, "publish-rate")), 100);
    assert_int_equal(call(c, "PUT", "/_penstock/limits", "{\"publish-rate\": 5}"), 200);
    assert_int_equal(call(c, "PUT", "/_penstock/limits", "{}"), 400);
    assert_int_equal(call(c, "GET", "/_penstock/faults", NULL), 503);
}

static void test_without_a_cloud_the_data_plane_says_so(void **state) {
    Case *c = *state;
    c->setup.cloud = NULL;
    static const char *const calls[][2] = {{"POST", "/topics/a"},
                                           {"GET", "/retainedMessage"},
                                           {"GET", "/retainedMessage/a"},
                                           {"DELETE", "/connections/a"},
                                           {"GET", "/_penstock/limits"}};
    for (size_t i = 0; i < PS_COUNT(calls); i++) {
        assert_int_equal(call(c, calls[i][0], calls[i][1], NULL), 503);
        assert_string_equal(c->error_type, "ServiceUnavailableException");
    }
}

static void test_a_database_that_fails_is_an_internal_failure(void **state) {
    Case *c = *state;
    assert_int_equal(sqlite3_exec(ps_registry_db(c->account.registry), "DROP TABLE principals",
                                  NULL, NULL, NULL),
                     0);
    assert_int_equal(call(c, "POST", "/things/gw", NULL), 200);
    assert_int_equal(call(c, "GET", "/things/gw/principals", NULL), 500);
    assert_string_equal(c->error_type, "InternalFailureException");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_services_have_their_own_table, setup, teardown),
        cmocka_unit_test_setup_teardown(test_which_calls_wait_for_a_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_refused_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_publish_goes_to_the_front, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_client_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits_are_the_fronts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_a_cloud_the_data_plane_says_so, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_database_that_fails_is_an_internal_failure, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("rest dispatch", tests, NULL, NULL);
}
