// Cases of the conformance kit: connections, interrupts, new plans, and what a session costs. The
// test's thread; those that block are interrupted by a second one.
#include "drivers/kit/cases.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BLOCK_MS 150 // a call that has not come back by then is blocked
#define FILLERS 8
#define CONNECTS 200
#define WARM_UP 20
#define CYCLES 1000
#define SLACK_BYTES 4096U
#define CONNECTS_SLACK_BYTES (64U * 1024) // TLS-like libraries keep tables that grow in steps

void ps_kit_case_connects(void **state) {
    PsKit *kit = *state;
    const PsDriver *driver = kit->rig->driver;
    ps_kit_take_all(kit);
    ps_kit_open(kit);
    driver->disconnect(kit->session); // harmless
    assert_int_equal(ps_kit_read(kit, 0), PS_ERR_CLOSED);
    ps_kit_connect(kit);
    driver->disconnect(kit->session);
    driver->disconnect(kit->session);
    assert_false(driver->connected(kit->session));
    assert_int_equal(ps_kit_read(kit, 0), PS_ERR_CLOSED);
    ps_kit_connect(kit);
    assert_int_equal(ps_kit_read(kit, 0), PS_OK);
    assert_true(kit->session->counters.requests > 0 || kit->rig->in_process);
    driver->free(NULL);
}

// --- interrupts

typedef struct Blocked {
    PsKit *kit;
    PsErr (*call)(PsKit *kit);
    PsErr result;
    atomic_bool ended;
} Blocked;

static void *run_blocked(void *arg) {
    Blocked *blocked = arg;
    blocked->result = blocked->call(blocked->kit);
    atomic_store(&blocked->ended, true);
    return NULL;
}

// The call is on a thread of its own, as in the gateway, and must still be there when it is
// interrupted.
static void interrupt_call(PsKit *kit, PsErr (*call)(PsKit *)) {
    const PsDriver *driver = kit->rig->driver;
    unsigned threads = ps_kit_threads();
    Blocked blocked = {.kit = kit, .call = call};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_blocked, &blocked), 0);
    (void)poll(NULL, 0, BLOCK_MS);
    bool early = atomic_load(&blocked.ended);
    PsMono start = ps_mono_now();
    driver->interrupt(kit->session);
    pthread_join(thread, NULL);
    int64_t took = ps_mono_diff_ns(ps_mono_now(), start);
    if (early) {
        fail_msg("it did not block: %s: %s", ps_err_name(blocked.result), kit->diag.text);
    }
    assert_int_equal(blocked.result, PS_ERR_CANCELLED);
    if (took > ps_seconds_to_ns(PS_KIT_PROMPT_S)) {
        fail_msg("it came back %lld ms after the interrupt", (long long)(took / PS_NS_PER_MS));
    }
    PsValue back;
    PsPeek seen = {0};
    assert_int_equal(driver->connect(kit->session, &kit->diag), PS_ERR_CANCELLED);
    assert_int_equal(ps_kit_read(kit, 0), PS_ERR_CANCELLED);
    assert_int_equal(
        driver->write(kit->session, ps_kit_writable(kit, 0), ps_value_int(1), &back, &kit->diag),
        PS_ERR_CANCELLED);
    if (!kit->rig->no_peek) {
        assert_int_equal(driver->peek(kit->session, 0, &seen, &kit->diag), PS_ERR_CANCELLED);
    }
    start = ps_mono_now();
    driver->free(kit->session);
    kit->session = NULL;
    assert_true(ps_mono_diff_ns(ps_mono_now(), start) < ps_seconds_to_ns(PS_KIT_PROMPT_S));
    assert_int_equal(ps_kit_threads(), threads);
}

static PsErr call_read(PsKit *kit) {
    return ps_kit_read(kit, 0);
}

static PsErr call_write(PsKit *kit) {
    PsValue back;
    return kit->rig->driver->write(kit->session, ps_kit_writable(kit, 0), ps_value_int(1), &back,
                                   &kit->diag);
}

static PsErr call_peek(PsKit *kit) {
    PsPeek seen = {0};
    return kit->rig->driver->peek(kit->session, 0, &seen, &kit->diag);
}

static PsErr call_connect(PsKit *kit) {
    return kit->rig->driver->connect(kit->session, &kit->diag);
}

static void interrupt_in(PsKit *kit, PsErr (*call)(PsKit *), bool connected) {
    if (!ps_kit_has(kit, PS_KIT_SILENT)) {
        skip();
        return;
    }
    ps_kit_take_all(kit);
    ps_kit_open(kit);
    if (connected) {
        ps_kit_read_well(kit, 0);
    }
    ps_kit_turn(kit, PS_KIT_SILENT);
    interrupt_call(kit, call);
    if (!kit->rig->in_process) {
        ps_kit_end_faults(kit);
    }
}

void ps_kit_case_interrupt_read(void **state) {
    interrupt_in(*state, call_read, true);
}

void ps_kit_case_interrupt_write(void **state) {
    PsKit *kit = *state;
    if (kit->rig->in_process) {
        skip(); // its writes are over before anybody could interrupt them
        return;
    }
    interrupt_in(kit, call_write, true);
}

void ps_kit_case_interrupt_peek(void **state) {
    PsKit *kit = *state;
    if (kit->rig->in_process || kit->rig->no_peek) {
        skip();
        return;
    }
    interrupt_in(kit, call_peek, true);
}

void ps_kit_case_interrupt_handshake(void **state) {
    PsKit *kit = *state;
    if (!kit->rig->connect_asks) {
        skip();
        return;
    }
    interrupt_in(kit, call_connect, false);
}

// A port whose queue is full takes no connection and refuses none: connect waits.
static int full_port(int fillers[FILLERS], int *ret_port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    PS_ASSERT(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 0), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    *ret_port = ntohs(address.sin_port);
    for (int i = 0; i < FILLERS; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        PS_ASSERT(fillers[i] >= 0);
        (void)!connect(fillers[i], (struct sockaddr *)&address, sizeof address);
    }
    return listener;
}

void ps_kit_case_interrupt_connect(void **state) {
    PsKit *kit = *state;
    if (kit->plant == NULL || kit->rig->plant.line) {
        skip();
        return;
    }
    int fillers[FILLERS];
    int listener = full_port(fillers, &kit->device.port);
    ps_kit_take_all(kit);
    ps_kit_open(kit);
    interrupt_call(kit, call_connect);
    for (int i = 0; i < FILLERS; i++) {
        close(fillers[i]);
    }
    close(listener);
}

// --- plans

void ps_kit_case_replan_keeps_the_connection(void **state) {
    PsKit *kit = *state;
    ps_kit_take_all(kit);
    ps_kit_open(kit);
    ps_kit_connect(kit);
    assert_int_equal(ps_kit_read(kit, 0), PS_OK);
    uint32_t all = kit->sets[0].count;
    for (uint32_t count = 1; count <= all; count++) {
        kit->sets[0].count = count;
        kit->device.timeout = PS_KIT_LONG_S + count;
        ps_kit_replan(kit);
        assert_true(kit->rig->driver->connected(kit->session));
        assert_int_equal(ps_kit_read(kit, 0), PS_OK);
        ps_kit_expect(kit, count - 1, kit->rig->variables[count - 1].value);
    }
    kit->set_count = 0; // a device that is only written to
    ps_kit_replan(kit);
    assert_true(kit->rig->driver->connected(kit->session));
    ps_kit_write(kit, ps_kit_writable(kit, 0), ps_value_int(5));
    kit->set_count = 1;
    ps_kit_replan(kit);
    assert_int_equal(ps_kit_read(kit, 0), PS_OK);
}

// --- what it costs

static void connect_once(PsKit *kit) {
    ps_kit_connect(kit);
    assert_int_equal(ps_kit_read(kit, 0), PS_OK);
    kit->rig->driver->disconnect(kit->session);
}

void ps_kit_case_connects_leak_nothing(void **state) {
    PsKit *kit = *state;
    ps_kit_take_all(kit);
    ps_kit_open(kit);
    for (int i = 0; i < WARM_UP; i++) {
        connect_once(kit);
    }
    unsigned descriptors = ps_kit_descriptors();
    unsigned threads = ps_kit_threads();
    size_t allocated = ps_kit_allocated();
    for (int i = 0; i < CONNECTS; i++) {
        connect_once(kit);
    }
    assert_int_equal(ps_kit_descriptors(), descriptors);
    assert_int_equal(ps_kit_threads(), threads);
    size_t now = ps_kit_allocated();
    if (now > allocated + CONNECTS_SLACK_BYTES) {
        fail_msg("%zu bytes more after %d connections", now - allocated, CONNECTS);
    }
}

void ps_kit_case_cycles_take_no_memory(void **state) {
    PsKit *kit = *state;
    ps_kit_take_all(kit);
    ps_kit_open(kit);
    ps_kit_connect(kit);
    for (int i = 0; i < WARM_UP; i++) {
        assert_int_equal(ps_kit_read(kit, 0), PS_OK);
    }
    size_t allocated = ps_kit_allocated();
    for (int i = 0; i < CYCLES; i++) {
        assert_int_equal(ps_kit_read(kit, 0), PS_OK);
    }
    size_t now = ps_kit_allocated();
    if (now > allocated + SLACK_BYTES) {
        fail_msg("%zu bytes more after %d cycles", now - allocated, CYCLES);
    }
    assert_true(kit->rig->driver->connected(kit->session));
}
