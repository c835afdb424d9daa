// The driver against libsnap7's server on loopback, which is not ours.
#include "drivers/s7/driver.h"

#include "drivers/learned.h"
#include "drivers/s7/session.h"
#include "drivers/s7/test_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define VARIABLES_MAX 300

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
    PsLearned *learned;
    PsDiag diag;
} Fixture;

static Fixture fixture; // one test at a time

static const PsDriver *const driver = &ps_s7_driver;

static int set_up(void **state) {
    memset(&fixture, 0, sizeof fixture);
    fixture.server = test_server_start();
    fixture.learned = ps_learned_new();
    fixture.device = (PsDevice){.name = "plc",
                                .ip = "127.0.0.1",
                                .port = test_server_port(fixture.server),
                                .slot = 1,
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
    ps_learned_free(f->learned);
    test_server_stop(f->server);
    return 0;
}

static PsVariable *add(Fixture *f, int area, int db, int byte, int type) {
    uint32_t index = f->config.variable_count++;
    f->indexes[index] = index;
    f->variables[index] = (PsVariable){.name = "v",
                                       .device_name = "plc",
                                       .data_type = (int8_t)type,
                                       .register_type = (int8_t)area,
                                       .dbnumber = (uint16_t)db,
                                       .register_addr = byte,
                                       .register_bit = PS_UNSET,
                                       .access = PS_ACCESS_READ_WRITE,
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
                               .set_count = 1,
                               .learned = f->learned};
    f->batch = ps_sample_batch_new(VARIABLES_MAX, 2048);
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

static uint64_t requests_of_a_read(Fixture *f) {
    uint64_t before = f->session->counters.requests;
    assert_int_equal(read_all(f), PS_OK);
    assert_int_equal(f->batch->sample_count, f->config.variable_count);
    return f->session->counters.requests - before;
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

static uint32_t count_of(const Fixture *f, PsQuality quality) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < f->batch->sample_count; i++) {
        count += f->batch->samples[i].quality == quality;
    }
    return count;
}

static void all_areas_are_read(void **state) {
    Fixture *f = *state;
    test_server_inputs(f->server)[3] = 0x20;
    test_server_outputs(f->server)[0] = 7;
    test_server_flags(f->server)[10] = 0x12;
    test_server_flags(f->server)[11] = 0x34;
    memcpy(test_server_db1(f->server) + 18, "\x41\x44\xCC\xCD", 4);
    memcpy(test_server_db2(f->server), "\x10\x05pumps", 7);
    add(f, PS_S7_INPUTS, 0, 3, PS_TYPE_BOOL)->register_bit = 5;
    add(f, PS_S7_OUTPUTS, 0, 0, PS_TYPE_BYTE);
    add(f, PS_S7_FLAGS, 0, 10, PS_TYPE_WORD);
    add(f, PS_S7_DB, 1, 18, PS_TYPE_FLOAT);
    add(f, PS_S7_DB, 2, 0, PS_TYPE_S7STRING);
    open_session(f);
    assert_int_equal(requests_of_a_read(f), 1);
    assert_string_equal(f->diag.text, "");
    assert_sample(f, 0, ps_value_bool(true));
    assert_sample(f, 1, ps_value_int(7));
    assert_sample(f, 2, ps_value_int(0x1234));
    assert_sample(f, 3, ps_value_float(12.3));
    assert_sample(f, 4, ps_value_text("pumps", 5));
}

static void the_cpu_says_who_it_is(void **state) {
    Fixture *f = *state;
    add(f, PS_S7_DB, 1, 0, PS_TYPE_WORD);
    test_server_set_stopped(f->server, 1);
    open_session(f);
    assert_non_null(strstr(f->session->note, "S7-300 6ES7 31"));
    assert_non_null(strstr(f->session->note, "in STOP"));
    assert_int_equal(read_all(f), PS_OK);
}

static void a_long_set_takes_few_requests(void **state) {
    Fixture *f = *state;
    for (int i = 0; i < VARIABLES_MAX; i++) {
        test_server_db1(f->server)[4 * i + 1] = (uint8_t)i;
        add(f, PS_S7_DB, 1, 4 * i, PS_TYPE_WORD);
    }
    open_session(f);
    assert_int_equal(requests_of_a_read(f), 2); // 1,200 bytes in telegrams of 960
    for (uint32_t i = 0; i < VARIABLES_MAX; i++) {
        assert_sample(f, i, ps_value_int(i & 0xFF));
    }
}

// One place behind the end of a block takes nothing from the others, costs a few requests once and
// none later.
static void a_place_that_is_not_there_spoils_no_other(void **state) {
    Fixture *f = *state;
    for (int i = 0; i < 50; i++) {
        add(f, PS_S7_DB, 2, 2 * i, PS_TYPE_WORD); // the block has 100 bytes
    }
    add(f, PS_S7_DB, 2, 100, PS_TYPE_WORD);
    add(f, PS_S7_FLAGS, 0, 0, PS_TYPE_WORD);
    open_session(f);
    assert_in_range(requests_of_a_read(f), 2, 12);
    assert_int_equal(count_of(f, PS_QUALITY_GOOD), 51);
    assert_int_equal(sample_of(f, 50)->quality, PS_QUALITY_REFUSED);
    assert_non_null(strstr(f->diag.text, "DB2 bytes 100 to 101: address out of range"));
    assert_int_equal(requests_of_a_read(f), 1);
    assert_int_equal(count_of(f, PS_QUALITY_GOOD), 51);
    assert_non_null(strstr(f->diag.text, "DB2 bytes 100 to 101"));
    uint32_t holes = 0;
    const PsLearnedHole *hole = ps_learned_holes(f->learned, &holes);
    assert_int_equal(holes, 1);
    assert_int_equal(hole->first, 100);
    assert_int_equal(hole->count, 2);
}

static void a_block_that_is_missing_costs_one_look(void **state) {
    Fixture *f = *state;
    for (int i = 0; i < 200; i++) {
        add(f, PS_S7_DB, 9, 4 * i, PS_TYPE_WORD);
    }
    add(f, PS_S7_DB, 1, 0, PS_TYPE_WORD);
    open_session(f);
    assert_in_range(requests_of_a_read(f), 2, 4);
    assert_int_equal(count_of(f, PS_QUALITY_REFUSED), 200);
    assert_non_null(strstr(f->diag.text, "no such block is loaded"));
    assert_int_equal(requests_of_a_read(f), 1);
    assert_int_equal(count_of(f, PS_QUALITY_GOOD), 1);

    // The program is loaded, which ends the connection: all is asked for anew.
    static uint8_t block[1000];
    test_server_away(f->server);
    while (read_all(f) == PS_OK) {
    }
    test_server_add_db(f->server, 9, block, sizeof block);
    test_server_again(f->server);
    assert_int_equal(driver->connect(f->session, &f->diag), PS_OK);
    assert_int_equal(read_all(f), PS_OK);
    assert_int_equal(count_of(f, PS_QUALITY_GOOD), 201);
    uint32_t holes = 1;
    (void)ps_learned_holes(f->learned, &holes);
    assert_int_equal(holes, 0);
}

static void many_holes_are_found_in_one_read(void **state) {
    Fixture *f = *state;
    for (int i = 0; i < 20; i++) {
        add(f, PS_S7_DB, 2, 4 * i, PS_TYPE_WORD);
    }
    for (int i = 0; i < 20; i++) {
        add(f, PS_S7_DB, 2, 100 + 4 * i, PS_TYPE_WORD);
    }
    for (int i = 0; i < 10; i++) {
        add(f, PS_S7_INPUTS, 0, 60 + i, PS_TYPE_BYTE); // there are 64
    }
    open_session(f);
    assert_int_equal(read_all(f), PS_OK);
    assert_int_equal(count_of(f, PS_QUALITY_GOOD), 24);
    assert_int_equal(requests_of_a_read(f), 1);
    assert_int_equal(count_of(f, PS_QUALITY_GOOD), 24);
}

static void write_and_expect(Fixture *f, uint32_t variable, PsValue value) {
    PsValue back = ps_value_none();
    PsErr err = driver->write(f->session, variable, value, &back, &f->diag);
    if (err != PS_OK || !ps_value_equal(back, value)) {
        char shown[64];
        ps_value_format(back, shown, sizeof shown);
        fail_msg("variable %u: %s, read back '%s'", variable, f->diag.text, shown);
    }
}

static void values_are_written_and_read_back(void **state) {
    Fixture *f = *state;
    add(f, PS_S7_DB, 1, 0, PS_TYPE_INT);
    add(f, PS_S7_DB, 1, 4, PS_TYPE_FLOAT);
    add(f, PS_S7_DB, 1, 8, PS_TYPE_BOOL)->register_bit = 2;
    add(f, PS_S7_FLAGS, 0, 1, PS_TYPE_BIT)->register_bit = 7;
    add(f, PS_S7_DB, 1, 10, PS_TYPE_STRING);
    add(f, PS_S7_DB, 1, 20, PS_TYPE_DOUBLE);
    add(f, PS_S7_DB, 1, 30, PS_TYPE_BCD32);
    add(f, PS_S7_OUTPUTS, 0, 2, PS_TYPE_BYTE);
    test_server_db1(f->server)[8] = 0xF0;
    open_session(f);
    write_and_expect(f, 0, ps_value_int(-5));
    write_and_expect(f, 1, ps_value_float(1.5));
    write_and_expect(f, 2, ps_value_bool(true));
    write_and_expect(f, 3, ps_value_int(1));
    write_and_expect(f, 4, ps_value_text("run", 3));
    write_and_expect(f, 5, ps_value_float(-0.25));
    write_and_expect(f, 6, ps_value_int(12345678));
    write_and_expect(f, 7, ps_value_int(200));
    assert_int_equal(test_server_db1(f->server)[8], 0xF4); // its neighbours are as they were
    assert_int_equal(test_server_flags(f->server)[1], 0x80);
    assert_memory_equal(test_server_db1(f->server) + 10, "run\0\0\0", 6);
}

static void an_s7string_keeps_its_room(void **state) {
    Fixture *f = *state;
    memcpy(test_server_db2(f->server), "\x08\x03old----XY", 12);
    add(f, PS_S7_DB, 2, 0, PS_TYPE_S7STRING)->size = 20;
    add(f, PS_S7_DB, 2, 40, PS_TYPE_S7STRING)->size = 20; // zeros: no STRING
    open_session(f);
    write_and_expect(f, 0, ps_value_text("new", 3));
    write_and_expect(f, 0, ps_value_text("", 0));
    write_and_expect(f, 0, ps_value_text("eight880", 8));
    assert_memory_equal(test_server_db2(f->server),
                        "\x08\x08"
                        "eight880Y",
                        11);
    PsValue back;
    assert_int_equal(driver->write(f->session, 0, ps_value_text("ninechars", 9), &back, &f->diag),
                     PS_ERR_INVALID);
    assert_non_null(strstr(f->diag.text, "STRING[8]"));
    assert_int_equal(driver->write(f->session, 1, ps_value_text("x", 1), &back, &f->diag),
                     PS_ERR_INVALID);
    assert_non_null(strstr(f->diag.text, "holds no STRING"));
}

static void a_write_that_is_refused_says_why(void **state) {
    Fixture *f = *state;
    add(f, PS_S7_DB, 9, 0, PS_TYPE_INT);
    add(f, PS_S7_DB, 2, 99, PS_TYPE_INT);
    open_session(f);
    PsValue back;
    assert_int_equal(driver->write(f->session, 0, ps_value_int(1), &back, &f->diag),
                     PS_ERR_REFUSED);
    assert_non_null(strstr(f->diag.text, "writing DB9 bytes 0 to 1: it does not exist"));
    assert_int_equal(driver->write(f->session, 1, ps_value_int(1), &back, &f->diag),
                     PS_ERR_REFUSED);
    assert_non_null(strstr(f->diag.text, "out of range"));
    assert_true(driver->connected(f->session));
}

static void a_look_shows_frames_and_bytes(void **state) {
    Fixture *f = *state;
    memcpy(test_server_db2(f->server) + 90, "\x41\x44\xCC\xCD", 4);
    add(f, PS_S7_DB, 2, 90, PS_TYPE_FLOAT);
    add(f, PS_S7_DB, 2, 96, PS_TYPE_FLOAT); // the last four bytes
    add(f, PS_S7_DB, 9, 0, PS_TYPE_FLOAT);
    open_session(f);
    PsPeek peek = {0};
    assert_int_equal(driver->peek(f->session, 0, &peek, &f->diag), PS_OK);
    assert_int_equal(peek.len, 8);
    assert_memory_equal(peek.bytes, "\x41\x44\xCC\xCD", 4);
    assert_string_equal(peek.request, "read variables (function 4): DB2 bytes 90 to 97");
    assert_int_equal(peek.sent_len, 31);
    assert_int_equal(peek.sent[0], 3);
    assert_int_equal(peek.received_len, 33);
    peek = (PsPeek){0};
    assert_int_equal(driver->peek(f->session, 1, &peek, &f->diag), PS_OK);
    assert_int_equal(peek.len, 4);
    peek = (PsPeek){0};
    assert_int_equal(driver->peek(f->session, 2, &peek, &f->diag), PS_ERR_REFUSED);
    assert_int_equal(peek.code, 0x0A);
    assert_int_equal(read_all(f), PS_OK);
    peek = (PsPeek){0};
    assert_int_equal(driver->peek(f->session, 2, &peek, &f->diag), PS_ERR_REFUSED);
    assert_int_equal(peek.hole_count, 1);
    assert_true(peek.holes[0].here);
    assert_int_equal(peek.holes[0].code, 0x0A);
    assert_non_null(strstr(peek.meaning, "no such block is loaded"));
}

static void a_lost_connection_is_made_anew(void **state) {
    Fixture *f = *state;
    add(f, PS_S7_DB, 1, 0, PS_TYPE_WORD);
    open_session(f);
    assert_int_equal(read_all(f), PS_OK);
    test_server_away(f->server);
    assert_int_equal(read_all(f), PS_ERR_CLOSED);
    assert_int_equal(f->batch->sample_count, 0);
    assert_false(driver->connected(f->session));
    assert_int_equal(driver->connect(f->session, &f->diag), PS_ERR_CLOSED);
    assert_non_null(strstr(f->diag.text, "refuses port"));
    test_server_again(f->server);
    assert_int_equal(driver->connect(f->session, &f->diag), PS_OK);
    assert_int_equal(read_all(f), PS_OK);
}

static void a_new_plan_keeps_the_connection(void **state) {
    Fixture *f = *state;
    add(f, PS_S7_DB, 1, 0, PS_TYPE_WORD);
    open_session(f);
    add(f, PS_S7_DB, 1, 2, PS_TYPE_WORD);
    static PsPollSet set;
    static PsEndpoint endpoint;
    set = (PsPollSet){.variables = f->indexes, .variable_count = 2};
    endpoint = f->endpoint;
    endpoint.sets = &set;
    assert_true(driver->replan(f->session, &endpoint));
    assert_int_equal(requests_of_a_read(f), 1);
}

static void endpoints_are_told_apart_by_their_cpu(void **state) {
    Fixture *f = *state;
    char key[PS_ENDPOINT_KEY_SIZE];
    PsDevice device = {.ip = "10.5.16.82", .port = 102, .rack = 0, .slot = 2};
    driver->endpoint_key(&f->config, &device, key, sizeof key);
    assert_string_equal(key, "10.5.16.82:102 rack 0 slot 2");
    device = (PsDevice){.ip = "fd00::1",
                        .port = 1102,
                        .s7_mode = PS_S7_TSAP,
                        .client_tsap = "02.00",
                        .server_tsap = "02.01"};
    driver->endpoint_key(&f->config, &device, key, sizeof key);
    assert_string_equal(key, "[fd00::1]:1102 TSAP 02.00-02.01");
}

static void a_request_is_described(void **state) {
    Fixture *f = *state;
    add(f, PS_S7_DB, 6, 14, PS_TYPE_FLOAT);
    add(f, PS_S7_DB, 6, 18, PS_TYPE_FLOAT);
    add(f, PS_S7_FLAGS, 0, 0, PS_TYPE_BYTE);
    PsPollSet set = {.variables = f->indexes, .variable_count = 3};
    PS_AUTO_BUF PsBuf out = {0};
    driver->describe(&f->config, &set, 1, &out);
    assert_string_equal((const char *)out.data,
                        "read variables (function 4): DB6 bytes 14 to 21, with 1 other range in "
                        "one telegram, for 2 variables together; this one is DB6 bytes 18 to 21; "
                        "planned for telegrams of 240 bytes, longer ones bring more at a time");
}

static void old_controllers_have_short_telegrams(void **state) {
    Fixture *f = *state;
    memset(test_server_db1(f->server), 'a', 600);
    test_server_db1(f->server)[300] = 250;
    test_server_db1(f->server)[301] = 250;
    add(f, PS_S7_DB, 1, 300, PS_TYPE_S7STRING)->size = 250;
    for (int i = 0; i < 100; i++) {
        add(f, PS_S7_DB, 1, 2 * i, PS_TYPE_WORD);
    }
    open_session(f);
    // As an S7-300 would have agreed; this server takes whatever it is asked for.
    PsS7Session *session = (PsS7Session *)f->session;
    session->connection.pdu = 240;
    ps_s7_plan_merge(&session->plans[0], 240, NULL, ps_mono_now());
    assert_int_equal(requests_of_a_read(f), 3); // 200 bytes, and a text in two pieces
    assert_int_equal(sample_of(f, 0)->value.text_len, 250);
    char text[250];
    memset(text, 'z', sizeof text);
    write_and_expect(f, 0, ps_value_text(text, sizeof text));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_areas_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_cpu_says_who_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_set_takes_few_requests, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_place_that_is_not_there_spoils_no_other, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_block_that_is_missing_costs_one_look, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_holes_are_found_in_one_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_are_written_and_read_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_s7string_keeps_its_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_write_that_is_refused_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_look_shows_frames_and_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lost_connection_is_made_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_plan_keeps_the_connection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(endpoints_are_told_apart_by_their_cpu, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_request_is_described, set_up, tear_down),
        cmocka_unit_test_setup_teardown(old_controllers_have_short_telegrams, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
