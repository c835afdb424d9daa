// Tests: jobs, executions, provisioning templates and topic rules out of one account into another.
#include "base/mem.h"
#include "localcloud/registry/state.h"
#include "localcloud/registry/test_account.h"
#include "localcloud/service/service_rest.h"
#include "localcloud/service/service_test_rig.h"

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define TEMPLATE                                                                                   \
    "{\"Resources\":{\"certificate\":{\"Type\":\"AWS::IoT::Certificate\",\"Properties\":"          \
    "{\"CertificateId\":{\"Ref\":\"AWS::IoT::Certificate::Id\"}}}}}"

typedef struct Cloud {
    PsTestAccount account;
    PsServices *services;
} Cloud;

static void open_cloud(Cloud *cloud, const Rig *rig) {
    *cloud = (Cloud){0};
    ps_test_account_open(&cloud->account);
    PsServicesOptions options = {
        .folder = cloud->account.dir, .region = "us-east-1", .account = "000000000000"};
    PsDiag diag = {0};
    PsErr err = ps_services_new(ps_registry_db(cloud->account.registry), &rig->registry, &options,
                                &cloud->services, &diag);
    assert_int_equal(err, PS_OK);
    ps_services_add_parts(cloud->services, cloud->account.registry);
}

static void close_cloud(Cloud *cloud) {
    ps_services_free(cloud->services);
    ps_test_account_remove(&cloud->account);
}

static void fill(Cloud *cloud) {
    sqlite3 *db = ps_registry_db(cloud->account.registry);
    PsJob job = {.id = "update",
                 .phase = PS_JOB_PHASE_CANCELED,
                 .continuous = true,
                 .targets = json_pack("[s]", "arn:aws:iot:us-east-1:000000000000:thing/t"),
                 .description = ps_strdup("a \"new\" one"),
                 .document = ps_strdup("{\"z\": 1.50, \"a\": 123456789012345678}"),
                 .options =
                     json_pack("{s:{s:i}}", "timeoutConfig", "inProgressTimeoutInMinutes", 5),
                 .created_ms = 1,
                 .updated_ms = 2,
                 .completed_ms = 3,
                 .forced = true,
                 .reason = ps_strdup("late"),
                 .comment = ps_strdup("very")};
    assert_int_equal(ps_job_insert(db, &job), PS_OK);
    PsJobExecution execution = {.job = "update",
                                .thing = "t",
                                .number = 7,
                                .status = PS_JOB_TIMED_OUT,
                                .details = json_pack("{s:s}", "step", "two"),
                                .queued_ms = 11,
                                .started_ms = 12,
                                .updated_ms = 13,
                                .version = 4,
                                .forced = true,
                                .job_deadline_ms = 14,
                                .step_deadline_ms = 15};
    assert_int_equal(ps_job_execution_insert(db, &execution), PS_OK);
    PsTemplateRow row = {.name = "fleet",
                         .body = ps_strdup(TEMPLATE),
                         .role = ps_strdup("arn:aws:iam::000000000000:role/r"),
                         .hook = json_pack("{s:s}", "targetArn", "arn"),
                         .enabled = true,
                         .created_ms = 21,
                         .modified_ms = 22};
    assert_int_equal(ps_template_insert(db, &row), PS_OK);
    PsRuleRow rule = {.name = "rule_1",
                      .payload = ps_strdup("{\"sql\":\"SELECT *\",\"actions\":[]}"),
                      .disabled = true,
                      .created_ms = 31};
    assert_int_equal(ps_rule_insert(db, &rule), PS_OK);
    ps_job_deinit(&job);
    ps_job_execution_deinit(&execution);
    ps_template_row_deinit(&row);
    ps_rule_row_deinit(&rule);
}

static json_t *take(Cloud *cloud) {
    PsApiFault fault = {0};
    json_t *json = NULL;
    assert_int_equal(PS_TEST_CALL(&cloud->account, &fault,
                                  ps_state_take(cloud->account.registry, &json, &fault)),
                     PS_API_OK);
    return json;
}

static void assert_word(const json_t *state, const char *part, const char *member,
                        const char *word) {
    const json_t *entry = json_array_get(json_object_get(state, part), 0);
    assert_string_equal(json_string_value(json_object_get(entry, member)), word);
}

static void test_round_trip(void **state) {
    Rig rig;
    Cloud from;
    Cloud to;
    rig_open(&rig, NULL);
    open_cloud(&from, &rig);
    open_cloud(&to, &rig);
    fill(&from);
    json_t *given = take(&from);
    assert_word(given, "jobs", "status", "CANCELED");
    assert_word(given, "jobs", "document", "{\"z\": 1.50, \"a\": 123456789012345678}");
    assert_word(given, "jobExecutions", "status", "TIMED_OUT");
    assert_word(given, "provisioningTemplates", "templateBody", TEMPLATE);
    assert_word(given, "topicRules", "name", "rule_1");

    PsApiFault fault = {0};
    assert_int_equal(ps_state_put(to.account.registry, given, &fault), PS_API_OK);
    json_t *taken = take(&to);
    assert_true(json_equal(given, taken));

    // What is there already gives way; an export without these members leaves none of them.
    assert_int_equal(ps_state_put(to.account.registry, given, &fault), PS_API_OK);
    json_object_del(given, "jobExecutions");
    assert_int_equal(ps_state_put(to.account.registry, given, &fault), PS_API_OK);
    json_decref(taken);
    taken = take(&to);
    assert_int_equal(json_array_size(json_object_get(taken, "jobExecutions")), 0);
    assert_int_equal(json_array_size(json_object_get(taken, "jobs")), 1);

    json_decref(given);
    json_decref(taken);
    close_cloud(&from);
    close_cloud(&to);
    rig_close(&rig);
}

static void test_refused_whole(void **state) {
    static const struct {
        const char *part;
        const char *member;
        const char *value; // JSON
        const char *says;
    } cases[] = {
        {"jobs", "id", "\"no job\"", "jobs[0]: 'id'"},
        {"jobs", "status", "\"DONE\"", "jobs[0]: 'status'"},
        {"jobs", "targets", "[1]", "jobs[0]: 'targets'"},
        {"jobs", "document", "\"[]\"", "jobs[0]: 'document'"},
        {"jobExecutions", "job", "\"other\"", "jobExecutions[0]: 'job'"},
        {"jobExecutions", "thing", "\"\"", "jobExecutions[0]: "},
        {"jobExecutions", "executionNumber", "0", "jobExecutions[0]: 'executionNumber'"},
        {"jobExecutions", "statusDetails", "{\"a\": 1}", "jobExecutions[0]: "},
        {"provisioningTemplates", "templateBody", "\"{}\"",
         "provisioningTemplates[0]: 'templateBody'"},
        {"topicRules", "name", "\"a-b\"", "topicRules[0]: 'name'"},
        {"topicRules", "payload", "[]", "topicRules[0]: 'payload'"},
    };
    Rig rig;
    Cloud cloud;
    rig_open(&rig, NULL);
    open_cloud(&cloud, &rig);
    fill(&cloud);
    json_t *before = take(&cloud);
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        json_t *bad = json_deep_copy(before);
        json_t *entry = json_array_get(json_object_get(bad, cases[i].part), 0);
        json_object_set_new(entry, cases[i].member,
                            json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
        PsApiFault fault = {0};
        assert_int_equal(ps_state_put(cloud.account.registry, bad, &fault), PS_API_INVALID_REQUEST);
        if (strstr(fault.message, cases[i].says) != fault.message) {
            fail_msg("%s.%s: %s", cases[i].part, cases[i].member, fault.message);
        }
        json_t *after = take(&cloud);
        assert_true(json_equal(before, after));
        json_decref(after);
        json_decref(bad);
    }
    json_decref(before);
    close_cloud(&cloud);
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
