// The configuration changes while something is open: writes, recalls, answers to a script, replays,
// trials of saved scripts. A real penstock-script, one loop; each former configuration is freed at
// once.
#include "script/config_rig.h"

#include "base/mem.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VALUES "' '.join(sorted(d['values'].get('A', {})))"
#define WAITS "def main(d, w):\n  w.mqtt_publish('ask', 'x', 0)\n  return " VALUES "\n"
#define SLOW_TO_BUILD "import time\ntime.sleep(0.3)\ndef main(d, w):\n  return 'new'\n"

static const RigDefinition none[] = {{.name = NULL}};
static const RigDefinition p_only[] = {{"p", "t/p", "p.py", NULL, "g", NULL}, {NULL}};
static const RigDefinition p_q[] = {
    {"p", "t/p", "p.py", NULL, "g", NULL}, {"q", "t/q", "q.py", NULL, "g", NULL}, {NULL}};
static const RigDefinition q_p[] = {
    {"q", "t/q", "q.py", NULL, "g", NULL}, {"p", "t/p", "p.py", NULL, "g", NULL}, {NULL}};
static const RigDefinition s_only[] = {{"s", "t/s", "s.py", NULL, NULL, NULL}, {NULL}};
static const RigDefinition r_s[] = {
    {"r", "t/r", "p.py", NULL, NULL, NULL}, {"s", "t/s", "s.py", NULL, NULL, NULL}, {NULL}};

static int restore(void **state) {
    config_rig_script("p.py", WAITS);
    config_rig_script("q.py", WAITS);
    return 0;
}

static void end(Rig *rig, PsConfig *config) {
    rig_free(rig);
    ps_config_free(config);
}

static void upload(Rig *rig, const PsConfig *config, const char *message) {
    assert_int_equal(config_rig_upload(rig, config, message, "g", 1), PS_OK);
}

static void receive(Rig *rig, uint32_t index, const char *payload) {
    assert_int_equal(ps_script_host_receive(rig->host, index, "t/s", payload, strlen(payload), 1),
                     PS_OK);
}

static Rig *begin(const RigPlan *plan, PsConfig **ret_config) {
    Rig *rig = rig_new();
    *ret_config = config_rig_make(plan);
    rig_start_with(rig, *ret_config);
    return rig;
}

static void test_open_writes_and_recalls(void **state) {
    config_rig_script("s.py",
                      "def say(w, text): w.save_data({'topic': 't', 'qos': 1, 'payload': text})\n"
                      "def main(topic, payload, w):\n"
                      "  if payload == 'write':\n"
                      "    w.write_plc_values({'v1': 5}, lambda r, t, w: say(w, r[0]['result']))\n"
                      "  w.recall_data(lambda d, t, w: say(w, str(d['values'])))\n");
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g", "g/v1 g/v2", s_only}, &config);
    rig->hold_writes = true;
    rig->hold_recalls = true;
    receive(rig, 0, "write");
    rig_wait_calls(rig, 0, 1);
    assert_int_equal(rig->write_count, 1);
    config = config_rig_change(rig, config, &(RigPlan){"h", "h/v9 h/v3", r_s});
    rig->writes[0].done(PS_OK, NULL, ps_value_int(5), rig->writes[0].done_ctx);
    rig_expect(rig, 0, "OK");
    PsUploadItem item = {.variable = 1, .good = true, .value = ps_value_int(3)};
    PsUpload all = {.group = config->group_count, .item_count = 1, .items = &item};
    rig->recalls[0].done(PS_OK, &all, rig->recalls[0].done_ctx);
    rig_expect(rig, 1, "{'A': {'v3': {'raw_data': 3, 'status': 1}}}");
    // Of a message that is no more, nobody hears.
    receive(rig, 1, "x");
    rig_wait_calls(rig, 1, 4);
    assert_int_equal(rig->recall_count, 2);
    config = config_rig_change(rig, config, &(RigPlan){"h", "h/v9 h/v3", none});
    rig_answer_recall(rig, 1, PS_ERR_TIMEOUT);
    assert_int_equal(rig->message_count, 2);
    end(rig, config);
}

static void test_names_are_those_of_the_new_one(void **state) {
    config_rig_script("s.py", "import json\n"
                              "def told(config, tail, w):\n"
                              "  names = [v['var_name'] for v in config['vars']]\n"
                              "  w.save_data({'topic': 't', 'qos': 1, 'payload': names})\n"
                              "def main(topic, payload, w):\n"
                              "  if payload == 'ask': w.get_tag_config(told)\n"
                              "  else: w.write_plc_values({payload: 5})\n");
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g", "g/v1 g/v2", s_only}, &config);
    receive(rig, 0, "ask");
    receive(rig, 0, "v2");
    rig_wait_calls(rig, 0, 3);
    rig_expect(rig, 0, "[\"v1\", \"v2\"]");
    assert_int_equal(rig->writes[0].variable, 1);
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v2 g/v3", s_only});
    receive(rig, 0, "ask");
    receive(rig, 0, "v2");
    receive(rig, 0, "v1");
    rig_wait_calls(rig, 0, 7);
    rig_expect(rig, 1, "[\"v2\", \"v3\"]");
    assert_int_equal(rig->write_count, 2);
    assert_int_equal(rig->writes[1].variable, 0);
    assert_true(rig_logged(rig, "variable 'v1': Variable 'v1' not found."));
    end(rig, config);
}

static bool is_settling(Rig *rig, const void *ctx) {
    return rig->settle_count == *(const size_t *)ctx;
}

static void test_tickets_stay_valid(void **state) {
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g", "g/v1", p_q}, &config);
    rig->unsafe = true;
    rig->now_answer = 1;
    upload(rig, config, "p");
    upload(rig, config, "p");
    static const size_t settling = 1;
    rig_wait(rig, is_settling, &settling, "on_settle");
    uint64_t ticket = rig->settle_ticket;
    rig->unsafe = false;
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", q_p});
    upload(rig, config, "q");
    rig_wait_messages(rig, 2);
    assert_string_equal(rig->messages[1].topic, "t/q"); // p still waits
    ps_script_host_settled(rig->host, ticket);
    rig_wait_messages(rig, 3);
    assert_int_equal(rig->messages[2].entry, 1);
    end(rig, config);
}

static void test_replays(void **state) {
    config_rig_script("p.py", "import os\ndef main(d, w):\n  raise ValueError\n");
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g", "g/v1 g/v2", p_q}, &config);
    upload(rig, config, "p");
    rig_wait_dead(rig, 1);
    const PsScriptKept *kept = &rig->dead[0].kept;
    config_rig_script("p.py", WAITS);
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v3", p_q});
    rig_wait_log(rig, "takes over");
    rig->now_answer = 3;
    upload(rig, config, "p");
    rig_wait_asked(rig);
    PsDiag diag = {0};
    PsErr err = ps_script_host_replay(rig->host, PS_SCRIPT_PUBLISH, 0, kept, 7, &diag);
    assert_int_equal(err, PS_OK);
    config = config_rig_change(rig, config, &(RigPlan){"x g", "x/v3 g/v4", q_p});
    rig->now_answer = 1;
    ps_script_host_publish_now_done(rig->host, rig->now_ticket, true);
    rig_wait_replayed(rig, 1);
    assert_true(rig->replayed == 7 && rig->replay_end == PS_SCRIPT_REPLAYED);
    rig_expect(rig, 0, "v3");
    rig_expect(rig, 1, "v1 v2"); // as it was kept
    upload(rig, config, "p");
    rig_expect(rig, 2, "v4");
    // One that is being run when its message is removed, and one that waits.
    rig->now_answer = 3;
    rig->now_count = 0;
    err = ps_script_host_replay(rig->host, PS_SCRIPT_PUBLISH, 1, kept, 8, &diag);
    assert_int_equal(err, PS_OK);
    rig_wait_asked(rig);
    upload(rig, config, "q");
    err = ps_script_host_replay(rig->host, PS_SCRIPT_PUBLISH, 0, kept, 9, &diag);
    assert_int_equal(err, PS_OK);
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", none});
    assert_int_equal(rig->replayed_count, 3);
    assert_non_null(strstr(rig->replay_reason, "its message was removed from the configuration"));
    end(rig, config);
}

static void save(Rig *rig, uint32_t publish, const char *source) {
    PsBuf text = {0};
    ps_buf_put(&text, source, strlen(source));
    ps_script_host_replace(rig->host, PS_SCRIPT_PUBLISH, publish, &text);
}

static void test_trials_under_way(void **state) {
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g", "g/v1", p_q}, &config);
    rig->now_answer = 1;
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
    rig_wait_state(rig, 1, PS_WORKER_RUNNING);
    save(rig, 0, SLOW_TO_BUILD);
    save(rig, 1, "def main(d, w):\n  return 'q'\n"); // waits for its turn
    config_rig_script("q.py", "def main(d, w):\n  return 'of the configuration'\n");
    static const RigDefinition only_q[] = {{"q", "t/q", "q.py", NULL, "g", NULL}, {NULL}};
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", only_q});
    rig_wait_log(rig, "publish 'q': what the configuration has for it now takes over");
    upload(rig, config, "q");
    rig_expect(rig, 0, "of the configuration");
    assert_false(rig_logged(rig, "its saved script"));
    save(rig, 0, SLOW_TO_BUILD);
    end(rig, config);
}

static void test_penstock_script_dies_during_a_change(void **state) {
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g", "g/v1", q_p}, &config);
    rig->now_answer = 1;
    rig_wait_state(rig, 1, PS_WORKER_RUNNING);
    config_rig_script("p.py", SLOW_TO_BUILD);
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", p_q});
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", p_only});
    rig_kill_starter(rig);
    upload(rig, config, "p");
    rig_wait_log(rig, "publish 'p': what the configuration has for it now takes over");
    rig_wait_messages(rig, 1);
    upload(rig, config, "p");
    rig_expect(rig, 1, "new");
    end(rig, config);
}

static void test_parameters(void **state) {
    config_rig_script("p.py", "n = 0\n"
                              "def main(d, w):\n"
                              "  global n\n"
                              "  n += 1\n"
                              "  p = w.get_global_parameter()\n"
                              "  return [n, p['gateway_sn'], p.get('place'), p.get('line')]\n");
    static const RigDefinition placed[] = {{"p", "${place}/p", "p.py", NULL, "g", NULL}, {NULL}};
    PsConfig *config = NULL;
    RigPlan plan = {"g", "g/v1", placed,
                    .more = ", \"parameters\": {\"gateway_sn\": \"A1\", \"custom\": "
                            "{\"place\": \"here\", \"line\": \"7\"}}"};
    Rig *rig = begin(&plan, &config);
    upload(rig, config, "p");
    rig_expect(rig, 0, "[1, \"A1\", \"here\", \"7\"]");
    assert_string_equal(rig->messages[0].topic, "here/p");
    plan.more = ", \"parameters\": {\"gateway_sn\": \"B2\", \"custom\": {\"place\": \"there\"}}";
    config = config_rig_change(rig, config, &plan);
    upload(rig, config, "p");
    rig_expect(rig, 1, "[2, \"B2\", \"there\", null]");
    assert_string_equal(rig->messages[1].topic, "there/p");
    end(rig, config);
}

static void test_another_kind_of_cloud(void **state) {
    config_rig_script("p.py", "def main(d, w):\n"
                              "  w.mqtt_publish('ask', 'x', 0)\n"
                              "  if hasattr(w, 'awsiot_publish'): w.awsiot_publish('a', 'aws', 1)\n"
                              "  else: return 'other'\n");
    PsConfig *config = NULL;
    RigPlan plan = {"g", "g/v1", p_only};
    Rig *rig = begin(&plan, &config);
    rig->now_answer = 3;
    upload(rig, config, "p");
    rig_wait_asked(rig);
    plan.cloud = "Standard MQTT";
    config = config_rig_change(rig, config, &plan);
    rig->now_answer = 1;
    ps_script_host_publish_now_done(rig->host, rig->now_ticket, true);
    rig_expect(rig, 0, "aws"); // of the call in flight
    rig_wait_log(rig, "takes over");
    upload(rig, config, "p");
    rig_expect(rig, 1, "other");
    assert_int_equal(rig_status(rig, 0).errors, 0);
    end(rig, config);
}

#define WARNING(name)                                                                              \
    "{\"warn_name\": \"" name "\", \"quotes\": 1, \"device\": \"A\", \"var_name\": \"v1\", "       \
    "\"condition1\": \"Gt\", \"operand1\": \"3\", \"alarm_content\": \"of " name "\"}"

static void put_alarm(Rig *rig, uint32_t alarm, const PsConfig *config) {
    PsAlarmEvent event = {.alarm = alarm, .on = true, .value = ps_value_int(4)};
    PsAlarmUpload one = {.group = config->alarms[alarm].group, .event_count = 1, .events = &event};
    assert_int_equal(ps_script_host_alarms(rig->host, 0, &one), PS_OK);
}

static void test_alarms(void **state) {
    config_rig_script("p.py",
                      "def main(d, w):\n"
                      "  w.mqtt_publish('ask', 'x', 0)\n"
                      "  return [(k, v['alarm_content']) for k, v in d['values'].items()]\n");
    static const RigDefinition alarms[] = {
        {"p", "t/p", "p.py", NULL, "warning", ", \"group_type\": \"alarm\""}, {NULL}};
    RigPlan plan = {"g", "g/v1", alarms,
                    .more = ", \"warning\": [" WARNING("A") "," WARNING("B") "]"};
    PsConfig *config = NULL;
    Rig *rig = begin(&plan, &config);
    rig->now_answer = 3;
    put_alarm(rig, 0, config);
    rig_wait_asked(rig);
    put_alarm(rig, 1, config);
    plan.more = ", \"warning\": [" WARNING("C") "," WARNING("B") "," WARNING("A") "]";
    config = config_rig_change(rig, config, &plan);
    put_alarm(rig, 0, config);
    put_alarm(rig, 1, config);
    rig->now_answer = 1;
    ps_script_host_publish_now_done(rig->host, rig->now_ticket, true);
    static const char *const names[] = {"A", "B", "C", "B"};
    for (size_t i = 0; i < PS_COUNT(names); i++) {
        char expected[40];
        snprintf(expected, sizeof expected, "[[\"%s\", \"of %s\"]]", names[i], names[i]);
        rig_expect(rig, i, expected);
    }
    end(rig, config);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_open_writes_and_recalls, restore),
        cmocka_unit_test_setup(test_names_are_those_of_the_new_one, restore),
        cmocka_unit_test_setup(test_tickets_stay_valid, restore),
        cmocka_unit_test_setup(test_replays, restore),
        cmocka_unit_test_setup(test_trials_under_way, restore),
        cmocka_unit_test_setup(test_penstock_script_dies_during_a_change, restore),
        cmocka_unit_test_setup(test_parameters, restore),
        cmocka_unit_test_setup(test_another_kind_of_cloud, restore),
        cmocka_unit_test_setup(test_alarms, restore),
    };
    return cmocka_run_group_tests(tests, config_rig_setup, config_rig_teardown);
}
