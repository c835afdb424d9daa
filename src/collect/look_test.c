// Looking at what goes over the wire for a variable, against a Modbus server thread on loopback.
#include "collect/collector.h"

#include "drivers/modbus/test_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE_S 20
#define TIMEOUT_S 0.5
#define LAST_REGISTER 11999

typedef struct Fixture {
    uv_loop_t loop;
    uv_timer_t tick;
    TestServer *server;
    PsDevice device;
    PsGroup group;
    PsVariable variables[4];
    PsConfig config;
    PsTagTable *table;
    PsCollector *collector;
    bool stopped;
    unsigned done;
    PsErr result;
    PsDiag diag;
    PsPeek seen;
} Fixture;

static Fixture fixture; // one test at a time

static void on_tick(uv_timer_t *timer) {
    (void)timer; // the loop returns to the test, which looks at its condition
}

static void add(Fixture *f, int address, int type, int access) {
    f->variables[f->config.variable_count++] = (PsVariable){.name = "v",
                                                            .device_name = "plc",
                                                            .data_type = type,
                                                            .register_addr = address,
                                                            .register_bit = PS_UNSET,
                                                            .access = access,
                                                            .size = 1};
}

static bool wants_none(uint32_t group, void *ctx) {
    (void)group;
    (void)ctx;
    return false;
}

static int set_up(void **state) {
    memset(&fixture, 0, sizeof fixture);
    Fixture *f = &fixture;
    uv_loop_init(&f->loop);
    uv_timer_init(&f->loop, &f->tick);
    f->server = test_server_start(0);
    f->device = (PsDevice){.name = "plc",
                           .protocol = PS_PROTOCOL_MODBUS_TCP,
                           .ip = "127.0.0.1",
                           .port = test_server_port(f->server),
                           .slave = 1,
                           .timeout = TIMEOUT_S};
    f->group = (PsGroup){.name = "default", .polling_interval = 3600, .upload_interval = 3600};
    f->config = (PsConfig){.devices = &f->device,
                           .device_count = 1,
                           .groups = &f->group,
                           .group_count = 1,
                           .variables = f->variables};
    add(f, 40001, PS_TYPE_FLOAT, PS_ACCESS_READ);
    add(f, 410001 + LAST_REGISTER - 10000, PS_TYPE_WORD, PS_ACCESS_READ);
    add(f, 1, PS_TYPE_BOOL, PS_ACCESS_READ);
    add(f, 40001, PS_TYPE_WORD, PS_ACCESS_WRITE);
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

static void wait_for(Fixture *f, const unsigned *count, const bool *flag) {
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), PATIENCE_S * PS_NS_PER_S);
    uv_timer_start(&f->tick, on_tick, 10, 10);
    while (!(count != NULL ? *count > 0 : *flag)) {
        if (ps_mono_now().ns > deadline.ns) {
            fail_msg("waited in vain");
        }
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&f->tick);
}

static int tear_down(void **state) {
    Fixture *f = *state;
    if (!f->stopped) {
        ps_collector_stop(f->collector, on_stopped, f);
        wait_for(f, NULL, &f->stopped);
    }
    ps_collector_free(f->collector);
    ps_tag_table_free(f->table);
    test_server_stop(f->server);
    uv_close((uv_handle_t *)&f->tick, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    return 0;
}

static void on_peek(PsErr result, const PsDiag *diag, const PsPeek *peek, void *ctx) {
    Fixture *f = ctx;
    f->done++;
    f->result = result;
    f->diag = *diag;
    f->seen = *peek;
}

static PsErr peek(Fixture *f, uint32_t variable) {
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), PATIENCE_S * PS_NS_PER_S);
    f->done = 0;
    PsErr err = ps_collector_peek(f->collector, variable, deadline, on_peek, f, &f->diag);
    if (err == PS_OK) {
        wait_for(f, &f->done, NULL);
        err = f->result;
    }
    return err;
}

static void the_bytes_come_as_they_are_on_the_wire(void **state) {
    Fixture *f = *state;
    // No FLOAT in the device's order: it shows no value, and this is when one wants to look.
    test_server_set_register(f->server, 0, 0x7FC0);
    test_server_set_register(f->server, 1, 0x41B4);
    test_server_set_register(f->server, 2, 0x0102);
    test_server_set_register(f->server, 3, 0x0304);
    assert_int_equal(peek(f, 0), PS_OK);
    static const uint8_t expected[] = {0x7F, 0xC0, 0x41, 0xB4, 1, 2, 3, 4};
    assert_int_equal(f->seen.len, sizeof expected);
    assert_memory_equal(f->seen.bytes, expected, sizeof expected);
    assert_false(f->seen.ordered);
    assert_int_equal(f->seen.code, 0);
    assert_int_equal(ps_tag_table_get(f->table, 3)->quality, PS_QUALITY_WRITE_ONLY);
}

static void both_frames_are_shown(void **state) {
    Fixture *f = *state;
    assert_int_equal(peek(f, 0), PS_OK);
    assert_string_equal(f->seen.request, "function 3 to slave 1: 4 registers of the holding "
                                         "registers from offset 0 on");
    assert_int_equal(f->seen.sent_len, 12); // header 7, function, offset, count
    assert_memory_equal(f->seen.sent + 2, "\0\0\0\x06\x01\x03\0\0\0\x04", 10);
    assert_int_equal(f->seen.received_len, 9 + 8);
    assert_memory_equal(f->seen.received, f->seen.sent, 2); // the transaction
    assert_memory_equal(f->seen.received + 2, "\0\0\0\x0B\x01\x03\x08", 7);
}

static void where_less_is_there_less_comes(void **state) {
    Fixture *f = *state;
    test_server_set_register(f->server, LAST_REGISTER, 0xABCD);
    assert_int_equal(peek(f, 1), PS_OK);
    assert_int_equal(f->seen.len, 2);
    assert_memory_equal(f->seen.bytes, "\xAB\xCD", 2);
}

static void a_refusal_is_shown_with_its_code_and_what_to_do(void **state) {
    Fixture *f = *state;
    test_server_refuse(f->server, 2);
    assert_int_equal(peek(f, 0), PS_ERR_REFUSED);
    assert_string_equal(f->diag.object, "variable 'v' of device 'plc'");
    assert_int_equal(f->seen.code, 2);
    assert_non_null(strstr(f->seen.meaning, "illegal data address"));
    assert_non_null(strstr(f->seen.meaning, "list of registers"));
    assert_int_equal(f->seen.received_len, 9);
    assert_memory_equal(f->seen.received + 7, "\x83\x02", 2);
    assert_int_equal(f->seen.len, 0);
}

static void a_bit_has_one_reading(void **state) {
    Fixture *f = *state;
    test_server_set_coil(f->server, 0, 1);
    assert_int_equal(peek(f, 2), PS_OK);
    assert_true(f->seen.ordered);
    assert_int_equal(f->seen.len, 1);
    assert_int_equal(f->seen.bytes[0], 1);
}

static void what_is_never_read_is_not_looked_at(void **state) {
    Fixture *f = *state;
    assert_int_equal(peek(f, 3), PS_ERR_DENIED);
    assert_int_equal(peek(f, 4), PS_ERR_NOT_FOUND);
}

static void a_device_that_is_away_is_asked_now(void **state) {
    Fixture *f = *state;
    assert_int_equal(peek(f, 0), PS_OK);
    test_server_silence(f->server, 1);
    assert_int_equal(peek(f, 0), PS_ERR_TIMEOUT);
    assert_int_equal(f->seen.sent_len, 12); // what was not answered
    assert_int_equal(f->seen.received_len, 0);
    PsDeviceRow row;
    ps_collector_device_row(f->collector, 0, &row);
    assert_true(row.away);
    unsigned before = test_server_requests(f->server);
    assert_int_equal(peek(f, 0), PS_ERR_TIMEOUT); // away, and asked all the same
    assert_true(test_server_requests(f->server) > before);
    test_server_silence(f->server, -1);
    assert_int_equal(peek(f, 0), PS_OK); // and back
    ps_collector_device_row(f->collector, 0, &row);
    assert_false(row.away);
}

static void looks_are_few_and_end_with_the_collector(void **state) {
    Fixture *f = *state;
    test_server_silence(f->server, 1);
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), PATIENCE_S * PS_NS_PER_S);
    for (int i = 0; i < PS_LOOKS_WAITING_MAX; i++) {
        assert_int_equal(ps_collector_peek(f->collector, 0, deadline, on_peek, f, &f->diag), PS_OK);
    }
    assert_int_equal(ps_collector_peek(f->collector, 0, deadline, on_peek, f, &f->diag),
                     PS_ERR_FULL);
    f->done = 0;
    ps_collector_stop(f->collector, on_stopped, f);
    wait_for(f, NULL, &f->stopped);
    assert_int_equal(f->done, PS_LOOKS_WAITING_MAX);
    assert_int_equal(f->result, PS_ERR_CANCELLED);
}

static void modbus_cannot_tell_what_it_has(void **state) {
    Fixture *f = *state;
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), PS_NS_PER_S);
    assert_int_equal(ps_collector_browse(f->collector, 0, "", "", deadline, NULL, NULL, &f->diag),
                     PS_ERR_UNSUPPORTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_bytes_come_as_they_are_on_the_wire),
        TEST(both_frames_are_shown),
        TEST(where_less_is_there_less_comes),
        TEST(a_refusal_is_shown_with_its_code_and_what_to_do),
        TEST(a_bit_has_one_reading),
        TEST(what_is_never_read_is_not_looked_at),
        TEST(a_device_that_is_away_is_asked_now),
        TEST(looks_are_few_and_end_with_the_collector),
        TEST(modbus_cannot_tell_what_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
