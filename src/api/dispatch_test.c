// From requests to routes and arguments, or to the problems they are answered with.
#include "api/dispatch.h"

#include "api/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

typedef struct Given {
    const char *host;
    const char *origin;
    const char *site;
    const char *type;
    const char *csrf;
} Given;

static const char *header(const char *name, void *ctx) {
    const Given *given = ctx;
    const char *const names[] = {"Host", "Origin", "Sec-Fetch-Site", "Content-Type",
                                 "X-CSRF-Token"};
    const char *const values[] = {given->host, given->origin, given->site, given->type,
                                  given->csrf};
    for (size_t i = 0; i < PS_COUNT(names); i++) {
        if (strcasecmp(name, names[i]) == 0) {
            return values[i];
        }
    }
    return NULL;
}

static const PsGuardRules rules = {.loopback_hosts = true, .address_hosts = true, .tls = true};
static const PsIdentity viewer = {.name = "eve", .role = PS_ROLE_VIEWER, .by = "token"};
static const PsIdentity nobody = {.by = ""};
static const PsIdentity root = {.name = "root", .role = PS_ROLE_ADMINISTRATOR, .by = "socket"};

static bool ask_as(const PsIdentity *identity, const Given *given, const char *method,
                   const char *target, const char *body, PsDispatch *ret) {
    PsDispatchRequest request = {.method = method,
                                 .target = target,
                                 .header = header,
                                 .ctx = (void *)(uintptr_t)given,
                                 .local = identity == &root,
                                 .rules = &rules,
                                 .identity = identity,
                                 .body = body,
                                 .body_len = body != NULL ? strlen(body) : 0};
    return ps_dispatch(&request, ret);
}

static const Given plain = {.host = "127.0.0.1:9443", .type = "application/json"};

// As the Unix socket's user.
static bool ask(const char *method, const char *target, const char *body, PsDispatch *ret) {
    return ask_as(&root, &plain, method, target, body, ret);
}

static void assert_refused(int status, const char *words, const char *method, const char *target,
                           const char *body) {
    PsDispatch dispatch;
    if (ask(method, target, body, &dispatch)) {
        fail_msg("%s %s was not refused", method, target);
    }
    char text[sizeof dispatch.diag];
    ps_diag_format(&dispatch.diag, text, sizeof text);
    if (dispatch.status != status || strstr(text, words) == NULL) {
        fail_msg("%s %s: %d %s", method, target, dispatch.status, text);
    }
}

static void path_query_and_body_come_together(void **state) {
    (void)state;
    PsDispatch dispatch;
    assert_true(ask("PUT", "/api/v1/devices/a%2Fb%20c/variables/v%C3%BC/value",
                    "{\"value\": \"1\"}", &dispatch));
    assert_string_equal(dispatch.match.route->id, "writeVariable");
    assert_string_equal(json_string_value(json_object_get(dispatch.arguments, "device")), "a/b c");
    assert_string_equal(json_string_value(json_object_get(dispatch.arguments, "name")), "vü");
    assert_string_equal(json_string_value(json_object_get(dispatch.arguments, "value")), "1");
    assert_int_equal(json_object_size(dispatch.body), 1);
    ps_dispatch_deinit(&dispatch);
    assert_true(ask("GET", "/api/v1/dead?id=7&name=a+b%26", NULL, &dispatch));
    assert_int_equal(json_integer_value(json_object_get(dispatch.arguments, "id")), 7);
    assert_string_equal(json_string_value(json_object_get(dispatch.arguments, "name")), "a b&");
    ps_dispatch_deinit(&dispatch);
    assert_true(ask("HEAD", "/metrics", NULL, &dispatch));
    assert_string_equal(dispatch.match.route->id, "getMetrics");
    ps_dispatch_deinit(&dispatch);
}

static void what_is_not_there_is_said(void **state) {
    (void)state;
    assert_refused(404, "is not one of this API", "GET", "/api/v1/nothing", NULL);
    assert_refused(404, "is not one of this API", "GET", "/api/v1/status/", NULL);
    assert_refused(404, "is not one of this API", "GET", "/api/v1/devices//variables/x/value",
                   NULL);
    assert_refused(405, "use GET, HEAD, PUT", "POST", "/api/v1/log/level", "{}");
    assert_refused(405, "use GET, HEAD, POST, DELETE", "PATCH", "/api/v1/replay", NULL);
    assert_refused(400, "percent-encoded", "GET", "/api/v1/dead?name=%zz", NULL);
    assert_refused(400, "percent-encoded", "GET", "/api/v1/%00", NULL);
}

static void what_is_given_is_checked(void **state) {
    (void)state;
    assert_refused(400, "levle: is not known here", "GET", "/api/v1/log?levle=1", NULL);
    assert_refused(400, "after: must be a whole number", "GET", "/api/v1/log?after=1.5", NULL);
    assert_refused(400, "after: must be 0 to", "GET", "/api/v1/log?after=-1", NULL);
    assert_refused(400, "after: may be given once", "GET", "/api/v1/log?after=1&after=2", NULL);
    assert_refused(400, "from: must be a number", "GET", "/api/v1/alarms/history?from=nan", NULL);
    assert_refused(400, "number: must be a whole", "GET", "/api/v1/revisions/last", NULL);
    assert_refused(400, "takes no body", "DELETE", "/api/v1/replay", "{}");
    assert_refused(400, "is not JSON: line 1", "POST", "/api/v1/replay", "{");
    assert_refused(400, "is not JSON", "POST", "/api/v1/replay", "{\"name\":\"a\",\"name\":\"b\"}");
    assert_refused(422, "must be a JSON object", "POST", "/api/v1/replay", "[]");
    assert_refused(422, "name: is missing", "POST", "/api/v1/replay", "{}");
    assert_refused(422, "name: is missing", "POST", "/api/v1/replay", NULL);
    assert_refused(422, "name: must be a text", "POST", "/api/v1/replay", "{\"name\": 5}");
    assert_refused(422, "nane: is not known here; there is name, keep_going", "POST",
                   "/api/v1/replay", "{\"nane\": \"x\"}");
}

static void only_json_is_read(void **state) {
    (void)state;
    PsDispatch dispatch;
    Given given = plain;
    const char *const wrong[] = {"text/plain", "application/x-www-form-urlencoded",
                                 "application/jsonp", NULL};
    for (size_t i = 0; i < PS_COUNT(wrong); i++) {
        given.type = wrong[i];
        assert_false(
            ask_as(&root, &given, "POST", "/api/v1/replay", "{\"name\": \"a\"}", &dispatch));
        assert_int_equal(dispatch.status, 415);
    }
    given.type = "Application/JSON; charset=utf-8";
    assert_true(ask_as(&root, &given, "POST", "/api/v1/replay", "{\"name\": \"a\"}", &dispatch));
    ps_dispatch_deinit(&dispatch);
}

static int status_of(const PsIdentity *identity, const Given *given, const char *method,
                     const char *target, const char *body) {
    PsDispatch dispatch;
    if (ask_as(identity, given, method, target, body, &dispatch)) {
        ps_dispatch_deinit(&dispatch);
        return 0;
    }
    return dispatch.status;
}

static void roles_are_held(void **state) {
    (void)state;
    const char *body = "{\"name\": \"a\"}";
    assert_int_equal(status_of(&nobody, &plain, "GET", "/api/v1/status", NULL), 401);
    assert_int_equal(status_of(&viewer, &plain, "GET", "/api/v1/status", NULL), 0);
    assert_int_equal(status_of(&viewer, &plain, "POST", "/api/v1/replay", body), 403);
    PsIdentity operator= viewer;
    operator.role = PS_ROLE_OPERATOR;
    assert_int_equal(status_of(&operator, & plain, "POST", "/api/v1/replay", body), 0);
    assert_int_equal(status_of(&operator, & plain, "PUT", "/api/v1/log/level", NULL), 403);
}

static void a_session_needs_its_csrf_token(void **state) {
    (void)state;
    const char *body = "{\"name\": \"a\"}";
    PsIdentity session = {
        .name = "eve", .role = PS_ROLE_OPERATOR, .by = "session", .csrf = "0123456789abcdef"};
    Given given = plain;
    assert_int_equal(status_of(&session, &given, "GET", "/api/v1/status", NULL), 0);
    assert_int_equal(status_of(&session, &given, "POST", "/api/v1/replay", body), 403);
    given.csrf = "0123456789abcdee";
    assert_int_equal(status_of(&session, &given, "POST", "/api/v1/replay", body), 403);
    given.csrf = "";
    assert_int_equal(status_of(&session, &given, "POST", "/api/v1/replay", body), 403);
    given.csrf = session.csrf;
    assert_int_equal(status_of(&session, &given, "POST", "/api/v1/replay", body), 0);
    session.csrf[0] = '\0'; // never without one
    given.csrf = "";
    assert_int_equal(status_of(&session, &given, "POST", "/api/v1/replay", body), 403);
}

static void pages_of_others_are_kept_out(void **state) {
    (void)state;
    PsIdentity token = viewer;
    token.role = PS_ROLE_OPERATOR;
    const char *body = "{\"name\": \"a\"}";
    Given given = plain;
    given.host = "evil.example";
    assert_int_equal(status_of(&token, &given, "GET", "/api/v1/status", NULL), 403);
    given.host = "127.0.0.1:9443";
    given.origin = "https://evil.example";
    assert_int_equal(status_of(&token, &given, "POST", "/api/v1/replay", body), 403);
    given.origin = "https://127.0.0.1:9443";
    assert_int_equal(status_of(&token, &given, "POST", "/api/v1/replay", body), 0);
    given.origin = NULL;
    given.site = "cross-site";
    assert_int_equal(status_of(&token, &given, "POST", "/api/v1/replay", body), 403);
}

static void every_route_is_whole(void **state) {
    (void)state;
    const PsApiRoute *route;
    for (size_t n = 0; (route = ps_api_route(n)) != NULL; n++) {
        bool public = (route->flags & PS_API_PUBLIC) != 0;
        assert_true(route->path[0] == '/' && route->id != NULL && route->handler != NULL);
        assert_true(route->help != NULL && route->help[strlen(route->help) - 1] == '.');
        assert_int_equal(public, route->role == PS_ROLE_NONE);
        const PsApiRoute *other;
        for (size_t m = n + 1; (other = ps_api_route(m)) != NULL; m++) {
            assert_string_not_equal(route->id, other->id);
            assert_false(strcmp(route->path, other->path) == 0 &&
                         strcmp(route->method, other->method) == 0);
        }
        const char *const schemas[] = {route->body_schema, route->answer_schema};
        for (size_t i = 0; i < PS_COUNT(schemas); i++) {
            json_t *schema = schemas[i] != NULL ? json_loads(schemas[i], 0, NULL) : json_object();
            if (schema == NULL) {
                fail_msg("%s: a schema is not JSON", route->id);
            }
            json_decref(schema);
        }
        for (const PsApiParameter *row = route->parameters; row != NULL && row->name != NULL;
             row++) {
            assert_true(row->help != NULL || row->in == PS_API_PATH);
            char in_path[80];
            snprintf(in_path, sizeof in_path, "{%s}", row->name);
            assert_int_equal(row->in == PS_API_PATH, strstr(route->path, in_path) != NULL);
        }
    }
}

static void problems_have_all_members(void **state) {
    (void)state;
    PsDiag diag = {0};
    ps_diag_set(&diag, "device 'PLC'", "ip", "must be an address");
    json_t *json = ps_problem_json(422, PS_ERR_INVALID, &diag, json_array());
    assert_string_equal(json_string_value(json_object_get(json, "title")), "Unprocessable Content");
    assert_string_equal(json_string_value(json_object_get(json, "class")), "invalid");
    assert_string_equal(json_string_value(json_object_get(json, "object")), "device 'PLC'");
    assert_int_equal(json_integer_value(json_object_get(json, "status")), 422);
    assert_true(json_is_array(json_object_get(json, "findings")));
    json_decref(json);
    for (int err = PS_OK; err <= PS_ERR_INTERNAL; err++) {
        assert_string_not_equal(ps_problem_title(ps_problem_status((PsErr)err)), "Problem");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_query_and_body_come_together),
        cmocka_unit_test(what_is_not_there_is_said),
        cmocka_unit_test(what_is_given_is_checked),
        cmocka_unit_test(only_json_is_read),
        cmocka_unit_test(roles_are_held),
        cmocka_unit_test(a_session_needs_its_csrf_token),
        cmocka_unit_test(pages_of_others_are_kept_out),
        cmocka_unit_test(every_route_is_whole),
        cmocka_unit_test(problems_have_all_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
