// Scripts that fail in every way, and processes that die: the other script goes on, the log says
// what happened and where, and the failing one comes back.
#include "script/host_test_rig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

#define GOOD "def main(d, w):\n  return 'good'\n"
// Logs, then fails in the given way, on every call.
#define ONCE(statement)                                                                            \
    "import os, sys, signal, logging\n"                                                            \
    "def main(d, w):\n"                                                                            \
    "  logging.info('before')\n"                                                                   \
    "  " statement "\n"

static void expect_log(Rig *rig, const char *text) {
    if (!rig_logged(rig, text)) {
        fail_msg("not in the log: %s", text);
    }
}

static void test_exceptions(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "bad", "main",
                "import sys\n"
                "n = 0\n"
                "def helper():\n"
                "  return {}['missing']\n"
                "class Odd(Exception):\n"
                "  def __str__(self): raise ValueError('no text')\n"
                "def main(d, w):\n"
                "  global n\n"
                "  n += 1\n"
                "  if n == 1: helper()\n"
                "  if n == 2: sys.exit(7)\n"
                "  if n == 3: return {1, 2}\n"
                "  if n == 4: w.save_data({})\n"
                "  if n == 5: raise Odd()\n"
                "  if n == 6: raise KeyboardInterrupt()\n"
                "  if n == 7: a = []; a.append(a); return a\n"
                "  if n == 8: return '\\ud800'\n"
                "  if n == 9: w.awsiot_publish('a/#', 'x', 1)\n"
                "  if n == 10: w.awsiot_publish('t', 'x', 2)\n"
                "  if n == 11: return 'x' * 2000000\n"
                "  return 'alive'\n",
                0);
    rig_start(rig);
    for (int i = 0; i < 12; i++) {
        rig_upload(rig, 0);
    }
    rig_wait_calls(rig, 0, 12);
    expect_log(rig, "[ERROR] [<string> 4]: bad: KeyError: 'missing'\n");
    expect_log(rig, "[ERROR] [<string> 4]: Traceback (most recent call last):\n");
    expect_log(rig, "File \"<string>\", line 10, in main\n");
    expect_log(rig, "return {}['missing']\n");
    expect_log(rig, "[ERROR] [<string> 11]: bad: SystemExit: 7 (the script called sys.exit()");
    expect_log(rig, "bad: TypeError: value: set is not JSON; use sorted() or list()\n");
    expect_log(rig, "[<string> 13]: bad: ValueError: save_data: the dict has no 'topic'; it needs");
    expect_log(rig, "bad: Odd (it cannot be described further)\n");
    expect_log(rig, "[<string> 15]: bad: KeyboardInterrupt\n");
    expect_log(rig, "bad: TypeError: [0]: leads back to an object that holds it; JSON has no");
    expect_log(rig, "bad: TypeError: value: half a character (lone surrogate) at position 0");
    expect_log(rig, "SCRIPT-TOPIC: publish 'bad': message not sent: topic 'a/#'");
    expect_log(rig, "[<string> 19]: bad: ValueError: qos is 2; it must be 0 to 1\n");
    expect_log(rig, "bad: ValueError: the message has 2000000 bytes; at most 1048576");
    rig_expect(rig, 0, "alive"); // call 9: its topic is refused, its return value is not
    rig_expect(rig, 1, "alive");
    PsScriptWorkerStatus status = rig_status(rig, 0);
    assert_int_equal(status.restarts, 0);
    assert_int_equal(status.errors, 10);
    rig_free(rig);
}

static void test_modules_that_cannot_be_built(void **state) {
    static const struct {
        const char *source;
        const char *line;
    } cases[] = {
        {"def other(d, w): pass\n", "Build module error. 'No main entry method found. main'"},
        {"x = 1\ndef main(d, w:\n  pass\n",
         "Build module error. ''(' was never closed (<string>, line 2)'"},
        {"# fine\n# \xff\xfe\ndef main(d, w): pass\n",
         "can't decode byte 0xff in position 9: invalid start byte; save the script as UTF-8 "
         "(<string>, line 2)'"},
        {"import os\n\nos.no_such_thing\n",
         "Build module error. 'AttributeError: module 'os' has no attribute 'no_such_thing' "
         "(<string>, line 3)'"},
    };
    Rig *rig = rig_new();
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        rig_publish(rig, "bad", "main", cases[i].source, 0);
    }
    rig_subscribe(rig, "fine", "main", "def main(topic, payload, w): pass\n");
    rig_start(rig);
    for (uint32_t i = 0; i < PS_COUNT(cases); i++) {
        rig_wait_log(rig, cases[i].line);
        rig_wait_state(rig, i, PS_WORKER_HELD);
    }
    PsUpload upload = {0};
    assert_int_equal(ps_script_host_collect(rig->host, 0, &upload), PS_ERR_CLOSED);
    rig_wait_state(rig, PS_COUNT(cases), PS_WORKER_RUNNING);
    assert_non_null(strstr(rig_status(rig, 0).last_error, "No main entry"));
    rig_free(rig);
}

// The failing worker gets two inputs: the first one ends it, the second finds it again.
static void check_end(const char *source, double timeout_s, const char *obituary) {
    Rig *rig = rig_new();
    rig_publish(rig, "bad", "main", source, timeout_s);
    rig_publish(rig, "good", "main", GOOD, 0);
    rig_start(rig);
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
    rig_wait_state(rig, 1, PS_WORKER_RUNNING);
    rig_upload(rig, 0);
    rig_upload(rig, 0);
    rig_upload(rig, 1);
    rig_wait_calls(rig, 1, 1);
    rig_wait_log(rig, obituary);
    assert_true(rig_logged(rig, "[<string> 3]: before\n"));
    rig_upload(rig, 1);
    rig_wait_calls(rig, 1, 2);
    rig_wait_calls(rig, 0, 2);
    PsScriptWorkerStatus bad = rig_status(rig, 0);
    assert_int_equal(bad.errors, 2);
    assert_int_equal(bad.dropped, 2);
    assert_true(bad.restarts >= 1);
    assert_int_equal(rig_status(rig, 1).errors, 0);
    assert_int_equal(rig_status(rig, 1).restarts, 0);
    rig_free(rig);
}

static void test_endless_loop_is_killed(void **state) {
    check_end(ONCE("while True: pass"), 0.2,
              "publish 'bad': worker killed: the call did not end within 0.2 s, at <string> 4;");
    check_end(ONCE("__import__('time').sleep(1000)"), 0.2, "within 0.2 s, at <string> 4;");
}

static void test_exit_and_signals(void **state) {
    check_end(ONCE("os._exit(3)"), 0, "publish 'bad': worker ended by itself with status 3");
    check_end(ONCE("os.kill(os.getpid(), signal.SIGKILL)"), 0, "worker ended by signal 9 (Killed)");
    check_end(ONCE("os.kill(os.getpid(), signal.SIGSEGV)"), 0, ", at <string> 4; it starts again");
    check_end(ONCE("os.closerange(3, 20)"), 0, "SCRIPT-ENDED: publish 'bad': worker ended by");
}

static void test_rubbish_on_the_socket(void **state) {
    check_end(ONCE("os.write(3, b'\\xff' * 100)"), 0,
              "worker killed: it sent an unreadable frame (protocol)");
    check_end(ONCE("os.write(3, b'\\xff\\xff\\xff\\x7f\\x11')"), 0,
              "worker killed: it sent an unreadable frame (too-big)");
    check_end(ONCE("os.write(3, b'\\x01\\0\\0\\0\\x0e\\x01')"), 0,
              "worker killed: it sent a 'built' that makes no sense");
}

static void test_a_fork_of_the_script(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "forks", "main",
                "import os\n"
                "def main(d, w):\n"
                "  try: os.fork()\n"
                "  except PermissionError: return 'alone'\n",
                0);
    rig_start(rig);
    rig_upload(rig, 0);
    rig_expect(rig, 0, "alone");
    rig_free(rig);
}

static void test_memory_limit(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "hungry", "main", "def main(d, w):\n  return len(bytearray(1 << 27))\n", 0);
    rig->publish[0].limits.memory_mb = 64;
    rig_start(rig);
    rig_upload(rig, 0);
    rig_wait_calls(rig, 0, 1);
    // Some allocators (AddressSanitizer's) end the process instead of saying no.
    assert_true(rig_logged(rig, "[<string> 2]: hungry: MemoryError\n") ||
                rig_logged(rig, "SCRIPT-ENDED"));
    assert_int_equal(rig->message_count, 0);
    rig_free(rig);
}

static void test_slow_script_loses_the_oldest(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "slow", "main",
                "def main(d, w):\n"
                "  w.mqtt_publish('t', 'x', 0)\n"
                "  return d['values']['Temperature_Sensor']['Test']['raw_data']\n",
                0);
    rig->now_answer = 3; // the first call waits for as long as the test wants
    rig_start(rig);
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
    for (int64_t i = 0; i < PS_SCRIPT_QUEUE_INPUTS + 11; i++) {
        PsValue value = ps_value_int(i);
        rig_upload_values(rig, 0, &value, NULL);
    }
    assert_int_equal(rig_status(rig, 0).dropped, 10);
    assert_int_equal(rig_log_count(rig, "SCRIPT-LATE"), 1);
    rig_wait_asked(rig);
    rig->now_answer = 1;
    ps_script_host_publish_now_done(rig->host, rig->now_ticket + 1, true); // a stranger's ticket
    ps_script_host_publish_now_done(rig->host, rig->now_ticket, true);
    rig_wait_calls(rig, 0, PS_SCRIPT_QUEUE_INPUTS + 1);
    rig_expect(rig, 0, "0");
    rig_expect(rig, 1, "11");
    rig_free(rig);
}

static void test_penstock_script_dies(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "good", "main", GOOD, 0);
    rig_start(rig);
    rig_upload(rig, 0);
    rig_wait_calls(rig, 0, 1);
    rig_kill_starter(rig);
    rig_upload(rig, 0);
    rig_wait_calls(rig, 0, 2);
    rig_expect(rig, 1, "good");
    assert_int_equal(rig_status(rig, 0).restarts, 1);
    rig_free(rig);
}

static void test_stop_during_a_hanging_call(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "hangs", "main", ONCE("while True: pass"), 30);
    rig_start(rig);
    rig_upload(rig, 0);
    rig_wait_log(rig, "before");
    PsMono begin = ps_mono_now();
    rig_free(rig);
    assert_true(ps_mono_diff_ns(ps_mono_now(), begin) < 10 * PS_NS_PER_S);
}

static void test_program_missing(void **state) {
    PsConfig config = {0};
    uv_loop_t loop;
    uv_loop_init(&loop);
    PsScriptHostSetup setup = {.loop = &loop, .config = &config, .program = "/nonexistent/x"};
    PsScriptHost *host = NULL;
    PsDiag diag = {0};
    assert_int_equal(ps_script_host_new(&setup, &host, &diag), PS_ERR_INVALID);
    assert_non_null(strstr(diag.text, "/nonexistent/x"));
    uv_loop_close(&loop);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exceptions),
        cmocka_unit_test(test_modules_that_cannot_be_built),
        cmocka_unit_test(test_endless_loop_is_killed),
        cmocka_unit_test(test_exit_and_signals),
        cmocka_unit_test(test_rubbish_on_the_socket),
        cmocka_unit_test(test_a_fork_of_the_script),
        cmocka_unit_test(test_memory_limit),
        cmocka_unit_test(test_slow_script_loses_the_oldest),
        cmocka_unit_test(test_penstock_script_dies),
        cmocka_unit_test(test_stop_during_a_hanging_call),
        cmocka_unit_test(test_program_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
