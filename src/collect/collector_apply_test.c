// Collection while its configuration changes, against Modbus server threads on loopback. Every
// register has a value that follows from its server and place, so a sample that is taken for
// another variable's is seen at once; and each former configuration is freed as soon as it was
// replaced.
#include "base/mem.h"
#include "collect/collector.h"
#include "drivers/modbus/test_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SERVERS 3
#define DEVICES 6
#define GROUPS 3
#define PER_DEVICE 8
#define REGISTERS 120
#define PATIENCE_S 30

// A configuration and all its memory.
typedef struct Made {
    PsDevice devices[DEVICES];
    int servers[DEVICES]; // of each device
    PsGroup groups[GROUPS];
    PsVariable variables[DEVICES * PER_DEVICE];
    char names[DEVICES * PER_DEVICE][16];
    char device_names[DEVICES][16];
    PsConfig config;
} Made;

typedef struct Fixture {
    uv_loop_t loop;
    uv_timer_t tick;
    TestServer *servers[SERVERS];
    Made *made;
    PsTagTable *table;
    PsCollector *collector;
    bool stopped;
    unsigned seed;
    unsigned writes;
    unsigned writes_done;
    unsigned writes_good;
    unsigned recalls;
    unsigned recalls_done;
    unsigned uploads;
    unsigned samples;
    unsigned seen; // requests, when a test looked
    PsBuf anew;    // what the newest change says
} Fixture;

static Fixture fixture;

static uint16_t register_of(int server, int slave, int place) {
    (void)slave; // the server answers for all of them
    return (uint16_t)(server * 1000 + place * 3 + 1);
}

static void on_tick(uv_timer_t *timer) {
    (void)timer; // the loop returns to the test, which looks at its condition
}

static int set_up(void **state) {
    fixture = (Fixture){.seed = 1};
    Fixture *f = &fixture;
    uv_loop_init(&f->loop);
    uv_timer_init(&f->loop, &f->tick);
    for (int i = 0; i < SERVERS; i++) {
        f->servers[i] = test_server_start(0);
        for (int place = 0; place < REGISTERS; place++) {
            test_server_set_register(f->servers[i], place, register_of(i, 0, place));
        }
    }
    *state = f;
    return 0;
}

// --- configurations ----------------------------------------------------------------------------

static Made *make_empty(void) {
    Made *made = ps_alloc(sizeof *made);
    made->groups[0] =
        (PsGroup){.name = "default", .polling_interval = 0.02, .upload_interval = 0.02};
    made->groups[1] =
        (PsGroup){.name = "warning", .type = PS_GROUP_ALARM, .polling_interval = 0.05};
    made->groups[2] = (PsGroup){.name = "slow", .polling_interval = 0.1, .upload_interval = 0.1};
    made->config = (PsConfig){.devices = made->devices,
                              .groups = made->groups,
                              .group_count = GROUPS,
                              .variables = made->variables};
    return made;
}

static uint32_t add_device(Fixture *f, Made *made, int number, int server) {
    uint32_t index = made->config.device_count++;
    snprintf(made->device_names[index], sizeof made->device_names[index], "D%d", number);
    made->servers[index] = server;
    made->devices[index] = (PsDevice){.name = made->device_names[index],
                                      .ip = "127.0.0.1",
                                      .port = test_server_port(f->servers[server]),
                                      .slave = number + 1,
                                      .timeout = 5};
    return index;
}

static PsVariable *add_variable(Made *made, uint32_t device, int number, int place) {
    uint32_t index = made->config.variable_count++;
    snprintf(made->names[index], sizeof made->names[index], "v%d", number);
    made->variables[index] = (PsVariable){.name = made->names[index],
                                          .device_name = made->devices[device].name,
                                          .group_name = "default",
                                          .device = device,
                                          .data_type = PS_TYPE_WORD,
                                          .register_addr = 40001 + place,
                                          .register_bit = PS_UNSET,
                                          .access = PS_ACCESS_READ_WRITE};
    return &made->variables[index];
}

static int random_below(Fixture *f, int limit) {
    f->seed = f->seed * 1103515245U + 12345U; // the generator of the C standard's example
    return (int)(f->seed >> 16 & 0x7fffU) % limit;
}

static Made *make_random(Fixture *f) {
    Made *made = make_empty();
    int first = random_below(f, DEVICES);
    for (int i = 0; i < DEVICES; i++) {
        int number = (first + i) % DEVICES;
        if (random_below(f, 4) == 0) {
            continue;
        }
        int server = random_below(f, 10) == 0 ? random_below(f, SERVERS) : number % SERVERS;
        uint32_t device = add_device(f, made, number, server);
        int count = random_below(f, PER_DEVICE);
        for (int v = 0; v < count; v++) {
            bool moved = random_below(f, 10) == 0;
            int place = moved ? random_below(f, REGISTERS) : number * 10 + v;
            PsVariable *variable = add_variable(made, device, v, place);
            variable->group = random_below(f, 5) == 0 ? 2 : 0;
            variable->mode = random_below(f, 3) == 0 ? PS_MODE_ONCHANGE : PS_MODE_REALTIME;
            variable->access = random_below(f, 8) == 0 ? PS_ACCESS_READ : PS_ACCESS_READ_WRITE;
        }
    }
    made->groups[0].polling_interval = random_below(f, 5) == 0 ? 0.03 : 0.02;
    return made;
}

static uint16_t expected(const Made *made, uint32_t variable) {
    const PsVariable *of = &made->variables[variable];
    return register_of(made->servers[of->device], 0, of->register_addr - 40001);
}

// --- running -----------------------------------------------------------------------------------

static void on_samples(const PsSampleBatch *batch, void *ctx) {
    Fixture *f = ctx;
    assert_true(batch->sample_count > 0);
    for (uint32_t i = 0; i < batch->sample_count; i++) {
        const PsSample *sample = &batch->samples[i];
        assert_in_range(sample->variable, 0, ps_config_polled_count(&f->made->config) - 1);
        f->samples++;
        if (sample->quality == PS_QUALITY_GOOD) {
            assert_int_equal(sample->value.integer, expected(f->made, sample->variable));
        }
    }
}

static void on_upload(const PsUpload *upload, void *ctx) {
    Fixture *f = ctx;
    f->uploads++;
    for (uint32_t i = 0; i < upload->item_count; i++) {
        const PsUploadItem *item = &upload->items[i];
        assert_int_equal(f->made->variables[item->variable].group, upload->group);
        if (item->good) {
            assert_int_equal(item->value.integer, expected(f->made, item->variable));
        }
    }
}

static void start(Fixture *f, Made *made) {
    f->made = made;
    f->table = ps_tag_table_new(&made->config);
    PsCollectorSetup setup = {.loop = &f->loop,
                              .config = &made->config,
                              .table = f->table,
                              .on_upload = on_upload,
                              .on_samples = on_samples,
                              .ctx = f};
    PsDiag diag = {0};
    if (ps_collector_new(&setup, &f->collector, &diag) != PS_OK ||
        ps_collector_start(f->collector, &diag) != PS_OK) {
        fail_msg("start: %s", diag.text);
    }
}

static void apply(Fixture *f, Made *made) {
    PsConfigMap *map = ps_config_map_new(&f->made->config, &made->config);
    Made *before = f->made;
    f->made = made;
    ps_tag_table_apply_config(f->table, &made->config, map);
    ps_buf_clear(&f->anew);
    ps_collector_apply(f->collector, &made->config, map, &f->anew);
    ps_config_map_free(map);
    memset(before, 0xee, sizeof *before);
    free(before);
}

typedef bool Condition(Fixture *f);

static void wait_until(Fixture *f, Condition *condition, const char *what) {
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), PATIENCE_S * PS_NS_PER_S);
    uv_timer_start(&f->tick, on_tick, 5, 5);
    while (!condition(f)) {
        if (ps_mono_now().ns > deadline.ns) {
            fail_msg("waited in vain until %s", what);
        }
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&f->tick);
}

#define WAIT_UNTIL(f, condition) wait_until(f, condition, #condition)

static bool is_stopped(Fixture *f) {
    return f->stopped;
}

static void on_stopped(void *ctx) {
    ((Fixture *)ctx)->stopped = true;
}

static int tear_down(void **state) {
    Fixture *f = *state;
    if (f->collector != NULL) {
        ps_collector_stop(f->collector, on_stopped, f);
        WAIT_UNTIL(f, is_stopped);
        ps_collector_free(f->collector);
    }
    ps_tag_table_free(f->table);
    ps_buf_deinit(&f->anew);
    free(f->made);
    for (int i = 0; i < SERVERS; i++) {
        test_server_stop(f->servers[i]);
    }
    uv_close((uv_handle_t *)&f->tick, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    return 0;
}

static bool all_good(Fixture *f) {
    for (uint32_t i = 0; i < f->made->config.variable_count; i++) {
        if (ps_tag_table_get(f->table, i)->quality != PS_QUALITY_GOOD) {
            return false;
        }
    }
    return true;
}

static bool everything_answered(Fixture *f) {
    return f->writes_done == f->writes && f->recalls_done == f->recalls;
}

static unsigned connections(Fixture *f) {
    unsigned sum = 0;
    for (int i = 0; i < SERVERS; i++) {
        sum += test_server_connections(f->servers[i]);
    }
    return sum;
}

// --- what the tests say ------------------------------------------------------------------------

static Made *make_plain(Fixture *f) {
    Made *made = make_empty();
    for (int i = 0; i < SERVERS; i++) {
        uint32_t device = add_device(f, made, i, i);
        (void)add_variable(made, device, 0, 10);
        (void)add_variable(made, device, 1, 11);
    }
    return made;
}

static bool polled_on(Fixture *f) {
    PsGroupRow row;
    ps_collector_group_row(f->collector, 0, &row);
    return row.due >= SERVERS * 20;
}

// The group's cycles are counted over all channels, so one that had begun anew would be missed.
static void an_added_variable_disturbs_nobody(void **state) {
    Fixture *f = *state;
    start(f, make_plain(f));
    WAIT_UNTIL(f, polled_on);
    assert_int_equal(connections(f), SERVERS);
    PsGroupRow before;
    ps_collector_group_row(f->collector, 0, &before);
    Made *more = make_plain(f);
    (void)add_variable(more, 0, 2, 50);
    apply(f, more);
    assert_int_equal(f->anew.len, 0);
    assert_int_equal(ps_tag_table_get(f->table, 0)->quality, PS_QUALITY_GOOD);
    assert_int_equal(ps_tag_table_get(f->table, 6)->quality, PS_QUALITY_NOT_READ);
    PsGroupRow after;
    ps_collector_group_row(f->collector, 0, &after);
    assert_true(after.due >= before.due && after.uploads == before.uploads);
    WAIT_UNTIL(f, all_good);
    assert_int_equal(connections(f), SERVERS);
}

static void a_changed_address_gives_no_old_value(void **state) {
    Fixture *f = *state;
    start(f, make_plain(f));
    WAIT_UNTIL(f, all_good);
    Made *moved = make_plain(f);
    moved->variables[0].register_addr = 40001 + 70;
    apply(f, moved);
    assert_int_equal(ps_tag_table_get(f->table, 0)->quality, PS_QUALITY_NOT_READ);
    assert_int_equal(ps_tag_table_get(f->table, 1)->quality, PS_QUALITY_GOOD);
    WAIT_UNTIL(f, all_good); // on_samples has seen that it is the right one
    assert_int_equal(connections(f), SERVERS);
}

// With an alarm that watches the first variable.
static Made *make_watching(Fixture *f, PsAlarm *alarm, const char *name) {
    Made *made = make_plain(f);
    PsVariable *watched = add_variable(made, 0, 0, 10);
    made->config.variable_count--;
    made->config.watched_count = 1;
    watched->group_name = "warning";
    watched->group = 1;
    *alarm = (PsAlarm){.name = name,
                       .device_name = "D0",
                       .variable_name = "v0",
                       .quotes = 1,
                       .watched = made->config.variable_count};
    made->config.alarms = alarm;
    made->config.alarm_count = 1;
    return made;
}

static bool watched_is_good(Fixture *f) {
    return ps_tag_table_get(f->table, f->made->config.variable_count)->quality == PS_QUALITY_GOOD;
}

// What it watches is another variable for everybody but the channel.
static void a_renamed_alarm_disturbs_nobody(void **state) {
    Fixture *f = *state;
    PsAlarm alarms[2];
    start(f, make_watching(f, &alarms[0], "hot"));
    WAIT_UNTIL(f, watched_is_good);
    apply(f, make_watching(f, &alarms[1], "very hot"));
    assert_int_equal(f->anew.len, 0);
    WAIT_UNTIL(f, watched_is_good);
    WAIT_UNTIL(f, all_good);
    assert_int_equal(connections(f), SERVERS);
}

static bool first_two_connected(Fixture *f) {
    return test_server_connections(f->servers[0]) == 1 &&
           test_server_connections(f->servers[1]) == 2 && all_good(f);
}

static void a_moved_device_is_connected_where_it_is_now(void **state) {
    Fixture *f = *state;
    start(f, make_plain(f));
    WAIT_UNTIL(f, all_good);
    Made *moved = make_plain(f);
    moved->devices[2].port = test_server_port(f->servers[0]); // now behind the first one
    moved->servers[2] = 0;
    moved->config.device_count = 3;
    moved->devices[1].port = test_server_port(f->servers[2]);
    moved->servers[1] = 2;
    apply(f, moved);
    char lines[200];
    snprintf(lines, sizeof lines, "device 'D1' at 127.0.0.1:%d\ndevice 'D2' at 127.0.0.1:%d\n",
             moved->devices[1].port, moved->devices[2].port);
    assert_string_equal((const char *)f->anew.data, lines);
    assert_int_equal(ps_collector_channel_count(f->collector), 2);
    assert_int_equal(ps_tag_table_get(f->table, 0)->quality, PS_QUALITY_GOOD);
    assert_int_equal(ps_tag_table_get(f->table, 2)->quality, PS_QUALITY_NOT_READ);
    assert_int_equal(ps_tag_table_get(f->table, 4)->quality, PS_QUALITY_NOT_READ);
    WAIT_UNTIL(f, all_good);
    apply(f, make_plain(f));
    assert_int_equal(ps_collector_channel_count(f->collector), 3);
    WAIT_UNTIL(f, first_two_connected);
}

static void on_write(PsErr result, const PsDiag *diag, PsValue read_back, void *ctx) {
    Fixture *f = ctx;
    f->writes_done++;
    f->writes_good += result == PS_OK ? 1 : 0;
    assert_true(result == PS_OK || result == PS_ERR_CANCELLED);
    if (result == PS_ERR_CANCELLED) {
        assert_string_not_equal(diag->text, "");
    }
}

static PsErr write_same(Fixture *f, uint32_t variable) {
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), PATIENCE_S * PS_NS_PER_S);
    PsErr err =
        ps_collector_write(f->collector, variable, ps_value_int(expected(f->made, variable)),
                           deadline, on_write, f, NULL);
    f->writes += err == PS_OK ? 1 : 0;
    return err;
}

static bool asked_again(Fixture *f) {
    return test_server_requests(f->servers[0]) > f->seen;
}

// The thread is held up by a slow device, so that the writes wait when the change comes.
static void waiting_writes_go_on_unless_their_variable_changed(void **state) {
    Fixture *f = *state;
    start(f, make_plain(f));
    WAIT_UNTIL(f, all_good);
    test_server_delay(f->servers[0], 300);
    f->seen = test_server_requests(f->servers[0]);
    WAIT_UNTIL(f, asked_again); // and so it waits for the answer
    for (int i = 0; i < 4; i++) {
        assert_int_equal(write_same(f, 0), PS_OK);
        assert_int_equal(write_same(f, 1), PS_OK);
    }
    Made *changed = make_plain(f);
    changed->variables[0] = changed->variables[1]; // v1 is now the first, v0 is gone
    changed->variables[1] = (PsVariable){0};
    memmove(&changed->variables[1], &changed->variables[2], 4 * sizeof(PsVariable));
    changed->config.variable_count = 5;
    apply(f, changed);
    WAIT_UNTIL(f, everything_answered);
    assert_int_equal(f->writes_good, 4);
    test_server_delay(f->servers[0], 0);
    WAIT_UNTIL(f, all_good);
}

static bool some_uploads(Fixture *f) {
    return f->uploads >= 3;
}

static void another_interval_counts_from_now_on(void **state) {
    Fixture *f = *state;
    start(f, make_plain(f));
    WAIT_UNTIL(f, polled_on);
    Made *slower = make_plain(f);
    slower->groups[0].polling_interval = 0.07;
    slower->groups[0].upload_interval = 0.07;
    apply(f, slower);
    f->uploads = 0;
    WAIT_UNTIL(f, some_uploads);
    PsGroupRow row;
    ps_collector_group_row(f->collector, 0, &row);
    assert_true(row.due < SERVERS * 20);
    assert_int_equal(connections(f), SERVERS);
}

static void on_recall(PsErr result, const PsUpload *all, void *ctx) {
    Fixture *f = ctx;
    f->recalls_done++;
    assert_int_equal(result, PS_OK);
    assert_int_equal(all->group, GROUPS);
    for (uint32_t i = 0; i < all->item_count; i++) {
        const PsUploadItem *item = &all->items[i];
        if (item->good) {
            assert_int_equal(item->value.integer, expected(f->made, item->variable));
        }
    }
}

static void everything_at_random_and_in_a_row(void **state) {
    Fixture *f = *state;
    start(f, make_random(f));
    for (int round = 0; round < 300; round++) {
        if (f->made->config.variable_count > 0 && random_below(f, 3) == 0) {
            uint32_t variable = (uint32_t)random_below(f, (int)f->made->config.variable_count);
            (void)write_same(f, variable); // which is refused where it is read-only
        }
        if (random_below(f, 4) == 0) {
            f->recalls++;
            PsMono deadline = ps_mono_add_ns(ps_mono_now(), PATIENCE_S * PS_NS_PER_S);
            ps_collector_recall(f->collector, deadline, on_recall, f);
        }
        if (random_below(f, 10) == 0) {
            test_server_delay(f->servers[random_below(f, SERVERS)], random_below(f, 60));
        }
        for (int turn = random_below(f, 20); turn > 0; turn--) {
            uv_timer_start(&f->tick, on_tick, 2, 0);
            uv_run(&f->loop, UV_RUN_ONCE);
        }
        apply(f, make_random(f));
        if (round % 30 == 29) {
            WAIT_UNTIL(f, everything_answered);
            WAIT_UNTIL(f, all_good);
        }
    }
    assert_true(f->samples > 0 && f->uploads > 0 && f->writes_good > 0 && f->recalls > 0);
}

static void before_it_was_started(void **state) {
    Fixture *f = *state;
    f->made = make_plain(f);
    f->table = ps_tag_table_new(&f->made->config);
    PsCollectorSetup setup = {.loop = &f->loop,
                              .config = &f->made->config,
                              .table = f->table,
                              .on_upload = on_upload,
                              .on_samples = on_samples,
                              .ctx = f};
    assert_int_equal(ps_collector_new(&setup, &f->collector, NULL), PS_OK);
    Made *other = make_plain(f);
    (void)add_variable(other, 1, 2, 60);
    other->devices[0].port = test_server_port(f->servers[1]);
    other->servers[0] = 1;
    apply(f, other);
    assert_int_equal(ps_collector_start(f->collector, NULL), PS_OK);
    WAIT_UNTIL(f, all_good);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_added_variable_disturbs_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_changed_address_gives_no_old_value, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_renamed_alarm_disturbs_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_moved_device_is_connected_where_it_is_now, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(waiting_writes_go_on_unless_their_variable_changed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(another_interval_counts_from_now_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(everything_at_random_and_in_a_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(before_it_was_started, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
