// Streams: what is put arrives, the queue is bounded, a client that goes is noticed, all with and
// without TLS.
#include "http/test_rig.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define QUEUE ((size_t)64 * 1024)

static void open_stream(Rig *rig, PsHttpRequest *request) {
    static const PsHttpHeader headers[] = {{"Content-Type", "text/event-stream"},
                                           {"Cache-Control", "no-store"}};
    PsErr err =
        ps_http_stream_open(request, headers, 2, QUEUE, rig_stream_closed, rig, &rig->stream);
    if (err == PS_ERR_FULL) {
        ps_http_answer(request, 503, NULL, 0, NULL, 0);
    } else {
        assert_int_equal(err, PS_OK);
    }
}

static void start(Rig *rig, void **state) {
    rig_init(rig);
    rig->on_request = open_stream;
    if (*state != NULL) {
        rig_use_tls(rig);
    }
    rig_start(rig);
}

static int ask(Rig *rig) {
    int fd = rig_connect(rig);
    rig_send(rig, fd, "GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
    return fd;
}

static PsErr put(Rig *rig, const char *text) {
    return ps_http_stream_put(rig->stream, text, strlen(text));
}

static void test_what_is_put_arrives(void **state) {
    Rig rig;
    PsBuf got = {0};
    start(&rig, state);
    int fd = ask(&rig);
    rig_expect(&rig, fd, &got, "Content-Type: text/event-stream\r\n");
    assert_true(rig_has(&got, "HTTP/1.1 200 OK\r\n"));
    assert_int_equal(put(&rig, "data: 1\n\n"), PS_OK);
    rig_expect(&rig, fd, &got, "data: 1\n\n");
    assert_int_equal(ps_http_stream_waiting(rig.stream), 0);
    assert_int_equal(put(&rig, "data: 2\n\n"), PS_OK);
    assert_int_equal(put(&rig, "data: 3\n\n"), PS_OK);
    rig_expect(&rig, fd, &got, "data: 3\n\n");
    (void)!put(&rig, "data: last\n\n");
    ps_http_stream_end(rig.stream);
    rig_expect(&rig, fd, &got, "data: last\n\n");
    rig_expect(&rig, fd, &got, "\r\n0\r\n");
    RIG_UNTIL(&rig, rig.streams_closed == 1);
    rig_close(&rig, fd);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

static void test_the_queue_is_bounded(void **state) {
    Rig rig;
    PsBuf got = {0};
    start(&rig, state);
    int fd = ask(&rig);
    RIG_UNTIL(&rig, rig.stream != NULL);
    char *block = ps_alloc(8193);
    memset(block, 'x', 8192);
    size_t puts = 0;
    PsErr err = PS_OK;
    while (err == PS_OK) { // the client reads nothing: buffers on the way fill, then the queue
        err = put(&rig, block);
        puts += err == PS_OK;
        rig_turn(&rig);
        assert_true(puts < 4000);
    }
    assert_int_equal(err, PS_ERR_FULL);
    assert_true(ps_http_stream_waiting(rig.stream) <= QUEUE);
    // It goes on when the client reads, with nothing lost or twice.
    RIG_UNTIL(&rig, rig_take(&rig, fd, &got) && ps_http_stream_waiting(rig.stream) == 0);
    assert_int_equal(put(&rig, "end"), PS_OK);
    rig_expect(&rig, fd, &got, "end");
    size_t count = 0;
    for (size_t i = 0; i < got.len; i++) {
        count += got.data[i] == 'x';
    }
    assert_true(count >= puts * 8192 && count < puts * 8192 + 10); // and those of the head
    rig_close(&rig, fd);
    rig_end(&rig);
    free(block);
    ps_buf_deinit(&got);
}

static void test_a_client_that_goes_is_noticed(void **state) {
    Rig rig;
    PsBuf got = {0};
    start(&rig, state);
    int fd = ask(&rig);
    rig_expect(&rig, fd, &got, "\r\n\r\n");
    assert_int_equal(rig.streams_closed, 0);
    rig_close(&rig, fd); // nothing is put: the quiet end is seen too
    RIG_UNTIL(&rig, rig.streams_closed == 1);
    RIG_UNTIL(&rig, ps_http_connections(rig.server) == 0);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

static void test_a_client_that_does_not_read_is_cut(void **state) {
    Rig rig;
    start(&rig, state);
    rig_end(&rig);
    rig_init(&rig);
    rig.on_request = open_stream;
    rig.setup.silence_s = 1;
    if (*state != NULL) {
        rig_use_tls(&rig);
    }
    rig_start(&rig);
    int fd = ask(&rig);
    RIG_UNTIL(&rig, rig.stream != NULL);
    uint64_t quiet = uv_now(&rig.loop) + 2000;
    RIG_UNTIL(&rig, uv_now(&rig.loop) > quiet); // silence of the server is none of the client
    assert_int_equal(rig.streams_closed, 0);
    char *block = ps_alloc(8193);
    memset(block, 'x', 8192);
    for (int turn = 0; rig.stream != NULL; turn++) {
        assert_true(turn < 15000);
        (void)!put(&rig, block);
        rig_turn(&rig);
    }
    assert_int_equal(rig.streams_closed, 1);
    rig_close(&rig, fd);
    rig_end(&rig);
    free(block);
}

static void test_streams_leave_room_for_requests(void **state) {
    Rig rig;
    PsBuf got = {0};
    start(&rig, state);
    int fds[10];
    for (size_t i = 0; i < PS_COUNT(fds); i++) {
        fds[i] = ask(&rig);
        RIG_UNTIL(&rig, rig.requests == i + 1);
    }
    int fd = ask(&rig);
    rig_expect(&rig, fd, &got, "HTTP/1.1 503");
    rig_close(&rig, fd);
    for (size_t i = 0; i < PS_COUNT(fds); i++) {
        rig_close(&rig, fds[i]);
    }
    RIG_UNTIL(&rig, rig.streams_closed == 10);
    fd = ask(&rig);
    ps_buf_clear(&got);
    rig_expect(&rig, fd, &got, "HTTP/1.1 200");
    rig_close(&rig, fd);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

static void test_a_stop_ends_streams(void **state) {
    Rig rig;
    PsBuf got = {0};
    start(&rig, state);
    int fds[2] = {ask(&rig), ask(&rig)};
    RIG_UNTIL(&rig, rig.requests == 2);
    rig_expect(&rig, fds[0], &got, "\r\n\r\n");
    (void)!put(&rig, "never read");
    rig_end(&rig);
    assert_int_equal(rig.streams_closed, 2);
    rig_close(&rig, fds[0]);
    rig_close(&rig, fds[1]);
    ps_buf_deinit(&got);
}

static void test_head_of_a_stream(void **state) {
    Rig rig;
    PsBuf got = {0};
    start(&rig, state);
    int fd = rig_connect(&rig);
    rig_send(&rig, fd, "HEAD /events HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    rig_expect_end(&rig, fd, &got);
    assert_true(rig_has(&got, "text/event-stream"));
    RIG_UNTIL(&rig, rig.streams_closed == 1);
    rig_close(&rig, fd);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

static void stop_within(void *ctx) {
    Rig *rig = ctx;
    rig->streams_closed++;
    ps_http_stop(rig->server, NULL, NULL);
    rig->server = NULL;
}

static void open_and_stop_when_closed(Rig *rig, PsHttpRequest *request) {
    assert_int_equal(ps_http_stream_open(request, NULL, 0, QUEUE, stop_within, rig, &rig->stream),
                     PS_OK);
}

static void test_the_end_of_a_stream_may_stop_the_server(void **state) {
    Rig rig;
    PsBuf got = {0};
    start(&rig, state);
    rig.on_request = open_and_stop_when_closed;
    int fd = ask(&rig);
    rig_expect(&rig, fd, &got, "\r\n\r\n");
    ps_http_stream_end(rig.stream);
    RIG_UNTIL(&rig, rig.server == NULL);
    rig_close(&rig, fd);
    rig_end(&rig);
    assert_int_equal(rig.streams_closed, 1);
    ps_buf_deinit(&got);
}

static char with_tls[] = "tls";

#define BOTH(test)                                                                                 \
    cmocka_unit_test(test), {                                                                      \
        .name = #test " with TLS", .test_func = (test), .initial_state = with_tls                  \
    }

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(test_what_is_put_arrives),
        BOTH(test_the_queue_is_bounded),
        BOTH(test_a_client_that_goes_is_noticed),
        BOTH(test_a_client_that_does_not_read_is_cut),
        BOTH(test_streams_leave_room_for_requests),
        BOTH(test_a_stop_ends_streams),
        BOTH(test_head_of_a_stream),
        BOTH(test_the_end_of_a_stream_may_stop_the_server),
    };
    return cmocka_run_group_tests_name("http stream", tests, NULL, NULL);
}
