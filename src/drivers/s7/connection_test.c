// The connection against a fake controller that says exactly what a test wants, byte by byte: what
// is taken for an answer, what closes the connection, and that an interrupt ends every wait.
#include "drivers/s7/connection.h"

#include "base/err.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define STEPS 6

// One answer of the fake: to which request, with which bytes. No bytes: the connection is closed.
typedef struct Step {
    const uint8_t *bytes;
    size_t len;
    bool patch; // the request's reference is put into it
    bool byte_by_byte;
    bool silent;
} Step;

typedef struct Fixture {
    int listener;
    pthread_t thread;
    bool running;
    Step steps[STEPS];
    size_t step_count;
    PsDevice device;
    PsSession session;
    PsS7Connection connection;
    PsDiag diag;
} Fixture;

static Fixture fixture;

#define TPKT_COTP(len) 3, 0, 0, len, 2, 0xF0, 0x80

static const uint8_t confirm[] = {3, 0, 0, 11, 6, 0xD0, 0, 1, 0, 2, 0};
static const uint8_t agreed[] = {TPKT_COTP(27), 0x32, 3, 0, 0, 0, 0, 0,   8, 0, 0, 0, 0,
                                 0xF0,          0,    0, 1, 0, 1, 1, 0xE0};
static const uint8_t value[] = {TPKT_COTP(27), 0x32, 3, 0,  0,    0,   0, 0, 2, 0, 6, 0, 0, 4, 1,
                                0xFF,          4,    0, 16, 0x12, 0x34};

// A whole request; false when the client is gone.
static bool take_request(int fd, uint8_t *frame) {
    if (recv(fd, frame, 4, MSG_WAITALL) != 4) {
        return false;
    }
    size_t len = (size_t)frame[2] << 8 | frame[3];
    return recv(fd, frame + 4, len - 4, MSG_WAITALL) == (ssize_t)(len - 4);
}

static void put(int fd, const Step *step, const uint8_t *request) {
    uint8_t bytes[2048];
    memcpy(bytes, step->bytes, step->len);
    if (step->patch) {
        memcpy(bytes + 11, request + 11, 2);
    }
    size_t piece = step->byte_by_byte ? 1 : step->len;
    for (size_t at = 0; at < step->len; at += piece) {
        (void)send(fd, bytes + at, piece, MSG_NOSIGNAL);
    }
}

static void *serve(void *argument) {
    Fixture *f = argument;
    int fd = accept(f->listener, NULL, NULL);
    uint8_t frame[2048];
    for (size_t i = 0; i < f->step_count && take_request(fd, frame); i++) {
        if (f->steps[i].silent) {
            (void)recv(fd, frame, 1, 0); // until the client goes
            break;
        }
        if (f->steps[i].bytes == NULL) {
            break;
        }
        put(fd, &f->steps[i], frame);
    }
    close(fd);
    return NULL;
}

static int set_up(void **state) {
    memset(&fixture, 0, sizeof fixture);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    fixture.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fixture.listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fixture.listener, 4), 0);
    assert_int_equal(getsockname(fixture.listener, (struct sockaddr *)&address, &len), 0);
    fixture.device =
        (PsDevice){.name = "plc", .ip = "127.0.0.1", .port = ntohs(address.sin_port), .slot = 1};
    assert_int_equal(ps_s7_connection_init(&fixture.connection, &fixture.device, &fixture.session,
                                           &fixture.diag),
                     PS_OK);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    Fixture *f = *state;
    ps_s7_connection_deinit(&f->connection);
    if (f->running) {
        shutdown(f->listener, SHUT_RDWR);
        pthread_join(f->thread, NULL);
    }
    close(f->listener);
    return 0;
}

static void say(Fixture *f, const uint8_t *bytes, size_t len, bool patch) {
    f->steps[f->step_count++] = (Step){.bytes = bytes, .len = len, .patch = patch};
}

static void start(Fixture *f) {
    f->running = pthread_create(&f->thread, NULL, serve, f) == 0;
    assert_true(f->running);
}

static void accept_connection(Fixture *f) {
    say(f, confirm, sizeof confirm, false);
    say(f, agreed, sizeof agreed, true);
}

static PsErr open_it(Fixture *f, double seconds) {
    return ps_s7_connection_open(&f->connection, ps_seconds_to_ns(seconds), &f->diag);
}

static const PsS7Ask word = {.area = PS_S7_DB, .db = 1, .first = 4, .len = 2};

static PsErr read_word(Fixture *f, double seconds, PsS7Got *got) {
    return ps_s7_read(&f->connection, ps_seconds_to_ns(seconds), &word, 1, got, &f->diag);
}

static void expect_words(const Fixture *f, const char *words) {
    if (strstr(f->diag.text, words) == NULL) {
        fail_msg("'%s' says nothing of '%s'", f->diag.text, words);
    }
}

static void an_answer_may_come_in_pieces(void **state) {
    Fixture *f = *state;
    accept_connection(f);
    say(f, value, sizeof value, true);
    f->steps[2].byte_by_byte = true;
    start(f);
    assert_int_equal(open_it(f, 20), PS_OK);
    assert_int_equal(f->connection.pdu, 480);
    PsS7Got got;
    assert_int_equal(read_word(f, 20, &got), PS_OK);
    assert_int_equal(got.code, PS_S7_FINE);
    assert_memory_equal(got.bytes, "\x12\x34", 2);
    assert_int_equal(f->session.counters.requests, 3);
}

static void an_empty_piece_before_an_answer_is_passed_over(void **state) {
    Fixture *f = *state;
    static const uint8_t empty[] = {3, 0, 0, 7, 2, 0xF0, 0x00};
    static uint8_t both[sizeof empty + sizeof confirm];
    memcpy(both, empty, sizeof empty);
    memcpy(both + sizeof empty, confirm, sizeof confirm);
    say(f, both, sizeof both, false);
    say(f, agreed, sizeof agreed, true);
    start(f);
    assert_int_equal(open_it(f, 20), PS_OK);
}

static void a_refused_partner_is_named(void **state) {
    Fixture *f = *state;
    static const uint8_t disconnect[] = {3, 0, 0, 11, 6, 0x80, 0, 1, 0, 0, 1};
    say(f, disconnect, sizeof disconnect, false);
    start(f);
    assert_int_equal(open_it(f, 20), PS_ERR_CLOSED);
    expect_words(f, "refuses a connection to rack 0 slot 1");
    assert_string_equal(f->diag.field, "slot");
    assert_int_equal(f->connection.socket, -1);
}

static void a_partner_that_hangs_up_is_named(void **state) {
    Fixture *f = *state;
    f->steps[f->step_count++] = (Step){0};
    start(f);
    assert_int_equal(open_it(f, 20), PS_ERR_CLOSED);
    expect_words(f, "refuses a connection to rack 0 slot 1");
}

static void another_protocol_is_told(void **state) {
    Fixture *f = *state;
    static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    say(f, (const uint8_t *)http, sizeof http - 1, false);
    start(f);
    assert_int_equal(open_it(f, 20), PS_ERR_PROTOCOL);
    expect_words(f, "check that an S7 controller listens");
}

// Each closes the connection, and none of them becomes a value.
static void what_is_no_answer_closes_the_connection(void **state) {
    static const struct {
        size_t at;
        uint8_t byte;
    } spoiled[] = {{3, 200}, {6, 0}, {11, 0xEE}, {24, 200}, {14, 9}};
    for (size_t i = 0; i < PS_COUNT(spoiled); i++) {
        static uint8_t bytes[sizeof value];
        if (i > 0) {
            (void)tear_down(state);
            (void)set_up(state);
        }
        Fixture *f = *state;
        memcpy(bytes, value, sizeof value);
        bytes[spoiled[i].at] = spoiled[i].byte;
        accept_connection(f);
        say(f, bytes, sizeof bytes, spoiled[i].at != 11);
        start(f);
        assert_int_equal(open_it(f, 20), PS_OK);
        PsS7Got got = {.code = 0x42};
        PsErr err = read_word(f, 0.3, &got);
        assert_true(err == PS_ERR_PROTOCOL || err == PS_ERR_CLOSED);
        assert_int_equal(f->connection.socket, -1);
        assert_true(f->session.counters.errors > 0);
    }
}

static void bytes_before_the_request_are_nobodys(void **state) {
    Fixture *f = *state;
    static uint8_t twice[sizeof agreed + sizeof value];
    memcpy(twice, agreed, sizeof agreed);
    memcpy(twice + sizeof agreed, value, sizeof value);
    say(f, confirm, sizeof confirm, false);
    say(f, twice, sizeof twice, true);
    start(f);
    assert_int_equal(open_it(f, 20), PS_OK);
    PsS7Got got;
    assert_int_equal(read_word(f, 20, &got), PS_ERR_PROTOCOL);
    expect_words(f, "before the request");
    assert_int_equal(f->session.counters.late, 1);
}

static void a_silent_controller_is_given_up_in_time(void **state) {
    Fixture *f = *state;
    accept_connection(f);
    f->steps[f->step_count++] = (Step){.silent = true};
    start(f);
    assert_int_equal(open_it(f, 20), PS_OK);
    PsS7Got got;
    PsMono begin = ps_mono_now();
    assert_int_equal(read_word(f, 0.1, &got), PS_ERR_TIMEOUT);
    assert_in_range(ps_mono_diff_ns(ps_mono_now(), begin) / PS_NS_PER_MS, 99, 10000);
    expect_words(f, "reading DB1 bytes 4 to 5: no answer in time");
    assert_true(f->connection.closed_by_timeout);
    assert_int_equal(f->connection.socket, -1);
}

static void *interrupt_soon(void *argument) {
    usleep(50000);
    ps_s7_connection_interrupt(argument);
    return NULL;
}

// Within a fraction of the time limit.
static void an_interrupt_ends_a_wait(void **state) {
    for (int in_read = 0; in_read < 2; in_read++) {
        if (in_read == 1) {
            (void)tear_down(state);
            (void)set_up(state);
        }
        Fixture *f = *state;
        if (in_read == 1) {
            accept_connection(f);
        }
        f->steps[f->step_count++] = (Step){.silent = true};
        start(f);
        PsS7Got got;
        pthread_t thread;
        if (in_read == 1) {
            assert_int_equal(open_it(f, 60), PS_OK);
        }
        PsMono begin = ps_mono_now();
        assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, &f->connection), 0);
        PsErr err = in_read == 1 ? read_word(f, 60, &got) : open_it(f, 60);
        assert_int_equal(err, PS_ERR_CANCELLED);
        assert_true(ps_mono_diff_ns(ps_mono_now(), begin) < 20 * PS_NS_PER_S);
        pthread_join(thread, NULL);
        assert_int_equal(open_it(f, 60), PS_ERR_CANCELLED);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_answer_may_come_in_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_piece_before_an_answer_is_passed_over, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_refused_partner_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_partner_that_hangs_up_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_protocol_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_answer_closes_the_connection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_before_the_request_are_nobodys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_silent_controller_is_given_up_in_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_interrupt_ends_a_wait, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
