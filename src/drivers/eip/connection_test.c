// Making, losing and giving back a connection, against a controller on loopback.
#include "drivers/eip/test_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void a_smaller_connection_or_none_will_do(void **state) {
    EipFixture *f = *state;
    eip_add_plant(f);
    eip_add(f, "Count");
    eip_add(f, "Name");
    f->server->large_open_status = 0x08;
    eip_open_session(f);
    assert_non_null(strstr(f->session->note, "messages of 504 bytes"));
    eip_read_well(f);
    eip_assert_sample(f, 0, ps_value_int(476));
    ps_eip_driver.disconnect(f->session);
    assert_int_equal(f->server->closes, 1);
    f->server->large_open_status = 0x01;
    f->server->large_open_extended = 0x0113;
    int opens = f->server->opens;
    assert_int_equal(ps_eip_driver.connect(f->session, &f->diag), PS_OK);
    assert_int_equal(f->server->opens, opens + 1); // a smaller one would be one as well
    assert_non_null(strstr(f->session->note, "no CIP connection: all its connections are taken"));
    int wrapped = f->server->wrapped;
    eip_read_well(f);
    eip_assert_sample(f, 0, ps_value_int(476));
    eip_assert_sample(f, 1, ps_value_text("Pump", 4));
    assert_true(f->server->wrapped > wrapped);
}

static void an_offered_size_is_taken(void **state) {
    EipFixture *f = *state;
    eip_add_plant(f);
    eip_add(f, "Count");
    f->server->offered_size = 1996;
    f->server->duplicates = 2; // its serial number is taken: another one
    eip_open_session(f);
    assert_non_null(strstr(f->session->note, "messages of 1996 bytes"));
    assert_int_equal(f->server->opens, 4);
    eip_read_well(f);
    eip_assert_sample(f, 0, ps_value_int(476));
}

static void unconnected_and_without_a_route(void **state) {
    EipFixture *f = *state;
    eip_add_plant(f);
    eip_add(f, "Count");
    f->device.connected = false;
    f->device.route = "none";
    eip_open_session(f);
    assert_non_null(strstr(f->session->note, "no CIP connection: as the configuration says"));
    eip_read_well(f);
    eip_assert_sample(f, 0, ps_value_int(476));
    assert_int_equal(f->server->opens, 0);
    assert_int_equal(f->server->wrapped, 0);
    ps_eip_driver.disconnect(f->session);
    assert_false(ps_eip_driver.connected(f->session));
}

static void a_wrong_slot_is_told_at_connect(void **state) {
    EipFixture *f = *state;
    f->server->large_open_status = 0x01;
    f->server->large_open_extended = 0x0312;
    eip_make_session(f);
    assert_int_equal(ps_eip_driver.connect(f->session, &f->diag), PS_ERR_CLOSED);
    assert_non_null(strstr(f->diag.text, "route 1,0: the route names an address with nothing"));
    assert_false(ps_eip_driver.connected(f->session));
}

static void a_silent_controller_costs_one_time_limit(void **state) {
    EipFixture *f = *state;
    eip_add_plant(f);
    eip_add(f, "Count");
    f->device.timeout = 0.1;
    eip_open_session(f);
    eip_read_well(f);
    f->server->silent = true;
    PsMono start = ps_mono_now();
    assert_int_equal(eip_read_all(f), PS_ERR_TIMEOUT);
    assert_true(ps_mono_diff_ns(ps_mono_now(), start) >= PS_NS_PER_S / 10);
    assert_int_equal(f->batch->sample_count, 0);
    assert_false(ps_eip_driver.connected(f->session));
    assert_int_equal(eip_read_all(f), PS_ERR_CLOSED);
    f->server->silent = false;
    assert_int_equal(ps_eip_driver.connect(f->session, &f->diag), PS_OK);
    eip_read_well(f);
    eip_assert_sample(f, 0, ps_value_int(476));
}

static void answers_to_others_are_counted_and_not_believed(void **state) {
    EipFixture *f = *state;
    eip_add_plant(f);
    eip_add(f, "Count");
    f->server->stray = true;
    eip_open_session(f);
    uint64_t late = f->session->counters.late;
    assert_true(late > 0);
    eip_read_well(f);
    eip_assert_sample(f, 0, ps_value_int(476));
    assert_int_equal(f->session->counters.late, late + 1);
    f->device.connected = false;
    assert_false(ps_eip_driver.replan(f->session, &f->endpoint)); // by another way: anew
    assert_int_equal(ps_eip_driver.connect(f->session, &f->diag), PS_OK);
    eip_read_well(f);
    eip_assert_sample(f, 0, ps_value_int(476));
    assert_true(f->session->counters.late > late + 1);
}

static void answers_longer_than_the_connection_are_taken(void **state) {
    EipFixture *f = *state;
    eip_add_plant(f);
    eip_add(f, "Count");
    eip_open_session(f);
    f->server->padded = true;
    eip_read_well(f);
    eip_assert_sample(f, 0, ps_value_int(476));
    f->server->padded = false;
    eip_read_well(f);
    eip_assert_sample(f, 0, ps_value_int(476));
}

static void garbage_ends_the_connection(void **state) {
    EipFixture *f = *state;
    eip_add_plant(f);
    eip_add(f, "Name");
    eip_open_session(f);
    f->server->garbage = true;
    assert_int_equal(eip_read_all(f), PS_ERR_PROTOCOL);
    assert_non_null(strstr(f->diag.text, "no answer of EtherNet/IP"));
    assert_false(ps_eip_driver.connected(f->session));
}

static void *interrupt_soon(void *arg) {
    EipFixture *f = arg;
    while (f->server->frames == 0) {
        usleep(1000);
    }
    ps_eip_driver.interrupt(f->session);
    return NULL;
}

static void an_interrupt_ends_a_wait_and_the_connection_is_given_back(void **state) {
    EipFixture *f = *state;
    eip_add_plant(f);
    eip_add(f, "Count");
    f->device.timeout = 60;
    eip_open_session(f);
    f->server->frames = 0;
    f->server->silent = true;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, f), 0);
    PsMono start = ps_mono_now();
    assert_int_equal(eip_read_all(f), PS_ERR_CANCELLED);
    assert_true(ps_mono_diff_ns(ps_mono_now(), start) < 30 * PS_NS_PER_S);
    pthread_join(thread, NULL);
    assert_int_equal(ps_eip_driver.connect(f->session, &f->diag), PS_ERR_CANCELLED);
}

static void goodbye_is_said(void **state) {
    EipFixture *f = *state;
    eip_open_session(f);
    ps_eip_driver.disconnect(f->session);
    assert_int_equal(f->server->closes, 1);
    // The server may still be reading it.
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), 10 * PS_NS_PER_S);
    while (f->server->unregisters == 0 && ps_mono_now().ns < deadline.ns) {
        usleep(1000);
    }
    assert_int_equal(f->server->unregisters, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        EIP_TEST(a_smaller_connection_or_none_will_do),
        EIP_TEST(an_offered_size_is_taken),
        EIP_TEST(unconnected_and_without_a_route),
        EIP_TEST(a_wrong_slot_is_told_at_connect),
        EIP_TEST(a_silent_controller_costs_one_time_limit),
        EIP_TEST(answers_to_others_are_counted_and_not_believed),
        EIP_TEST(answers_longer_than_the_connection_are_taken),
        EIP_TEST(garbage_ends_the_connection),
        EIP_TEST(an_interrupt_ends_a_wait_and_the_connection_is_given_back),
        EIP_TEST(goodbye_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
