// Looking into devices: those that have a channel and those that have no variables yet, with a
// driver made for this test.
#include "collect/collector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE_S 20
#define DEVICES 6U

// --- the driver ---------------------------------------------------------------------------------

// What the driver's sessions share with the test.
typedef struct Plant {
    atomic_int sessions;
    atomic_int connects;
    atomic_bool unplugged;
    atomic_bool silent; // a browse blocks until it is interrupted
} Plant;

static Plant plant;

typedef struct FakeSession {
    PsSession base;
    const PsEndpoint *endpoint;
    bool connected;
    atomic_bool interrupted;
} FakeSession;

static PsErr fake_check(const PsDevice *device, const PsVariable *variable, PsDiag *diag) {
    (void)device;
    (void)variable;
    (void)diag;
    return PS_OK;
}

static void fake_key(const PsConfig *config, const PsDevice *device, char *out, size_t size) {
    (void)config;
    snprintf(out, size, "%s", device->ip);
}

static const PsDriver fake_driver;

static PsErr fake_new(const PsEndpoint *endpoint, PsSession **ret_session, PsDiag *diag) {
    (void)diag;
    FakeSession *session = calloc(1, sizeof *session);
    assert_non_null(session);
    session->base.driver = &fake_driver;
    session->endpoint = endpoint;
    atomic_fetch_add(&plant.sessions, 1);
    *ret_session = &session->base;
    return PS_OK;
}

static FakeSession *fake(PsSession *session) {
    return (FakeSession *)session;
}

static bool fake_replan(PsSession *session, const PsEndpoint *endpoint) {
    fake(session)->endpoint = endpoint;
    return true;
}

static PsErr fake_connect(PsSession *session, PsDiag *diag) {
    atomic_fetch_add(&plant.connects, 1);
    if (atomic_load(&plant.unplugged)) {
        return ps_fail(PS_ERR_CLOSED, diag, NULL, NULL, "unplugged");
    }
    fake(session)->connected = true;
    return PS_OK;
}

static bool fake_connected(const PsSession *session) {
    return ((const FakeSession *)session)->connected;
}

static void fake_disconnect(PsSession *session) {
    fake(session)->connected = false;
}

static PsErr fake_read(PsSession *session, uint32_t set, PsSampleBatch *batch, PsDiag *diag) {
    (void)diag;
    const PsPollSet *asked = &fake(session)->endpoint->sets[set];
    for (uint32_t i = 0; i < asked->variable_count; i++) {
        ps_sample_batch_add(batch, asked->variables[i], PS_QUALITY_GOOD, ps_value_int(1));
    }
    return PS_OK;
}

static PsErr fake_browse(PsSession *session, uint32_t device, PsBrowse *browse, PsDiag *diag) {
    while (atomic_load(&plant.silent)) {
        if (atomic_load(&fake(session)->interrupted)) {
            return ps_fail(PS_ERR_CANCELLED, diag, NULL, NULL, "stopped");
        }
        struct timespec pause = {0, 1000000};
        nanosleep(&pause, NULL);
    }
    if (strcmp(browse->node, "nowhere") == 0) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, NULL, NULL, "no such node");
    }
    const char *name = fake(session)->endpoint->config->devices[device].name;
    browse->nodes[0] = (PsBrowseNode){.name = ps_arena_strdup(browse->arena, name),
                                      .node = "n",
                                      .type = "DINT",
                                      .address = "a",
                                      .data_type = PS_TYPE_DINT};
    browse->count = 1;
    browse->next = browse->after[0] == '\0' ? ps_arena_strdup(browse->arena, "more") : "";
    return PS_OK;
}

static void fake_interrupt(PsSession *session) {
    atomic_store(&fake(session)->interrupted, true);
}

static void fake_free(PsSession *session) {
    if (session != NULL) {
        atomic_fetch_sub(&plant.sessions, 1);
    }
    free(session);
}

static const PsDriver fake_driver = {
    .protocol = PS_PROTOCOL_OPCUA,
    .check_variable = fake_check,
    .endpoint_key = fake_key,
    .session_new = fake_new,
    .replan = fake_replan,
    .connect = fake_connect,
    .connected = fake_connected,
    .disconnect = fake_disconnect,
    .read = fake_read,
    .browse = fake_browse,
    .interrupt = fake_interrupt,
    .free = fake_free,
};

// In place of the registry's.
const PsDriver *ps_driver_find(int protocol) {
    return protocol == PS_PROTOCOL_OPCUA ? &fake_driver : NULL;
}

PsVariableCheck *ps_driver_check_for(int protocol) {
    (void)protocol;
    return fake_check;
}

// --- the collector ------------------------------------------------------------------------------

typedef struct Fixture {
    uv_loop_t loop;
    uv_timer_t tick;
    PsDevice devices[DEVICES];
    char names[DEVICES][16];
    PsGroup group;
    PsVariable variable;
    PsConfig config;
    PsConfig other; // takes its place
    PsTagTable *table;
    PsCollector *collector;
    bool stopped;
    unsigned done;
    PsErr result;
    PsDiag diag;
    char name[32];
    char next[16];
} Fixture;

static Fixture fixture; // one test at a time

static void on_tick(uv_timer_t *timer) {
    (void)timer; // the loop returns to the test, which looks at its condition
}

static bool wants_none(uint32_t group, void *ctx) {
    (void)group;
    (void)ctx;
    return false;
}

static int set_up(void **state) {
    memset(&fixture, 0, sizeof fixture);
    plant = (Plant){0};
    Fixture *f = &fixture;
    uv_loop_init(&f->loop);
    uv_timer_init(&f->loop, &f->tick);
    for (unsigned i = 0; i < DEVICES; i++) {
        snprintf(f->names[i], sizeof f->names[i], "plc%u", i);
        f->devices[i] = (PsDevice){.name = f->names[i],
                                   .ip = f->names[i],
                                   .serial_name = "",
                                   .protocol = PS_PROTOCOL_OPCUA,
                                   .timeout = 5};
    }
    f->group = (PsGroup){.name = "default", .polling_interval = 3600, .upload_interval = 3600};
    f->variable = (PsVariable){.name = "v",
                               .device_name = "plc0",
                               .data_type = PS_TYPE_DINT,
                               .register_bit = PS_UNSET,
                               .access = PS_ACCESS_READ};
    f->config = (PsConfig){.devices = f->devices,
                           .device_count = DEVICES,
                           .groups = &f->group,
                           .group_count = 1,
                           .variables = &f->variable,
                           .variable_count = 1};
    f->table = ps_tag_table_new(&f->config);
    PsCollectorSetup setup = {
        .loop = &f->loop, .config = &f->config, .table = f->table, .wants_uploads = wants_none};
    PsDiag diag = {0};
    if (ps_collector_new(&setup, &f->collector, &diag) != PS_OK ||
        ps_collector_start(f->collector, &diag) != PS_OK) {
        fail_msg("start: %s", diag.text);
    }
    *state = f;
    return 0;
}

static void on_stopped(void *ctx) {
    ((Fixture *)ctx)->stopped = true;
}

// Until `count` looks are done, or the collector has stopped when it is 0.
static void wait_for(Fixture *f, unsigned count) {
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), PATIENCE_S * PS_NS_PER_S);
    uv_timer_start(&f->tick, on_tick, 10, 10);
    while (!(count > 0 ? f->done >= count : f->stopped)) {
        if (ps_mono_now().ns > deadline.ns) {
            fail_msg("waited in vain");
        }
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&f->tick);
}

static void stop(Fixture *f) {
    ps_collector_stop(f->collector, on_stopped, f);
    wait_for(f, 0);
}

static int tear_down(void **state) {
    Fixture *f = *state;
    if (!f->stopped) {
        stop(f);
    }
    ps_collector_free(f->collector);
    ps_tag_table_free(f->table);
    uv_close((uv_handle_t *)&f->tick, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    assert_int_equal(atomic_load(&plant.sessions), 0);
    return 0;
}

static void on_browsed(PsErr result, const PsDiag *diag, const PsBrowse *browse, void *ctx) {
    Fixture *f = ctx;
    f->done++;
    f->result = result;
    f->diag = *diag;
    snprintf(f->name, sizeof f->name, "%s", browse->count > 0 ? browse->nodes[0].name : "");
    snprintf(f->next, sizeof f->next, "%s", browse->next);
}

static PsErr ask(Fixture *f, uint32_t device, const char *node, const char *after) {
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), PATIENCE_S * PS_NS_PER_S);
    return ps_collector_browse(f->collector, device, node, after, deadline, on_browsed, f,
                               &f->diag);
}

static PsErr browse(Fixture *f, uint32_t device, const char *node, const char *after) {
    f->done = 0;
    PsErr err = ask(f, device, node, after);
    if (err == PS_OK) {
        wait_for(f, 1);
        err = f->result;
    }
    return err;
}

static void a_device_with_variables_is_asked_over_its_connection(void **state) {
    Fixture *f = *state;
    assert_int_equal(browse(f, 0, "", ""), PS_OK);
    assert_string_equal(f->name, "plc0");
    assert_string_equal(f->next, "more");
    assert_int_equal(browse(f, 0, "", "more"), PS_OK);
    assert_string_equal(f->next, "");
    assert_int_equal(atomic_load(&plant.connects), 1);
}

static void one_without_gets_a_connection_that_is_used_again(void **state) {
    Fixture *f = *state;
    assert_int_equal(browse(f, 3, "", ""), PS_OK);
    assert_string_equal(f->name, "plc3");
    int connects = atomic_load(&plant.connects);
    assert_int_equal(browse(f, 3, "n", ""), PS_OK);
    assert_int_equal(atomic_load(&plant.connects), connects);
    assert_int_equal(ps_collector_channel_count(f->collector), 1); // no channel for the status
}

static void more_of_them_than_there_is_room_for_give_way(void **state) {
    Fixture *f = *state;
    for (uint32_t i = 1; i < DEVICES; i++) {
        assert_int_equal(browse(f, i, "", ""), PS_OK);
        assert_string_equal(f->name, f->names[i]);
    }
    atomic_store(&plant.silent, true);
    f->done = 0;
    for (uint32_t i = 1; i <= PS_GUESTS_MAX; i++) {
        assert_int_equal(ask(f, i, "", ""), PS_OK);
    }
    assert_int_equal(ask(f, PS_GUESTS_MAX + 1, "", ""), PS_ERR_FULL);
    atomic_store(&plant.silent, false);
    wait_for(f, PS_GUESTS_MAX);
}

static void failures_are_said(void **state) {
    Fixture *f = *state;
    assert_int_equal(browse(f, 1, "nowhere", ""), PS_ERR_NOT_FOUND);
    assert_string_equal(f->diag.object, "device 'plc1'");
    assert_int_equal(browse(f, DEVICES, "", ""), PS_ERR_NOT_FOUND);
    atomic_store(&plant.unplugged, true);
    assert_int_equal(browse(f, 2, "", ""), PS_ERR_CLOSED);
    assert_string_equal(f->diag.text, "unplugged");
    int connects = atomic_load(&plant.connects);
    atomic_store(&plant.unplugged, false);
    assert_int_equal(browse(f, 2, "", ""), PS_OK); // tried now, not after a pause
    assert_int_equal(atomic_load(&plant.connects), connects + 1);
}

static void stopping_ends_all_of_them(void **state) {
    Fixture *f = *state;
    atomic_store(&plant.silent, true);
    assert_int_equal(ask(f, 0, "", ""), PS_OK);
    assert_int_equal(ask(f, 1, "", ""), PS_OK);
    assert_int_equal(ask(f, 1, "n", ""), PS_OK);
    stop(f);
    assert_int_equal(f->done, 3);
    assert_int_equal(f->result, PS_ERR_CANCELLED);
}

static void another_configuration_ends_the_looks_of_guests(void **state) {
    Fixture *f = *state;
    atomic_store(&plant.silent, true);
    f->done = 0;
    assert_int_equal(ask(f, 1, "", ""), PS_OK);
    f->other = f->config;
    PsConfigMap *map = ps_config_map_new(&f->config, &f->other);
    ps_collector_apply(f->collector, &f->other, map, NULL);
    ps_config_map_free(map);
    wait_for(f, 1);
    assert_int_equal(f->result, PS_ERR_CANCELLED);
    atomic_store(&plant.silent, false);
    assert_int_equal(browse(f, 1, "", ""), PS_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_device_with_variables_is_asked_over_its_connection),
        TEST(one_without_gets_a_connection_that_is_used_again),
        TEST(more_of_them_than_there_is_room_for_give_way),
        TEST(failures_are_said),
        TEST(stopping_ends_all_of_them),
        TEST(another_configuration_ends_the_looks_of_guests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
