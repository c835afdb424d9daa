// A draft beside the live script while the configuration changes. Two hosts with a penstock-script
// each on one loop; each former configuration is freed at once.
#include "script/canary.h"
#include "script/config_rig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CALLS 1000
#define NAMES                                                                                      \
    "def main(d, w):\n  return [w.sequence()['sequence'], sorted(d['values'].get('A', {}))]\n"

typedef struct Both {
    Rig *rig;
    PsConfig *config;
    PsCanary *canary;
    int64_t collected_ns;
    bool closed;
} Both;

static const RigDefinition p_q[] = {
    {"p", "t/p", "p.py", NULL, "g", NULL}, {"q", "t/q", "q.py", NULL, "g", NULL}, {NULL}};
static const RigDefinition q_p[] = {
    {"q", "t/q", "q.py", NULL, "g", NULL}, {"p", "t/p", "p.py", NULL, "g", NULL}, {NULL}};
static const RigDefinition longer[] = {{"p", "t/p", "p.py", NULL, "g", ", \"timeout\": 40"},
                                       {NULL}};
static const RigDefinition q_only[] = {{"q", "t/q", "q.py", NULL, "g", NULL}, {NULL}};

static void on_message(const PsScriptPublish *publish, void *ctx) {
    const Both *both = ctx;
    ps_canary_live(both->canary, publish);
}

static Both begin(void) {
    config_rig_script("p.py", NAMES);
    config_rig_script("q.py", NAMES);
    Both both = {.rig = rig_new()};
    both.config = config_rig_make(&(RigPlan){"g", "g/v1 g/v2", p_q});
    rig_start_with(both.rig, both.config);
    both.canary = ps_canary_new(&both.rig->loop, both.config, both.rig->host,
                                getenv("PENSTOCK_SCRIPT"), NULL);
    return both;
}

static void start(Both *both, const char *draft) {
    both->rig->on_message = on_message;
    both->rig->hook_ctx = both;
    PsBuf source = {0};
    ps_buf_put(&source, draft, strlen(draft));
    PsDiag diag = {0};
    assert_int_equal(ps_canary_start(both->canary, "p", &source, CALLS, &diag), PS_OK);
}

static void change(Both *both, const RigPlan *plan) {
    PsConfig *config = config_rig_make(plan);
    PsConfigMap *map = ps_config_map_new(both->config, config);
    ps_script_host_apply(both->rig->host, config, map, NULL);
    ps_canary_apply(both->canary, config, map);
    ps_config_map_free(map);
    ps_config_free(both->config);
    both->config = config;
}

static void upload(Both *both) {
    const PsConfig *config = both->config;
    uint32_t publish = config_rig_publish(config, "p");
    PsUploadItem items[8];
    PsUpload upload = {.group = config->publish[publish].groups[0],
                       .collected = {both->collected_ns += PS_NS_PER_S},
                       .items = items};
    for (uint32_t i = 0; i < config->variable_count; i++) {
        items[upload.item_count++] =
            (PsUploadItem){.variable = i, .good = true, .value = ps_value_int(i)};
    }
    assert_int_equal(ps_script_host_collect(both->rig->host, publish, &upload), PS_OK);
    ps_canary_upload(both->canary, publish, &upload);
}

// Uploads, one after the other, until the canary has compared `calls` of them. The draft has time
// to answer, as between the uploads of a plant.
static void compare(Both *both, uint64_t calls) {
    while (ps_canary_report(both->canary)->calls < calls) {
        size_t before = both->rig->message_count;
        upload(both);
        rig_wait_messages(both->rig, before + 1);
        uv_sleep(10);
        assert_int_equal(ps_canary_report(both->canary)->state, PS_CANARY_RUNNING);
    }
}

static bool is_finished(Rig *rig, const void *ctx) {
    const Both *both = ctx;
    return ps_canary_report(both->canary)->state == PS_CANARY_FINISHED;
}

static void expect_end(Both *both, const char *error) {
    rig_wait(both->rig, is_finished, both, "the canary to end");
    assert_string_equal(ps_canary_report(both->canary)->error, error);
}

static void on_closed(void *ctx) {
    Both *both = ctx;
    both->closed = true;
}

static bool is_closed(Rig *rig, const void *ctx) {
    return ((const Both *)ctx)->closed;
}

static void end(Both *both) {
    both->rig->on_message = NULL;
    ps_canary_close(both->canary, on_closed, both);
    rig_wait(both->rig, is_closed, both, "the canary to close");
    ps_canary_free(both->canary);
    rig_free(both->rig);
    ps_config_free(both->config);
}

static void test_it_goes_on_when_its_message_does(void **state) {
    Both both = begin();
    start(&both, NAMES);
    compare(&both, 3);
    change(&both, &(RigPlan){"h g", "g/v3 g/v1", q_p});
    upload(&both);
    change(&both, &(RigPlan){"g", "g/v3 g/v1 g/v7", p_q});
    compare(&both, 20);
    const PsCanaryReport *report = ps_canary_report(both.canary);
    assert_string_equal(report->draft, ""); // where it differs, the draft was late
    assert_true(report->same > 10);
    change(&both, &(RigPlan){"g", "g/v1", longer});
    expect_end(&both, "the configuration of its message was changed");
    start(&both, NAMES); // another one
    compare(&both, 1);
    end(&both);
}

static void test_its_message_is_removed(void **state) {
    Both both = begin();
    start(&both, NAMES);
    compare(&both, 1);
    change(&both, &(RigPlan){"g", "g/v1", q_only});
    change(&both, &(RigPlan){"g", "g/v1", p_q}); // while it stops
    expect_end(&both, "its message was removed from the configuration");
    end(&both);
}

static void test_the_live_script_is_changed(void **state) {
    Both both = begin();
    start(&both, "import time\ntime.sleep(0.1)\n" NAMES);
    config_rig_script("p.py", "def main(d, w):\n  return 'new'\n");
    change(&both, &(RigPlan){"g", "g/v1", p_q});
    expect_end(&both, "the configuration of its message was changed");
    change(&both, &(RigPlan){"g", "g/v1", q_only});
    end(&both);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_goes_on_when_its_message_does),
        cmocka_unit_test(test_its_message_is_removed),
        cmocka_unit_test(test_the_live_script_is_changed),
    };
    return cmocka_run_group_tests(tests, config_rig_setup, config_rig_teardown);
}
