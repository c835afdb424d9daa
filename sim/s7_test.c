// The simulated S7 controller as a client sees it, byte by byte: values, writes, return codes,
// faults.
#include "sim/s7.h"

#include "base/err.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct Fixture {
    pthread_mutex_t lock;
    PsPlant *plant;
    PsSimSide *side;
    int fd;
    uint8_t answer[512];
    size_t len;
} Fixture;

static Fixture fixture;

static PsSimAddress after(PsSimAddress first, size_t i) {
    first.offset = (uint16_t)(first.offset + i);
    return first;
}

static void items(void *plant, PsSimAddress first, size_t count, uint16_t *ret_values) {
    pthread_mutex_lock(&fixture.lock);
    for (size_t i = 0; i < count; i++) {
        ret_values[i] = ps_plant_item(plant, after(first, i));
    }
    pthread_mutex_unlock(&fixture.lock);
}

static void write_items(void *plant, PsSimAddress first, size_t count, const uint16_t *values) {
    pthread_mutex_lock(&fixture.lock);
    for (size_t i = 0; i < count; i++) {
        ps_plant_force(plant, after(first, i), values[i]);
    }
    pthread_mutex_unlock(&fixture.lock);
}

// Sends a frame without its TPKT header and takes the answer.
static void ask(Fixture *f, const uint8_t *bytes, size_t len) {
    uint8_t frame[128] = {3, 0, 0, (uint8_t)(len + 4)};
    memcpy(frame + 4, bytes, len);
    assert_int_equal(send(f->fd, frame, len + 4, 0), len + 4);
    assert_int_equal(recv(f->fd, f->answer, 4, MSG_WAITALL), 4);
    f->len = (size_t)f->answer[2] << 8 | f->answer[3];
    assert_in_range(f->len, 7, sizeof f->answer);
    assert_int_equal(recv(f->fd, f->answer + 4, f->len - 4, MSG_WAITALL), f->len - 4);
}

static int set_up(void **state) {
    memset(&fixture, 0, sizeof fixture);
    pthread_mutex_init(&fixture.lock, NULL);
    fixture.plant = ps_plant_new(0);
    PsSimSideSetup setup = {
        .address = "127.0.0.1", .items = items, .write_items = write_items, .plant = fixture.plant};
    PsDiag diag = {0};
    assert_int_equal(ps_sim_s7_kind.start(&setup, &fixture.side, &diag), PS_OK);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(ps_sim_s7_kind.bound_port(fixture.side)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 30};
    fixture.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(fixture.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fixture.fd, (const struct sockaddr *)&address, sizeof address), 0);
    static const uint8_t partner[] = {17, 0xE0, 0, 0, 0, 1,    0, 0xC0, 1,
                                      10, 0xC1, 2, 1, 0, 0xC2, 2, 2,    1};
    ask(&fixture, partner, sizeof partner);
    assert_int_equal(fixture.answer[5], 0xD0);
    static const uint8_t setup_job[] = {2, 0xF0, 0x80, 0x32, 1, 0, 0, 0, 1, 0,   8,
                                        0, 0,    0xF0, 0,    0, 1, 0, 1, 1, 0xE0};
    ask(&fixture, setup_job, sizeof setup_job);
    assert_int_equal(fixture.answer[19], 0xF0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    Fixture *f = *state;
    close(f->fd);
    ps_sim_s7_kind.stop(f->side);
    ps_plant_free(f->plant);
    pthread_mutex_destroy(&f->lock);
    return 0;
}

// Reads two bytes; the item's return code, its value in `ret_value`.
static uint8_t read_word(Fixture *f, uint8_t area, uint8_t db, unsigned byte, unsigned *ret_value) {
    unsigned bits = 8 * byte;
    uint8_t job[] = {2,
                     0xF0,
                     0x80,
                     0x32,
                     1,
                     0,
                     0,
                     0,
                     7,
                     0,
                     14,
                     0,
                     0,
                     4,
                     1,
                     0x12,
                     10,
                     0x10,
                     2,
                     0,
                     2,
                     0,
                     db,
                     area,
                     (uint8_t)(bits >> 16),
                     (uint8_t)(bits >> 8),
                     (uint8_t)bits};
    ask(f, job, sizeof job);
    assert_int_equal(f->answer[12], 7); // its reference
    *ret_value = f->len == 27 ? (unsigned)f->answer[25] << 8 | f->answer[26] : 0;
    return f->len > 21 ? f->answer[21] : 0;
}

static void fault(Fixture *f, const char *line) {
    PsDiag diag = {0};
    if (ps_sim_s7_kind.fault(f->side, line, &diag) != PS_OK) {
        fail_msg("%s: %s", line, diag.text);
    }
}

static void the_plant_has_s7_names(void **state) {
    Fixture *f = *state;
    unsigned value = 0;
    assert_int_equal(read_word(f, 0x84, 1, 2000, &value), 0xFF);
    assert_int_equal(value, 1001);
    assert_int_equal(read_word(f, 0x84, 1, 2001, &value), 0xFF); // across two registers
    assert_int_equal(value, 0xE903);
    assert_int_equal(read_word(f, 0x84, 2, 0, &value), 0xFF);
    assert_int_equal(value, 16 << 8 | 8); // STRING[16] of eight characters
    assert_int_equal(read_word(f, 0x83, 0, 0, &value), 0xFF);
    assert_int_equal(read_word(f, 0x81, 0, 0, &value), 0xFF);
    assert_int_equal(read_word(f, 0x82, 0, 0, &value), 0xFF);
}

static void what_is_written_is_the_plants(void **state) {
    Fixture *f = *state;
    static const uint8_t word_job[] = {2, 0xF0, 0x80, 0x32, 1,    0,  0,    0, 7,  0, 14,
                                       0, 6,    5,    1,    0x12, 10, 0x10, 2, 0,  2, 0,
                                       1, 0x84, 0,    0x06, 0x40, 0,  4,    0, 16, 0, 33};
    ask(f, word_job, sizeof word_job); // DB1.DBW200
    assert_int_equal(f->answer[21], 0xFF);
    PsSimAddress setpoint = {.table = PS_SIM_HOLDING, .offset = 100};
    assert_int_equal(ps_plant_item(f->plant, setpoint), 33);
    static const uint8_t bit_job[] = {2, 0xF0, 0x80, 0x32, 1,    0,  0,    0, 7, 0, 14,
                                      0, 5,    5,    1,    0x12, 10, 0x10, 1, 0, 1, 0,
                                      0, 0x83, 0,    0,    26,   0,  3,    0, 1, 1};
    ask(f, bit_job, sizeof bit_job); // M3.2
    assert_int_equal(f->answer[21], 0xFF);
    PsSimAddress coil = {.table = PS_SIM_COIL, .offset = 26};
    assert_int_equal(ps_plant_item(f->plant, coil), 1);
    coil.offset = 27;
    assert_int_equal(ps_plant_item(f->plant, coil), 0);
}

static void places_that_are_not_there_have_their_codes(void **state) {
    Fixture *f = *state;
    unsigned value = 0;
    assert_int_equal(read_word(f, 0x84, 9, 0, &value), 0x0A);
    assert_int_equal(read_word(f, 0x84, 1, 39999, &value), 0x05);
    fault(f, "hole DB1 10-20");
    assert_int_equal(read_word(f, 0x84, 1, 8, &value), 0xFF);
    assert_int_equal(read_word(f, 0x84, 1, 9, &value), 0x05);
    assert_int_equal(read_word(f, 0x84, 1, 20, &value), 0x05);
    assert_int_equal(read_word(f, 0x84, 1, 21, &value), 0xFF);
    fault(f, "exception 0x03");
    assert_int_equal(read_word(f, 0x84, 1, 21, &value), 0x03);
    fault(f, "ok");
    assert_int_equal(read_word(f, 0x84, 1, 10, &value), 0xFF);
}

static void a_refused_function_is_an_error_of_the_job(void **state) {
    Fixture *f = *state;
    unsigned value = 0;
    fault(f, "putget off");
    (void)read_word(f, 0x84, 1, 0, &value);
    assert_int_equal(f->len, 19);
    assert_int_equal(f->answer[17], 0x81);
    assert_int_equal(f->answer[18], 0x04);
    fault(f, "putget on");
    assert_int_equal(read_word(f, 0x84, 1, 0, &value), 0xFF);
}

static void the_cpu_stops_and_runs(void **state) {
    Fixture *f = *state;
    static const uint8_t list[] = {2,    0xF0, 0x80, 0x32, 7, 0, 0,    0, 9, 0, 8,    0,    8, 0, 1,
                                   0x12, 4,    0x11, 0x44, 1, 0, 0xFF, 9, 0, 4, 0x04, 0x24, 0, 0};
    fault(f, "stop");
    ask(f, list, sizeof list);
    assert_int_equal(f->answer[f->len - 20 + 3] & 0x0F, 4);
    fault(f, "run");
    ask(f, list, sizeof list);
    assert_int_equal(f->answer[f->len - 20 + 3] & 0x0F, 8);
}

static void wrong_faults_are_told(void **state) {
    Fixture *f = *state;
    PsDiag diag = {0};
    assert_int_equal(ps_sim_s7_kind.fault(f->side, "hole DB1", &diag), PS_ERR_INVALID);
    assert_non_null(strstr(diag.text, "hole DB1 10-20"));
    assert_int_equal(ps_sim_s7_kind.fault(f->side, "hole M 9-3", &diag), PS_ERR_INVALID);
    assert_int_equal(ps_sim_s7_kind.fault(f->side, "exception 300", &diag), PS_ERR_INVALID);
    assert_int_equal(ps_sim_s7_kind.fault(f->side, "delay 3", &diag), PS_ERR_NOT_FOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_plant_has_s7_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_written_is_the_plants, set_up, tear_down),
        cmocka_unit_test_setup_teardown(places_that_are_not_there_have_their_codes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_refused_function_is_an_error_of_the_job, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_cpu_stops_and_runs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_faults_are_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
