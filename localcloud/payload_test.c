// What a person and a program see of a message.
#include "localcloud/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const PsWall moment = {INT64_C(1700000000123) * PS_NS_PER_MS};

typedef struct PayloadCase {
    PsPayloadFormat format;
    bool sent;
    const char *payload;
    size_t len;
    const char *shown; // after the time
} PayloadCase;

#define TEXT(text) text, sizeof(text) - 1

static void test_for_people(void **state) {
    (void)state;
    static const PayloadCase cases[] = {
        {PS_PAYLOAD_LINE, false, TEXT("{\"a\": 1.10}"), "  a/b  {\"a\": 1.10}\n"},
        {PS_PAYLOAD_LINE, true, TEXT("hello"), "  > a/b  hello\n"},
        {PS_PAYLOAD_LINE, false, TEXT(""), "  a/b  \n"},
        {PS_PAYLOAD_LINE, false, TEXT("{\n  \"a\": 1\n}"), "  a/b  {\\n  \"a\": 1\\n}\n"},
        {PS_PAYLOAD_LINE, false, TEXT("\033[2Jx\177"), "  a/b  \\x1b[2Jx\\x7f\n"},
        {PS_PAYLOAD_LINE, false, TEXT("22 \302\260C"), "  a/b  22 \302\260C\n"},
        {PS_PAYLOAD_LINE, false, TEXT("\302\233x"), "  a/b  \\x9bx\n"},
        {PS_PAYLOAD_LINE, false, TEXT("\377\0a"), "  a/b  (3 bytes) ff0061\n"},
        {PS_PAYLOAD_PRETTY, false, TEXT("{\"a\":1.10,\"b\":[1,\"x,\\\"{\"],\"c\":{},\"d\":[]}"),
         "  a/b  {\n  \"a\": 1.10,\n  \"b\": [\n    1,\n    \"x,\\\"{\"\n  ],\n  \"c\": {},\n"
         "  \"d\": []\n}\n"},
        {PS_PAYLOAD_PRETTY, false, TEXT("[ ]"), "  a/b  []\n"},
        {PS_PAYLOAD_PRETTY, false, TEXT("{no json"), "  a/b  {no json\n"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO_BUF PsBuf out = {0};
        PsCloudMessage message = {.topic = "a/b", .payload = cases[i].payload, .len = cases[i].len};
        ps_payload_put(&out, cases[i].format, moment, cases[i].sent, &message);
        assert_true(out.len > 12);
        assert_memory_equal(out.data + 8, ".123", 4); // hours depend on the zone
        assert_string_equal((const char *)out.data + 12, cases[i].shown);
    }
}

static void test_deep_nesting(void **state) {
    (void)state;
    char deep[2001];
    memset(deep, '[', 1000);
    memset(deep + 1000, ']', 1000);
    PS_AUTO_BUF PsBuf out = {0};
    PsCloudMessage message = {.topic = "t", .payload = deep, .len = 2000};
    ps_payload_put(&out, PS_PAYLOAD_PRETTY, moment, false, &message);
    assert_true(out.len > 2000 && out.len < (size_t)2000 * 200);
}

static void test_for_programs(void **state) {
    (void)state;
    PS_AUTO_BUF PsBuf out = {0};
    PsCloudMessage text = {.topic = "a/b", .payload = "x\n\"", .len = 3, .qos = 1};
    ps_payload_put(&out, PS_PAYLOAD_JSON, moment, true, &text);
    json_t *json = json_loads((const char *)out.data, 0, NULL);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "payload")), "x\n\"");
    assert_string_equal(json_string_value(json_object_get(json, "direction")), "sent");
    assert_string_equal(json_string_value(json_object_get(json, "topic")), "a/b");
    assert_int_equal(json_integer_value(json_object_get(json, "qos")), 1);
    json_decref(json);
    ps_buf_clear(&out);
    PsCloudMessage bytes = {.topic = "a/b", .payload = "\377\0", .len = 2};
    ps_payload_put(&out, PS_PAYLOAD_JSON, moment, false, &bytes);
    json = json_loads((const char *)out.data, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json, "payload_hex")), "ff00");
    json_decref(json);
    ps_buf_clear(&out);
    PsCloudMessage empty = {.topic = "a/b"};
    ps_payload_put(&out, PS_PAYLOAD_JSON, moment, false, &empty);
    assert_non_null(strstr((const char *)out.data, "\"payload\":\"\""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_for_people),
        cmocka_unit_test(test_deep_nesting),
        cmocka_unit_test(test_for_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
