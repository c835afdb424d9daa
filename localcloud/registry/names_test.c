// Names, sizes and ARNs against the service's model.
#include "localcloud/registry/names.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

typedef struct NameCase {
    PsNameKind kind;
    const char *text;
    size_t repeat; // 0: once
    bool sound;
    const char *words; // in the refusal
} NameCase;

static void test_names(void **state) {
    (void)state;
    static const NameCase cases[] = {
        {PS_NAME_THING, "aws_iot_test", 0, true, NULL},
        {PS_NAME_THING, "a:B-9_", 0, true, NULL},
        {PS_NAME_THING, "x", 128, true, NULL},
        {PS_NAME_THING, "x", 129, false, "length less than or equal to 128"},
        {PS_NAME_THING, "", 0, false, "length greater than or equal to 1"},
        {PS_NAME_THING, "a b", 0, false, "pattern: [a-zA-Z0-9:_-]+"},
        {PS_NAME_THING, "a/b", 0, false, "'thingName'"},
        {PS_NAME_THING, "\303\244", 0, false, "pattern"},
        {PS_NAME_THING, NULL, 0, false, "must not be null"},
        {PS_NAME_POLICY, "My+Policy=,.@-1", 0, true, NULL},
        {PS_NAME_POLICY, "a:b", 0, false, "[\\w+=,.@-]+"},
        {PS_NAME_ATTRIBUTE, "site.plant,@/:#-_1", 0, true, NULL},
        {PS_NAME_ATTRIBUTE, "a b", 0, false, "pattern"},
        {PS_NAME_VALUE, "", 0, true, NULL},
        {PS_NAME_VALUE, "v", 800, true, NULL},
        {PS_NAME_VALUE, "v", 801, false, "800"},
        {PS_NAME_CERTIFICATE, "a", 64, true, NULL},
        {PS_NAME_CERTIFICATE, "a", 63, false, "64"},
        {PS_NAME_CERTIFICATE, "g", 64, false, "pattern"},
        {PS_NAME_VERSION, "12", 0, true, NULL},
        {PS_NAME_VERSION, "1a", 0, false, "[0-9]+"},
        {PS_NAME_SHADOW, "s", 64, true, NULL},
        {PS_NAME_SHADOW, "s", 65, false, "64"},
        {PS_NAME_DESCRIPTION, "Any words: yes!", 0, true, NULL},
        {PS_NAME_DESCRIPTION, "two\nlines", 0, false, "pattern"},
        {PS_NAME_TEMPLATE, "fleet_1-x", 0, true, NULL},
        {PS_NAME_TEMPLATE, "a:b", 0, false, "pattern"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO_BUF PsBuf text = {0};
        for (size_t n = 0; n < (cases[i].repeat > 0 ? cases[i].repeat : 1); n++) {
            ps_buf_printf(&text, "%s", cases[i].text != NULL ? cases[i].text : "");
        }
        PsApiFault fault = {0};
        PsApiCode code =
            ps_name_check(cases[i].kind, "thingName",
                          cases[i].text != NULL ? (const char *)text.data : NULL, &fault);
        assert_int_equal(code, cases[i].sound ? PS_API_OK : PS_API_INVALID_REQUEST);
        if (!cases[i].sound && strstr(fault.message, cases[i].words) == NULL) {
            fail_msg("case %zu: '%s' does not hold '%s'", i, fault.message, cases[i].words);
        }
    }
}

static void test_a_certificate_id_is_taken_in_lower_case(void **state) {
    (void)state;
    char text[65];
    char id[PS_CERTIFICATE_ID_SIZE];
    memset(text, 'A', 64);
    text[64] = '\0';
    PsApiFault fault = {0};
    assert_int_equal(ps_name_certificate("certificateId", text, id, &fault), PS_API_OK);
    assert_int_equal(strspn(id, "a"), 64);
}

static void test_attributes(void **state) {
    (void)state;
    PsApiFault fault = {0};
    json_t *three = json_pack("{s:s, s:s, s:s, s:s}", "a", "1", "b", "2", "c", "3", "gone", "");
    assert_int_equal(ps_name_attributes(NULL, 0, &fault), PS_API_OK);
    assert_int_equal(ps_name_attributes(three, 3, &fault), PS_API_OK);
    assert_int_equal(ps_name_attributes(three, 2, &fault), PS_API_INVALID_REQUEST);
    json_object_set_new(three, "n", json_integer(1));
    assert_int_equal(ps_name_attributes(three, 50, &fault), PS_API_INVALID_REQUEST);
    json_t *list = json_array();
    assert_int_equal(ps_name_attributes(list, 3, &fault), PS_API_INVALID_REQUEST);
    json_decref(list);
    json_decref(three);
}

static void test_arns(void **state) {
    (void)state;
    char arn[PS_ARN_SIZE];
    ps_arn_put(arn, "eu-central-1", PS_ARN_THING, "gw");
    assert_string_equal(arn, "arn:aws:iot:eu-central-1:000000000000:thing/gw");
    ps_arn_put(arn, "cn-north-1", PS_ARN_POLICY, "p");
    assert_string_equal(arn, "arn:aws-cn:iot:cn-north-1:000000000000:policy/p");
    PsArnKind kind = PS_ARN_THING;
    const char *name = NULL;
    assert_true(ps_arn_read("arn:aws:iot:r:000000000000:cert/ab", "r", &kind, &name));
    assert_int_equal(kind, PS_ARN_CERTIFICATE);
    assert_string_equal(name, "ab");
    static const char *const foreign[] = {
        "",
        "arn:aws:iot:r:000000000000:cert/",
        "arn:aws:iot:other:000000000000:cert/ab",
        "arn:aws:iot:r:123456789012:cert/ab",
        "arn:aws:sns:r:000000000000:cert/ab",
        "arn:aws:iot:r:000000000000:topic/ab",
        "arn:aws:iot:r:000000000000",
    };
    for (size_t i = 0; i < PS_COUNT(foreign); i++) {
        assert_false(ps_arn_read(foreign[i], "r", &kind, &name));
    }
}

static void test_every_refusal_has_a_type_and_a_status(void **state) {
    (void)state;
    for (PsApiCode code = 1; code < PS_API_CODES; code++) {
        assert_true(strlen(ps_api_error_type(code)) > 0);
        assert_in_range(ps_api_status(code, PS_API_CONTROL), 400, 503);
        assert_in_range(ps_api_status(code, PS_API_DATA), 400, 503);
    }
    assert_int_equal(ps_api_status(PS_API_THROTTLING, PS_API_CONTROL), 400);
    assert_int_equal(ps_api_status(PS_API_THROTTLING, PS_API_DATA), 429);
    assert_int_equal(ps_api_status(PS_API_LIMIT_EXCEEDED, PS_API_CONTROL), 410);
    assert_int_equal(ps_api_status(PS_API_CERTIFICATE_STATE, PS_API_CONTROL), 406);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_a_certificate_id_is_taken_in_lower_case),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_arns),
        cmocka_unit_test(test_every_refusal_has_a_type_and_a_status),
    };
    return cmocka_run_group_tests_name("registry names", tests, NULL, NULL);
}
