// Scripts that are saved while the gateway runs, and scripts that are held: a real penstock-script
// and real workers. Loop thread.
#include "script/host_test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>

static const char counting[] = "calls = 0\n"
                               "def main(d, w):\n"
                               "  global calls\n"
                               "  calls += 1\n"
                               "  return 'old %d' % calls\n";

static void save(Rig *rig, uint32_t publish, const char *text) {
    PsBuf source = {0};
    ps_buf_put(&source, text, strlen(text));
    ps_script_host_replace(rig->host, PS_SCRIPT_PUBLISH, publish, &source);
    assert_null(source.data); // moved from
}

static void test_a_saved_script_takes_over_alone(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "first", "main", counting, 0);
    rig_publish(rig, "second", "main", counting, 0);
    rig_start(rig);
    rig_upload(rig, 0);
    rig_upload(rig, 1);
    rig_wait_messages(rig, 2);
    save(rig, 0, "def main(d, w):\n  return 'new'\n");
    rig_wait_log(rig, "SCRIPT-SAVED: publish 'first': its saved script takes over");
    rig_upload(rig, 0);
    rig_wait_messages(rig, 3);
    rig_upload(rig, 1);
    rig_wait_messages(rig, 4);
    rig_expect(rig, 2, "new");
    rig_expect(rig, 3, "old 2"); // the other kept its globals
    assert_int_equal(rig_status(rig, 1).restarts, 0);
    assert_int_equal(rig_status(rig, 0).errors, 0);
    rig_free(rig);
}

static void test_a_call_in_flight_finishes_with_the_old_script(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "slow", "main",
                "def main(d, w):\n  w.mqtt_publish('t', 'x', 0)\n  return 'old'\n", 0);
    rig->now_answer = 3; // the call waits for as long as the test wants
    rig_start(rig);
    rig_upload(rig, 0);
    rig_wait_asked(rig);
    save(rig, 0, "def main(d, w):\n  return 'new'\n");
    rig_wait_log(rig, "SCRIPT-SAVED");
    rig_upload(rig, 0);
    ps_script_host_publish_now_done(rig->host, rig->now_ticket, true);
    rig_wait_messages(rig, 2);
    rig_expect(rig, 0, "old");
    rig_expect(rig, 1, "new");
    assert_int_equal(rig_status(rig, 0).dropped, 0);
    rig_free(rig);
}

static void test_a_saved_script_with_a_mistake_changes_nothing(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "careful", "main", counting, 0);
    rig_start(rig);
    rig_upload(rig, 0);
    rig_wait_messages(rig, 1);
    int pid = rig_status(rig, 0).pid;
    save(rig, 0, "def main(d, w):\n  return (\n");
    rig_wait_log(rig, "SCRIPT-SAVED: publish 'careful': the saved script is not taken: its module "
                      "cannot be built: '(' was never closed (<string>, line 2)");
    rig_upload(rig, 0);
    rig_wait_messages(rig, 2);
    rig_expect(rig, 1, "old 2");
    assert_int_equal(rig_status(rig, 0).pid, pid);
    save(rig, 0, "import os\nos._exit(4)\n");
    rig_wait_log(rig, "is not taken: worker ended by itself with status 4");
    assert_int_equal(rig_status(rig, 0).pid, pid);
    rig_free(rig);
}

static bool tried_twice(Rig *rig, const void *ctx) {
    return rig_log_count(rig, "its saved script takes over") == 2;
}

static void test_the_newest_of_several_counts(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "eager", "main", counting, 0);
    rig_start(rig);
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
    save(rig, 0, "def main(d, w):\n  return 'one'\n");
    save(rig, 0, "def main(d, w):\n  return 'two'\n");
    save(rig, 0, "def main(d, w):\n  return 'three'\n");
    rig_wait(rig, tried_twice, NULL, "the first and the last to be tried");
    rig_upload(rig, 0);
    rig_wait_messages(rig, 1);
    rig_expect(rig, 0, "three");
    rig_free(rig);
}

static void test_a_script_that_ends_too_often_is_held(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "suicidal", "main", "import os\ndef main(d, w):\n  os._exit(3)\n", 0);
    rig_start(rig);
    for (uint32_t i = 1; i <= PS_SCRIPT_HOLD_AFTER; i++) {
        rig_upload(rig, 0);
        rig_wait_calls(rig, 0, i);
    }
    rig_wait_state(rig, 0, PS_WORKER_HELD);
    assert_int_equal(rig_status(rig, 0).pid, 0);
    assert_true(rig_logged(rig,
                           "SCRIPT-HELD: publish 'suicidal': held: it ended 5 times in a row, at "
                           "last: worker ended by itself with status 3"));
    assert_non_null(strstr(rig_status(rig, 0).last_error, "5 times in a row"));
    PsDiag diag = {0};
    assert_int_equal(ps_script_host_release(rig->host, "nobody", &diag), PS_ERR_NOT_FOUND);
    assert_int_equal(ps_script_host_release(rig->host, "suicidal", &diag), PS_OK);
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
    assert_int_equal(ps_script_host_release(rig->host, "suicidal", &diag), PS_ERR_INVALID);
    save(rig, 0, "def main(d, w):\n  return 'healed'\n");
    rig_wait_log(rig, "its saved script takes over");
    rig_upload(rig, 0);
    rig_wait_messages(rig, 1);
    rig_expect(rig, 0, "healed");
    rig_free(rig);
}

static void test_a_held_script_comes_back_when_corrected(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "unfinished", "main", "def main(d, w:\n", 0);
    rig_start(rig);
    rig_wait_state(rig, 0, PS_WORKER_HELD);
    save(rig, 0, "also wrong\n");
    rig_wait_log(rig, "is not taken: its module cannot be built");
    assert_true(rig_logged(rig, "it stays held"));
    save(rig, 0, "def main(d, w):\n  return 'fine'\n");
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
    rig_upload(rig, 0);
    rig_wait_messages(rig, 1);
    rig_expect(rig, 0, "fine");
    rig_free(rig);
}

// Whatever is under way when the gateway stops, nothing is left on the loop (rig_free checks) and
// no memory (the sanitizer does).
static void test_stop_while_a_saved_script_is_tried(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "late", "main", counting, 0);
    rig_start(rig);
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
    save(rig, 0, "import time\ntime.sleep(1000)\n");
    save(rig, 0, "def main(d, w): pass\n");
    rig_free(rig);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_saved_script_takes_over_alone),
        cmocka_unit_test(test_a_call_in_flight_finishes_with_the_old_script),
        cmocka_unit_test(test_a_saved_script_with_a_mistake_changes_nothing),
        cmocka_unit_test(test_the_newest_of_several_counts),
        cmocka_unit_test(test_a_script_that_ends_too_often_is_held),
        cmocka_unit_test(test_a_held_script_comes_back_when_corrected),
        cmocka_unit_test(test_stop_while_a_saved_script_is_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
