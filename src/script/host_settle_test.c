// Scripts wait until what they published is safe: a save_data for its answer, a message that was
// returned or published before the next call. A real penstock-script and real workers. Loop thread.
#include "script/host_test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>

#define TIMEOUT_S 0.5 // of a call
#define LONGER_MS 700

static const char saves[] = "def main(d, w):\n"
                            "  first = w.save_data({'topic': 't', 'qos': 1, 'payload': 'one'})\n"
                            "  w.mqtt_publish('now', str(first), 0)\n";

static bool is_settling(Rig *rig, const void *ctx) {
    return rig->settle_count == *(const size_t *)ctx;
}

static void wait_settling(Rig *rig, size_t count) {
    rig_wait(rig, is_settling, &count, "on_settle");
}

static bool is_timer_done(Rig *rig, const void *ctx) {
    return !uv_is_active((const uv_handle_t *)ctx);
}

static void on_timer(uv_timer_t *timer) {
}

static void let_pass(Rig *rig, uint64_t ms) {
    uv_timer_t timer;
    uv_timer_init(&rig->loop, &timer);
    uv_timer_start(&timer, on_timer, ms, 0);
    rig_wait(rig, is_timer_done, &timer, "the timer");
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&rig->loop, UV_RUN_NOWAIT);
}

// Long enough for a script that does not wait.
static void let_run(Rig *rig) {
    let_pass(rig, 200);
}

static void test_save_data_answers_when_it_is_safe(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "saves", "main", saves, 0);
    rig->unsafe = true;
    rig->now_answer = 1;
    rig_start(rig);
    rig_upload(rig, 0);
    wait_settling(rig, 1);
    rig_expect(rig, 0, "one");
    let_run(rig);
    assert_int_equal(rig->now_count, 0);                       // still inside save_data
    ps_script_host_settled(rig->host, rig->settle_ticket + 1); // of another process
    ps_script_host_settled(rig->host, rig->settle_ticket);
    rig_wait_calls(rig, 0, 1);
    assert_int_equal(rig->now_count, 1);
    assert_int_equal(rig->settle_count, 1);                // nothing was published since
    ps_script_host_settled(rig->host, rig->settle_ticket); // nobody waits
    rig_upload(rig, 0);
    wait_settling(rig, 2);
    rig_free(rig); // while it waits
}

static void test_a_refused_save_is_answered_at_once(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "saves", "main", saves, 0);
    rig->unsafe = true;
    rig->refuse = true;
    rig->now_answer = 1;
    rig_start(rig);
    rig_upload(rig, 0);
    rig_wait_calls(rig, 0, 1);
    assert_int_equal(rig->settle_count, 0);
    rig_free(rig);
}

static void test_the_next_call_waits(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "returns", "main", "def main(d, w):\n  return 'x'\n", 0);
    rig_publish(rig, "silent", "main", "def main(d, w):\n  w.mqtt_publish('now', 'x', 0)\n", 0);
    rig->unsafe = true;
    rig->now_answer = 1;
    rig_start(rig);
    rig_upload(rig, 0);
    rig_upload(rig, 0);
    wait_settling(rig, 1);
    rig_upload(rig, 1);
    rig_upload(rig, 1);
    rig_wait_calls(rig, 1, 2); // the other script goes on
    let_run(rig);
    assert_int_equal(rig_status(rig, 0).calls, 1);
    assert_int_equal(rig->message_count, 1);
    ps_script_host_settled(rig->host, rig->settle_ticket);
    rig_wait_calls(rig, 0, 2);
    assert_int_equal(rig->message_count, 2);
    rig_free(rig);
}

// A disk that is slow for a while would otherwise have every script killed, and held in the end.
static void test_time_that_the_disk_takes_is_not_the_scripts(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "saves", "main",
                "def main(d, w):\n"
                "  for n in range(2):\n"
                "    w.save_data({'topic': 't', 'qos': 1, 'payload': str(n)})\n",
                TIMEOUT_S);
    rig->unsafe = true;
    rig_start(rig);
    rig_upload(rig, 0);
    for (size_t n = 1; n <= 2; n++) {
        wait_settling(rig, n);
        let_pass(rig, LONGER_MS);
        ps_script_host_settled(rig->host, rig->settle_ticket);
    }
    rig_wait_calls(rig, 0, 1);
    assert_int_equal(rig_status(rig, 0).errors, 0);
    assert_int_equal(rig_status(rig, 0).restarts, 0);
    rig_free(rig);
}

static void test_time_that_the_cloud_takes_is_not_the_scripts(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "asks", "main", "def main(d, w):\n  w.mqtt_publish('now', 'x', 1)\n",
                TIMEOUT_S);
    rig->now_answer = 3;
    rig_start(rig);
    rig_upload(rig, 0);
    rig_wait_asked(rig);
    let_pass(rig, LONGER_MS);
    ps_script_host_publish_now_done(rig->host, rig->now_ticket, true);
    rig_wait_calls(rig, 0, 1);
    assert_int_equal(rig_status(rig, 0).errors, 0);
    rig_free(rig);
}

static void test_the_rest_of_the_time_is_limited(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "hangs", "main",
                "def main(d, w):\n"
                "  w.save_data({'topic': 't', 'qos': 1, 'payload': 'x'})\n"
                "  while True:\n"
                "    pass\n",
                TIMEOUT_S);
    rig->unsafe = true;
    rig_start(rig);
    rig_upload(rig, 0);
    wait_settling(rig, 1);
    let_pass(rig, LONGER_MS);
    ps_script_host_settled(rig->host, rig->settle_ticket);
    rig_wait_log(rig, "the call did not end within 0.5 s, at <string> ");
    rig_wait_dead(rig, 1);
    rig_free(rig);
}

static void test_a_process_that_is_killed_while_it_waits(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "saves", "main", saves, TIMEOUT_S);
    rig->unsafe = true;
    rig->now_answer = 1;
    rig_start(rig);
    rig_upload(rig, 0);
    wait_settling(rig, 1);
    let_pass(rig, LONGER_MS);
    assert_int_equal(kill(rig_status(rig, 0).pid, SIGKILL), 0);
    rig_wait_dead(rig, 1);
    ps_script_host_settled(rig->host, rig->settle_ticket); // to nobody
    rig->unsafe = false;
    rig_upload(rig, 0);
    rig_wait_calls(rig, 0, 2);
    assert_int_equal(rig_status(rig, 0).errors, 1);
    rig_free(rig);
}

static void test_a_new_process_does_not_wait_for_the_old_one(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "returns", "main", "def main(d, w):\n  return 'x'\n", 0);
    rig->unsafe = true;
    rig_start(rig);
    rig_upload(rig, 0);
    wait_settling(rig, 1);
    uint64_t old = rig->settle_ticket;
    assert_int_equal(kill(rig_status(rig, 0).pid, SIGKILL), 0);
    rig_upload(rig, 0);
    wait_settling(rig, 2);
    assert_true(rig->settle_ticket != old);
    assert_int_equal(rig->message_count, 2);
    ps_script_host_settled(rig->host, old);
    rig_upload(rig, 0);
    let_run(rig);
    assert_int_equal(rig->message_count, 2);
    rig_free(rig);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_save_data_answers_when_it_is_safe),
        cmocka_unit_test(test_a_refused_save_is_answered_at_once),
        cmocka_unit_test(test_the_next_call_waits),
        cmocka_unit_test(test_time_that_the_disk_takes_is_not_the_scripts),
        cmocka_unit_test(test_time_that_the_cloud_takes_is_not_the_scripts),
        cmocka_unit_test(test_the_rest_of_the_time_is_limited),
        cmocka_unit_test(test_a_process_that_is_killed_while_it_waits),
        cmocka_unit_test(test_a_new_process_does_not_wait_for_the_old_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
