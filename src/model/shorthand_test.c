// The key `address`: in files, in edits, and what it does not go together with. Pure.
#include "base/buf.h"
#include "model/config_test_rig.h"
#include "model/edit_value.h"
#include "model/json_line.h"
#include "model/tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static json_t *json_of(const char *text) {
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    return json;
}

static void a_file_may_have_it_and_is_written_without_it(void **state) {
    PsConfig *config = ps_test_config(
        "/nonexistent",
        "{\"version\": 1, \"devices\": [{\"device_name\": \"S7\", \"protocol\": \"ISO-on-TCP\", "
        "\"ip\": \"h\"}], \"vars\": ["
        "{\"var_name\": \"a\", \"device\": \"S7\", \"data_type\": \"FLOAT\", \"address\": "
        "\"%DB6.DBD18\"},"
        "{\"var_name\": \"b\", \"device\": \"S7\", \"address\": \"A0.1\"}], \"warning\": ["
        "{\"warn_name\": \"w\", \"device\": \"S7\", \"quotes\": 0, \"address\": \"EW4\", "
        "\"condition1\": \"Gt\", \"operand1\": \"3\"}]}");
    const PsVariable *a = &config->variables[0];
    assert_int_equal(a->register_type, PS_S7_DB);
    assert_int_equal(a->dbnumber, 6);
    assert_int_equal(a->register_addr, 18);
    assert_int_equal(a->register_bit, PS_UNSET);
    assert_int_equal(a->data_type, PS_TYPE_FLOAT);
    const PsVariable *b = &config->variables[1];
    assert_int_equal(b->register_type, PS_S7_OUTPUTS);
    assert_int_equal(b->register_bit, 1);
    assert_int_equal(b->data_type, PS_TYPE_BOOL);
    const PsVariable *watched = &config->variables[config->alarms[0].watched];
    assert_int_equal(watched->register_type, PS_S7_INPUTS);
    assert_int_equal(watched->data_type, PS_TYPE_WORD);
    PS_AUTO_BUF PsBuf written = {0};
    ps_config_write(config, &written);
    assert_null(strstr((const char *)written.data, "\"address\""));
    assert_non_null(strstr((const char *)written.data,
                           "\"data_type\": \"BOOL\", \"register_addr\": 0, \"register_bit\": 1, "
                           "\"register_type\": \"Q\"}"));
    ps_config_free(config);
}

static void expect_change(const char *before, const char *value, const char *after) {
    PsFindings findings = {0};
    json_t *jsons[] = {json_of(before), json_of(value)};
    json_t *changed =
        ps_edit_value_changed(&ps_table_variable, jsons[1], jsons[0], "var 'v'", &findings);
    assert_int_equal(findings.errors, 0);
    PS_AUTO_BUF PsBuf line = {0};
    ps_json_write_line(changed, &line);
    assert_string_equal((const char *)line.data, after);
    json_decref(changed);
    json_decref(jsons[0]);
    json_decref(jsons[1]);
    ps_findings_deinit(&findings);
}

static void a_change_replaces_the_whole_place(void **state) {
    expect_change("{\"var_name\": \"v\", \"device\": \"D\", \"data_type\": \"BOOL\", "
                  "\"register_type\": \"DB\", \"dbnumber\": 6, \"register_addr\": 2, "
                  "\"register_bit\": 3}",
                  "{\"address\": \"M10.2\"}",
                  "{\"var_name\": \"v\", \"device\": \"D\", \"data_type\": \"BOOL\", "
                  "\"register_type\": \"M\", \"register_addr\": 10, \"register_bit\": 2}");
    expect_change("{\"var_name\": \"v\", \"device\": \"D\", \"data_type\": \"FLOAT\", "
                  "\"address\": \"DB6.DBD18\"}",
                  "{\"address\": \"MD4\", \"register_addr\": null}",
                  "{\"var_name\": \"v\", \"device\": \"D\", \"data_type\": \"FLOAT\", "
                  "\"register_type\": \"M\", \"register_addr\": 4}");
    expect_change("{\"var_name\": \"v\", \"device\": \"D\", \"address\": \"IW2\"}",
                  "{\"register_addr\": 4, \"address\": null}",
                  "{\"var_name\": \"v\", \"device\": \"D\", \"register_type\": \"I\", "
                  "\"register_addr\": 4, \"data_type\": \"WORD\"}");
}

static void expect_finding(const char *value, const char *words) {
    PsFindings findings = {0};
    json_t *json = json_of(value);
    json_t *whole = ps_edit_value_whole(&ps_table_variable, json, NULL, "var 'v'", &findings);
    json_t *changed = ps_edit_value_changed(&ps_table_variable, json, NULL, "var 'v'", &findings);
    assert_null(whole);
    assert_null(changed);
    assert_string_equal(findings.items[0].diag.field, "address");
    if (strstr(findings.items[0].diag.text, words) == NULL) {
        fail_msg("'%s' is not in: %s", words, findings.items[0].diag.text);
    }
    json_decref(json);
    ps_findings_deinit(&findings);
}

static void what_is_wrong_is_told(void **state) {
    expect_finding("{\"var_name\": \"v\", \"device\": \"D\", \"address\": 5}",
                   "must be a text in quotes, like \"DB6.DBD18\"");
    expect_finding("{\"var_name\": \"v\", \"device\": \"D\", \"address\": \"40001\"}",
                   "write one like DB6.DBD18");
    expect_finding("{\"var_name\": \"v\", \"device\": \"D\", \"address\": \"IW2\", "
                   "\"register_addr\": 2}",
                   "remove it, or register_addr and the others");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_may_have_it_and_is_written_without_it),
        cmocka_unit_test(a_change_replaces_the_whole_place),
        cmocka_unit_test(what_is_wrong_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
