// Inputs that scripts do not finish: each becomes a dead letter with its reason, and can be run
// again through the corrected script. A real penstock-script, one loop.
#include "base/mem.h"
#include "script/host_test_rig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VALUE "d['values']['Temperature_Sensor']['Test']['raw_data']"
#define PLAIN "def main(d, w):\n  return " VALUE "\n"
#define COLLECTED INT64_C(1597305662211609000)

static void upload(Rig *rig, uint32_t publish, int64_t number) {
    PsValue value = ps_value_int(number);
    rig_upload_values(rig, publish, &value, NULL);
}

static void save(Rig *rig, PsScriptKind kind, const char *source) {
    PsBuf text = {0};
    ps_buf_put(&text, source, strlen(source));
    ps_script_host_replace(rig->host, kind, 0, &text);
    rig_wait_log(rig, "its saved script takes over");
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
}

static PsErr replay(Rig *rig, const RigDead *dead, uint64_t id, PsDiag *diag) {
    return ps_script_host_replay(rig->host, dead->kind, dead->entry, &dead->kept, id, diag);
}

static void expect_replay(Rig *rig, const RigDead *dead, uint64_t id, PsScriptReplayEnd end) {
    size_t before = rig->replayed_count;
    PsDiag diag = {0};
    assert_int_equal(replay(rig, dead, id, &diag), PS_OK);
    rig_wait_replayed(rig, before + 1);
    assert_int_equal(rig->replayed, id);
    assert_int_equal(rig->replay_end, end);
}

static void test_a_call_that_raises(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "bad", "main", "def main(d, w):\n  a = 0\n  return " VALUE " / a\n", 0);
    rig_start(rig);
    upload(rig, 0, 17);
    rig_wait_dead(rig, 1);
    const RigDead *dead = &rig->dead[0];
    assert_true(dead->kind == PS_SCRIPT_PUBLISH && dead->entry == 0);
    assert_true(dead->kept.form == PS_KEPT_SNAPSHOT && dead->kept.collected.ns == COLLECTED);
    static const char first[] = "ZeroDivisionError: division by zero\nTraceback ";
    assert_memory_equal(dead->reason, first, sizeof first - 1);
    assert_non_null(strstr(dead->reason, "File \"<string>\", line 3, in main"));
    assert_string_equal(rig_status(rig, 0).last_error, "ZeroDivisionError: division by zero");
    expect_replay(rig, dead, 5, PS_SCRIPT_REPLAY_FAILED);
    assert_memory_equal(rig->replay_reason, first, sizeof first - 1);
    assert_int_equal(rig->dead_count, 1); // whose it is knows already
    save(rig, PS_SCRIPT_PUBLISH, PLAIN);
    expect_replay(rig, dead, 6, PS_SCRIPT_REPLAYED);
    rig_expect(rig, 0, "17");
    assert_true(rig->messages[0].collected.ns == COLLECTED);
    rig_free(rig);
}

static void check_lost_worker(const char *statement, const char *summary, const char *more) {
    Rig *rig = rig_new();
    PS_AUTO_BUF PsBuf source = {0};
    ps_buf_printf(&source, "import os, sys, time\ndef main(d, w):\n  %s\n", statement);
    rig_publish(rig, "bad", "main", (const char *)source.data, 0.3);
    rig_start(rig);
    upload(rig, 0, 1);
    upload(rig, 0, 2);
    rig_wait_dead(rig, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_memory_equal(rig->dead[i].reason, summary, strlen(summary));
        assert_non_null(strstr(rig->dead[i].reason, more));
    }
    save(rig, PS_SCRIPT_PUBLISH, PLAIN);
    expect_replay(rig, &rig->dead[0], 1, PS_SCRIPT_REPLAYED);
    expect_replay(rig, &rig->dead[1], 2, PS_SCRIPT_REPLAYED);
    rig_expect(rig, 0, "1");
    rig_expect(rig, 1, "2");
    rig_free(rig);
}

static void test_a_worker_that_hangs_or_ends(void **state) {
    check_lost_worker("while True: pass", "worker killed: the call did not end within 0.3 s",
                      "File \"<string>\", line 3 in main");
    check_lost_worker("os._exit(3)", "worker ended by itself with status 3", "");
    check_lost_worker("os.write(2, b'last words\\n'); os._exit(3)",
                      "worker ended by itself with status 3", "\nlast words");
}

static void test_a_replay_that_ends_its_worker(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "bad", "main",
                "import os\ndef main(d, w):\n"
                "  if " VALUE " == 1: os._exit(3)\n  return " VALUE "\n",
                0);
    rig_start(rig);
    upload(rig, 0, 1);
    rig_wait_dead(rig, 1);
    expect_replay(rig, &rig->dead[0], 1, PS_SCRIPT_REPLAY_FAILED);
    upload(rig, 0, 2);
    rig_expect(rig, 0, "2");
    assert_int_equal(rig->dead_count, 1);
    rig_free(rig);
}

static void test_a_module_that_cannot_be_built(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "bad", "main", "def main(d, w:\n", 0);
    rig_start(rig);
    upload(rig, 0, 1); // waits for the module
    rig_wait_state(rig, 0, PS_WORKER_HELD);
    assert_int_equal(rig->dead_count, 1);
    PsValue value = ps_value_int(2);
    PsUploadItem item = {.value = value, .good = true};
    PsUpload later = {.collected = {COLLECTED}, .item_count = 1, .items = &item};
    assert_int_equal(ps_script_host_collect(rig->host, 0, &later), PS_ERR_CLOSED);
    assert_int_equal(rig->dead_count, 2);
    assert_non_null(strstr(rig->dead[1].reason, "cannot be built"));
    PsDiag diag = {0};
    assert_int_equal(replay(rig, &rig->dead[0], 1, &diag), PS_ERR_CLOSED);
    assert_non_null(strstr(diag.text, "is held"));
    save(rig, PS_SCRIPT_PUBLISH, PLAIN);
    expect_replay(rig, &rig->dead[0], 1, PS_SCRIPT_REPLAYED);
    expect_replay(rig, &rig->dead[1], 2, PS_SCRIPT_REPLAYED);
    rig_expect(rig, 1, "2");
    rig_free(rig);
}

static void test_a_received_message(void **state) {
    Rig *rig = rig_new();
    rig_subscribe(rig, "cmd", "main", "def main(topic, payload, w):\n  raise ValueError(topic)\n");
    rig_start(rig);
    assert_int_equal(ps_script_host_receive(rig->host, 0, "cmd/1", "go", 2, 1), PS_OK);
    rig_wait_dead(rig, 1);
    const RigDead *dead = &rig->dead[0];
    assert_true(dead->kind == PS_SCRIPT_SUBSCRIBE && dead->kept.form == PS_KEPT_MESSAGE);
    assert_int_equal(dead->kept.qos, 1);
    PsWireText topic;
    PsWireText payload;
    assert_int_equal(ps_kept_message(&dead->kept, &topic, &payload), PS_OK);
    assert_true(topic.len == 5 && payload.len == 2 && memcmp(payload.data, "go", 2) == 0);
    save(rig, PS_SCRIPT_SUBSCRIBE,
         "def main(topic, payload, w):\n  w.awsiot_publish('answer', topic + payload, 1)\n");
    expect_replay(rig, dead, 1, PS_SCRIPT_REPLAYED);
    rig_expect(rig, 0, "cmd/1go");
    assert_true(rig->messages[0].collected.ns == dead->kept.collected.ns);
    rig_free(rig);
}

#define WAITS                                                                                      \
    "def main(d, w):\n"                                                                            \
    "  w.mqtt_publish('t', 'x', 0)\n"                                                              \
    "  return " VALUE "\n"

static void test_a_full_queue(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "slow", "main", WAITS, 0);
    rig->now_answer = 3; // the first call waits for as long as the test wants
    rig_start(rig);
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
    for (int64_t i = 0; i < PS_SCRIPT_QUEUE_INPUTS + 4; i++) {
        upload(rig, 0, i);
    }
    assert_int_equal(rig->dead_count, 3);
    assert_non_null(strstr(rig->dead[0].reason, "too many inputs waited"));
    rig_wait_asked(rig);
    rig->now_answer = 1;
    ps_script_host_publish_now_done(rig->host, rig->now_ticket, true);
    rig_wait_calls(rig, 0, PS_SCRIPT_QUEUE_INPUTS + 1);
    expect_replay(rig, &rig->dead[0], 1, PS_SCRIPT_REPLAYED);
    rig_free(rig);
}

// A script in a call that lasts until mqtt_publish is answered, a full queue, and one dead letter.
static Rig *busy_rig(void) {
    Rig *rig = rig_new();
    rig_publish(rig, "slow", "main", WAITS, 0);
    rig->now_answer = 3;
    rig_start(rig);
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
    for (int64_t i = 0; i < PS_SCRIPT_QUEUE_INPUTS + 2; i++) {
        upload(rig, 0, i);
    }
    return rig;
}

static void release_rig(Rig *rig) {
    rig_wait_asked(rig);
    rig->now_answer = 1;
    ps_script_host_publish_now_done(rig->host, rig->now_ticket, true);
}

static void test_live_inputs_go_first(void **state) {
    Rig *rig = busy_rig();
    PsDiag diag;
    assert_int_equal(replay(rig, &rig->dead[0], 1, &diag), PS_OK);
    assert_int_equal(replay(rig, &rig->dead[0], 2, &diag), PS_ERR_BUSY);
    release_rig(rig);
    rig_wait_replayed(rig, 1);
    assert_int_equal(rig_status(rig, 0).calls, PS_SCRIPT_QUEUE_INPUTS + 2);
    rig_free(rig);
}

static void test_a_replay_is_taken_back(void **state) {
    Rig *rig = busy_rig();
    PsDiag diag;
    assert_int_equal(replay(rig, &rig->dead[0], 1, &diag), PS_OK);
    ps_script_host_cancel_replay(rig->host, PS_SCRIPT_PUBLISH, 0);
    assert_true(rig->replayed == 1 && rig->replay_end == PS_SCRIPT_REPLAY_NOT_RUN);
    ps_script_host_cancel_replay(rig->host, PS_SCRIPT_PUBLISH, 0); // there is none
    assert_int_equal(rig->replayed_count, 1);
    release_rig(rig);
    rig_wait_calls(rig, 0, PS_SCRIPT_QUEUE_INPUTS + 1);
    rig->now_answer = 3;
    rig->now_count = 0;
    assert_int_equal(replay(rig, &rig->dead[0], 2, &diag), PS_OK);
    rig_wait_asked(rig);
    ps_script_host_cancel_replay(rig->host, PS_SCRIPT_PUBLISH, 0); // it is being run
    assert_int_equal(rig->replayed_count, 1);
    ps_script_host_publish_now_done(rig->host, rig->now_ticket, true);
    rig_wait_replayed(rig, 2);
    assert_true(rig->replayed == 2 && rig->replay_end == PS_SCRIPT_REPLAYED);
    rig_free(rig);
}

static void test_what_waits_at_the_end(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "slow", "main", "def main(d, w):\n  while True: pass\n", 60);
    rig_start(rig);
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
    for (int64_t i = 0; i < PS_SCRIPT_QUEUE_INPUTS + 2; i++) {
        upload(rig, 0, i);
    }
    PsDiag diag;
    assert_int_equal(replay(rig, &rig->dead[0], 9, &diag), PS_OK);
    rig_stop(rig);
    assert_int_equal(rig->dead_count, PS_SCRIPT_QUEUE_INPUTS + 2); // the one in flight included
    assert_true(rig->replayed == 9 && rig->replay_end == PS_SCRIPT_REPLAY_NOT_RUN);
    rig_free(rig);
}

static bool has_waiting(Rig *rig, const void *ctx) {
    return rig_status(rig, 0).queued == *(const uint32_t *)ctx;
}

static void test_what_waits_is_finished_at_a_stop(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "slow", "main",
                "import time\ndef main(d, w):\n  time.sleep(0.1)\n  return " VALUE "\n", 0);
    rig_start(rig);
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
    for (int64_t i = 0; i < 4; i++) {
        upload(rig, 0, i);
    }
    rig_begin_stop(rig);
    uint32_t one = 1;
    rig_wait(rig, has_waiting, &one, "the third call");
    upload(rig, 0, 4); // also what comes while it is at work
    rig_stop(rig);
    assert_int_equal(rig->message_count, 5);
    rig_expect(rig, 4, "4");
    assert_int_equal(rig->dead_count, 0);
    rig_free(rig);
}

// A settle is waited for as ever; with no answer the limit of a stop ends it.
static void test_a_disk_that_does_not_answer_at_a_stop(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "returns", "main", PLAIN, 0);
    rig->unsafe = true;
    rig_start(rig);
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
    upload(rig, 0, 1);
    upload(rig, 0, 2);
    rig_stop(rig);
    assert_int_equal(rig->message_count, 1);
    assert_int_equal(rig->dead_count, 1);
    assert_string_equal(rig->dead[0].reason, "the script was not called: the gateway was stopped");
    rig_free(rig);
}

static bool is_stopped(Rig *rig, const void *ctx) {
    return rig->stopped;
}

// The server has been told that it is here.
static void test_a_message_that_comes_after_the_scripts(void **state) {
    Rig *rig = rig_new();
    rig_subscribe(rig, "s", "main", "def main(t, p, w):\n  pass\n");
    rig_start(rig);
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
    rig_begin_stop(rig);
    rig_wait(rig, is_stopped, NULL, "the host to stop");
    assert_int_equal(ps_script_host_receive(rig->host, 0, "cmd/1", "go", 2, 1), PS_ERR_CLOSED);
    rig_stop(rig);
    assert_int_equal(rig->dead_count, 1);
    assert_int_equal(rig->dead[0].kept.form, PS_KEPT_MESSAGE);
    rig_free(rig);
}

static bool has_written(Rig *rig, const void *ctx) {
    return rig->write_count == 2;
}

static void test_writes_are_finished_at_a_stop(void **state) {
    Rig *rig = rig_new();
    rig_subscribe(rig, "s", "main",
                  "def done(result, tail, w):\n"
                  "  w.save_data({'topic': 't', 'qos': 1, 'payload': 'written'})\n"
                  "def main(t, p, w):\n"
                  "  w.write_plc_values({'Test': 1}, done)\n"
                  "  w.write_plc_values({'Test': 2})\n");
    rig->hold_writes = true;
    rig_start(rig);
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
    assert_int_equal(ps_script_host_receive(rig->host, 0, "cmd/1", "go", 2, 1), PS_OK);
    rig_begin_stop(rig);
    rig_wait(rig, has_written, NULL, "two writes");
    for (size_t i = 0; i < 2; i++) {
        RigWrite *write = &rig->writes[i];
        write->done(PS_OK, NULL, write->value, write->done_ctx);
        assert_false(rig->stopped);
    }
    rig_stop(rig);
    assert_int_equal(rig->message_count, 1);
    rig_expect(rig, 0, "written");
    assert_int_equal(rig->dead_count, 0);
    rig_free(rig);
}

static void test_names_of_another_configuration(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "p", "main",
                "def main(d, w):\n"
                "  if d['group_name'] == 'default': raise ValueError('live')\n"
                "  return d\n",
                0);
    rig_start(rig);
    upload(rig, 0, 3);
    rig_wait_dead(rig, 1);
    static const char *const groups[] = {"old", "older"};
    for (size_t i = 0; i < PS_COUNT(groups); i++) {
        RigDead old = rig->dead[0];
        PS_AUTO_BUF PsBuf names = {0};
        ps_buf_put_u32(&names, 0);
        ps_buf_put_text(&names, groups[i]);
        ps_buf_put_u32(&names, 1);
        ps_buf_put_text(&names, "Boiler");
        ps_buf_put_u32(&names, 1);
        ps_buf_put_text(&names, "Level");
        old.kept.schema = names.data;
        old.kept.schema_len = names.len;
        expect_replay(rig, &old, i + 1, PS_SCRIPT_REPLAYED);
        assert_non_null(strstr(rig->messages[i].payload, groups[i]));
        assert_non_null(strstr(rig->messages[i].payload,
                               "{\"Boiler\": {\"Level\": {\"raw_data\": 3, \"status\": 1}}}"));
    }
    upload(rig, 0, 4); // the present names still stand
    rig_wait_dead(rig, 2);
    assert_memory_equal(rig->dead[1].reason, "ValueError: live", 16);
    rig_free(rig);
}

static void test_letters_that_cannot_be_run(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "bad", "main", "def main(d, w):\n  raise ValueError\n", 0);
    rig_subscribe(rig, "cmd", "main", "def main(topic, payload, w): pass\n");
    rig_start(rig);
    upload(rig, 0, 1);
    rig_wait_dead(rig, 1);
    PsDiag diag = {0};
    RigDead letter = rig->dead[0];
    letter.kept.form = 99;
    assert_int_equal(replay(rig, &letter, 1, &diag), PS_ERR_UNSUPPORTED);
    assert_non_null(strstr(diag.text, "another version"));
    for (size_t len = 0; len < rig->dead[0].kept.input_len; len++) {
        letter = rig->dead[0];
        letter.kept.input_len = len;
        assert_int_equal(replay(rig, &letter, 1, &diag), PS_ERR_CORRUPT);
    }
    for (size_t len = 0; len < rig->dead[0].kept.schema_len; len++) {
        letter = rig->dead[0];
        letter.kept.schema_len = len;
        assert_int_equal(replay(rig, &letter, 1, &diag), PS_ERR_CORRUPT);
    }
    letter = rig->dead[0];
    letter.kind = PS_SCRIPT_SUBSCRIBE;
    assert_int_equal(replay(rig, &letter, 1, &diag), PS_ERR_INVALID);
    assert_int_equal(rig->replayed_count, 0);
    rig_free(rig);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_that_raises),
        cmocka_unit_test(test_a_worker_that_hangs_or_ends),
        cmocka_unit_test(test_a_replay_that_ends_its_worker),
        cmocka_unit_test(test_a_module_that_cannot_be_built),
        cmocka_unit_test(test_a_received_message),
        cmocka_unit_test(test_a_full_queue),
        cmocka_unit_test(test_live_inputs_go_first),
        cmocka_unit_test(test_a_replay_is_taken_back),
        cmocka_unit_test(test_what_waits_at_the_end),
        cmocka_unit_test(test_what_waits_is_finished_at_a_stop),
        cmocka_unit_test(test_a_disk_that_does_not_answer_at_a_stop),
        cmocka_unit_test(test_a_message_that_comes_after_the_scripts),
        cmocka_unit_test(test_writes_are_finished_at_a_stop),
        cmocka_unit_test(test_names_of_another_configuration),
        cmocka_unit_test(test_letters_that_cannot_be_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
