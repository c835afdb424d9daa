// The whole of collection against a Modbus server thread on loopback: loop, channels, uploads,
// writes, and what happens when devices go and come back.
#include "collect/collector.h"

#include "drivers/modbus/test_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define VARIABLES_MAX 16
#define PATIENCE_S 20 // for a condition that should hold within moments

typedef struct Fixture {
    uv_loop_t loop;
    uv_timer_t tick;
    TestServer *server;
    PsDevice devices[3];
    PsGroup groups[2];
    PsVariable variables[VARIABLES_MAX];
    PsConfig config;
    PsTagTable *table;
    PsCollector *collector;
    bool stopped;
    bool unwanted; // no group's snapshots are taken
    unsigned uploads;
    PsUploadItem last[VARIABLES_MAX];
    uint32_t last_count;
    PsWall last_collected;
    unsigned batches;
    unsigned writes_done;
    PsErr write_result;
    PsDiag write_diag;
    PsValue read_back;
    unsigned recalls_done;
    PsErr recall_result;
} Fixture;

static Fixture fixture; // one test at a time

static bool wants_uploads(uint32_t group, void *ctx) {
    const Fixture *f = ctx;
    return !f->unwanted;
}

static void on_upload(const PsUpload *upload, void *ctx) {
    Fixture *f = ctx;
    f->uploads++;
    f->last_count = upload->item_count;
    f->last_collected = upload->collected;
    memcpy(f->last, upload->items, upload->item_count * sizeof *upload->items);
}

static void on_samples(const PsSampleBatch *batch, void *ctx) {
    Fixture *f = ctx;
    assert_true(batch->sample_count > 0);
    f->batches++;
}

static void on_tick(uv_timer_t *timer) {
    (void)timer; // the loop returns to the test, which looks at its condition
}

static int set_up(void **state) {
    memset(&fixture, 0, sizeof fixture);
    Fixture *f = &fixture;
    uv_loop_init(&f->loop);
    uv_timer_init(&f->loop, &f->tick);
    f->server = test_server_start(0);
    for (uint32_t i = 0; i < PS_COUNT(f->devices); i++) {
        f->devices[i] = (PsDevice){.ip = "127.0.0.1",
                                   .port = test_server_port(f->server),
                                   .slave = (int)i + 1,
                                   .timeout = 0.2};
    }
    f->devices[0].name = "one";
    f->devices[1].name = "two";
    f->devices[2].name = "three";
    f->groups[0] = (PsGroup){.name = "default", .polling_interval = 0.05, .upload_interval = 0.05};
    f->groups[1] = (PsGroup){.name = "slow", .polling_interval = 3600, .upload_interval = 3600};
    f->config = (PsConfig){.devices = f->devices,
                           .device_count = 1,
                           .groups = f->groups,
                           .group_count = 2,
                           .variables = f->variables};
    *state = f;
    return 0;
}

static PsVariable *add(Fixture *f, uint32_t device, int address, int type) {
    PsVariable *variable = &f->variables[f->config.variable_count++];
    *variable = (PsVariable){.name = "v",
                             .device_name = f->devices[device].name,
                             .device = device,
                             .data_type = type,
                             .register_addr = address,
                             .register_bit = PS_UNSET,
                             .access = PS_ACCESS_READ_WRITE,
                             .float_repr = 2,
                             .size = 8};
    if (device >= f->config.device_count) {
        f->config.device_count = device + 1;
    }
    return variable;
}

static void start(Fixture *f) {
    f->table = ps_tag_table_new(&f->config);
    PsCollectorSetup setup = {.loop = &f->loop,
                              .config = &f->config,
                              .table = f->table,
                              .wants_uploads = wants_uploads,
                              .on_upload = on_upload,
                              .on_samples = on_samples,
                              .ctx = f};
    PsDiag diag = {0};
    if (ps_collector_new(&setup, &f->collector, &diag) != PS_OK ||
        ps_collector_start(f->collector, &diag) != PS_OK) {
        fail_msg("start: %s", diag.text);
    }
}

typedef bool Condition(Fixture *f);

static void wait_until(Fixture *f, Condition *condition, const char *what) {
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), PATIENCE_S * PS_NS_PER_S);
    uv_timer_start(&f->tick, on_tick, 10, 10);
    while (!condition(f)) {
        if (ps_mono_now().ns > deadline.ns) {
            fail_msg("waited in vain until %s", what);
        }
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&f->tick);
}

#define WAIT_UNTIL(f, condition) wait_until(f, condition, #condition)

static void on_stopped(void *ctx) {
    ((Fixture *)ctx)->stopped = true;
}

static bool is_stopped(Fixture *f) {
    return f->stopped;
}

static void stop(Fixture *f) {
    ps_collector_stop(f->collector, on_stopped, f);
    WAIT_UNTIL(f, is_stopped);
    ps_collector_free(f->collector);
    f->collector = NULL;
}

static int tear_down(void **state) {
    Fixture *f = *state;
    if (f->collector != NULL) {
        stop(f);
    }
    ps_tag_table_free(f->table);
    if (f->server != NULL) {
        test_server_stop(f->server);
    }
    uv_close((uv_handle_t *)&f->tick, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    return 0;
}

static PsQuality quality(Fixture *f, uint32_t variable) {
    return (PsQuality)ps_tag_table_get(f->table, variable)->quality;
}

static bool first_good(Fixture *f) {
    return quality(f, 0) == PS_QUALITY_GOOD;
}

static bool second_good(Fixture *f) {
    return quality(f, 1) == PS_QUALITY_GOOD;
}

static bool first_away(Fixture *f) {
    return quality(f, 0) == PS_QUALITY_AWAY;
}

static bool second_away(Fixture *f) {
    return quality(f, 1) == PS_QUALITY_AWAY;
}

static bool uploaded(Fixture *f) {
    return f->uploads > 0;
}

static bool uploaded_thrice(Fixture *f) {
    return f->uploads >= 3;
}

// The counters follow the samples by a moment.
static bool requests_counted(Fixture *f) {
    PsChannelRow row;
    ps_collector_channel_row(f->collector, 0, &row);
    return row.requests >= 3;
}

static bool watched_is_5(Fixture *f) {
    return ps_value_equal(f->last[1].value, ps_value_int(5));
}

static bool write_done(Fixture *f) {
    return f->writes_done > 0;
}

static void a_value_comes_up(void **state) {
    Fixture *f = *state;
    test_server_set_register(f->server, 0, 2);
    add(f, 0, 40001, PS_TYPE_WORD);
    add(f, 0, 40002, PS_TYPE_WORD)->access = PS_ACCESS_WRITE;
    PsWall before = ps_wall_now();
    start(f);
    WAIT_UNTIL(f, uploaded);
    assert_int_equal(f->last_count, 1);
    assert_true(f->last[0].good);
    assert_true(ps_value_equal(f->last[0].value, ps_value_int(2)));
    assert_true(f->last_collected.ns >= before.ns && f->last_collected.ns <= ps_wall_now().ns);
    assert_int_equal(quality(f, 1), PS_QUALITY_WRITE_ONLY);
    WAIT_UNTIL(f, uploaded_thrice);
    WAIT_UNTIL(f, requests_counted);
    PsChannelRow row;
    assert_int_equal(ps_collector_channel_count(f->collector), 1);
    ps_collector_channel_row(f->collector, 0, &row);
    assert_string_equal(row.state, "connected");
    assert_int_equal(row.errors, 0);
    assert_true(row.round_trip_ms > 0);
    assert_int_equal(row.devices_away, 0);
    PsGroupRow group;
    ps_collector_group_row(f->collector, 0, &group);
    assert_string_equal(group.name, "default");
    assert_true(group.due >= 3);
    assert_int_equal(group.uploads, f->uploads);
    ps_collector_group_row(f->collector, 1, &group);
    assert_int_equal(group.due, 0);
    assert_int_equal(group.uploads, 0);
}

// Alarms watch the variable faster than its collect group does, and an address of their own.
static void what_alarms_watch_is_read_in_their_group(void **state) {
    Fixture *f = *state;
    test_server_set_register(f->server, 1, 3);
    test_server_set_register(f->server, 2, 4);
    add(f, 0, 40002, PS_TYPE_WORD)->group = 1;
    f->groups[0].type = PS_GROUP_ALARM;
    f->groups[0].upload_interval = 3600; // does not count
    add(f, 0, 40002, PS_TYPE_WORD);
    add(f, 0, 40003, PS_TYPE_WORD);
    f->config.variable_count = 1;
    f->config.watched_count = 2;
    f->unwanted = true; // which is about collect groups
    start(f);
    WAIT_UNTIL(f, uploaded_thrice);
    assert_int_equal(f->last_count, 2);
    assert_int_equal(f->last[0].variable, 1);
    assert_true(ps_value_equal(f->last[0].value, ps_value_int(3)));
    assert_true(ps_value_equal(f->last[1].value, ps_value_int(4)));
    test_server_set_register(f->server, 2, 5);
    WAIT_UNTIL(f, watched_is_5);
    PsErr err = ps_collector_write(f->collector, 1, ps_value_int(1), (PsMono){0}, NULL, NULL, NULL);
    assert_int_equal(err, PS_ERR_NOT_FOUND);
}

// More polls than there are batches, so that they must come back without an upload, too.
static bool polled_often(Fixture *f) {
    return f->batches >= 8;
}

static void no_uploads_where_nobody_takes_them(void **state) {
    Fixture *f = *state;
    test_server_set_register(f->server, 0, 2);
    add(f, 0, 40001, PS_TYPE_WORD);
    f->unwanted = true;
    start(f);
    WAIT_UNTIL(f, polled_often);
    assert_int_equal(quality(f, 0), PS_QUALITY_GOOD);
    PsGroupRow group;
    ps_collector_group_row(f->collector, 0, &group);
    assert_int_equal(group.uploads, 0);
    assert_int_equal(f->uploads, 0);
}

static void on_write(PsErr result, const PsDiag *diag, PsValue read_back, void *ctx) {
    Fixture *f = ctx;
    f->writes_done++;
    f->write_result = result;
    f->write_diag = *diag;
    f->read_back = read_back;
    if (read_back.kind == PS_VALUE_TEXT) {
        f->read_back = ps_value_int((int64_t)read_back.text_len); // the text is only borrowed
    }
}

static PsErr write_now(Fixture *f, uint32_t variable, PsValue value, PsDiag *diag) {
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), PATIENCE_S * PS_NS_PER_S);
    return ps_collector_write(f->collector, variable, value, deadline, on_write, f, diag);
}

static void a_write_is_read_back_into_the_table(void **state) {
    Fixture *f = *state;
    add(f, 0, 40001, PS_TYPE_FLOAT)->group = 1;
    add(f, 0, 40011, PS_TYPE_STRING)->group = 1;
    add(f, 0, 30001, PS_TYPE_WORD)->access = PS_ACCESS_READ;
    start(f);
    WAIT_UNTIL(f, first_good);
    PsDiag diag = {0};
    assert_int_equal(write_now(f, 0, ps_value_int(21), &diag), PS_OK);
    WAIT_UNTIL(f, write_done);
    assert_int_equal(f->write_result, PS_OK);
    assert_string_equal(f->write_diag.text, "");
    assert_true(ps_value_equal(f->read_back, ps_value_float(21)));
    // The group polls once an hour: only the read-back can have brought it.
    assert_true(ps_value_equal(ps_tag_table_get(f->table, 0)->value, ps_value_float(21)));
    assert_int_equal(test_server_register(f->server, 0), 0x41A8);
    f->writes_done = 0;
    char text[] = "penstock";
    assert_int_equal(write_now(f, 1, ps_value_text(text, 8), &diag), PS_OK);
    memset(text, '!', sizeof text - 1); // the queue must have its own copy
    WAIT_UNTIL(f, write_done);
    assert_true(ps_value_equal(ps_tag_table_get(f->table, 1)->value, ps_value_text("penstock", 8)));
    assert_int_equal(write_now(f, 2, ps_value_int(1), &diag), PS_ERR_DENIED);
    assert_int_equal(write_now(f, 99, ps_value_int(1), &diag), PS_ERR_NOT_FOUND);
    assert_int_equal(write_now(f, 0, ps_value_text("x", 1), &diag), PS_ERR_INVALID);
}

static void a_refused_write_says_so(void **state) {
    Fixture *f = *state;
    add(f, 0, 40001, PS_TYPE_WORD);
    start(f);
    WAIT_UNTIL(f, first_good);
    test_server_refuse(f->server, 4);
    PsDiag diag;
    assert_int_equal(write_now(f, 0, ps_value_int(1), &diag), PS_OK);
    WAIT_UNTIL(f, write_done);
    assert_int_equal(f->write_result, PS_ERR_REFUSED);
    assert_string_equal(f->write_diag.object, "variable 'v' of device 'one'");
    assert_non_null(strstr(f->write_diag.text, "device failure"));
    assert_int_equal(f->read_back.kind, PS_VALUE_NONE);
}

static void a_write_past_its_deadline_is_not_sent(void **state) {
    Fixture *f = *state;
    add(f, 0, 40001, PS_TYPE_WORD);
    start(f);
    WAIT_UNTIL(f, first_good);
    PsDiag diag;
    assert_int_equal(
        ps_collector_write(f->collector, 0, ps_value_int(9), (PsMono){1}, on_write, f, &diag),
        PS_OK);
    WAIT_UNTIL(f, write_done);
    assert_int_equal(f->write_result, PS_ERR_TIMEOUT);
    assert_int_equal(test_server_register(f->server, 0), 0);
}

static bool recall_done(Fixture *f) {
    return f->recalls_done > 0;
}

static void on_recall(PsErr result, const PsUpload *all, void *ctx) {
    Fixture *f = ctx;
    f->recalls_done++;
    f->recall_result = result;
    assert_true((all != NULL) == (result == PS_OK));
    if (all != NULL) {
        assert_int_equal(all->group, f->config.group_count);
        on_upload(all, f);
    }
}

static void recall(Fixture *f, double seconds) {
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), ps_seconds_to_ns(seconds));
    ps_collector_recall(f->collector, deadline, on_recall, f);
}

static void a_recall_reads_everything_now(void **state) {
    Fixture *f = *state;
    f->unwanted = true;                        // uploads would come between
    add(f, 0, 40001, PS_TYPE_WORD)->group = 1; // polled once an hour
    add(f, 0, 40002, PS_TYPE_WORD)->mode = PS_MODE_ONCHANGE;
    add(f, 0, 40003, PS_TYPE_WORD)->access = PS_ACCESS_WRITE;
    add(f, 1, 40001, PS_TYPE_WORD)->group = 1;
    start(f);
    WAIT_UNTIL(f, first_good);
    test_server_silence(f->server, 2);
    test_server_set_register(f->server, 0, 77);
    PsWall before = ps_wall_now();
    recall(f, PATIENCE_S);
    recall(f, PATIENCE_S); // the next round serves it
    assert_int_equal(f->recalls_done, 0);
    WAIT_UNTIL(f, recall_done);
    assert_int_equal(f->recall_result, PS_OK);
    assert_int_equal(f->last_count, 3);
    assert_int_equal(f->last[0].variable, 0);
    assert_true(f->last[0].good && ps_value_equal(f->last[0].value, ps_value_int(77)));
    assert_int_equal(f->last[1].variable, 1);
    assert_true(f->last[1].good);
    assert_int_equal(f->last[2].variable, 3);
    assert_false(f->last[2].good); // silent: nothing old passes for new
    assert_true(f->last_collected.ns >= before.ns && f->last_collected.ns <= ps_wall_now().ns);
    f->recalls_done = 0;
    WAIT_UNTIL(f, recall_done);
    assert_true(f->last[0].good && f->last_count == 3);
}

static void a_recall_ends_at_its_deadline_or_with_the_collector(void **state) {
    Fixture *f = *state;
    add(f, 0, 40001, PS_TYPE_WORD)->group = 1;
    f->devices[0].timeout = 10;
    start(f);
    WAIT_UNTIL(f, first_good);
    test_server_delay(f->server, 1000);
    recall(f, 0.05);
    WAIT_UNTIL(f, recall_done);
    assert_int_equal(f->recall_result, PS_ERR_TIMEOUT);
    f->recalls_done = 0;
    recall(f, PATIENCE_S); // waits for the round that goes on
    stop(f);
    assert_int_equal(f->recalls_done, 1);
    assert_int_equal(f->recall_result, PS_ERR_CANCELLED);
}

static void a_silent_slave_leaves_the_others_alone(void **state) {
    Fixture *f = *state;
    add(f, 0, 40001, PS_TYPE_WORD);
    add(f, 1, 40001, PS_TYPE_WORD);
    test_server_silence(f->server, 2);
    start(f);
    WAIT_UNTIL(f, second_away);
    WAIT_UNTIL(f, first_good);
    f->uploads = 0;
    WAIT_UNTIL(f, uploaded_thrice);
    assert_true(f->last[0].good);
    assert_false(f->last[1].good);
    PsChannelRow row;
    ps_collector_channel_row(f->collector, 0, &row);
    assert_string_equal(row.state, "connected");
    assert_int_equal(row.devices, 2);
    assert_int_equal(row.devices_away, 1);
    PsDeviceRow device;
    ps_collector_device_row(f->collector, 1, &device);
    assert_true(device.away);
    assert_non_null(strstr(device.last_error, "no answer within 0.2 s"));
    PsDiag diag;
    assert_int_equal(write_now(f, 1, ps_value_int(1), &diag), PS_OK);
    WAIT_UNTIL(f, write_done);
    assert_int_equal(f->write_result, PS_ERR_CLOSED);
    test_server_silence(f->server, -1);
    WAIT_UNTIL(f, second_good);
}

static void a_server_may_go_and_come_back(void **state) {
    Fixture *f = *state;
    add(f, 0, 40001, PS_TYPE_WORD);
    start(f);
    WAIT_UNTIL(f, first_good);
    int port = test_server_port(f->server);
    test_server_stop(f->server);
    f->server = NULL;
    WAIT_UNTIL(f, first_away);
    PsChannelRow row;
    ps_collector_channel_row(f->collector, 0, &row);
    assert_string_equal(row.state, "away");
    assert_int_equal(row.devices_away, 1);
    assert_true(row.last_error[0] != '\0');
    f->uploads = 0;
    WAIT_UNTIL(f, uploaded);
    assert_false(f->last[0].good);
    assert_int_equal(f->last[0].value.kind, PS_VALUE_NONE);
    f->server = test_server_start(port);
    WAIT_UNTIL(f, first_good);
}

static void a_dropped_connection_costs_no_cycle(void **state) {
    Fixture *f = *state;
    add(f, 0, 40001, PS_TYPE_WORD);
    f->groups[0].polling_interval = 0.02;
    start(f);
    WAIT_UNTIL(f, first_good);
    for (int i = 0; i < 3; i++) {
        test_server_drop_next(f->server);
        f->uploads = 0;
        WAIT_UNTIL(f, uploaded_thrice);
        assert_int_equal(quality(f, 0), PS_QUALITY_GOOD);
    }
    PsChannelRow row;
    ps_collector_channel_row(f->collector, 0, &row);
    assert_true(row.errors > 0);
    assert_string_equal(row.last_error, "");
}

static bool asked(Fixture *f) {
    return test_server_requests(f->server) > 0;
}

static void stop_is_prompt_while_a_device_is_silent(void **state) {
    Fixture *f = *state;
    f->devices[0].timeout = 60;
    add(f, 0, 40001, PS_TYPE_WORD);
    test_server_silence(f->server, 1);
    start(f);
    WAIT_UNTIL(f, asked);
    PsDiag diag;
    assert_int_equal(write_now(f, 0, ps_value_int(1), &diag), PS_OK);
    PsMono before = ps_mono_now();
    stop(f);
    assert_true(ps_mono_diff_ns(ps_mono_now(), before) < PS_NS_PER_S);
    assert_int_equal(f->writes_done, 1);
    assert_int_equal(f->write_result, PS_ERR_CANCELLED);
}

static void stop_right_after_start_or_before(void **state) {
    Fixture *f = *state;
    add(f, 0, 40001, PS_TYPE_WORD);
    start(f);
    stop(f);
    f->stopped = false;
    PsCollectorSetup setup = {.loop = &f->loop,
                              .config = &f->config,
                              .table = f->table,
                              .on_upload = on_upload,
                              .ctx = f};
    PsDiag diag;
    assert_int_equal(ps_collector_new(&setup, &f->collector, &diag), PS_OK);
    assert_int_equal(write_now(f, 0, ps_value_int(1), &diag), PS_ERR_CANCELLED);
    stop(f);
}

static void devices_share_a_channel_by_endpoint(void **state) {
    Fixture *f = *state;
    TestServer *other = test_server_start(0);
    add(f, 0, 40001, PS_TYPE_WORD);
    add(f, 1, 40001, PS_TYPE_WORD);
    add(f, 2, 40001, PS_TYPE_WORD);
    f->devices[1].port = test_server_port(other);
    start(f);
    assert_int_equal(ps_collector_channel_count(f->collector), 2);
    PsDeviceRow row;
    ps_collector_device_row(f->collector, 2, &row);
    assert_int_equal(row.channel, 0);
    ps_collector_device_row(f->collector, 1, &row);
    assert_int_equal(row.channel, 1);
    WAIT_UNTIL(f, second_good);
    // A dead endpoint does not hold up the group: its uploads go on with the others' values.
    test_server_stop(other);
    WAIT_UNTIL(f, second_away);
    f->uploads = 0;
    WAIT_UNTIL(f, uploaded_thrice);
    assert_true(f->last[0].good);
    assert_false(f->last[1].good);
    assert_true(f->last[2].good);
}

static void a_protocol_without_driver_is_refused(void **state) {
    Fixture *f = *state;
    add(f, 0, 40001, PS_TYPE_WORD);
    f->devices[0].protocol = 99; // from a newer version
    f->table = ps_tag_table_new(&f->config);
    PsCollectorSetup setup = {.loop = &f->loop,
                              .config = &f->config,
                              .table = f->table,
                              .on_upload = on_upload,
                              .ctx = f};
    PsDiag diag;
    PsCollector *collector = NULL;
    assert_int_equal(ps_collector_new(&setup, &collector, &diag), PS_ERR_UNSUPPORTED);
    assert_string_equal(diag.object, "device 'one'");
    assert_null(collector);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_value_comes_up),
        TEST(what_alarms_watch_is_read_in_their_group),
        TEST(no_uploads_where_nobody_takes_them),
        TEST(a_write_is_read_back_into_the_table),
        TEST(a_refused_write_says_so),
        TEST(a_write_past_its_deadline_is_not_sent),
        TEST(a_recall_reads_everything_now),
        TEST(a_recall_ends_at_its_deadline_or_with_the_collector),
        TEST(a_silent_slave_leaves_the_others_alone),
        TEST(a_server_may_go_and_come_back),
        TEST(a_dropped_connection_costs_no_cycle),
        TEST(stop_is_prompt_while_a_device_is_silent),
        TEST(stop_right_after_start_or_before),
        TEST(devices_share_a_channel_by_endpoint),
        TEST(a_protocol_without_driver_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
