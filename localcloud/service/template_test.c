// Provisioning templates: functions, resources, what is refused; and CBOR, which carries the
// messages.
#include "localcloud/service/cbor.h"
#include "localcloud/service/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CERTIFICATE                                                                                \
    "\"certificate\":{\"Type\":\"AWS::IoT::Certificate\",\"Properties\":{\"CertificateId\":"       \
    "{\"Ref\":\"AWS::IoT::Certificate::Id\"},\"Status\":\"Active\"}}"

static PsErr plan(const char *body, const char *parameters, PsTemplatePlan *out, PsDiag *diag) {
    PS_AUTO_JSON json_t *json = ps_json_parse(parameters, strlen(parameters));
    assert_int_equal(ps_template_check(body, diag), PS_OK);
    return ps_template_plan(body, json, "c0ffee", out, diag);
}

// The thing name that a template's function gives.
static void check_name(const char *function, const char *want) {
    char body[2048];
    (void)snprintf(body, sizeof body,
                   "{\"Parameters\":{\"A\":{\"Type\":\"String\"},"
                   "\"B\":{\"Type\":\"String\",\"Default\":\"bee\"}},"
                   "\"Mappings\":{\"M\":{\"x\":{\"k\":\"mapped\"}}},"
                   "\"Resources\":{" CERTIFICATE
                   ",\"thing\":{\"Type\":\"AWS::IoT::Thing\",\"Properties\":{\"ThingName\":%s}}}}",
                   function);
    PsTemplatePlan made = {0};
    PsDiag diag = {0};
    PsErr err = plan(body, "{\"A\":\"x\",\"Foreign\":\"y\"}", &made, &diag);
    if (want == NULL) {
        assert_int_equal(err, PS_ERR_INVALID);
        assert_true(diag.text[0] != '\0');
    } else {
        if (err != PS_OK) {
            fail_msg("%s: %s: %s", function, diag.field, diag.text);
        }
        assert_string_equal(made.thing, want);
    }
    ps_template_plan_deinit(&made);
}

static void test_functions(void **state) {
    check_name("\"plain\"", "plain");
    check_name("{\"Ref\":\"A\"}", "x");
    check_name("{\"Ref\":\"B\"}", "bee");
    check_name("{\"Ref\":\"AWS::IoT::Certificate::Id\"}", "c0ffee");
    check_name("{\"Fn::Join\":[\"-\",[\"gw\",{\"Ref\":\"A\"},\"1\"]]}", "gw-x-1");
    check_name("{\"Fn::Select\":[1,[\"a\",\"b\"]]}", "b");
    check_name("{\"Fn::Select\":[\"0\",{\"Fn::Split\":[\",\",\"one,two\"]}]}", "one");
    check_name("{\"Fn::FindInMap\":[\"M\",{\"Ref\":\"A\"},\"k\"]}", "mapped");
    check_name("{\"Fn::Sub\":\"gw-${A}-${B}\"}", "gw-x-bee");
    check_name("{\"Fn::Sub\":[\"gw-${Own}\",{\"Own\":\"1\"}]}", "gw-1");
    check_name("{\"Ref\":\"Foreign\"}", NULL); // sent, but not declared
    check_name("{\"Fn::Select\":[2,[\"a\",\"b\"]]}", NULL);
    check_name("{\"Fn::Select\":[-1,[\"a\",\"b\"]]}", NULL);
    check_name("{\"Fn::FindInMap\":[\"M\",\"y\",\"k\"]}", NULL);
    check_name("{\"Fn::Join\":[\"-\",[1]]}", NULL);
    check_name("{\"Fn::Sub\":\"${Nobody}\"}", NULL);
    check_name("\"a b\"", NULL);
    check_name("7", NULL);
}

static void test_resources_become_a_plan(void **state) {
    PsTemplatePlan made = {0};
    PsDiag diag = {0};
    const char *body =
        "{\"Parameters\":{\"S\":{\"Type\":\"String\"}},\"Resources\":{" CERTIFICATE
        ",\"thing\":{\"Type\":\"AWS::IoT::Thing\",\"Properties\":{\"ThingName\":{\"Ref\":\"S\"},"
        "\"ThingTypeName\":\"lamp\",\"AttributePayload\":{\"serial\":{\"Ref\":\"S\"}},"
        "\"ThingGroups\":[\"line\"]},\"OverrideSettings\":{\"AttributePayload\":\"MERGE\"}},"
        "\"own\":{\"Type\":\"AWS::IoT::Policy\",\"Properties\":{\"PolicyDocument\":{\"a\":1}}},"
        "\"named\":{\"Type\":\"AWS::IoT::Policy\",\"Properties\":{\"PolicyName\":\"there\"}}},"
        "\"DeviceConfiguration\":{\"Name\":{\"Ref\":\"S\"}}}";
    assert_int_equal(plan(body, "{\"S\":\"t7\"}", &made, &diag), PS_OK);
    assert_string_equal(made.thing, "t7");
    assert_string_equal(made.type, "lamp");
    assert_string_equal(json_string_value(json_object_get(made.attributes, "serial")), "t7");
    assert_int_equal(json_array_size(made.groups), 1);
    assert_true(made.merge && !made.keep && !made.fail_if_there && !made.inactive);
    assert_int_equal(made.policy_count, 2);
    assert_int_equal(strlen(made.policies[0].name), 64); // a hash of the document
    assert_string_equal(made.policies[0].document, "{\"a\":1}");
    assert_string_equal(made.policies[1].name, "there");
    assert_null(made.policies[1].document);
    assert_string_equal(json_string_value(json_object_get(made.configuration, "Name")), "t7");
    ps_template_plan_deinit(&made);
}

static void test_what_is_no_template(void **state) {
    static const char *const bodies[] = {
        "",
        "[]",
        "{}",
        "{\"Resources\":{}}",
        "{\"Resources\":{\"a\":{\"Type\":\"AWS::S3::Bucket\",\"Properties\":{}}}}",
        "{\"Resources\":{\"a\":{\"Type\":\"AWS::IoT::Thing\",\"Properties\":{}}}}",
        "{\"Resources\":{\"a\":{\"Type\":\"AWS::IoT::Certificate\"}}}",
    };
    for (size_t i = 0; i < PS_COUNT(bodies); i++) {
        PsDiag diag = {0};
        assert_int_equal(ps_template_check(bodies[i], &diag), PS_ERR_INVALID);
        assert_true(diag.text[0] != '\0');
    }
}

// ---- CBOR

static void test_cbor_as_in_the_rfc(void **state) {
    // RFC 8949, appendix A.
    static const struct {
        const char *json;
        const char *hex;
    } cases[] = {
        {"0", "00"},
        {"23", "17"},
        {"24", "1818"},
        {"1000", "1903e8"},
        {"1000000", "1a000f4240"},
        {"1000000000000", "1b000000e8d4a51000"},
        {"-1", "20"},
        {"-1000", "3903e7"},
        {"1.1", "fb3ff199999999999a"},
        {"false", "f4"},
        {"true", "f5"},
        {"null", "f6"},
        {"\"IETF\"", "6449455446"},
        {"[1,[2,3]]", "8201820203"},
        {"{\"a\":1,\"b\":[2,3]}", "a26161016162820203"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO_JSON json_t *json = ps_json_parse(cases[i].json, strlen(cases[i].json));
        PS_AUTO_BUF PsBuf bytes = {0};
        ps_cbor_write(json, &bytes);
        PS_AUTO_BUF PsBuf hex = {0};
        for (size_t at = 0; at < bytes.len; at++) {
            ps_buf_printf(&hex, "%02x", bytes.data[at]);
        }
        assert_string_equal((const char *)hex.data, cases[i].hex);
        PS_AUTO_JSON json_t *back = ps_cbor_read(bytes.data, bytes.len);
        assert_true(json_equal(json, back));
        for (size_t len = 0; len < bytes.len; len++) {
            assert_null(ps_cbor_read(bytes.data, len)); // cut off anywhere
        }
    }
}

static void test_cbor_that_json_does_not_have(void **state) {
    static const struct {
        uint8_t bytes[10];
        size_t len;
    } cases[] = {
        {{0x41, 0x01}, 2},                                           // bytes
        {{0xc0, 0x00}, 2},                                           // a tag
        {{0x9f, 0xff}, 2},                                           // indefinite
        {{0xf7}, 1},                                                 // undefined
        {{0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 9}, // beyond int64
        {{0xfb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0}, 9},                   // infinite
        {{0xa1, 0x01, 0x01}, 3},                                     // a key that is no text
        {{0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 9}, // a huge array
        {{0x00, 0x00}, 2},                                           // something behind
        {{0x62, 0xc3, 0x28}, 3},                                     // not UTF-8
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        assert_null(ps_cbor_read(cases[i].bytes, cases[i].len));
    }
    const uint8_t half[] = {0xf9, 0x3e, 0x00};
    PS_AUTO_JSON json_t *json = ps_cbor_read(half, sizeof half);
    assert_true(json_real_value(json) == 1.5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_resources_become_a_plan),
        cmocka_unit_test(test_what_is_no_template),
        cmocka_unit_test(test_cbor_as_in_the_rfc),
        cmocka_unit_test(test_cbor_that_json_does_not_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
