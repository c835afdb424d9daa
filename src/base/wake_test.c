// Tests of the wake-up of a loop: none is lost, many become one, it ends cleanly.
#include "base/wake.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define SENDS 20000

typedef struct Rig {
    uv_loop_t loop;
    PsWake wake;
    atomic_uint put; // what the sender has written so far
    unsigned seen;
    unsigned calls;
    bool closed;
} Rig;

static void on_closed(PsWake *wake) {
    ((Rig *)wake->data)->closed = true;
}

static void on_wake(PsWake *wake) {
    Rig *rig = wake->data;
    rig->calls++;
    rig->seen = atomic_load(&rig->put);
    if (rig->seen == SENDS) {
        ps_wake_close(wake, on_closed);
    }
}

static void *send_all(void *ctx) {
    Rig *rig = ctx;
    for (unsigned i = 1; i <= SENDS; i++) {
        atomic_store(&rig->put, i);
        ps_wake_send(&rig->wake);
    }
    return NULL;
}

static void rig_run(Rig *rig) {
    assert_int_equal(uv_run(&rig->loop, UV_RUN_DEFAULT), 0);
    assert_true(rig->closed);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
}

// The loop ends only when it has seen the last one: were it lost, the test would hang.
static void test_the_last_send_is_seen(void **state) {
    Rig rig = {0};
    pthread_t thread;
    assert_int_equal(uv_loop_init(&rig.loop), 0);
    assert_int_equal(ps_wake_init(&rig.wake, &rig.loop, on_wake, &rig), PS_OK);
    assert_int_equal(pthread_create(&thread, NULL, send_all, &rig), 0);
    uv_run(&rig.loop, UV_RUN_DEFAULT);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(rig.seen, SENDS);
    assert_in_range(rig.calls, 1, SENDS);
    rig_run(&rig);
}

static void test_many_sends_are_one_call(void **state) {
    Rig rig = {0};
    assert_int_equal(uv_loop_init(&rig.loop), 0);
    assert_int_equal(ps_wake_init(&rig.wake, &rig.loop, on_wake, &rig), PS_OK);
    send_all(&rig);
    rig_run(&rig);
    assert_int_equal(rig.calls, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_send_is_seen),
        cmocka_unit_test(test_many_sends_are_one_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
