// The communication alarm of a device: where it stands, what is written back, what is found.
#include "model/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define DEVICE(name, more)                                                                         \
    "{\"device_name\": \"" name "\", \"protocol\": \"ModbusTCP\", \"ip\": \"127.0.0.1\"" more "}"
#define VARIABLE(device)                                                                           \
    "{\"var_name\": \"v\", \"device\": \"" device "\", \"data_type\": \"WORD\", "                  \
    "\"register_addr\": 40001}"
#define ALARM(name)                                                                                \
    "{\"warn_name\": \"" name "\", \"quotes\": 1, \"device\": \"A\", \"var_name\": \"v\", "        \
    "\"condition1\": \"Gt\", \"operand1\": \"30\"}"

typedef struct Bench {
    PsFindings findings;
    PsConfig *config;
} Bench;

static int setup(void **state) {
    static Bench bench;
    bench = (Bench){0};
    *state = &bench;
    return 0;
}

static int teardown(void **state) {
    Bench *bench = *state;
    ps_findings_deinit(&bench->findings);
    ps_config_free(bench->config);
    return 0;
}

static void parse(Bench *bench, const char *json) {
    PsErr err = ps_config_parse(".", json, strlen(json), NULL, &bench->findings, &bench->config);
    assert_int_equal(err, bench->findings.errors > 0 ? PS_ERR_INVALID : PS_OK);
}

static void it_stands_behind_those_of_warning(void **state) {
    Bench *bench = *state;
    parse(bench,
          "{\"version\": 1, \"devices\": [" DEVICE("A", ", \"comm_alarm\": true") ", " DEVICE(
              "B",
              "") ", " DEVICE("C",
                              ", \"comm_alarm\": true, \"comm_alarm_level\": 4, "
                              "\"comm_alarm_group\": \"line\", \"comm_alarm_on_delay\": "
                              "60, \"comm_alarm_off_delay\": 0, "
                              "\"comm_alarm_content\": \"C is away\"") "], "
                                                                       "\"vars\": [" VARIABLE("A") ", " VARIABLE(
                                                                           "C") "], "
                                                                                "\"groups\": "
                                                                                "[{\"group_name\": "
                                                                                "\"line\", "
                                                                                "\"group_type\": "
                                                                                "\"alarm\"}], "
                                                                                "\"warning\": "
                                                                                "[" ALARM(
                                                                                    "high") "]}");
    assert_int_equal(bench->findings.count, 0);
    const PsConfig *config = bench->config;
    assert_int_equal(config->alarm_count, 3);
    assert_int_equal(ps_config_warning_count(config), 1);
    assert_int_equal(config->alarms[0].level, 1);
    assert_false(config->alarms[0].is_comm);
    const PsAlarm *first = &config->alarms[1];
    assert_string_equal(first->name, "A communication");
    assert_string_equal(first->content, "the device does not answer");
    assert_int_equal(first->device, 0);
    assert_int_equal(first->level, 1);
    assert_true(first->on_delay == 30 && first->off_delay == 10);
    assert_string_equal(config->groups[first->group].name, "warning");
    assert_int_equal(first->place, 1);
    const PsAlarm *second = &config->alarms[2];
    assert_string_equal(second->name, "C communication");
    assert_string_equal(second->content, "C is away");
    assert_int_equal(second->device, 2);
    assert_int_equal(second->level, 4);
    assert_true(second->on_delay == 60 && second->off_delay == 0);
    assert_string_equal(config->groups[second->group].name, "line");
    assert_int_equal(second->place, 0);
    // Nothing is read for it.
    assert_int_equal(config->watched_count, 1);
}

static void it_is_written_with_its_device(void **state) {
    Bench *bench = *state;
    parse(
        bench,
        "{\"version\": 1, \"devices\": [" DEVICE(
            "A", ", \"comm_alarm\": true, \"comm_alarm_level\": 5") "], "
                                                                    "\"vars\": [" VARIABLE(
                                                                        "A") "], \"warning\": "
                                                                             "[" ALARM("high") "]"
                                                                                               "}");
    PS_AUTO_BUF PsBuf text = {0};
    ps_config_write(bench->config, &text);
    assert_non_null(
        strstr((const char *)text.data, "\"comm_alarm\": true, \"comm_alarm_level\": 5}"));
    assert_null(strstr((const char *)text.data, "A communication"));
    PsFindings findings = {0};
    PsConfig *again = NULL;
    assert_int_equal(ps_config_parse(".", text.data, text.len, NULL, &findings, &again), PS_OK);
    assert_int_equal(findings.count, 0);
    assert_int_equal(again->alarm_count, 2);
    ps_findings_deinit(&findings);
    ps_config_free(again);
}

static void expect_finding(Bench *bench, const char *json, bool is_error, const char *field,
                           const char *text) {
    parse(bench, json);
    assert_int_equal(bench->findings.count, 1);
    const PsFinding *finding = &bench->findings.items[0];
    assert_int_equal(finding->is_error, is_error);
    assert_string_equal(finding->diag.field, field);
    if (strstr(finding->diag.text, text) == NULL) {
        fail_msg("'%s' does not say '%s'", finding->diag.text, text);
    }
}

static void a_name_that_is_taken(void **state) {
    expect_finding(
        *state,
        "{\"version\": 1, \"devices\": [" DEVICE(
            "A", ", \"comm_alarm\": true") "], "
                                           "\"vars\": [" VARIABLE("A") "], \"warning\": [" ALARM(
                                               "A communication") "]}",
        true, "comm_alarm", "'A communication'");
}

static void a_group_that_is_none(void **state) {
    expect_finding(
        *state,
        "{\"version\": 1, \"devices\": [" DEVICE(
            "A",
            ", \"comm_alarm\": true, \"comm_alarm_group\": \"default\"") "], "
                                                                         "\"vars\": [" VARIABLE(
                                                                             "A") "]}",
        true, "comm_alarm_group", "is a collect group");
}

static void a_device_that_is_never_read(void **state) {
    expect_finding(*state,
                   "{\"version\": 1, \"devices\": [" DEVICE("A", ", \"comm_alarm\": true") "]}",
                   false, "comm_alarm", "nothing is read");
}

static void keys_of_an_alarm_that_is_not_wanted(void **state) {
    expect_finding(*state,
                   "{\"version\": 1, \"devices\": [" DEVICE(
                       "A", ", \"comm_alarm_on_delay\": 5") "], \"vars\": [" VARIABLE("A") "]}",
                   false, "comm_alarm_on_delay", "does not count");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(it_stands_behind_those_of_warning),
        TEST(it_is_written_with_its_device),
        TEST(a_name_that_is_taken),
        TEST(a_group_that_is_none),
        TEST(a_device_that_is_never_read),
        TEST(keys_of_an_alarm_that_is_not_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
