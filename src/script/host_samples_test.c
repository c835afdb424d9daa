// Samples that wait for the end of an upload interval: when the script gets them, over changes of
// the configuration, ends of its process and too many of them. A real penstock-script, one loop.
#include "script/config_rig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SAYS                                                                                       \
    "def main(d, w):\n"                                                                            \
    "  return [d['group_name'], round(d['timestamp'] * 1e3), ' "                                   \
    "'.join(sorted(d['values']['A']))]\n"
// For more calls than the rig keeps messages of.
#define QUIET "def main(d, w):\n  pass\n"
#define MS INT64_C(1000000)

static const RigDefinition one[] = {
    {.name = "p", .topic = "t/p", .script = "says.py", .groups = "g"}, {.name = NULL}};
static const RigDefinition both[] = {
    {.name = "p", .topic = "t/p", .script = "says.py", .groups = "g h"}, {.name = NULL}};

static int set_up(void **state) {
    int failed = config_rig_setup(state);
    config_rig_script("says.py", SAYS);
    config_rig_script("quiet.py", QUIET);
    return failed;
}

static Rig *begin(const RigPlan *plan, PsConfig **ret_config) {
    Rig *rig = rig_new();
    *ret_config = config_rig_make(plan);
    rig_start_with(rig, *ret_config);
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
    return rig;
}

static void end(Rig *rig, PsConfig *config) {
    rig_free(rig);
    ps_config_free(config);
}

static void sample(Rig *rig, const PsConfig *config, const char *group, int64_t ms) {
    assert_int_equal(config_rig_sample(rig, config, "p", group, ms * MS), PS_OK);
}

static void upload(Rig *rig, const PsConfig *config, const char *group, int64_t ms) {
    assert_int_equal(config_rig_upload(rig, config, "p", group, ms * MS), PS_OK);
}

static uint64_t waiting(const Rig *rig, uint32_t group, uint64_t *ret_set_aside) {
    uint64_t count;
    ps_script_host_samples(rig->host, group, &count, ret_set_aside);
    return count;
}

// More than the queue for other inputs holds.
static void all_wait_and_come_in_order(void **state) {
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g*", "g/v1", one}, &config);
    uint64_t set_aside = 1;
    for (int64_t ms = 1; ms < RIG_MESSAGES; ms++) {
        sample(rig, config, "g", ms);
    }
    assert_int_equal(waiting(rig, 0, &set_aside), RIG_MESSAGES - 1);
    assert_int_equal(rig_status(rig, 0).queued, RIG_MESSAGES - 1);
    assert_true(rig_status(rig, 0).calls == 0 && set_aside == 0);
    upload(rig, config, "g", RIG_MESSAGES);
    rig_wait_messages(rig, RIG_MESSAGES);
    for (int64_t i = 0; i < RIG_MESSAGES; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "[\"g\", %d, \"v1\"]", (int)i + 1);
        rig_expect(rig, (size_t)i, expected);
        assert_int_equal(rig->messages[i].collected.ns, (i + 1) * MS);
    }
    assert_int_equal(waiting(rig, 0, &set_aside), 0);
    end(rig, config);
}

// Each group by its own interval; what need not wait does not.
static void groups_do_not_wait_for_each_other(void **state) {
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g* h*", "g/v1 h/v2", both}, &config);
    sample(rig, config, "g", 1);
    sample(rig, config, "h", 2);
    sample(rig, config, "g", 3);
    config_rig_flush(rig, config, "p", "h");
    rig_expect(rig, 0, "[\"h\", 2, \"v2\"]");
    config_rig_flush(rig, config, "p", "h"); // nothing waits
    config_rig_flush(rig, config, "p", "g");
    rig_expect(rig, 1, "[\"g\", 1, \"v1\"]");
    rig_expect(rig, 2, "[\"g\", 3, \"v1\"]");
    sample(rig, config, "g", 4);
    end(rig, config); // a stop without dead letters' keeper: given up, nothing leaks
}

static void a_change_keeps_what_waits(void **state) {
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g*", "g/v1 g/v2", one}, &config);
    sample(rig, config, "g", 1);
    config = config_rig_change(rig, config, &(RigPlan){"x g*", "x/v3 g/v4", one});
    sample(rig, config, "g", 2);
    uint64_t set_aside;
    assert_int_equal(waiting(rig, 1, &set_aside), 2);
    assert_int_equal(rig_status(rig, 0).calls, 0);
    upload(rig, config, "g", 3);
    rig_expect(rig, 0, "[\"g\", 1, \"v1 v2\"]"); // with the names it was collected with
    rig_expect(rig, 1, "[\"g\", 2, \"v4\"]");
    rig_expect(rig, 2, "[\"g\", 3, \"v4\"]");
    end(rig, config);
}

// Without the option, the message or the group there is no end of an interval to wait for.
static void a_change_releases_what_has_nothing_to_wait_for(void **state) {
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g* h*", "g/v1 h/v2", both}, &config);
    sample(rig, config, "g", 1);
    config = config_rig_change(rig, config, &(RigPlan){"g h*", "g/v1 h/v2", both});
    rig_expect(rig, 0, "[\"g\", 1, \"v1\"]");
    sample(rig, config, "h", 2);
    config = config_rig_change(rig, config, &(RigPlan){"g h*", "g/v1 h/v2", one});
    rig_expect(rig, 1, "[\"h\", 2, \"v2\"]");
    config = config_rig_change(rig, config, &(RigPlan){"g h*", "g/v1 h/v2", both});
    sample(rig, config, "h", 3);
    sample(rig, config, "h", 4);
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", one});
    rig_expect(rig, 2, "[\"h\", 3, \"v2\"]");
    rig_expect(rig, 3, "[\"h\", 4, \"v2\"]");
    end(rig, config);
}

// What is released when the option goes stays before what comes without it.
static void order_holds_when_the_option_goes(void **state) {
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g*", "g/v1", one}, &config);
    for (int64_t ms = 1; ms <= 5; ms++) {
        sample(rig, config, "g", ms);
    }
    config = config_rig_change(rig, config, &(RigPlan){"g", "g/v1", one});
    upload(rig, config, "g", 6);
    upload(rig, config, "g", 7);
    rig_wait_messages(rig, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(rig->messages[i].collected.ns, (int64_t)(i + 1) * MS);
    }
    end(rig, config);
}

static void the_end_of_a_process_costs_nothing_that_waits(void **state) {
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g*", "g/v1", one}, &config);
    sample(rig, config, "g", 1);
    sample(rig, config, "g", 2);
    kill(rig_status(rig, 0).pid, SIGKILL);
    rig_wait_log(rig, "2 inputs wait");
    sample(rig, config, "g", 3);
    upload(rig, config, "g", 4);
    rig_wait_messages(rig, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(rig->messages[i].collected.ns, (int64_t)(i + 1) * MS);
    }
    end(rig, config);
}

static void a_held_script_sets_them_aside(void **state) {
    static const RigDefinition broken[] = {
        {.name = "p", .topic = "t/p", .script = "broken.py", .groups = "g"}, {.name = NULL}};
    config_rig_script("broken.py", "def main(d, w:\n");
    PsConfig *config = config_rig_make(&(RigPlan){"g*", "g/v1", broken});
    Rig *rig = rig_new();
    rig_start_with(rig, config);
    sample(rig, config, "g", 1);
    rig_wait_state(rig, 0, PS_WORKER_HELD);
    assert_int_equal(rig->dead_count, 1);
    assert_int_equal(config_rig_sample(rig, config, "p", "g", 2 * MS), PS_ERR_CLOSED);
    assert_int_equal(rig->dead_count, 2);
    assert_int_equal(rig->dead[1].kept.collected.ns, 2 * MS);
    end(rig, config);
}

static void a_stop_lets_the_script_have_them(void **state) {
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g*", "g/v1", one}, &config);
    for (int64_t ms = 1; ms <= 5; ms++) {
        sample(rig, config, "g", ms);
    }
    rig_stop(rig);
    assert_true(rig->message_count == 5 && rig->dead_count == 0);
    end(rig, config);
}

static bool has_called(Rig *rig, const void *ctx) {
    return rig_status(rig, 0).calls >= *(const uint64_t *)ctx;
}

// The interval is too long for the queue: the script is called before it ends, nothing is lost.
static void many_do_not_wait_for_the_end(void **state) {
    static const RigDefinition quiet[] = {
        {.name = "p", .topic = "t/p", .script = "quiet.py", .groups = "g"}, {.name = NULL}};
    PsConfig *config = NULL;
    Rig *rig = begin(&(RigPlan){"g*", "g/v1", quiet}, &config);
    uint64_t limit = PS_SCRIPT_SAMPLES_MAX / 4 * 3;
    for (uint64_t ms = 1; ms < limit; ms++) {
        sample(rig, config, "g", (int64_t)ms);
    }
    uint64_t set_aside;
    assert_int_equal(waiting(rig, 0, &set_aside), limit - 1);
    assert_false(rig_logged(rig, "SAMPLES-EARLY"));
    sample(rig, config, "g", (int64_t)limit);
    rig_wait_log(rig, "samples of group 'g'");
    rig_wait(rig, has_called, &limit, "all samples");
    assert_int_equal(waiting(rig, 0, &set_aside), 0);
    assert_true(set_aside == 0 && rig->dead_count == 0);
    end(rig, config);
}

static size_t dead_seen;

static void count_dead(const PsScriptDead *dead, void *ctx) {
    dead_seen++;
    assert_int_equal(dead->kept->collected.ns, (int64_t)dead_seen * MS);
    assert_non_null(strstr(dead->reason, "too many samples of its group waited"));
}

// The script does not come: the oldest are set aside, counted, and the log names the group.
static void too_many_are_set_aside_and_counted(void **state) {
    static const RigDefinition stuck[] = {{.name = "p",
                                           .topic = "t/p",
                                           .script = "stuck.py",
                                           .groups = "g",
                                           .more = ", \"timeout\": 60"},
                                          {.name = NULL}};
    config_rig_script("stuck.py", "import time\ntime.sleep(3600)\ndef main(d, w):\n  pass\n");
    PsConfig *config = config_rig_make(&(RigPlan){"g*", "g/v1", stuck});
    Rig *rig = rig_new();
    rig_start_with(rig, config);
    dead_seen = 0;
    rig->on_dead = count_dead;
    for (int64_t ms = 1; ms <= PS_SCRIPT_SAMPLES_MAX + 5; ms++) {
        sample(rig, config, "g", ms);
    }
    uint64_t set_aside;
    assert_int_equal(waiting(rig, 0, &set_aside), PS_SCRIPT_SAMPLES_MAX);
    assert_true(set_aside == 5 && dead_seen == 5);
    assert_int_equal(rig_log_count(rig, "SAMPLES-LATE"), 1);
    assert_true(rig_logged(rig, "samples of group 'g' come"));
    rig->on_dead = NULL;
    end(rig, config);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_wait_and_come_in_order),
        cmocka_unit_test(groups_do_not_wait_for_each_other),
        cmocka_unit_test(a_change_keeps_what_waits),
        cmocka_unit_test(a_change_releases_what_has_nothing_to_wait_for),
        cmocka_unit_test(order_holds_when_the_option_goes),
        cmocka_unit_test(the_end_of_a_process_costs_nothing_that_waits),
        cmocka_unit_test(a_held_script_sets_them_aside),
        cmocka_unit_test(a_stop_lets_the_script_have_them),
        cmocka_unit_test(many_do_not_wait_for_the_end),
        cmocka_unit_test(too_many_are_set_aside_and_counted),
    };
    return cmocka_run_group_tests(tests, set_up, config_rig_teardown);
}
