// Jobs over their topics: the notifications of the developer guide's example, updates, timers,
// groups.
#include "localcloud/service/service_test_rig.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define JOBS "$aws/things/t/jobs/"
#define THING_ARN "arn:aws:iot:eu-central-1:000000000000:thing/t"
#define GROUP_ARN "arn:aws:iot:eu-central-1:000000000000:thinggroup/all"

static void create(Rig *rig, const char *id, const char *arn, bool continuous, int minutes) {
    PsJob job = {.continuous = continuous,
                 .targets = json_pack("[s]", arn),
                 .document = ps_strdup("{\"operation\":\"test\"}")};
    if (minutes > 0) {
        job.options =
            json_pack("{s:{s:i}}", "timeoutConfig", "inProgressTimeoutInMinutes", minutes);
    }
    (void)snprintf(job.id, sizeof job.id, "%s", id);
    assert_int_equal(ps_jobs_create(rig->services->jobs, &job, rig->now, &rig->out), PS_OK);
    ps_job_deinit(&job);
}

static PsJobPhase phase_of(Rig *rig, const char *id) {
    PsJob job = {0};
    assert_int_equal(ps_job_find(rig->db, id, &job), PS_OK);
    PsJobPhase phase = job.phase;
    ps_job_deinit(&job);
    return phase;
}

static PsJobStatus status_of(Rig *rig, const char *job, const char *thing) {
    PsJobExecution execution = {0};
    assert_int_equal(ps_job_execution_find(rig->db, job, thing, 0, &execution), PS_OK);
    PsJobStatus status = execution.status;
    ps_job_execution_deinit(&execution);
    return status;
}

static void forget(Rig *rig) {
    while (rig->message_count > 0) {
        json_decref(rig_take(rig, rig->messages[0].client, rig->messages[0].topic));
    }
}

static void later(Rig *rig, int64_t seconds) {
    rig->now.ns += seconds * PS_NS_PER_S;
}

// The guide's page on jobs notifications goes through these steps.
static void test_notifications_as_in_the_guide(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    create(&rig, "job1", THING_ARN, false, 0);
    rig_expect(&rig, NULL, JOBS "notify",
               "{\"timestamp\":1700000000,\"jobs\":{\"QUEUED\":[{\"jobId\":\"job1\","
               "\"queuedAt\":1700000000,\"lastUpdatedAt\":1700000000,\"executionNumber\":1,"
               "\"versionNumber\":1}]}}");
    rig_expect(&rig, NULL, JOBS "notify-next",
               "{\"timestamp\":1700000000,\"execution\":{\"jobId\":\"job1\",\"status\":\"QUEUED\","
               "\"queuedAt\":1700000000,\"lastUpdatedAt\":1700000000,\"versionNumber\":1,"
               "\"executionNumber\":1,\"jobDocument\":{\"operation\":\"test\"}}}");
    later(&rig, 10);
    create(&rig, "job2", THING_ARN, false, 0);
    PS_AUTO_JSON json_t *second = rig_take(&rig, NULL, JOBS "notify");
    assert_int_equal(json_array_size(json_object_get(json_object_get(second, "jobs"), "QUEUED")),
                     2);
    rig_silent(&rig); // job1 is still the next
    rig_send(&rig, JOBS "start-next", "{\"clientToken\":\"x\"}");
    rig_expect(&rig, "device", JOBS "start-next/accepted",
               "{\"execution\":{\"jobId\":\"job1\",\"thingName\":\"t\",\"status\":\"IN_PROGRESS\","
               "\"queuedAt\":1700000000,\"startedAt\":1700000010,\"lastUpdatedAt\":1700000010,"
               "\"versionNumber\":2,\"executionNumber\":1,"
               "\"jobDocument\":{\"operation\":\"test\"}},"
               "\"clientToken\":\"x\",\"timestamp\":1700000010}");
    rig_silent(&rig); // neither the list nor the next has changed
    later(&rig, 10);
    create(&rig, "job3", THING_ARN, false, 0);
    rig_expect(&rig, NULL, JOBS "notify",
               "{\"timestamp\":1700000020,\"jobs\":{\"IN_PROGRESS\":[{\"jobId\":\"job1\","
               "\"queuedAt\":1700000000,\"lastUpdatedAt\":1700000010,\"startedAt\":1700000010,"
               "\"executionNumber\":1,\"versionNumber\":2}],"
               "\"QUEUED\":[{\"jobId\":\"job2\",\"queuedAt\":1700000010,"
               "\"lastUpdatedAt\":1700000010,\"executionNumber\":1,\"versionNumber\":1},"
               "{\"jobId\":\"job3\",\"queuedAt\":1700000020,\"lastUpdatedAt\":1700000020,"
               "\"executionNumber\":1,\"versionNumber\":1}]}}");
    rig_silent(&rig);
    rig_send(&rig, JOBS "job1/update", "{\"status\":\"SUCCEEDED\",\"clientToken\":\"d\"}");
    rig_expect(&rig, "device", JOBS "job1/update/accepted",
               "{\"clientToken\":\"d\",\"timestamp\":1700000020}");
    PS_AUTO_JSON json_t *list = rig_take(&rig, NULL, JOBS "notify");
    assert_null(json_object_get(json_object_get(list, "jobs"), "IN_PROGRESS"));
    PS_AUTO_JSON json_t *next = rig_take(&rig, NULL, JOBS "notify-next");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(next, "execution"), "jobId")), "job2");
    assert_int_equal(phase_of(&rig, "job1"), PS_JOB_PHASE_COMPLETED);
    // Out of turn: the list is the same, the next is another.
    rig_send(&rig, JOBS "job3/update", "{\"status\":\"IN_PROGRESS\"}");
    json_decref(rig_take(&rig, "device", JOBS "job3/update/accepted"));
    PS_AUTO_JSON json_t *third = rig_take(&rig, NULL, JOBS "notify-next");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(third, "execution"), "jobId")), "job3");
    rig_silent(&rig);
    rig_send(&rig, JOBS "job2/update", "{\"status\":\"REJECTED\"}");
    json_decref(rig_take(&rig, "device", JOBS "job2/update/accepted"));
    json_decref(rig_take(&rig, NULL, JOBS "notify"));
    rig_silent(&rig);
    PsJob job3 = {0};
    assert_int_equal(ps_job_find(rig.db, "job3", &job3), PS_OK);
    assert_int_equal(ps_jobs_delete(rig.services->jobs, &job3, rig.now, &rig.out), PS_OK);
    ps_job_deinit(&job3);
    rig_expect(&rig, NULL, JOBS "notify", "{\"timestamp\":1700000020,\"jobs\":{}}");
    rig_expect(&rig, NULL, JOBS "notify-next", "{\"timestamp\":1700000020}");
    rig_close(&rig);
}

static void test_get_and_describe(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    rig_send(&rig, JOBS "get", "");
    rig_expect(&rig, "device", JOBS "get/accepted",
               "{\"inProgressJobs\":[],\"queuedJobs\":[],\"timestamp\":1700000000}");
    rig_send(&rig, JOBS "$next/get", "{\"clientToken\":\"n\"}");
    rig_expect(&rig, "device", JOBS "$next/get/accepted",
               "{\"clientToken\":\"n\",\"timestamp\":1700000000}");
    rig_send(&rig, JOBS "start-next", "{}");
    rig_expect(&rig, "device", JOBS "start-next/accepted", "{\"timestamp\":1700000000}");
    create(&rig, "j", THING_ARN, false, 0);
    forget(&rig);
    rig_send(&rig, JOBS "$next/get", "{\"includeJobDocument\":false}");
    rig_expect(&rig, "device", JOBS "$next/get/accepted",
               "{\"execution\":{\"jobId\":\"j\",\"thingName\":\"t\",\"status\":\"QUEUED\","
               "\"queuedAt\":1700000000,\"lastUpdatedAt\":1700000000,\"versionNumber\":1,"
               "\"executionNumber\":1},\"timestamp\":1700000000}");
    rig_send(&rig, JOBS "j/get", "{\"executionNumber\":1}");
    PS_AUTO_JSON json_t *one = rig_take(&rig, "device", JOBS "j/get/accepted");
    assert_non_null(json_object_get(json_object_get(one, "execution"), "jobDocument"));
    rig_send(&rig, JOBS "j/get", "{\"executionNumber\":2}");
    PS_AUTO_JSON json_t *none = rig_take(&rig, "device", JOBS "j/get/rejected");
    assert_string_equal(json_string_value(json_object_get(none, "code")), "ResourceNotFound");
    rig_close(&rig);
}

static void test_each_refusal_has_its_code(void **state) {
    static const struct {
        const char *tail;
        const char *payload;
        const char *code;
        const char *message; // NULL: any
    } cases[] = {
        {"made/up", "{}", "InvalidTopic", NULL},
        {"other", "{}", "InvalidTopic", NULL},
        {"j/x/update", "{}", "InvalidTopic", NULL},
        {"$next/update", "{\"status\":\"FAILED\"}", "InvalidTopic", NULL},
        {"get", "[1]", "InvalidJson", NULL},
        {"get", "{", "InvalidJson", NULL},
        {"get", "\"\xff\"", "InvalidJson", NULL},
        {"get", "{\"clientToken\":1}", "InvalidRequest", NULL},
        {"j/update", "{}", "InvalidRequest",
         "Value null at 'status' failed to satisfy constraint: Member must not be null"},
        {"j/update", "{\"status\":\"DONE\"}", "InvalidRequest", NULL},
        {"j/update", "{\"status\":\"QUEUED\"}", "InvalidRequest", NULL},
        {"j/update", "{\"status\":\"CANCELED\"}", "InvalidRequest", NULL},
        {"j/update", "{\"status\":\"FAILED\",\"statusDetails\":{\"a\":1}}", "InvalidRequest", NULL},
        {"j/update", "{\"status\":\"FAILED\",\"statusDetails\":{\"a b\":\"1\"}}", "InvalidRequest",
         NULL},
        {"j/update",
         "{\"status\":\"FAILED\",\"statusDetails\":{\"1\":\"a\",\"2\":\"a\",\"3\":\"a\","
         "\"4\":\"a\",\"5\":\"a\",\"6\":\"a\",\"7\":\"a\",\"8\":\"a\",\"9\":\"a\",\"10\":\"a\","
         "\"11\":\"a\"}}",
         "InvalidRequest", NULL},
        {"j/update", "{\"status\":\"IN_PROGRESS\",\"stepTimeoutInMinutes\":0}", "InvalidRequest",
         NULL},
        {"j/update", "{\"status\":\"IN_PROGRESS\",\"stepTimeoutInMinutes\":10081}",
         "InvalidRequest", NULL},
        {"j/update", "{\"status\":\"IN_PROGRESS\",\"includeJobDocument\":1}", "InvalidRequest",
         NULL},
        {"j/update", "{\"status\":\"IN_PROGRESS\",\"expectedVersion\":99}", "VersionMismatch",
         "Expected version 99 but found version 1"},
        {"nosuch/update", "{\"status\":\"FAILED\"}", "ResourceNotFound", NULL},
        {"nosuch/get", "", "ResourceNotFound", NULL},
    };
    Rig rig;
    rig_open(&rig, NULL);
    create(&rig, "j", THING_ARN, false, 0);
    forget(&rig);
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        char topic[128];
        char rejected[160];
        (void)snprintf(topic, sizeof topic, JOBS "%s", cases[i].tail);
        (void)snprintf(rejected, sizeof rejected, "%s/rejected", topic);
        assert_int_equal(rig_send(&rig, topic, cases[i].payload), PS_SERVICE_CONSUMED);
        PS_AUTO_JSON json_t *json = rig_take(&rig, "device", rejected);
        assert_string_equal(json_string_value(json_object_get(json, "code")), cases[i].code);
        if (cases[i].message != NULL) {
            assert_string_equal(json_string_value(json_object_get(json, "message")),
                                cases[i].message);
        }
        bool with_state = strcmp(cases[i].code, "VersionMismatch") == 0;
        assert_true((json_object_get(json, "executionState") != NULL) == with_state);
        rig_silent(&rig);
    }
    rig_send(&rig, "$aws/things/nobody/jobs/get", "");
    PS_AUTO_JSON json_t *nobody = rig_take(&rig, "device", "$aws/things/nobody/jobs/get/rejected");
    assert_string_equal(json_string_value(json_object_get(nobody, "code")), "ResourceNotFound");
    rig_close(&rig);
}

static void test_what_is_final_stays(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    create(&rig, "j", THING_ARN, false, 0);
    rig_send(&rig, JOBS "j/update",
             "{\"status\":\"FAILED\",\"statusDetails\":{\"why\":\"no room\"},"
             "\"expectedVersion\":\"1\",\"includeJobExecutionState\":true}");
    forget(&rig);
    rig_send(&rig, JOBS "j/update", "{\"status\":\"IN_PROGRESS\",\"clientToken\":\"x\"}");
    rig_expect(&rig, "device", JOBS "j/update/rejected",
               "{\"code\":\"InvalidStateTransition\","
               "\"message\":\"An execution that is FAILED cannot become IN_PROGRESS\","
               "\"clientToken\":\"x\",\"timestamp\":1700000000,"
               "\"executionState\":{\"status\":\"FAILED\","
               "\"statusDetails\":{\"why\":\"no room\"},\"versionNumber\":2}}");
    rig_send(&rig, JOBS "j/get", "");
    PS_AUTO_JSON json_t *json = rig_take(&rig, "device", JOBS "j/get/rejected");
    assert_string_equal(json_string_value(json_object_get(json, "code")), "TerminalStateReached");
    rig_close(&rig);
}

static void test_an_update_answers_what_is_asked(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    create(&rig, "j", THING_ARN, false, 0);
    forget(&rig);
    rig_send(&rig, JOBS "j/update",
             "{\"status\":\"IN_PROGRESS\",\"statusDetails\":{\"at\":\"1\"},"
             "\"includeJobExecutionState\":true,\"includeJobDocument\":true}");
    rig_expect(&rig, "device", JOBS "j/update/accepted",
               "{\"executionState\":{\"status\":\"IN_PROGRESS\",\"statusDetails\":{\"at\":\"1\"},"
               "\"versionNumber\":2},\"jobDocument\":{\"operation\":\"test\"},"
               "\"timestamp\":1700000000}");
    // Details that are not sent stay; the version grows.
    rig_send(&rig, JOBS "j/update",
             "{\"status\":\"IN_PROGRESS\",\"includeJobExecutionState\":true}");
    rig_expect(&rig, "device", JOBS "j/update/accepted",
               "{\"executionState\":{\"status\":\"IN_PROGRESS\",\"statusDetails\":{\"at\":\"1\"},"
               "\"versionNumber\":3},\"timestamp\":1700000000}");
    rig_close(&rig);
}

static void test_timers_end_an_execution(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    create(&rig, "step", THING_ARN, false, 0);
    rig_send(&rig, JOBS "start-next", "{\"stepTimeoutInMinutes\":1}");
    forget(&rig);
    later(&rig, 30);
    rig_send(&rig, JOBS "step/get", "");
    PS_AUTO_JSON json_t *json = rig_take(&rig, "device", JOBS "step/get/accepted");
    json_t *left =
        json_object_get(json_object_get(json, "execution"), "approximateSecondsBeforeTimedOut");
    assert_int_equal(json_integer_value(left), 30);
    // A new step begins, then the device is silent.
    rig_send(&rig, JOBS "step/update", "{\"status\":\"IN_PROGRESS\",\"stepTimeoutInMinutes\":1}");
    forget(&rig);
    later(&rig, 59);
    PsWall due = ps_services_tick(rig.services, rig.now, &rig.out);
    assert_int_equal(status_of(&rig, "step", "t"), PS_JOB_IN_PROGRESS);
    assert_int_equal(due.ns, rig.now.ns + PS_NS_PER_S);
    later(&rig, 1);
    (void)ps_services_tick(rig.services, rig.now, &rig.out);
    assert_int_equal(status_of(&rig, "step", "t"), PS_JOB_TIMED_OUT);
    assert_int_equal(phase_of(&rig, "step"), PS_JOB_PHASE_COMPLETED);
    json_decref(rig_take(&rig, NULL, JOBS "notify"));
    json_decref(rig_take(&rig, NULL, JOBS "notify-next"));

    // The job's own timer runs on whatever the steps are.
    create(&rig, "whole", THING_ARN, false, 2);
    rig_send(&rig, JOBS "start-next", "{}");
    later(&rig, 100);
    rig_send(&rig, JOBS "whole/update", "{\"status\":\"IN_PROGRESS\",\"stepTimeoutInMinutes\":5}");
    rig_send(&rig, JOBS "whole/update", "{\"status\":\"IN_PROGRESS\",\"stepTimeoutInMinutes\":-1}");
    later(&rig, 20);
    (void)ps_services_tick(rig.services, rig.now, &rig.out);
    assert_int_equal(status_of(&rig, "whole", "t"), PS_JOB_TIMED_OUT);
    forget(&rig);
    rig_close(&rig);
}

static void test_cancel_spares_what_is_in_progress(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    rig.things[rig.thing_count++] = "u";
    create(&rig, "j", GROUP_ARN, false, 0);
    rig_send(&rig, JOBS "start-next", "{}");
    forget(&rig);
    PsJob job = {0};
    assert_int_equal(ps_job_find(rig.db, "j", &job), PS_OK);
    assert_int_equal(ps_jobs_cancel(rig.services->jobs, &job, false, rig.now, &rig.out), PS_OK);
    assert_int_equal(status_of(&rig, "j", "t"), PS_JOB_IN_PROGRESS);
    assert_int_equal(status_of(&rig, "j", "u"), PS_JOB_CANCELED);
    json_decref(rig_take(&rig, NULL, "$aws/things/u/jobs/notify"));
    json_decref(rig_take(&rig, NULL, "$aws/things/u/jobs/notify-next"));
    rig_silent(&rig);
    assert_int_equal(ps_jobs_cancel(rig.services->jobs, &job, true, rig.now, &rig.out), PS_OK);
    assert_int_equal(status_of(&rig, "j", "t"), PS_JOB_CANCELED);
    forget(&rig);
    ps_job_deinit(&job);
    rig_close(&rig);
}

static void test_a_continuous_job_follows_its_group(void **state) {
    Rig rig;
    rig_open(&rig, NULL);
    create(&rig, "j", GROUP_ARN, true, 0);
    rig_send(&rig, JOBS "j/update", "{\"status\":\"SUCCEEDED\"}");
    forget(&rig);
    assert_int_equal(phase_of(&rig, "j"), PS_JOB_PHASE_IN_PROGRESS);
    rig.things[rig.thing_count++] = "u";
    (void)ps_services_tick(rig.services, rig.now, &rig.out);
    json_decref(rig_take(&rig, NULL, "$aws/things/u/jobs/notify"));
    json_decref(rig_take(&rig, NULL, "$aws/things/u/jobs/notify-next"));
    (void)ps_services_tick(rig.services, rig.now, &rig.out);
    rig_silent(&rig); // everybody has one
    rig.thing_count--;
    (void)ps_services_tick(rig.services, rig.now, &rig.out);
    assert_int_equal(status_of(&rig, "j", "u"), PS_JOB_REMOVED);
    forget(&rig);
    rig.thing_count++;
    (void)ps_services_tick(rig.services, rig.now, &rig.out); // back again: a second execution
    PsJobExecution execution = {0};
    assert_int_equal(ps_job_execution_find(rig.db, "j", "u", 0, &execution), PS_OK);
    assert_int_equal(execution.number, 2);
    assert_int_equal(execution.status, PS_JOB_QUEUED);
    ps_job_execution_deinit(&execution);
    forget(&rig);
    rig_close(&rig);
}

static void test_targets(void **state) {
    const char *kind = "";
    assert_string_equal(ps_jobs_target(THING_ARN, &kind), "t");
    assert_string_equal(kind, "thing");
    assert_string_equal(ps_jobs_target(GROUP_ARN, &kind), "all");
    assert_string_equal(kind, "thinggroup");
    assert_null(ps_jobs_target("arn:aws:iot:x:y:cert/abc", &kind));
    assert_null(ps_jobs_target("arn:aws:iot:x:y:thing/", &kind));
    assert_null(ps_jobs_target("arn:aws:s3:x:y:thing/t", &kind));
    assert_null(ps_jobs_target("t", &kind));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notifications_as_in_the_guide),
        cmocka_unit_test(test_get_and_describe),
        cmocka_unit_test(test_each_refusal_has_its_code),
        cmocka_unit_test(test_what_is_final_stays),
        cmocka_unit_test(test_an_update_answers_what_is_asked),
        cmocka_unit_test(test_timers_end_an_execution),
        cmocka_unit_test(test_cancel_spares_what_is_in_progress),
        cmocka_unit_test(test_a_continuous_job_follows_its_group),
        cmocka_unit_test(test_targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
