// The driver against a real libmodbus server on loopback.
#include "drivers/modbus/driver.h"

#include "drivers/modbus/test_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define VARIABLES_MAX 200

typedef struct Fixture {
    TestServer *server;
    PsDevice device;
    PsVariable variables[VARIABLES_MAX];
    uint32_t indexes[VARIABLES_MAX];
    PsConfig config;
    uint32_t device_index;
    PsPollSet set;
    PsEndpoint endpoint;
    PsSession *session;
    PsSampleBatch *batch;
    PsDiag diag;
} Fixture;

static Fixture fixture; // one test at a time

static const PsDriver *const driver = &ps_modbus_tcp_driver;

static int set_up(void **state) {
    memset(&fixture, 0, sizeof fixture);
    fixture.server = test_server_start(0);
    fixture.device = (PsDevice){.name = "plc",
                                .ip = "127.0.0.1",
                                .port = test_server_port(fixture.server),
                                .slave = 1,
                                .timeout = 5};
    fixture.config =
        (PsConfig){.devices = &fixture.device, .device_count = 1, .variables = fixture.variables};
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    Fixture *f = *state;
    driver->free(f->session);
    ps_sample_batch_free(f->batch);
    test_server_stop(f->server);
    return 0;
}

static PsVariable *add(Fixture *f, int address, int type) {
    uint32_t index = f->config.variable_count++;
    f->indexes[index] = index;
    f->variables[index] = (PsVariable){.name = "v",
                                       .device_name = "plc",
                                       .data_type = type,
                                       .register_addr = address,
                                       .register_bit = PS_UNSET,
                                       .access = PS_ACCESS_READ,
                                       .float_repr = 2,
                                       .size = 6};
    return &f->variables[index];
}

static void open_session(Fixture *f) {
    f->set = (PsPollSet){.variables = f->indexes, .variable_count = f->config.variable_count};
    f->endpoint = (PsEndpoint){.config = &f->config,
                               .devices = &f->device_index,
                               .device_count = 1,
                               .sets = &f->set,
                               .set_count = 1};
    f->batch = ps_sample_batch_new(VARIABLES_MAX, 512);
    assert_int_equal(driver->session_new(&f->endpoint, &f->session, &f->diag), PS_OK);
    PsErr err = driver->connect(f->session, &f->diag);
    if (err != PS_OK) {
        fail_msg("connect: %s", f->diag.text);
    }
    assert_true(driver->connected(f->session));
}

static PsErr read_all(Fixture *f) {
    ps_sample_batch_clear(f->batch);
    f->diag = (PsDiag){0};
    return driver->read(f->session, 0, f->batch, &f->diag);
}

static const PsSample *sample_of(const Fixture *f, uint32_t variable) {
    for (uint32_t i = 0; i < f->batch->sample_count; i++) {
        if (f->batch->samples[i].variable == variable) {
            return &f->batch->samples[i];
        }
    }
    fail_msg("no sample of variable %u", variable);
    return NULL;
}

static void assert_sample(const Fixture *f, uint32_t variable, PsValue expected) {
    const PsSample *sample = sample_of(f, variable);
    char shown[64];
    ps_value_format(sample->value, shown, sizeof shown);
    if (sample->quality != PS_QUALITY_GOOD || !ps_value_equal(sample->value, expected)) {
        fail_msg("variable %u: %s '%s'", variable, ps_quality_name((PsQuality)sample->quality),
                 shown);
    }
}

static void all_four_tables_are_read(void **state) {
    Fixture *f = *state;
    test_server_set_coil(f->server, 4, 1);
    test_server_set_discrete(f->server, 10000, 1);
    test_server_set_input_register(f->server, 10001, 0xFFFE);
    test_server_set_register(f->server, 0, 2);
    test_server_set_register(f->server, 10, 0x4144);
    test_server_set_register(f->server, 11, 0xCCCD);
    test_server_set_register(f->server, 20, 0x4142);
    test_server_set_register(f->server, 21, 0x4300);
    test_server_set_register(f->server, 30, 0x0020);
    test_server_set_register(f->server, 31, 0x00FA);
    add(f, 5, PS_TYPE_BOOL);
    add(f, 110001, PS_TYPE_BIT);
    add(f, 310002, PS_TYPE_INT);
    add(f, 40001, PS_TYPE_WORD);
    add(f, 40011, PS_TYPE_FLOAT);
    add(f, 40021, PS_TYPE_STRING);
    add(f, 40031, PS_TYPE_BOOL)->register_bit = 5;
    add(f, 40032, PS_TYPE_BCD);
    open_session(f);
    assert_int_equal(read_all(f), PS_OK);
    assert_int_equal(f->batch->sample_count, 8);
    assert_string_equal(f->diag.text, "");
    assert_sample(f, 0, ps_value_bool(true));
    assert_sample(f, 1, ps_value_int(1));
    assert_sample(f, 2, ps_value_int(-2));
    assert_sample(f, 3, ps_value_int(2));
    assert_sample(f, 4, ps_value_float(12.3));
    assert_sample(f, 5, ps_value_text("ABC", 3));
    assert_sample(f, 6, ps_value_bool(true));
    assert_int_equal(sample_of(f, 7)->quality, PS_QUALITY_UNDECODABLE);
    assert_int_equal(f->session->counters.requests, 4);
    assert_int_equal(f->session->counters.errors, 0);
    assert_true(f->session->counters.round_trip_ns > 0);
}

static PsValue write_variable(Fixture *f, uint32_t variable, PsValue value) {
    PsValue read_back = ps_value_int(-12345);
    PsErr err = driver->write(f->session, variable, value, &read_back, &f->diag);
    if (err != PS_OK) {
        fail_msg("write of variable %u: %s", variable, f->diag.text);
    }
    return read_back;
}

static void writes_are_read_back(void **state) {
    Fixture *f = *state;
    test_server_set_register(f->server, 5, 0xFF00);
    for (int type = PS_TYPE_BOOL; type <= PS_TYPE_ULONG; type++) {
        bool has_form = type != PS_TYPE_BYTE && type != PS_TYPE_SINT;
        PsVariable *variable = add(f, 40101 + 10 * type, has_form ? type : PS_TYPE_WORD);
        variable->register_bit = type <= PS_TYPE_BIT ? 3 : PS_UNSET;
        variable->access = PS_ACCESS_READ_WRITE;
    }
    add(f, 3, PS_TYPE_BOOL)->access = PS_ACCESS_READ_WRITE;
    PsVariable *bit = add(f, 40006, PS_TYPE_BIT);
    bit->register_bit = 0;
    bit->access = PS_ACCESS_READ_WRITE;
    add(f, 40007, PS_TYPE_WORD)->access = PS_ACCESS_WRITE;
    open_session(f);
    const PsValue values[] = {
        ps_value_bool(true),      ps_value_int(1),           ps_value_int(9),
        ps_value_int(9),          ps_value_int(65535),       ps_value_int(-5),
        ps_value_int(4000000000), ps_value_int(-2000000000), ps_value_float(12.5),
        ps_value_float(-1.25),    ps_value_text("hello", 5), ps_value_int(1234),
        ps_value_int(12345678),   ps_value_int(INT64_MIN),   ps_value_uint(UINT64_MAX),
    };
    for (uint32_t i = 0; i < PS_COUNT(values); i++) {
        assert_true(ps_value_equal(write_variable(f, i, values[i]), values[i]));
    }
    uint32_t next = PS_COUNT(values);
    assert_true(ps_value_equal(write_variable(f, next, ps_value_bool(true)), ps_value_bool(true)));
    assert_int_equal(test_server_coil(f->server, 2), 1);
    assert_true(ps_value_equal(write_variable(f, next + 1, ps_value_int(1)), ps_value_int(1)));
    assert_int_equal(test_server_register(f->server, 5), 0xFF01);
    PsValue none = write_variable(f, next + 2, ps_value_int(77));
    assert_int_equal(none.kind, PS_VALUE_NONE);
    assert_int_equal(test_server_register(f->server, 6), 77);
}

static void one_missing_register_spoils_no_other(void **state) {
    Fixture *f = *state;
    enum {
        BAD = 42,
        COUNT = 125
    };
    for (int i = 0; i < COUNT; i++) {
        test_server_set_register(f->server, i, (uint16_t)(i + 1));
        add(f, 40001 + i, PS_TYPE_WORD);
    }
    test_server_hole(f->server, BAD);
    open_session(f);
    assert_int_equal(read_all(f), PS_OK);
    assert_int_equal(f->batch->sample_count, COUNT);
    assert_non_null(strstr(f->diag.text, "offset 42"));
    assert_non_null(strstr(f->diag.text, "exception 2"));
    for (uint32_t i = 0; i < COUNT; i++) {
        if (i == BAD) {
            assert_int_equal(sample_of(f, i)->quality, PS_QUALITY_REFUSED);
        } else {
            assert_sample(f, i, ps_value_int(i + 1));
        }
    }
    uint64_t first = f->session->counters.requests;
    assert_int_equal(read_all(f), PS_OK);
    uint64_t second = f->session->counters.requests - first;
    assert_true(second <= 8); // the cuts are remembered
    assert_true(second < first);
}

static void an_exception_of_another_kind_is_not_searched(void **state) {
    Fixture *f = *state;
    add(f, 40001, PS_TYPE_WORD);
    add(f, 40002, PS_TYPE_WORD);
    open_session(f);
    test_server_refuse(f->server, 4);
    assert_int_equal(read_all(f), PS_OK);
    assert_int_equal(f->session->counters.requests, 1);
    assert_int_equal(sample_of(f, 1)->quality, PS_QUALITY_REFUSED);
    assert_non_null(strstr(f->diag.text, "device failure (exception 4)"));
    assert_true(driver->connected(f->session));
    test_server_refuse(f->server, 11);
    assert_int_equal(read_all(f), PS_ERR_TIMEOUT);
    assert_int_equal(f->batch->sample_count, 0);
    assert_true(driver->connected(f->session));
}

static void a_late_answer_is_never_taken_for_the_next(void **state) {
    Fixture *f = *state;
    f->device.timeout = 0.05;
    add(f, 40001, PS_TYPE_WORD);
    test_server_set_register(f->server, 0, 1);
    open_session(f);
    test_server_delay(f->server, 150);
    assert_int_equal(read_all(f), PS_ERR_TIMEOUT);
    assert_false(driver->connected(f->session));
    test_server_delay(f->server, 0);
    test_server_set_register(f->server, 0, 2);
    f->device.timeout = 5;
    assert_int_equal(driver->connect(f->session, &f->diag), PS_OK);
    assert_int_equal(read_all(f), PS_OK);
    assert_sample(f, 0, ps_value_int(2));
}

// One byte wrong in the header, function or count: no value of it is taken, and the connection,
// whose bytes cannot be trusted any more, is made anew.
static void an_answer_with_a_wrong_field_is_refused(void **state) {
    Fixture *f = *state;
    static const struct {
        int at;
        int value;
        const char *words;
    } forged[] = {
        {0, 0xEE, "transaction number"}, {2, 1, "protocol number"},  {5, 9, "length"},
        {6, 2, "another slave number"},  {7, 4, "another function"}, {8, 2, "number of values"},
    };
    add(f, 40001, PS_TYPE_WORD);
    add(f, 40002, PS_TYPE_WORD);
    test_server_set_register(f->server, 0, 7);
    test_server_set_register(f->server, 1, 7);
    open_session(f);
    for (size_t i = 0; i < PS_COUNT(forged); i++) {
        test_server_forge(f->server, forged[i].at, forged[i].value);
        assert_int_equal(read_all(f), PS_ERR_PROTOCOL);
        assert_int_equal(f->batch->sample_count, 0);
        if (strstr(f->diag.text, forged[i].words) == NULL) {
            fail_msg("'%s' instead of '%s'", f->diag.text, forged[i].words);
        }
        assert_false(driver->connected(f->session));
        test_server_forge(f->server, -1, 0);
        assert_int_equal(driver->connect(f->session, &f->diag), PS_OK);
        assert_int_equal(read_all(f), PS_OK);
        assert_sample(f, 1, ps_value_int(7));
    }
    test_server_forge(f->server, 6, 255); // a device without slaves behind it
    assert_int_equal(read_all(f), PS_OK);
}

static void bytes_nobody_asked_for_are_no_answer(void **state) {
    Fixture *f = *state;
    add(f, 40001, PS_TYPE_WORD);
    open_session(f);
    test_server_trail(f->server, 12);
    assert_int_equal(read_all(f), PS_OK);
    unsigned requests = test_server_requests(f->server);
    assert_int_equal(read_all(f), PS_ERR_PROTOCOL);
    assert_non_null(strstr(f->diag.text, "came before the request"));
    assert_int_equal(test_server_requests(f->server), requests);
}

static void failures_name_their_step(void **state) {
    Fixture *f = *state;
    add(f, 40001, PS_TYPE_WORD);
    open_session(f);
    test_server_drop_next(f->server);
    assert_int_equal(read_all(f), PS_ERR_CLOSED);
    assert_false(driver->connected(f->session));
    assert_int_equal(read_all(f), PS_ERR_CLOSED); // not connected
    test_server_stop(f->server);
    assert_int_equal(driver->connect(f->session, &f->diag), PS_ERR_CLOSED);
    assert_string_equal(f->diag.field, "port");
    assert_non_null(strstr(f->diag.text, "connect: 127.0.0.1 refuses port"));
    f->server = test_server_start(f->device.port);
    assert_int_equal(driver->connect(f->session, &f->diag), PS_OK);
}

static void an_unknown_host_is_a_matter_of_names(void **state) {
    Fixture *f = *state;
    add(f, 40001, PS_TYPE_WORD);
    open_session(f);
    driver->free(f->session);
    f->session = NULL;
    f->device.ip = "no..such..host"; // empty labels: refused without asking any server
    assert_int_equal(driver->session_new(&f->endpoint, &f->session, &f->diag), PS_OK);
    assert_int_equal(driver->connect(f->session, &f->diag), PS_ERR_NOT_FOUND);
    assert_non_null(strstr(f->diag.text, "name resolution"));
}

static void *interrupt_soon(void *arg) {
    Fixture *f = arg;
    while (test_server_requests(f->server) == 0) {
        struct timespec pause = {.tv_nsec = 1000000};
        nanosleep(&pause, NULL);
    }
    driver->interrupt(f->session);
    return NULL;
}

static void interrupt_ends_a_blocked_read(void **state) {
    Fixture *f = *state;
    f->device.timeout = 60;
    add(f, 40001, PS_TYPE_WORD);
    test_server_silence(f->server, 1);
    open_session(f);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, f), 0);
    PsMono start = ps_mono_now();
    assert_int_equal(read_all(f), PS_ERR_CANCELLED);
    assert_true(ps_mono_diff_ns(ps_mono_now(), start) < 5 * PS_NS_PER_S);
    pthread_join(thread, NULL);
    assert_int_equal(driver->connect(f->session, &f->diag), PS_ERR_CANCELLED);
}

static void endpoint_keys_name_host_and_port(void **state) {
    (void)state;
    char key[PS_ENDPOINT_KEY_SIZE];
    driver->endpoint_key(NULL, &(PsDevice){.ip = "10.5.16.82", .port = 502}, key, sizeof key);
    assert_string_equal(key, "10.5.16.82:502");
    driver->endpoint_key(NULL, &(PsDevice){.ip = "::1", .port = 502}, key, sizeof key);
    assert_string_equal(key, "[::1]:502");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(all_four_tables_are_read),
        TEST(writes_are_read_back),
        TEST(one_missing_register_spoils_no_other),
        TEST(an_exception_of_another_kind_is_not_searched),
        TEST(a_late_answer_is_never_taken_for_the_next),
        TEST(an_answer_with_a_wrong_field_is_refused),
        TEST(bytes_nobody_asked_for_are_no_answer),
        TEST(failures_name_their_step),
        TEST(an_unknown_host_is_a_matter_of_names),
        TEST(interrupt_ends_a_blocked_read),
        cmocka_unit_test(endpoint_keys_name_host_and_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
