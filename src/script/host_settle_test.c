// Scripts wait until what they published is safe: a save_data for its answer, a message that was
// returned or published before the next call. A real penstock-script and real workers. Loop thread.
#include "script/host_test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>

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

// Long enough for a script that does not wait.
static void let_run(Rig *rig) {
    uv_timer_t timer;
    uv_timer_init(&rig->loop, &timer);
    uv_timer_start(&timer, on_timer, 200, 0);
    rig_wait(rig, is_timer_done, &timer, "the timer");
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&rig->loop, UV_RUN_NOWAIT);
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
        cmocka_unit_test(test_a_new_process_does_not_wait_for_the_old_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
