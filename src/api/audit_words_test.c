// What the audit log says of a call, and what it never says. Pure.
#include "api/audit_words.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void calls_are_told_by_name_and_value(void **state) {
    static const struct {
        const char *arguments;
        const char *answer;
        const char *object;
        const char *detail;
    } cases[] = {
        {"{}", NULL, "", ""},
        {"{\"device\":\"PLC\",\"name\":\"temp\",\"value\":42.5}", "{\"result\":\"success\"}",
         "PLC/temp", "value 42.5 -> success"},
        {"{\"device\":\"PLC\",\"name\":\"on\",\"value\":false}", NULL, "PLC/on", "value false"},
        {"{\"device_name\":\"PLC\",\"ip\":\"10.0.0.1\",\"why\":\"night shift\"}",
         "{\"result\":\"applied\",\"revision\":{\"number\":12,\"summary\":\"device 'PLC' added\"}}",
         "PLC", "why night shift -> applied, revision 12: device 'PLC' added"},
        {"{\"device\":\"PLC\",\"var_name\":\"level\",\"group_name\":\"fast\"}", NULL, "PLC/level",
         ""},
        {"{\"name\":\"old\",\"device_name\":\"new\"}", NULL, "old", ""},
        {"{\"warn_name\":\"hot\",\"device\":\"PLC\",\"var_name\":\"temp\"}", NULL, "hot", ""},
        {"{\"level\":\"DEBUG\",\"seconds\":60}", NULL, "", "level DEBUG, seconds 60"},
        {"{\"of\":3,\"dry_run\":true,\"cascade\":false}", NULL, "", "of 3, dry_run"},
        {"{\"edits\":[{\"op\":\"delete\",\"block\":\"vars\",\"device\":\"PLC\",\"name\":\"a\"},"
         "{\"op\":\"put\",\"block\":\"devices\",\"value\":{\"device_name\":\"X\"}},"
         "{\"block\":\"cloud\"},{\"block\":\"b\"},{\"block\":\"c\"}]}",
         NULL, "vars PLC/a, devices X, cloud , b  and 1 more", ""},
        {"{\"name\":\"a\\u001b[31m\\n\"}", NULL, "a?[31m?", ""},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        char object[160];
        char detail[400];
        json_t *arguments = json_loads(cases[i].arguments, 0, NULL);
        json_t *answer = cases[i].answer != NULL ? json_loads(cases[i].answer, 0, NULL) : NULL;
        ps_audit_object(arguments, object, sizeof object);
        ps_audit_detail(arguments, answer, detail, sizeof detail);
        assert_string_equal(object, cases[i].object);
        assert_string_equal(detail, cases[i].detail);
        json_decref(arguments);
        json_decref(answer);
    }
}

static void secrets_are_left_out(void **state) {
    char object[160];
    char detail[400];
    json_t *arguments = json_loads(
        "{\"password\":\"S3\",\"code\":\"S3\",\"old\":\"S3\",\"new\":\"S3\",\"token\":\"S3\","
        "\"text\":\"S3\",\"files\":[{\"name\":\"S3\",\"text\":\"S3\"}],\"script_text\":\"S3\","
        "\"value\":{\"password\":\"S3\"},\"edits\":[{\"op\":\"file\",\"path\":\"x\","
        "\"text\":\"S3\"}]}",
        0, NULL);
    json_t *answer = json_loads("{\"token\":\"S3\",\"csrf\":\"S3\",\"code\":\"S3\"}", 0, NULL);
    ps_audit_object(arguments, object, sizeof object);
    ps_audit_detail(arguments, answer, detail, sizeof detail);
    assert_null(strstr(object, "S3"));
    assert_null(strstr(detail, "S3"));
    json_decref(arguments);
    json_decref(answer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_told_by_name_and_value),
        cmocka_unit_test(secrets_are_left_out),
    };
    return cmocka_run_group_tests_name("api/audit_words", tests, NULL, NULL);
}
