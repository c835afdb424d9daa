// Moving variables: which are meant, what is refused, what is written.
#include "model/regroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VARIABLE(name, device, group)                                                              \
    "{\"var_name\": \"" name "\", \"device\": \"" device "\", \"data_type\": \"WORD\", "           \
    "\"register_addr\": 40001, \"group\": \"" group "\"}"
#define DEVICE(name)                                                                               \
    "{\"device_name\": \"" name "\", \"protocol\": \"ModbusTCP\", \"ip\": \"127.0.0.1\"}"

static const char json[] =
    "{\"version\": 1, \"devices\": [" DEVICE("A") ", " DEVICE("B") "], \"vars\": [" VARIABLE(
        "level", "A",
        "default") ", " VARIABLE("level", "B",
                                 "default") ", " VARIABLE("flow", "A",
                                                          "fast") ", " VARIABLE("heat", "A",
                                                                                "default") "], "
                                                                                           "\"group"
                                                                                           "s\": "
                                                                                           "[{"
                                                                                           "\"group"
                                                                                           "_name\""
                                                                                           ": "
                                                                                           "\"fast"
                                                                                           "\", "
                                                                                           "\"polli"
                                                                                           "ng_"
                                                                                           "interva"
                                                                                           "l\": "
                                                                                           "1, "
                                                                                           "\"uploa"
                                                                                           "d_"
                                                                                           "interva"
                                                                                           "l\": "
                                                                                           "1}], "
                                                                                           "\"warni"
                                                                                           "ng\": "
                                                                                           "[{"
                                                                                           "\"warn_"
                                                                                           "name\":"
                                                                                           " \"high"
                                                                                           "\", "
                                                                                           "\"quote"
                                                                                           "s\": "
                                                                                           "1, "
                                                                                           "\"devic"
                                                                                           "e\": "
                                                                                           "\"A\", "
                                                                                           "\"var_"
                                                                                           "name\":"
                                                                                           " \"leve"
                                                                                           "l\", "
                                                                                           "\"condi"
                                                                                           "tion1\""
                                                                                           ": "
                                                                                           "\"Gt\","
                                                                                           " "
                                                                                           "\"opera"
                                                                                           "nd1\": "
                                                                                           "\"30\"}"
                                                                                           "]}";

static int setup(void **state) {
    PsFindings findings = {0};
    PsConfig *config = NULL;
    assert_int_equal(ps_config_parse(".", json, strlen(json), NULL, &findings, &config), PS_OK);
    ps_findings_deinit(&findings);
    *state = config;
    return 0;
}

static int teardown(void **state) {
    ps_config_free(*state);
    return 0;
}

#define NAMES(...)                                                                                 \
    .names = (const char *const[]) {                                                               \
        __VA_ARGS__                                                                                \
    }

// "A/level B/level | 1": what moves, and how many are there already.
static void expect(PsConfig *config, PsRegroup asked, const char *expected) {
    PsRegroupPlan plan;
    PsDiag diag = {0};
    assert_int_equal(ps_regroup_plan(config, &asked, &plan, &diag), PS_OK);
    char got[256] = "";
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->variable_count; i++) {
        size_t used = strlen(got);
        if (plan.moves[i]) {
            snprintf(got + used, sizeof got - used, "%s/%s ", config->variables[i].device_name,
                     config->variables[i].name);
            count++;
        }
    }
    size_t used = strlen(got);
    snprintf(got + used, sizeof got - used, "| %u", plan.already);
    assert_string_equal(got, expected);
    assert_int_equal(plan.count, count);
    free(plan.moves);
}

static void which_are_meant(void **state) {
    PsConfig *config = *state;
    expect(config, (PsRegroup){.group = "fast", NAMES("level"), .name_count = 1},
           "A/level B/level | 0");
    expect(config, (PsRegroup){.group = "fast", .device = "B", NAMES("level"), .name_count = 1},
           "B/level | 0");
    expect(config, (PsRegroup){.group = "fast", .device = "A"}, "A/level A/heat | 1");
    expect(config, (PsRegroup){.group = "fast", .from = "default"}, "A/level B/level A/heat | 0");
    expect(config, (PsRegroup){.group = "default", .device = "B", .from = "fast"}, "| 0");
    expect(config, (PsRegroup){.group = "fast", NAMES("flow", "heat", "heat"), .name_count = 3},
           "A/heat | 1");
}

static void refuse(const PsConfig *config, PsRegroup asked, PsErr expected, const char *text) {
    PsRegroupPlan plan;
    PsDiag diag = {0};
    assert_int_equal(ps_regroup_plan(config, &asked, &plan, &diag), expected);
    if (strstr(diag.text, text) == NULL) {
        fail_msg("'%s' does not say '%s'", diag.text, text);
    }
}

static void what_is_not_there(void **state) {
    const PsConfig *config = *state;
    refuse(config, (PsRegroup){.group = "fats", .device = "A"}, PS_ERR_NOT_FOUND,
           "is no group; the groups of variables are 'fast', 'default'");
    refuse(config, (PsRegroup){.group = "warning", .device = "A"}, PS_ERR_INVALID,
           "is an alarm group; the groups of variables are 'fast', 'default'");
    refuse(config, (PsRegroup){.group = "fast", .device = "C"}, PS_ERR_NOT_FOUND,
           "is no device; there are 'A', 'B'");
    refuse(config, (PsRegroup){.group = "fast", .from = "slow"}, PS_ERR_NOT_FOUND, "is no group");
    refuse(config, (PsRegroup){.group = "fast", NAMES("level", "x", "heat", "y"), .name_count = 4},
           PS_ERR_NOT_FOUND, "there is no variable 'x', 'y'");
    refuse(config,
           (PsRegroup){
               .group = "fast", .device = "B", .from = "default", NAMES("heat"), .name_count = 1},
           PS_ERR_NOT_FOUND, "there is no variable 'heat' of device 'B' in group 'default'");
    const char *const many[] = {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"};
    refuse(config, (PsRegroup){.group = "fast", .names = many, .name_count = 10}, PS_ERR_NOT_FOUND,
           "'7', '8' and 2 more");
}

// What an alarm watches stays in its alarm group.
static void what_is_written(void **state) {
    PsConfig *config = *state;
    PsRegroup asked = {.group = "fast", NAMES("level"), .name_count = 1};
    PsRegroupPlan plan;
    PsDiag diag = {0};
    assert_int_equal(ps_regroup_plan(config, &asked, &plan, &diag), PS_OK);
    ps_regroup_apply(config, &plan);
    free(plan.moves);
    PS_AUTO_BUF PsBuf text = {0};
    ps_config_write(config, &text);
    PsFindings findings = {0};
    PsConfig *again = NULL;
    assert_int_equal(ps_config_parse(".", text.data, text.len, NULL, &findings, &again), PS_OK);
    assert_int_equal(findings.count, 0);
    static const char *const groups[] = {"fast", "fast", "fast", "default", "warning"};
    assert_int_equal(ps_config_polled_count(again), PS_COUNT(groups));
    for (size_t i = 0; i < PS_COUNT(groups); i++) {
        assert_string_equal(again->variables[i].group_name, groups[i]);
    }
    ps_findings_deinit(&findings);
    ps_config_free(again);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(which_are_meant),
        TEST(what_is_not_there),
        TEST(what_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
