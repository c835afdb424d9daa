// The relay before a real server (that of Modbus), with raw frames over a free loopback port.
#include "sim/relay.h"

#include "base/time.h"
#include "sim/framing.h"
#include "sim/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LONG_S 20
#define SHORT_MS 150
#define ANSWER_BYTES 11

typedef struct Bench {
    PsSimServer *server;
    PsSimRelay *relay;
    PsSimPort *port;
} Bench;

static Bench start(uint32_t connections) {
    Bench bench = {0};
    PsSimRelaySetup setup = {.framing = &ps_sim_framing_modbus, .connections = connections};
    assert_int_equal(ps_sim_server_start(&(PsSimServerSetup){0}, &bench.server, NULL), PS_OK);
    assert_int_equal(ps_sim_relay_new(&setup, &bench.relay, NULL), PS_OK);
    assert_int_equal(ps_sim_relay_start(bench.relay, ps_sim_server_port(bench.server), NULL),
                     PS_OK);
    bench.port = ps_sim_relay_port(bench.relay);
    return bench;
}

static void end(Bench *bench) {
    ps_sim_relay_free(bench->relay);
    ps_sim_server_stop(bench->server);
}

static void turn(const Bench *bench, const char *line) {
    PsDiag diag = {0};
    if (ps_sim_port_fault(bench->port, line, &diag) != PS_OK) {
        fail_msg("'%s': %s", line, diag.text);
    }
}

static int try_connect(const Bench *bench) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(ps_sim_port_number(bench->port)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    struct timeval limit = {.tv_sec = LONG_S};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    return fd;
}

// Asks for register 1000 + id, which holds its own number.
static void ask(int fd, uint8_t id) {
    const uint8_t request[] = {0, id, 0, 0, 0, 6, 1, 3, 0x04, id, 0, 1};
    assert_int_equal(send(fd, request, sizeof request, MSG_NOSIGNAL), sizeof request);
}

static size_t receive(int fd, uint8_t *bytes, size_t len) {
    ssize_t got = recv(fd, bytes, len, MSG_WAITALL);
    return got < 0 ? 0 : (size_t)got;
}

static void expect_answer(int fd, uint8_t id) {
    uint16_t value = (uint16_t)(0x0400 + id + 1);
    const uint8_t wanted[ANSWER_BYTES] = {
        0, id, 0, 0, 0, 5, 1, 3, 2, (uint8_t)(value >> 8), (uint8_t)value};
    uint8_t got[ANSWER_BYTES];
    assert_int_equal(receive(fd, got, sizeof got), sizeof got);
    assert_memory_equal(got, wanted, sizeof wanted);
}

static void expect_nothing(int fd) {
    struct timeval brief = {.tv_usec = SHORT_MS * 1000};
    struct timeval limit = {.tv_sec = LONG_S};
    uint8_t byte;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof brief), 0);
    assert_int_equal(recv(fd, &byte, 1, 0), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
}

static void test_passes_frames(void **state) {
    (void)state;
    Bench bench = start(0);
    int fd = try_connect(&bench);
    // Two and a half requests in one piece, then the rest.
    const uint8_t many[] = {0, 1, 0, 0, 0, 6, 1, 3, 4, 1, 0, 1, 0, 2, 0,
                            0, 0, 6, 1, 3, 4, 2, 0, 1, 0, 3, 0, 0, 0, 6};
    const uint8_t rest[] = {1, 3, 4, 3, 0, 1};
    assert_int_equal(send(fd, many, sizeof many, 0), sizeof many);
    expect_answer(fd, 1);
    expect_answer(fd, 2);
    assert_int_equal(send(fd, rest, sizeof rest, 0), sizeof rest);
    expect_answer(fd, 3);
    close(fd);
    fd = try_connect(&bench);
    const uint8_t nonsense[] = "GET / HTTP/1.1\r\n\r\n";
    assert_int_equal(send(fd, nonsense, sizeof nonsense, 0), sizeof nonsense);
    uint8_t byte;
    assert_true(recv(fd, &byte, 1, 0) <= 0);
    close(fd);
    PsSimPortStats stats = ps_sim_port_stats(bench.port);
    assert_int_equal(stats.requests, 3);
    assert_int_equal(stats.answers, 3);
    assert_int_equal(stats.accepted, 2);
    end(&bench);
}

static void test_delay_and_late(void **state) {
    (void)state;
    Bench bench = start(0);
    int fd = try_connect(&bench);
    turn(&bench, "delay 60");
    PsMono before = ps_mono_now();
    ask(fd, 1);
    ask(fd, 2);
    expect_answer(fd, 1);
    expect_answer(fd, 2); // it waited until the first was done
    assert_true(ps_mono_diff_ns(ps_mono_now(), before) >= 120 * PS_NS_PER_MS);
    turn(&bench, "delay 0");
    turn(&bench, "late 100 once");
    before = ps_mono_now();
    ask(fd, 3);
    ask(fd, 4);
    expect_answer(fd, 3);
    expect_answer(fd, 4);
    assert_true(ps_mono_diff_ns(ps_mono_now(), before) >= 100 * PS_NS_PER_MS);
    turn(&bench, "jitter 20");
    for (uint8_t id = 10; id < 20; id++) {
        ask(fd, id);
    }
    for (uint8_t id = 10; id < 20; id++) {
        expect_answer(fd, id);
    }
    turn(&bench, "late 600000");
    ask(fd, 5);
    while (ps_sim_port_stats(bench.port).answers < 15) {
        usleep(1000);
    }
    turn(&bench, "ok"); // what waited comes at once
    expect_answer(fd, 5);
    close(fd);
    end(&bench);
}

static void test_silence_and_reset(void **state) {
    (void)state;
    Bench bench = start(0);
    int fd = try_connect(&bench);
    turn(&bench, "silence once");
    ask(fd, 1);
    ask(fd, 2);
    expect_answer(fd, 2);
    turn(&bench, "silence");
    ask(fd, 3);
    expect_nothing(fd);
    turn(&bench, "ok");
    ask(fd, 4);
    expect_answer(fd, 4);
    turn(&bench, "reset");
    ask(fd, 5);
    uint8_t byte;
    assert_int_equal(recv(fd, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    close(fd);
    PsSimPortStats stats = ps_sim_port_stats(bench.port);
    assert_int_equal(stats.unanswered, 2);
    assert_int_equal(stats.resets, 1);
    end(&bench);
}

static void test_damages(void **state) {
    (void)state;
    Bench bench = start(0);
    int fd = try_connect(&bench);
    uint8_t got[ANSWER_BYTES];
    turn(&bench, "wrong-id once");
    ask(fd, 1);
    assert_int_equal(receive(fd, got, sizeof got), sizeof got);
    assert_int_not_equal(got[1], 1);
    assert_int_equal(got[9] << 8 | got[10], 0x0402);
    turn(&bench, "garbage once");
    ask(fd, 2);
    assert_int_equal(receive(fd, got, sizeof got), sizeof got);
    assert_int_not_equal(got[9] << 8 | got[10], 0x0403);
    turn(&bench, "truncate once");
    ask(fd, 3);
    ask(fd, 4);
    assert_int_equal(receive(fd, got, ANSWER_BYTES / 2), ANSWER_BYTES / 2);
    assert_int_equal(got[1], 3);
    expect_answer(fd, 4); // the stream goes on in the middle of it
    close(fd);
    end(&bench);
}

static void test_twice_and_in_pieces(void **state) {
    (void)state;
    Bench bench = start(0);
    int fd = try_connect(&bench);
    turn(&bench, "pieces 2");
    turn(&bench, "twice once");
    PsMono before = ps_mono_now();
    ask(fd, 1);
    ask(fd, 2);
    expect_answer(fd, 1);
    assert_true(ps_mono_diff_ns(ps_mono_now(), before) >= 5 * PS_KNOB_PIECE_MS * PS_NS_PER_MS);
    expect_answer(fd, 1);
    expect_answer(fd, 2);
    close(fd);
    end(&bench);
}

static void test_refuse(void **state) {
    (void)state;
    Bench bench = start(0);
    int fd = try_connect(&bench);
    ask(fd, 1);
    expect_answer(fd, 1);
    turn(&bench, "refuse");
    uint8_t byte;
    assert_true(recv(fd, &byte, 1, 0) <= 0);
    close(fd);
    assert_int_equal(try_connect(&bench), -1);
    assert_int_equal(ps_sim_port_stats(bench.port).connections, 0);
    turn(&bench, "ok");
    fd = try_connect(&bench);
    ask(fd, 2);
    expect_answer(fd, 2);
    close(fd);
    end(&bench);
}

static void test_limit_and_absent_server(void **state) {
    (void)state;
    Bench bench = start(2);
    int fds[3];
    for (size_t i = 0; i < PS_COUNT(fds); i++) {
        fds[i] = try_connect(&bench);
    }
    ask(fds[0], 1);
    expect_answer(fds[0], 1);
    ask(fds[1], 2);
    expect_answer(fds[1], 2);
    uint8_t byte;
    assert_true(recv(fds[2], &byte, 1, 0) <= 0);
    assert_int_equal(ps_sim_port_stats(bench.port).turned_away, 1);
    // The server behind goes away: so do its clients.
    ps_sim_server_stop(bench.server);
    assert_true(recv(fds[0], &byte, 1, 0) <= 0);
    for (size_t i = 0; i < PS_COUNT(fds); i++) {
        close(fds[i]);
    }
    int late = try_connect(&bench);
    assert_true(recv(late, &byte, 1, 0) <= 0);
    close(late);
    ps_sim_relay_free(bench.relay);
}

// Answers that nobody reads are bounded, and the end comes at once.
static void test_stop_with_answers_waiting(void **state) {
    (void)state;
    Bench bench = start(0);
    int fd = try_connect(&bench);
    turn(&bench, "delay 600000");
    for (int i = 0; i < 100; i++) {
        ask(fd, (uint8_t)i);
    }
    while (ps_sim_port_stats(bench.port).answers < 100) {
        usleep(1000);
    }
    PsMono before = ps_mono_now();
    end(&bench);
    assert_true(ps_mono_diff_ns(ps_mono_now(), before) < 2 * PS_NS_PER_S);
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passes_frames),
        cmocka_unit_test(test_delay_and_late),
        cmocka_unit_test(test_silence_and_reset),
        cmocka_unit_test(test_damages),
        cmocka_unit_test(test_twice_and_in_pieces),
        cmocka_unit_test(test_refuse),
        cmocka_unit_test(test_limit_and_absent_server),
        cmocka_unit_test(test_stop_with_answers_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
