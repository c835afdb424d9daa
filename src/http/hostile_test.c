// Clients that mean harm or know no better: slow, endless, oversized, two-faced, many. Each gets
// its status or is cut, and nobody else waits for it. With and without TLS.
#include "http/test_rig.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void start(Rig *rig, void **state) {
    if (*state != NULL) {
        rig_use_tls(rig);
    }
    rig_start(rig);
}

// Another client is answered meanwhile.
static void others_are_served(Rig *rig) {
    PsBuf got = {0};
    int fd = rig_connect(rig);
    rig_send(rig, fd, "GET /other HTTP/1.1\r\nHost: h\r\n\r\n");
    rig_expect(rig, fd, &got, "GET /other 0\n");
    rig_close(rig, fd);
    ps_buf_deinit(&got);
}

// ---- slow

// A byte now and then keeps the silence away; the whole must be there in time.
static void drip(Rig *rig, int fd, uint64_t began, const char *first, const char *drop) {
    PsBuf got = {0};
    uint64_t sent = began;
    rig_send(rig, fd, first);
    while (rig_take(rig, fd, &got)) {
        assert_true(uv_now(&rig->loop) < began + 20000);
        if (uv_now(&rig->loop) > sent + 5) {
            sent = uv_now(&rig->loop);
            rig_send(rig, fd, drop);
        }
        rig_turn(rig);
    }
    assert_true(uv_now(&rig->loop) >= began + 900);
    assert_int_equal(got.len, 0);
    ps_buf_deinit(&got);
}

static void test_slow_requests_are_cut(void **state) {
    static const char *const firsts[] = {
        "GET /",
        "GET / HTTP/1.1\r\nX: ",
        "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3b9aca00\r\n",
    };
    for (size_t i = 0; i < PS_COUNT(firsts); i++) {
        Rig rig;
        rig_init(&rig);
        rig.setup.request_s = 1;
        rig.verdict.body_max = 1000000000;
        rig.setup.bodies_max = 2000000000;
        start(&rig, state);
        rig_turn(&rig);
        uint64_t began = uv_now(&rig.loop);
        int fd = rig_connect(&rig);
        others_are_served(&rig);
        drip(&rig, fd, began, firsts[i], "a");
        rig_close(&rig, fd);
        RIG_UNTIL(&rig, ps_http_connections(rig.server) == 0);
        assert_int_equal(rig.requests, 1);
        assert_int_equal(rig.dropped, i < 2 ? 0 : 1);
        rig_end(&rig);
    }
}

static void test_silence_is_cut(void **state) {
    static const char *const firsts[] = {NULL, "GET / HTTP/1.1\r\nHost",
                                         "GET / HTTP/1.1\r\nHost: h\r\n\r\n"};
    for (size_t i = 0; i < PS_COUNT(firsts); i++) {
        Rig rig;
        PsBuf got = {0};
        rig_init(&rig);
        rig.setup.silence_s = 1;
        start(&rig, state);
        int fd = rig_connect(&rig);
        if (firsts[i] != NULL) {
            rig_send(&rig, fd, firsts[i]);
        }
        rig_expect_end(&rig, fd, &got);
        rig_close(&rig, fd);
        rig_end(&rig);
        ps_buf_deinit(&got);
    }
}

static void test_a_slow_reader_is_cut(void **state) {
    Rig rig;
    size_t size = (size_t)12 * 1024 * 1024;
    rig_init(&rig);
    rig.verdict.body_max = size;
    rig.setup.silence_s = 1;
    start(&rig, state);
    int fd = rig_connect(&rig);
    char *body = ps_alloc(size + 1);
    memset(body, 'x', size);
    rig_send(&rig, fd, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 12582912\r\n\r\n");
    for (size_t at = 0; at < size;) {
        char piece[16385];
        snprintf(piece, sizeof piece, "%.16384s", body + at);
        at +=
            rig_send(&rig, fd, piece) ? strlen(piece) : 0; // a socket of ours takes all or nothing
        rig_turn(&rig);
    }
    RIG_UNTIL(&rig, rig.requests == 1);
    RIG_UNTIL(&rig, ps_http_connections(rig.server) == 0); // it takes nothing of its answer
    rig_close(&rig, fd);
    rig_end(&rig);
    free(body);
}

// ---- large

static void ask_and_expect(Rig *rig, const char *text, const char *wanted) {
    PsBuf got = {0};
    int fd = rig_connect(rig);
    rig_send(rig, fd, text);
    rig_expect(rig, fd, &got, wanted);
    rig_close(rig, fd);
    ps_buf_deinit(&got);
}

static void test_large_heads(void **state) {
    Rig rig;
    rig_init(&rig);
    start(&rig, state);
    size_t sizes[] = {7000, 9000, 100000};
    for (size_t i = 0; i < PS_COUNT(sizes); i++) {
        PsBuf text = {0};
        ps_buf_printf(&text, "GET / HTTP/1.1\r\nHost: h\r\nX: ");
        for (size_t at = 0; at < sizes[i]; at++) {
            ps_buf_put_u8(&text, 'x');
        }
        ps_buf_printf(&text, "\r\n\r\n");
        ask_and_expect(&rig, (const char *)text.data, i == 0 ? "HTTP/1.1 200" : "HTTP/1.1 431");
        ps_buf_deinit(&text);
    }
    // Many small ones too.
    PsBuf text = {0};
    ps_buf_printf(&text, "GET / HTTP/1.1\r\nHost: h\r\n");
    for (int i = 0; i < 3000; i++) {
        ps_buf_printf(&text, "a:b\r\n");
    }
    ps_buf_printf(&text, "\r\n");
    ask_and_expect(&rig, (const char *)text.data, "HTTP/1.1 431");
    ps_buf_deinit(&text);
    rig_end(&rig);
}

static void test_large_bodies(void **state) {
    Rig rig;
    rig_init(&rig);
    start(&rig, state);
    // Refused by its head: the server does not wait for what it will not take.
    ask_and_expect(&rig, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n",
                   "HTTP/1.1 413");
    ask_and_expect(&rig, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 4294967297\r\n\r\n",
                   "HTTP/1.1 413");
    ask_and_expect(&rig,
                   "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\n",
                   "HTTP/1.1 413");
    ask_and_expect(&rig,
                   "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551617\r\n\r\n",
                   "HTTP/1.1 413");
    PsBuf text = {0};
    ps_buf_printf(&text, "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 101; i++) {
        ps_buf_printf(&text, "a\r\n0123456789\r\n");
    }
    ps_buf_printf(&text, "0\r\n\r\n");
    ask_and_expect(&rig, (const char *)text.data, "HTTP/1.1 413");
    ps_buf_deinit(&text);
    rig_end(&rig);
}

// The answer is read although the client first sends all it has.
static void test_a_refused_sender_reads_its_answer(void **state) {
    Rig rig;
    PsBuf got = {0};
    rig_init(&rig);
    start(&rig, state);
    int fd = rig_connect(&rig);
    rig_send(&rig, fd, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
    char piece[10001];
    memset(piece, 'x', 10000);
    piece[10000] = '\0';
    for (int i = 0; i < 100; i++) {
        rig_send(&rig, fd, piece);
        rig_turn(&rig);
    }
    rig_expect(&rig, fd, &got, "HTTP/1.1 413");
    rig_close(&rig, fd);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

static void test_chunks_without_end_are_cut(void **state) {
    Rig rig;
    PsBuf got = {0};
    rig_init(&rig);
    start(&rig, state);
    int fd = rig_connect(&rig);
    char *piece = ps_alloc(65536 + 16);
    int at = snprintf(piece, 16, "10000\r\n");
    memset(piece + at, 'x', 65536);
    memcpy(piece + at + 65536, "\r\n", 3);
    rig_send(&rig, fd, "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int turn = 0; rig_take(&rig, fd, &got); turn++) {
        assert_true(turn < 10000);
        rig_send(&rig, fd, piece);
        rig_turn(&rig);
    }
    rig_close(&rig, fd);
    RIG_UNTIL(&rig, ps_http_connections(rig.server) == 0);
    assert_int_equal(rig.requests, 0);
    assert_int_equal(rig.dropped, 1);
    rig_end(&rig);
    free(piece);
    ps_buf_deinit(&got);
}

static void test_all_bodies_together_are_bounded(void **state) {
    Rig rig;
    PsBuf got = {0};
    rig_init(&rig);
    rig.setup.bodies_max = 1500;
    start(&rig, state);
    char text[1200];
    int at =
        snprintf(text, sizeof text, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
    memset(text + at, 'x', 999);
    text[at + 999] = '\0';
    int first = rig_connect(&rig);
    rig_send(&rig, first, text); // all but one byte
    RIG_UNTIL(&rig, rig.heads == 1);
    rig_turn(&rig);
    rig_turn(&rig);
    int second = rig_connect(&rig);
    rig_send(&rig, second, text);
    rig_expect(&rig, second, &got, "HTTP/1.1 503");
    rig_send(&rig, first, "x");
    ps_buf_clear(&got);
    rig_expect(&rig, first, &got, "PUT / 1000\n");
    // What was counted is given back.
    rig_send(&rig, first, text);
    rig_send(&rig, first, "x");
    ps_buf_clear(&got);
    rig_expect(&rig, first, &got, "PUT / 1000\n");
    rig_close(&rig, first);
    rig_close(&rig, second);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

// ---- two-faced

static void test_heads_that_mean_two_things(void **state) {
    static const char *const heads[] = {
        "Host: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Host: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "Host: h\r\nContent-Length: -5\r\n\r\n",
        "Host: h\r\nContent-Length: +5\r\n\r\nhello",
        "Host: h\r\nContent-Length: 5 5\r\n\r\nhello",
        "Host: h\r\nTransfer-Encoding: gzip\r\n\r\n",
        "Host: h\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
        "\r\n", // which host?
    };
    Rig rig;
    rig_init(&rig);
    start(&rig, state);
    for (size_t i = 0; i < PS_COUNT(heads); i++) {
        PsBuf got = {0};
        char text[256];
        snprintf(text, sizeof text, "PUT / HTTP/1.1\r\n%s", heads[i]);
        int fd = rig_connect(&rig);
        rig_send(&rig, fd, text);
        rig_expect_end(&rig, fd, &got); // what comes next may be part of this one
        assert_true(rig_has(&got, "HTTP/1.1 400"));
        rig_close(&rig, fd);
        ps_buf_deinit(&got);
    }
    others_are_served(&rig);
    rig_end(&rig);
}

static void test_nonsense(void **state) {
    static const char *const heads[] = {"\x16\x03\x01 hello\r\n\r\n", "GET\r\n\r\n",
                                        "GET / HTTP/9.9\r\nHost: h\r\n\r\n", "\r\n\r\n\r\n\r\n",
                                        "GET / HTTP/1.1\r\n: x\r\n\r\n"};
    Rig rig;
    PsBuf got = {0};
    rig_init(&rig);
    rig.setup.silence_s = 1;
    start(&rig, state);
    for (size_t i = 0; i < PS_COUNT(heads); i++) {
        int fd = rig_connect(&rig);
        ps_buf_clear(&got);
        rig_send(&rig, fd, heads[i]);
        rig_expect_end(&rig, fd, &got);
        assert_false(rig_has(&got, " 200 "));
        rig_close(&rig, fd);
    }
    others_are_served(&rig);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

// An answer's header cannot be made into two.
static void test_answers_cannot_be_split(void **state) {
    static const char *const values[] = {"a\r\nSet-Cookie: sid=evil", "a\nb: c", "a\rb", "a\x01"};
    for (size_t i = 0; i < PS_COUNT(values); i++) {
        Rig rig;
        PsBuf got = {0};
        rig_init(&rig);
        rig.header[0] = "X-Name";
        rig.header[1] = values[i];
        start(&rig, state);
        int fd = rig_connect(&rig);
        rig_send(&rig, fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        rig_expect(&rig, fd, &got, "\r\n\r\n");
        assert_true(rig_has(&got, "HTTP/1.1 500"));
        assert_false(rig_has(&got, "X-Name") || rig_has(&got, "evil"));
        rig_close(&rig, fd);
        rig_end(&rig);
        ps_buf_deinit(&got);
    }
}

// ---- polite in their own way

static void test_expect_continue(void **state) {
    Rig rig;
    PsBuf got = {0};
    rig_init(&rig);
    start(&rig, state);
    int fd = rig_connect(&rig);
    rig_send(&rig, fd,
             "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    rig_expect(&rig, fd, &got, "HTTP/1.1 100 Continue\r\n\r\n");
    rig_send(&rig, fd, "hello");
    rig_expect(&rig, fd, &got, "PUT / 5\nhello");
    rig_close(&rig, fd);
    // One that would be refused is not asked for its body.
    fd = rig_connect(&rig);
    ps_buf_clear(&got);
    rig_send(&rig, fd,
             "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n");
    rig_expect(&rig, fd, &got, "HTTP/1.1 413");
    assert_false(rig_has(&got, "100 Continue"));
    rig_close(&rig, fd);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

static void test_half_a_close_is_answered(void **state) {
    Rig rig;
    PsBuf got = {0};
    rig_init(&rig);
    rig.late = true;
    start(&rig, state);
    int fd = rig_connect(&rig);
    rig_send(&rig, fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    shutdown(fd, SHUT_WR);
    RIG_UNTIL(&rig, rig.kept != NULL);
    RIG_UNTIL(&rig, rig.gone == 1); // as far as can be seen
    rig_answer(&rig, rig.kept);
    rig_expect(&rig, fd, &got, "GET / 0\n");
    rig_close(&rig, fd);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

static void test_a_late_refusal(void **state) {
    Rig rig;
    PsBuf got = {0};
    rig_init(&rig);
    rig.late = true;
    rig.late_refusals = true;
    rig.verdict.status = 401;
    start(&rig, state);
    int fd = rig_connect(&rig);
    rig_send(&rig, fd, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\n\r\n");
    RIG_UNTIL(&rig, rig.kept != NULL);
    assert_int_equal(ps_http_refusal(rig.kept), 401);
    rig_answer(&rig, rig.kept);
    rig_expect(&rig, fd, &got, "HTTP/1.1 401");
    rig_close(&rig, fd);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

// ---- many

static void test_one_address_does_not_take_all(void **state) {
    Rig rig;
    PsBuf got = {0};
    rig_init(&rig);
    rig.setup.connections_per_address = 3;
    start(&rig, state);
    int fds[3];
    for (size_t i = 0; i < PS_COUNT(fds); i++) {
        fds[i] = rig_connect(&rig);
        RIG_UNTIL(&rig, ps_http_connections(rig.server) == i + 1);
    }
    int more = rig_connect(&rig);
    if (more >= 0) {
        rig_expect_end(&rig, more, &got);
        rig_close(&rig, more);
    }
    assert_int_equal(ps_http_connections(rig.server), 3);
    rig_close(&rig, fds[0]);
    RIG_UNTIL(&rig, ps_http_connections(rig.server) == 2);
    others_are_served(&rig);
    rig_close(&rig, fds[1]);
    rig_close(&rig, fds[2]);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

// All places are taken by clients that do nothing: the idlest makes room, well before its time.
static void test_the_idle_make_room(void **state) {
    Rig rig;
    rig_init(&rig);
    rig.setup.connections_max = 5;
    start(&rig, state);
    int fds[5];
    for (size_t i = 0; i < PS_COUNT(fds); i++) {
        fds[i] = rig_connect(&rig);
    }
    RIG_UNTIL(&rig, ps_http_connections(rig.server) == 5);
    uint64_t began = uv_now(&rig.loop);
    others_are_served(&rig);
    assert_true(uv_now(&rig.loop) < began + 8000);
    for (size_t i = 0; i < PS_COUNT(fds); i++) {
        rig_close(&rig, fds[i]);
    }
    rig_end(&rig);
}

static void test_clients_that_come_and_go(void **state) {
    Rig rig;
    rig_init(&rig);
    rig.setup.connections_max = 50;
    start(&rig, state);
    for (int i = 0; i < 120; i++) {
        int fd = rig_connect(&rig);
        static const char *const pieces[] = {
            "", "GET", "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
            "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n1"};
        if (fd >= 0) {
            rig_send(&rig, fd, pieces[i % 4]);
            if (i % 3 == 0) {
                rig_turn(&rig);
            }
            rig_close(&rig, fd);
        }
    }
    RIG_UNTIL(&rig, ps_http_connections(rig.server) == 0);
    others_are_served(&rig);
    rig_end(&rig);
}

// Half a hello of TLS costs nothing but its place, and not for long.
static void test_half_a_handshake(void **state) {
    Rig rig;
    PsBuf got = {0};
    rig_init(&rig);
    rig.setup.request_s = 1;
    rig_use_tls(&rig);
    rig_start(&rig);
    const char *cert = rig.setup.cert;
    rig.setup.cert = NULL; // a client without TLS
    int fd = rig_connect(&rig);
    rig.setup.cert = cert;
    (void)!write(fd, "\x16\x03\x01\x01\x20\x01", 6);
    uint64_t began = uv_now(&rig.loop);
    unsigned turns = 0;
    while (rig_take(&rig, fd, &got)) {
        uv_run(&rig.loop, UV_RUN_ONCE);
        turns++;
    }
    assert_in_range(uv_now(&rig.loop) - began, 900, 3000);
    assert_true(turns < 50); // it sleeps meanwhile
    rig_close(&rig, fd);
    others_are_served(&rig);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

static char with_tls[] = "tls";

#define BOTH(test)                                                                                 \
    cmocka_unit_test(test), {                                                                      \
        .name = #test " with TLS", .test_func = (test), .initial_state = with_tls                  \
    }

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(test_slow_requests_are_cut),
        BOTH(test_silence_is_cut),
        BOTH(test_a_slow_reader_is_cut),
        BOTH(test_large_heads),
        BOTH(test_large_bodies),
        BOTH(test_a_refused_sender_reads_its_answer),
        BOTH(test_chunks_without_end_are_cut),
        BOTH(test_all_bodies_together_are_bounded),
        BOTH(test_heads_that_mean_two_things),
        BOTH(test_nonsense),
        BOTH(test_answers_cannot_be_split),
        BOTH(test_expect_continue),
        BOTH(test_half_a_close_is_answered),
        BOTH(test_a_late_refusal),
        BOTH(test_one_address_does_not_take_all),
        BOTH(test_the_idle_make_room),
        BOTH(test_clients_that_come_and_go),
        cmocka_unit_test(test_half_a_handshake),
    };
    return cmocka_run_group_tests_name("http hostile", tests, NULL, NULL);
}
