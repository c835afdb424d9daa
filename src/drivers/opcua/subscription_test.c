// Values that come by themselves, from an in-process server of the same library.
#include "drivers/opcua/session.h"
#include "drivers/opcua/test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const PsDriver *const driver = &ps_opcua_driver;
static Rig rig;

static int set_up(void **state) {
    rig_begin(&rig);
    return 0;
}

static int tear_down(void **state) {
    rig_end(&rig);
    return 0;
}

static void watch(const char *identifier) {
    rig_add(&rig, identifier)->mode = PS_MODE_ONCHANGE;
}

static void set_counter(UA_UInt32 number) {
    UA_Variant value;
    UA_Variant_setScalar(&value, &number, &UA_TYPES[UA_TYPES_UINT32]);
    ps_opcua_test_server_set(rig.server, "Counter", value);
}

static void begin(void) {
    rig_start(&rig, &(PsOpcuaTestSetup){0});
    watch("Counter");
    rig_open(&rig);
    rig_connect(&rig);
}

static uint32_t first_watched(void) {
    uint32_t at = 0;
    while (rig.variables[at].mode != PS_MODE_ONCHANGE) {
        at++;
    }
    return at;
}

// Polls until a poll costs what is expected while nothing is read.
static void wait_until_watched(uint64_t requests) {
    PsMono start = ps_mono_now();
    for (;;) {
        uint64_t before = rig.session->counters.requests;
        assert_int_equal(rig_read(&rig), PS_OK);
        bool watched = ps_opcua_session(rig.session)->plans[0].items[first_watched()].watched;
        if (watched && rig.session->counters.requests - before == requests) {
            return;
        }
        assert_true(ps_mono_diff_ns(ps_mono_now(), start) < 10 * PS_NS_PER_S);
        usleep(20 * 1000);
    }
}

static void test_changes_come(void **state) {
    begin();
    rig_wait_integer(&rig, 0, 7);
    wait_until_watched(1);
    set_counter(8);
    rig_wait_integer(&rig, 0, 8);
    set_counter(9);
    rig_wait_integer(&rig, 0, 9);
    assert_int_equal(rig.batch->sample_count, 1);
    assert_int_equal(ps_opcua_test_server_subscriptions(rig.server), 1);
}

static void test_beside_others(void **state) {
    rig_start(&rig, &(PsOpcuaTestSetup){0});
    rig_add(&rig, "Setpoint");
    watch("Counter");
    watch("Nowhere");
    watch("Recipe");
    watch("Failed");
    rig_open(&rig);
    rig_connect(&rig);
    rig_wait_integer(&rig, 1, 7);
    wait_until_watched(1);
    assert_int_equal(rig_read(&rig), PS_OK);
    assert_int_equal(rig.batch->sample_count, 5);
    assert_int_equal(rig_sample(&rig, 0)->value.integer, -5);
    assert_int_equal(rig_sample(&rig, 2)->quality, PS_QUALITY_REFUSED);
    assert_int_equal(rig_sample(&rig, 3)->quality, PS_QUALITY_GOOD);
    assert_memory_equal(rig_sample(&rig, 3)->value.text, "bread", 5);
    assert_int_equal(rig_sample(&rig, 4)->quality, PS_QUALITY_AWAY);
    assert_non_null(strstr(rig.diag.text, "Nowhere"));
}

static void test_made_again_after_a_restart(void **state) {
    begin();
    int port = ps_opcua_test_server_port(rig.server);
    rig_wait_integer(&rig, 0, 7);
    wait_until_watched(1);
    ps_opcua_test_server_stop(rig.server);
    rig_start(&rig, &(PsOpcuaTestSetup){.port = port});
    set_counter(20);
    assert_int_equal(rig_read(&rig), PS_ERR_CLOSED);
    rig_connect(&rig);
    assert_int_equal(rig_read(&rig), PS_OK); // read at once, watched later
    assert_int_equal(rig_sample(&rig, 0)->value.integer, 20);
    wait_until_watched(1);
    set_counter(21);
    rig_wait_integer(&rig, 0, 21);
}

static void test_replans_leave_nothing_behind(void **state) {
    static PsPollSet set;
    static PsEndpoint endpoints[2];
    begin();
    set = rig.set;
    for (int i = 0; i < 20; i++) {
        endpoints[i % 2] = rig.endpoint;
        endpoints[i % 2].sets = &set;
        rig_wait_integer(&rig, 0, 7);
        wait_until_watched(1);
        assert_true(driver->replan(rig.session, &endpoints[i % 2]));
    }
    rig_wait_integer(&rig, 0, 7);
    assert_int_equal(ps_opcua_test_server_subscriptions(rig.server), 1);
}

static void test_a_long_pause_between_polls(void **state) {
    begin();
    rig_wait_integer(&rig, 0, 7);
    wait_until_watched(1);
    PsMono start = ps_mono_now();
    for (UA_UInt32 i = 100; ps_mono_diff_ns(ps_mono_now(), start) < 3 * PS_NS_PER_S; i++) {
        set_counter(i); // more than the server has requests for
        usleep(50 * 1000);
    }
    set_counter(5);
    rig_wait_integer(&rig, 0, 5);
    assert_int_equal(ps_opcua_test_server_subscriptions(rig.server), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_changes_come),
        TEST(test_beside_others),
        TEST(test_made_again_after_a_restart),
        TEST(test_replans_leave_nothing_behind),
        TEST(test_a_long_pause_between_polls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
