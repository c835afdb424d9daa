// The configuration changes while scripts are at work: what goes on, what is made anew, what is
// given up. A real penstock-script, one loop; each former configuration is freed at once.
#include "script/config_rig.h"

#include "base/mem.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// Says how often this process was called, its number and what it got; fails on a wrong name.
#define SEES                                                                                       \
    "n = 0\n"                                                                                      \
    "def main(d, w):\n"                                                                            \
    "  global n\n"                                                                                 \
    "  n += 1\n"                                                                                   \
    "  got = d['values'].get('A', {})\n"                                                           \
    "  assert all(int(k[1:]) == e['raw_data'] for k, e in got.items())\n"                          \
    "  w.mqtt_publish('ask', 'x', 0)\n"                                                            \
    "  return [n, w.sequence()['sequence'], d['group_name'], ' '.join(sorted(got))]\n"

static void write_scripts(void) {
    config_rig_script("a.py", SEES);
    config_rig_script("b.py", SEES);
}

static const RigDefinition one[] = {{.name = "p", .topic = "t/p", .script = "a.py", .groups = "g"},
                                    {.name = NULL}};
static const RigDefinition two[] = {{.name = "p", .topic = "t/p", .script = "a.py", .groups = "g"},
                                    {.name = "q", .topic = "t/q", .script = "b.py", .groups = "g"},
                                    {.name = NULL}};

// With mqtt_publish answered at once; set `now_answer` to 3 and scripts wait in it.
static Rig *begin(const RigPlan *plan, PsConfig **ret_config) {
    Rig *rig = rig_new();
    rig->now_answer = 1;
    *ret_config = config_rig_make(plan);
    rig_start_with(rig, *ret_config);
    return rig;
}

static void end(Rig *rig, PsConfig *config) {
    rig_free(rig);
    ps_config_free(config);
}

static void upload(Rig *rig, const PsConfig *config, const char *message, const char *group) {
    assert_int_equal(config_rig_upload(rig, config, message, group, 1), PS_OK);
}

// The call in flight waits in its mqtt_publish until the ticket returned is answered.
static uint64_t hold_call(Rig *rig, const PsConfig *config, const char *message) {
    rig->now_answer = 3;
    size_t before = rig->now_count;
    upload(rig, config, message, "g");
    while (rig->now_count == before) {
        uv_run(&rig->loop, UV_RUN_ONCE);
    }
    rig->now_answer = 1;
    return rig->now_ticket;
}

static void let_go(Rig *rig, uint64_t ticket) {
    ps_script_host_publish_now_done(rig->host, ticket, true);
}

static void test_contents_of_groups_change(void **state) {
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g h", "g/v1 g/v2 h/v3", one}, &config);
    upload(rig, config, "p", "g");
    rig_expect(rig, 0, "[1, 1, \"g\", \"v1 v2\"]");
    int pid = rig_status(rig, 0).pid;
    uint64_t ticket = hold_call(rig, config, "p");
    upload(rig, config, "p", "g"); // waits
    config = config_rig_change(rig, config, &(RigPlan){"h g", "g/v4 g/v2 h/v1 g/v5", one});
    upload(rig, config, "p", "g");
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v7", one});
    upload(rig, config, "p", "g");
    config = config_rig_change(rig, config, &(RigPlan){"x y z g", "x/v8 g/v9 y/v1", one});
    upload(rig, config, "p", "g");
    assert_int_equal(rig_status(rig, 0).queued, 4);
    let_go(rig, ticket);
    rig_expect(rig, 1, "[2, 2, \"g\", \"v1 v2\"]");
    rig_expect(rig, 2, "[3, 3, \"g\", \"v1 v2\"]");
    rig_expect(rig, 3, "[4, 4, \"g\", \"v2 v4 v5\"]");
    rig_expect(rig, 4, "[5, 5, \"g\", \"v7\"]");
    rig_expect(rig, 5, "[6, 6, \"g\", \"v9\"]");
    PsScriptWorkerStatus status = rig_status(rig, 0);
    assert_true(status.pid == pid && status.restarts == 0 && status.errors == 0);
    end(rig, config);
}

static void test_what_needs_no_process(void **state) {
    static const RigDefinition changed[] = {{.name = "p",
                                             .topic = "other",
                                             .script = "a.py",
                                             .groups = "h g",
                                             .more = ", \"timeout\": 7, \"live_first\": true"},
                                            {.name = NULL}};
    static const RigDefinition renamed[] = {
        {.name = "another", .topic = "other", .script = "a.py", .groups = "h g"}, {.name = NULL}};
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g h", "g/v1 h/v2", one}, &config);
    upload(rig, config, "p", "g");
    rig_wait_messages(rig, 1);
    int pid = rig_status(rig, 0).pid;
    config = config_rig_change(rig, config, &(RigPlan){"g h", "g/v1 h/v2", changed});
    upload(rig, config, "p", "h");
    rig_expect(rig, 1, "[2, 2, \"h\", \"v2\"]");
    assert_string_equal(rig->messages[1].topic, "other");
    assert_int_equal(rig->anew.len, 0);
    config = config_rig_change(rig, config, &(RigPlan){"g h", "g/v1 h/v2", renamed});
    assert_int_equal(rig->anew.len, 0);
    upload(rig, config, "another", "g");
    rig_expect(rig, 2, "[3, 3, \"g\", \"v1\"]");
    PsScriptWorkerStatus status = rig_status(rig, 0);
    assert_true(status.pid == pid && status.calls == 3 && status.restarts == 0);
    assert_string_equal(status.name, "another");
    end(rig, config);
}

static void test_a_changed_script_takes_over_alone(void **state) {
    PsConfig *config = NULL;
    RigPlan plan = {"g", "g/v1", two};
    Rig *rig = begin(&plan, &config);
    upload(rig, config, "q", "g");
    rig_wait_messages(rig, 1);
    int pid = rig_status(rig, 1).pid;
    uint64_t ticket = hold_call(rig, config, "p");
    config_rig_script("a.py", "def main(d, w):\n  return ['new', w.sequence()['sequence']]\n");
    config = config_rig_change(rig, config, &plan);
    assert_string_equal((const char *)rig->anew.data, "script of publish 'p'\n");
    rig_wait_log(rig, "publish 'p': what the configuration has for it now takes over");
    upload(rig, config, "p", "g");
    upload(rig, config, "q", "g");
    rig_expect(rig, 1, "[2, 2, \"g\", \"v1\"]"); // q goes on meanwhile
    let_go(rig, ticket);
    rig_expect(rig, 2, "[1, 1, \"g\", \"v1\"]"); // the call in flight ended with the old one
    rig_expect(rig, 3, "[\"new\", 2]");
    assert_int_equal(rig_status(rig, 1).pid, pid);
    assert_int_equal(rig_status(rig, 0).dropped, 0);
    config = config_rig_change(rig, config, &plan); // the same text again
    assert_int_equal(rig->anew.len, 0);
    assert_int_equal(rig_log_count(rig, "takes over"), 1);
    end(rig, config);
}

static void test_a_saved_script_is_no_change(void **state) {
    PsConfig *config = NULL;
    RigPlan plan = {"g", "g/v1", one};
    Rig *rig = begin(&plan, &config);
    upload(rig, config, "p", "g");
    rig_wait_messages(rig, 1);
    static const char saved[] = "def main(d, w):\n  return 'saved'\n";
    PsBuf text = {0};
    ps_buf_put(&text, saved, strlen(saved));
    ps_script_host_replace(rig->host, PS_SCRIPT_PUBLISH, 0, &text);
    config_rig_script("a.py", saved);
    config = config_rig_change(rig, config, &plan); // while it is tried
    assert_string_equal((const char *)rig->anew.data, "script of publish 'p'\n");
    upload(rig, config, "p", "g");
    rig_wait_log(rig, "its saved script takes over");
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
    config = config_rig_change(rig, config, &plan);
    upload(rig, config, "p", "g");
    rig_wait_calls(rig, 0, 3);
    assert_int_equal(rig_status(rig, 0).restarts, 1);
    assert_string_equal(rig->messages[2].payload, "saved");
    end(rig, config);
}

static void test_what_waits_is_run_by_the_new_function(void **state) {
    config_rig_script("a.py", "def first(d, w):\n  w.mqtt_publish('t', 'x', 0)\n  return 'first'\n"
                              "def second(d, w):\n  return 'second'\n");
    static const RigDefinition first[] = {{"p", "t/p", "a.py", "first", "g", NULL}, {NULL}};
    static const RigDefinition second[] = {
        {"p", "t/p", "a.py", "second", "g", ", \"memory_mb\": 300"}, {NULL}};
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g", "g/v1", first}, &config);
    uint64_t ticket = hold_call(rig, config, "p");
    upload(rig, config, "p", "g");
    upload(rig, config, "p", "g");
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", second});
    upload(rig, config, "p", "g");
    let_go(rig, ticket);
    rig_expect(rig, 0, "first");
    for (size_t i = 1; i <= 3; i++) {
        rig_expect(rig, i, "second");
    }
    assert_int_equal(rig_status(rig, 0).dropped, 0);
    end(rig, config);
}

static void test_a_mistake_changes_nothing(void **state) {
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g", "g/v1", one}, &config);
    upload(rig, config, "p", "g");
    rig_wait_messages(rig, 1);
    static const RigDefinition wrong[] = {{"p", "t/p", "a.py", "nothing", "g", NULL}, {NULL}};
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", wrong});
    upload(rig, config, "p", "g"); // waits for the outcome
    rig_wait_log(rig, "what the configuration has for it now is not taken: its module cannot be "
                      "built: No main entry method found. nothing");
    rig_expect(rig, 1, "[2, 2, \"g\", \"v1\"]");
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", one});
    upload(rig, config, "p", "g");
    rig_expect(rig, 2, "[3, 3, \"g\", \"v1\"]");
    assert_int_equal(rig_status(rig, 0).restarts, 0);
    end(rig, config);
}

static bool is_gone(Rig *rig, const void *ctx) {
    return kill(*(const int *)ctx, 0) != 0;
}

static void test_a_message_is_removed(void **state) {
    static const RigDefinition only_q[] = {
        {.name = "q", .topic = "t/q", .script = "b.py", .groups = "g"}, {.name = NULL}};
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g", "g/v1", two}, &config);
    upload(rig, config, "p", "g");
    upload(rig, config, "q", "g");
    rig_wait_messages(rig, 2);
    int gone = rig_status(rig, 0).pid;
    int stays = rig_status(rig, 1).pid;
    uint64_t ticket = hold_call(rig, config, "p");
    upload(rig, config, "p", "g");
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", only_q});
    assert_int_equal(rig->dead_count, 2); // by the former number
    assert_true(rig->dead[0].entry == 0 && rig->dead[1].entry == 0);
    assert_non_null(strstr(rig->dead[0].reason, "not called: its message was removed"));
    assert_non_null(strstr(rig->dead[1].reason, "removed from the configuration during the call"));
    assert_int_equal(ps_script_host_worker_count(rig->host), 1);
    upload(rig, config, "q", "g");
    rig_expect(rig, 2, "[2, 2, \"g\", \"v1\"]");
    let_go(rig, ticket); // the call ends, nobody takes what it returns
    rig_wait(rig, is_gone, &gone, "the process of the removed message to end");
    assert_int_equal(rig->message_count, 3);
    assert_int_equal(rig_status(rig, 0).pid, stays);
    // It comes back, with numbers that nobody has seen.
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", two});
    upload(rig, config, "p", "g");
    rig_expect(rig, 3, "[1, 2, \"g\", \"v1\"]");
    PsDiag diag = {0};
    assert_int_equal(
        ps_script_host_replay(rig->host, PS_SCRIPT_PUBLISH, 0, &rig->dead[0].kept, 1, &diag),
        PS_OK);
    rig_expect(rig, 4, "[2, 3, \"g\", \"v1\"]");
    end(rig, config);
}

static void test_a_removed_script_that_hangs_is_ended(void **state) {
    static const RigDefinition none[] = {{.name = NULL}};
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g", "g/v1", one}, &config);
    (void)hold_call(rig, config, "p"); // for ever
    int gone = rig_status(rig, 0).pid;
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", none});
    rig_wait(rig, is_gone, &gone, "the hanging process to end");
    assert_int_equal(ps_script_host_worker_count(rig->host), 0);
    assert_int_equal(rig->dead_count, 1);
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", two});
    upload(rig, config, "q", "g");
    rig_expect(rig, 0, "[1, 1, \"g\", \"v1\"]");
    (void)hold_call(rig, config, "q");
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", none});
    end(rig, config); // while it leaves
}

static void test_the_first_messages_of_a_host(void **state) {
    static const RigDefinition none[] = {{.name = NULL}};
    static const RigDefinition both[] = {
        {"p", "t/p", "a.py", NULL, "g", NULL}, {"s", "t/s", "s.py", NULL, NULL, NULL}, {NULL}};
    config_rig_script("s.py", "def main(topic, payload, w):\n"
                              "  w.save_data({'topic': 'back', 'qos': 1, 'payload': payload})\n");
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g", "g/v1", none}, &config);
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", both});
    upload(rig, config, "p", "g");
    rig_expect(rig, 0, "[1, 1, \"g\", \"v1\"]");
    assert_int_equal(ps_script_host_receive(rig->host, 0, "t/s", "hello", 5, 1), PS_OK);
    rig_expect(rig, 1, "hello");
    static const RigDefinition only_s[] = {{"s", "t/s", "s.py", NULL, NULL, NULL}, {NULL}};
    int pid = rig_status(rig, 1).pid;
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", only_s});
    assert_int_equal(ps_script_host_receive(rig->host, 0, "t/s", "again", 5, 1), PS_OK);
    rig_expect(rig, 2, "again");
    assert_int_equal(rig_status(rig, 0).pid, pid);
    end(rig, config);
}

static void test_before_it_is_started(void **state) {
    Rig *rig = rig_new();
    rig->now_answer = 1;
    PsConfig *config = config_rig_make(&(RigPlan){"g", "g/v1", two});
    rig_start_with(rig, config);
    // Its penstock-script is not up yet.
    static const RigDefinition other[] = {
        {"q", "t/q", "a.py", NULL, "g", NULL}, {"r", "t/r", "b.py", NULL, "g", NULL}, {NULL}};
    upload(rig, config, "p", "g");
    upload(rig, config, "q", "g");
    config = config_rig_change(rig, config, &(RigPlan){"h g", "h/v1 g/v2", other});
    assert_int_equal(rig->dead_count, 1);
    upload(rig, config, "r", "g");
    rig_wait_messages(rig, 2);
    assert_int_equal(rig_status(rig, 0).restarts + rig_status(rig, 1).restarts, 0);
    end(rig, config);
}

static void test_held_scripts(void **state) {
    PsConfig *config = NULL;
    config_rig_script("a.py", "def main(d, w):\n  return (\n");
    Rig *rig = begin(&(RigPlan){"g", "g/v1", two}, &config);
    rig_wait_state(rig, 0, PS_WORKER_HELD);
    static const RigDefinition swapped[] = {
        {"q", "t/q", "b.py", NULL, "g", NULL}, {"p", "t/other", "a.py", NULL, "g", NULL}, {NULL}};
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", swapped});
    assert_int_equal(rig_status(rig, 1).state, PS_WORKER_HELD);
    PsErr err = config_rig_upload(rig, config, "p", "g", 1);
    assert_int_equal(err, PS_ERR_CLOSED);
    assert_true(rig->dead_count == 1 && rig->dead[0].entry == 1);
    write_scripts();
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", swapped});
    rig_wait_state(rig, 1, PS_WORKER_RUNNING);
    upload(rig, config, "p", "g");
    rig_expect(rig, 0, "[1, 1, \"g\", \"v1\"]");
    end(rig, config);
}

static int restore(void **state) {
    write_scripts();
    return 0;
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_contents_of_groups_change, restore),
        cmocka_unit_test_setup(test_what_needs_no_process, restore),
        cmocka_unit_test_setup(test_a_changed_script_takes_over_alone, restore),
        cmocka_unit_test_setup(test_a_saved_script_is_no_change, restore),
        cmocka_unit_test_setup(test_what_waits_is_run_by_the_new_function, restore),
        cmocka_unit_test_setup(test_a_mistake_changes_nothing, restore),
        cmocka_unit_test_setup(test_a_message_is_removed, restore),
        cmocka_unit_test_setup(test_a_removed_script_that_hangs_is_ended, restore),
        cmocka_unit_test_setup(test_the_first_messages_of_a_host, restore),
        cmocka_unit_test_setup(test_before_it_is_started, restore),
        cmocka_unit_test_setup(test_held_scripts, restore),
    };
    return cmocka_run_group_tests(tests, config_rig_setup, config_rig_teardown);
}
