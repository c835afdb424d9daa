// The documents of a shadow: each message of the service's documentation, and what must hold for
// any row of updates.
#include "localcloud/service/shadow_doc.h"

#include "base/err.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const PsShadowLimits no_limits = {0};

static json_t *json(const char *text) {
    json_t *result = ps_json_parse(text, strlen(text));
    assert_non_null(result);
    return result;
}

static void check_json(const json_t *have, const char *want) {
    PS_AUTO_JSON json_t *expected = json(want);
    if (have == NULL || !json_equal(have, expected)) {
        PS_AUTO_BUF PsBuf buf = {0};
        if (have != NULL) {
            ps_json_text(have, &buf);
        }
        fail_msg("have %s\nwant %s", buf.data != NULL ? (char *)buf.data : "nothing", want);
    }
}

static void update(PsShadow *shadow, const char *payload, int64_t now_s, PsShadowResult *result) {
    ps_shadow_update(shadow, payload, strlen(payload), &no_limits, now_s, result);
}

static void accept(PsShadow *shadow, const char *payload, int64_t now_s) {
    PsShadowResult result = {0};
    update(shadow, payload, now_s, &result);
    if (result.code != 200) {
        fail_msg("%s: %d %s", payload, result.code, result.message);
    }
    ps_shadow_result_deinit(&result);
}

static void test_each_refusal_has_its_code_and_words(void **state) {
    static const struct {
        const char *payload;
        int code;
        const char *message;
    } cases[] = {
        {"", 400, "Invalid JSON"},
        {"{", 400, "Invalid JSON"},
        {"{\"state\":{}} x", 400, "Invalid JSON"},
        {"[]", 400, "Invalid JSON"},
        {"7", 400, "Invalid JSON"},
        {"\xff\xfe", 415, "Unsupported documented encoding; supported encoding is UTF-8"},
        {"{\"state\":{\"desired\":{\"a\":\"\xc3\x28\"}}}", 415,
         "Unsupported documented encoding; supported encoding is UTF-8"},
        {"{}", 400, "Missing required node: state"},
        {"{\"state\":1}", 400, "State node must be an object"},
        {"{\"state\":null}", 400, "State node must be an object"},
        {"{\"state\":{\"desired\":1}}", 400, "Desired node must be an object"},
        {"{\"state\":{\"desired\":[]}}", 400, "Desired node must be an object"},
        {"{\"state\":{\"reported\":\"x\"}}", 400, "Reported node must be an object"},
        {"{\"state\":{\"other\":{}}}", 400, "State contains an invalid node"},
        {"{\"state\":{\"desired\":{\"a\":[1,null]}}}", 400, "State contains an invalid node"},
        {"{\"state\":{\"desired\":{\"a\":[{\"b\":null}]}}}", 400, "State contains an invalid node"},
        {"{\"state\":{},\"version\":\"3\"}", 400, "Invalid version"},
        {"{\"state\":{},\"version\":1.5}", 400, "Invalid version"},
        {"{\"state\":{},\"version\":-1}", 400, "Invalid version"},
        {"{\"state\":{},\"version\":4}", 409, "Version conflict"},
        {"{\"state\":{},\"clientToken\":1}", 400, "Invalid clientToken"},
        {"{\"state\":{},\"clientToken\":"
         "\"12345678901234567890123456789012345678901234567890123456789012345\"}",
         400, "Invalid clientToken"},
        {"{\"state\":{\"desired\":{\"1\":{\"2\":{\"3\":{\"4\":{\"5\":{\"6\":{\"7\":{\"8\":{\"9\":1}"
         "}"
         "}}}}}}}}}",
         400, "JSON contains too many levels of nesting; maximum is 6"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsShadow shadow = {.version = 3};
        PsShadowResult result = {0};
        update(&shadow, cases[i].payload, 100, &result);
        if (result.code != cases[i].code || strcmp(result.message, cases[i].message) != 0) {
            fail_msg("%s: %d %s", cases[i].payload, result.code, result.message);
        }
        assert_null(result.accepted);
        assert_null(shadow.state);
        assert_int_equal(shadow.version, 3);
        ps_shadow_result_deinit(&result);
    }
}

static void test_as_deep_as_the_limit_is_accepted(void **state) {
    const char *deep = "{\"state\":{\"reported\":{\"1\":{\"2\":{\"3\":{\"4\":{\"5\":{\"6\":{\"7\":{"
                       "\"8\":{}}}}}}}}}}}";
    PsShadow shadow = {0};
    accept(&shadow, deep, 1);
    PsShadowResult result = {0};
    PsShadowLimits older = {.depth = 5};
    ps_shadow_update(&shadow, deep, strlen(deep), &older, 2, &result);
    assert_int_equal(result.code, 400);
    assert_string_equal(result.message, "JSON contains too many levels of nesting; maximum is 5");
    ps_shadow_result_deinit(&result);
    ps_shadow_deinit(&shadow);
}

static void test_accepted_tells_only_what_was_sent(void **state) {
    PsShadow shadow = {0};
    accept(&shadow, "{\"state\":{\"desired\":{\"color\":\"RED\",\"on\":true}}}", 100);
    PsShadowResult result = {0};
    update(&shadow,
           "{\"state\":{\"reported\":{\"color\":\"GREEN\",\"list\":[1,{\"a\":2}]},"
           "\"desired\":{\"on\":null}},\"clientToken\":\"t\",\"version\":1}",
           101, &result);
    check_json(result.accepted,
               "{\"state\":{\"reported\":{\"color\":\"GREEN\",\"list\":[1,{\"a\":2}]},"
               "\"desired\":{\"on\":null}},"
               "\"metadata\":{\"reported\":{\"color\":{\"timestamp\":101},"
               "\"list\":[{\"timestamp\":101},{\"a\":{\"timestamp\":101}}]},\"desired\":{}},"
               "\"version\":2,\"timestamp\":101}");
    check_json(result.delta, "{\"state\":{\"color\":\"RED\"},"
                             "\"metadata\":{\"color\":{\"timestamp\":100}},"
                             "\"version\":2,\"timestamp\":101}");
    check_json(result.documents,
               "{\"previous\":{\"state\":{\"desired\":{\"color\":\"RED\",\"on\":true}},"
               "\"metadata\":{\"desired\":{\"color\":{\"timestamp\":100},"
               "\"on\":{\"timestamp\":100}}},\"version\":1},"
               "\"current\":{\"state\":{\"desired\":{\"color\":\"RED\"},"
               "\"reported\":{\"color\":\"GREEN\",\"list\":[1,{\"a\":2}]}},"
               "\"metadata\":{\"desired\":{\"color\":{\"timestamp\":100}},"
               "\"reported\":{\"color\":{\"timestamp\":101},"
               "\"list\":[{\"timestamp\":101},{\"a\":{\"timestamp\":101}}]}},\"version\":2},"
               "\"timestamp\":101}");
    PS_AUTO_BUF PsBuf text = {0};
    ps_shadow_text(&result, result.delta, &text);
    assert_string_equal(
        (char *)text.data,
        "{\"state\":{\"color\":\"RED\"},\"metadata\":{\"color\":{\"timestamp\":100}},"
        "\"version\":2,\"timestamp\":101,\"clientToken\":\"t\"}");
    ps_shadow_result_deinit(&result);
    ps_shadow_deinit(&shadow);
}

static void test_a_refusal_as_it_is_published(void **state) {
    PsShadow shadow = {0};
    PsShadowResult result = {0};
    ps_shadow_get(&shadow, "t~s", "{\"clientToken\":\"x\"}", 19, 1, &result);
    PS_AUTO_BUF PsBuf text = {0};
    ps_shadow_text(&result, NULL, &text);
    assert_string_equal((char *)text.data,
                        "{\"code\":404,\"message\":\"No shadow exists with name: "
                        "'t~s'\",\"clientToken\":\"x\"}");
    ps_shadow_result_deinit(&result);
}

static void test_null_removes(void **state) {
    PsShadow shadow = {0};
    accept(&shadow, "{\"state\":{\"desired\":{\"a\":{\"b\":1,\"c\":2}},\"reported\":{\"x\":1}}}",
           1);
    accept(&shadow, "{\"state\":{\"desired\":{\"a\":{\"b\":null},\"never\":null}}}", 2);
    check_json(shadow.state, "{\"desired\":{\"a\":{\"c\":2}},\"reported\":{\"x\":1}}");
    accept(&shadow, "{\"state\":{\"desired\":null}}", 3);
    check_json(shadow.state, "{\"reported\":{\"x\":1}}");
    check_json(shadow.metadata, "{\"reported\":{\"x\":{\"timestamp\":1}}}");
    accept(&shadow, "{\"state\":{\"reported\":{\"x\":null}}}", 4);
    check_json(shadow.state, "{}");
    accept(&shadow, "{\"state\":{\"desired\":{\"n\":{\"gone\":null,\"k\":1}}}}", 5);
    check_json(shadow.state, "{\"desired\":{\"n\":{\"k\":1}}}");
    check_json(shadow.metadata, "{\"desired\":{\"n\":{\"k\":{\"timestamp\":5}}}}");
    ps_shadow_deinit(&shadow);
}

static void test_arrays_are_taken_whole(void **state) {
    PsShadow shadow = {0};
    accept(&shadow, "{\"state\":{\"desired\":{\"c\":[1,2,3]},\"reported\":{\"c\":[1,2]}}}", 1);
    PsShadowResult result = {0};
    update(&shadow, "{\"state\":{\"desired\":{\"c\":[1]}}}", 2, &result);
    check_json(json_object_get(result.delta, "state"), "{\"c\":[1]}");
    check_json(json_object_get(result.delta, "metadata"), "{\"c\":[{\"timestamp\":2}]}");
    ps_shadow_result_deinit(&result);
    ps_shadow_deinit(&shadow);
}

static void test_delta_holds_what_desired_has_and_reported_has_not(void **state) {
    static const struct {
        const char *desired;
        const char *reported;
        const char *delta; // NULL: none
    } cases[] = {
        {"{\"a\":1}", "{\"a\":1,\"b\":2}", NULL},
        {"{\"a\":1}", "{}", "{\"a\":1}"},
        {"{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":1}}", "{\"a\":{\"c\":2}}"},
        {"{\"a\":{\"b\":1}}", "{\"a\":3}", "{\"a\":{\"b\":1}}"},
        {"{\"a\":3}", "{\"a\":{\"b\":1}}", "{\"a\":3}"},
        {"{\"a\":[1,2]}", "{\"a\":[2,1]}", "{\"a\":[1,2]}"},
        {"{\"a\":{}}", "{}", "{\"a\":{}}"},
        {"{\"a\":{}}", "{\"a\":{\"b\":1}}", NULL},
        {"{\"a\":\"1\"}", "{\"a\":1}", "{\"a\":\"1\"}"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO_JSON json_t *desired = json(cases[i].desired);
        PS_AUTO_JSON json_t *reported = json(cases[i].reported);
        PS_AUTO_JSON json_t *delta = ps_shadow_delta(desired, reported);
        if (cases[i].delta == NULL) {
            assert_null(delta);
        } else {
            check_json(delta, cases[i].delta);
        }
    }
    assert_null(ps_shadow_delta(NULL, NULL));
}

static void test_versions_survive_a_delete(void **state) {
    PsShadow shadow = {0};
    accept(&shadow, "{\"state\":{\"desired\":{\"a\":1}}}", 1);
    accept(&shadow, "{\"state\":{\"desired\":{\"a\":2}}}", 2);
    PsShadowResult result = {0};
    ps_shadow_delete(&shadow, "t", "not json", 8, 3, &result);
    check_json(result.accepted, "{\"version\":2,\"timestamp\":3}");
    ps_shadow_result_deinit(&result);
    ps_shadow_delete(&shadow, "t", "", 0, 3, &result);
    assert_int_equal(result.code, 404);
    ps_shadow_result_deinit(&result);
    accept(&shadow, "{\"state\":{\"desired\":{\"a\":1}},\"version\":2}", 4);
    assert_int_equal(shadow.version, 3);
    ps_shadow_deinit(&shadow);
}

static void test_get_tells_all(void **state) {
    PsShadow shadow = {0};
    accept(&shadow, "{\"state\":{\"desired\":{\"a\":1,\"b\":0.1},\"reported\":{\"a\":1}}}", 7);
    PsShadowResult result = {0};
    ps_shadow_get(&shadow, "t", "", 0, 9, &result);
    PS_AUTO_BUF PsBuf text = {0};
    ps_shadow_text(&result, result.accepted, &text);
    assert_string_equal(
        (char *)text.data,
        "{\"state\":{\"desired\":{\"a\":1,\"b\":0.1},\"reported\":{\"a\":1},\"delta\":{\"b\":0.1}},"
        "\"metadata\":{\"desired\":{\"a\":{\"timestamp\":7},\"b\":{\"timestamp\":7}},"
        "\"reported\":{\"a\":{\"timestamp\":7}}},\"version\":1,\"timestamp\":9}");
    ps_shadow_result_deinit(&result);
    ps_shadow_deinit(&shadow);
}

static void test_a_shadow_holds_at_most_8_kb(void **state) {
    PsShadow shadow = {0};
    char payload[9000];
    for (int round = 0; round < 2; round++) {
        size_t fill = round == 0 ? 8192 - 8 : 8192 - 7; // {"a":""} are 8 bytes
        int at = snprintf(payload, sizeof payload, "{\"state\":{\"desired\":{\"a\":\"");
        memset(payload + at, 'x', fill);
        memcpy(payload + at + fill, "\"}}}", 5);
        PsShadowResult result = {0};
        update(&shadow, payload, 1, &result);
        assert_int_equal(result.code, round == 0 ? 200 : 413);
        ps_shadow_result_deinit(&result);
    }
    PsShadowResult result = {0};
    update(&shadow, "{\"state\":{\"reported\":{\"b\":1}}}", 2, &result);
    assert_int_equal(result.code, 413);
    assert_string_equal(result.message, "The payload exceeds the maximum size allowed");
    assert_int_equal(shadow.version, 1);
    ps_shadow_result_deinit(&result);
    ps_shadow_deinit(&shadow);
}

// ---- for any row of updates

static uint64_t random_state;

static unsigned chance(unsigned below) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % below;
}

static json_t *random_value(int depth, bool nulls) {
    switch (chance(depth > 0 ? 8 : 5)) {
    case 0:
        return json_integer(chance(3));
    case 1:
        return json_real(0.1 * chance(4));
    case 2:
        return json_boolean(chance(2));
    case 3:
        return json_string(chance(2) ? "x" : "");
    case 4:
        return nulls ? json_null() : json_integer(9);
    case 5: {
        json_t *array = json_array();
        for (unsigned i = chance(3); i > 0; i--) {
            json_array_append_new(array, random_value(depth - 1, false));
        }
        return array;
    }
    default: {
        json_t *object = json_object();
        for (unsigned i = chance(4); i > 0; i--) {
            char key[2] = {(char)('a' + chance(3)), '\0'};
            json_object_set_new(object, key, random_value(depth - 1, nulls));
        }
        return object;
    }
    }
}

static json_t *random_section(void) {
    json_t *section = json_object();
    for (unsigned i = chance(4); i > 0; i--) {
        char key[2] = {(char)('a' + chance(3)), '\0'};
        json_object_set_new(section, key, random_value(3, true));
    }
    return section;
}

// What a program that only hears update/accepted would do.
static void follow(json_t *mine, const json_t *change) {
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)change, key, member) {
        if (json_is_null(member)) {
            json_object_del(mine, key);
            continue;
        }
        if (json_is_object(member)) {
            if (!json_is_object(json_object_get(mine, key))) {
                json_object_set_new(mine, key, json_object());
            }
            follow(json_object_get(mine, key), member);
            continue;
        }
        json_object_set_new(mine, key, json_deep_copy(member));
    }
}

static void drop_empty_sections(json_t *mine) {
    static const char *const names[] = {"desired", "reported"};
    for (size_t i = 0; i < PS_COUNT(names); i++) {
        if (json_object_size(json_object_get(mine, names[i])) == 0) {
            json_object_del(mine, names[i]);
        }
    }
}

// Every plain value has a time, and nothing else has.
static void check_times(const json_t *value, const json_t *metadata) {
    if (json_is_object(value)) {
        assert_int_equal(json_object_size(value), json_object_size(metadata));
        const char *key;
        json_t *member;
        json_object_foreach((json_t *)(uintptr_t)value, key, member) {
            check_times(member, json_object_get(metadata, key));
        }
    } else if (json_is_array(value)) {
        assert_int_equal(json_array_size(value), json_array_size(metadata));
        for (size_t i = 0; i < json_array_size(value); i++) {
            check_times(json_array_get(value, i), json_array_get(metadata, i));
        }
    } else {
        assert_true(json_is_integer(json_object_get(metadata, "timestamp")));
    }
}

static void apply(PsShadow *shadow, json_t *mine, json_t *sections, int64_t now_s) {
    PS_AUTO_JSON json_t *request = json_pack("{s:o}", "state", sections);
    PS_AUTO_BUF PsBuf text = {0};
    ps_json_text(request, &text);
    PsShadowResult result = {0};
    int64_t before = shadow->version;
    ps_shadow_update(shadow, text.data, text.len, &no_limits, now_s, &result);
    if (result.code != 200) {
        fail_msg("%s: %s", (char *)text.data, result.message);
    }
    assert_int_equal(shadow->version, before + 1);
    follow(mine, json_object_get(result.accepted, "state"));
    drop_empty_sections(mine);
    if (!json_equal(mine, shadow->state)) {
        PS_AUTO_BUF PsBuf kept = {0};
        ps_json_text(shadow->state, &kept);
        PS_AUTO_BUF PsBuf followed = {0};
        ps_json_text(mine, &followed);
        fail_msg("after %s\nkept %s\nfollowed %s", (char *)text.data, (char *)kept.data,
                 (char *)followed.data);
    }
    check_times(shadow->state, shadow->metadata);
    ps_shadow_result_deinit(&result);
}

static void test_random_updates(void **state) {
    for (uint64_t seed = 1; seed <= 300; seed++) {
        random_state = seed;
        PsShadow shadow = {0};
        PS_AUTO_JSON json_t *mine = json_object();
        for (int64_t step = 1; step <= 20; step++) {
            json_t *sections = json_object();
            if (chance(4) != 0) {
                json_object_set_new(sections, "desired",
                                    chance(8) == 0 ? json_null() : random_section());
            }
            if (chance(4) != 0) {
                json_object_set_new(sections, "reported",
                                    chance(8) == 0 ? json_null() : random_section());
            }
            apply(&shadow, mine, sections, step);
        }
        // A device that reports the delta has no delta any more.
        json_t *delta = ps_shadow_delta(json_object_get(shadow.state, "desired"),
                                        json_object_get(shadow.state, "reported"));
        if (delta != NULL) {
            apply(&shadow, mine, json_pack("{s:o}", "reported", delta), 21);
        }
        PS_AUTO_JSON json_t *left = ps_shadow_delta(json_object_get(shadow.state, "desired"),
                                                    json_object_get(shadow.state, "reported"));
        assert_null(left);
        ps_shadow_deinit(&shadow);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_refusal_has_its_code_and_words),
        cmocka_unit_test(test_as_deep_as_the_limit_is_accepted),
        cmocka_unit_test(test_accepted_tells_only_what_was_sent),
        cmocka_unit_test(test_a_refusal_as_it_is_published),
        cmocka_unit_test(test_null_removes),
        cmocka_unit_test(test_arrays_are_taken_whole),
        cmocka_unit_test(test_delta_holds_what_desired_has_and_reported_has_not),
        cmocka_unit_test(test_versions_survive_a_delete),
        cmocka_unit_test(test_get_tells_all),
        cmocka_unit_test(test_a_shadow_holds_at_most_8_kb),
        cmocka_unit_test(test_random_updates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
