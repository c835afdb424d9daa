// Streams over a real Unix socket: queueing, back-pressure, limits, and the ways to end.
#include "localcloud/transport/pipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct Test {
    uv_loop_t uv;
    PsSocketLoop loop;
    char folder[32];
    char path[64];
    int listener;
    int peer; // the other end, accepted
    PsStream *stream;
    bool opened;
    bool drained;
    bool closed;
    PsStreamEnd end;
    PsBuf got;
} Test;

static void on_open(void *ctx) {
    ((Test *)ctx)->opened = true;
}

static void on_bytes(void *ctx, const uint8_t *data, size_t len) {
    ps_buf_put(&((Test *)ctx)->got, data, len);
}

static void on_drained(void *ctx) {
    ((Test *)ctx)->drained = true;
}

static void on_close(void *ctx, PsStreamEnd end, const char *why) {
    Test *test = ctx;
    assert_non_null(why);
    assert_false(test->closed);
    test->closed = true;
    test->end = end;
}

static const PsStreamEvents events = {
    .on_open = on_open, .on_bytes = on_bytes, .on_drained = on_drained, .on_close = on_close};

static int begin(void **state) {
    Test *test = calloc(1, sizeof *test);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(test->folder, sizeof test->folder, "/tmp/penstock-pipe-XXXXXX");
    *state = test;
    if (mkdtemp(test->folder) == NULL || uv_loop_init(&test->uv) != 0) {
        return -1;
    }
    snprintf(test->path, sizeof test->path, "%s/socket", test->folder);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", test->path);
    ps_socket_loop_init(&test->loop, &test->uv);
    test->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    test->peer = -1;
    return bind(test->listener, (struct sockaddr *)&address, sizeof address) == 0 &&
                   listen(test->listener, 4) == 0
               ? 0
               : -1;
}

static int end(void **state) {
    Test *test = *state;
    if (test->stream != NULL && !test->closed) {
        ps_stream_close(test->stream, false);
    }
    while (test->loop.open_count > 0) {
        uv_run(&test->uv, UV_RUN_NOWAIT);
    }
    ps_socket_loop_close(&test->loop);
    uv_run(&test->uv, UV_RUN_NOWAIT);
    int busy = uv_loop_close(&test->uv);
    close(test->listener);
    if (test->peer >= 0) {
        close(test->peer);
    }
    unlink(test->path);
    rmdir(test->folder);
    ps_buf_deinit(&test->got);
    free(test);
    return busy;
}

static void connect_pair(Test *test) {
    assert_int_equal(ps_pipe_connect(&test->loop, test->path, 5000, &events, test, &test->stream),
                     PS_OK);
    while (!test->opened) {
        uv_run(&test->uv, UV_RUN_NOWAIT);
    }
    test->peer = accept4(test->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    assert_true(test->peer >= 0);
}

// Turns that end by themselves, also when nothing happens.
static void turn(Test *test, int times) {
    for (int i = 0; i < times; i++) {
        uv_run(&test->uv, UV_RUN_NOWAIT);
    }
}

static void run_until_closed(Test *test) {
    while (!test->closed) {
        uv_run(&test->uv, UV_RUN_NOWAIT);
    }
}

// What the other end can read now.
static size_t read_peer(Test *test) {
    static uint8_t bytes[65536];
    size_t all = 0;
    ssize_t got = 0;
    while ((got = read(test->peer, bytes, sizeof bytes)) > 0) {
        all += (size_t)got;
    }
    return all;
}

static void test_bytes_both_ways(void **state) {
    Test *test = *state;
    assert_int_equal(ps_pipe_connect(&test->loop, test->path, 5000, &events, test, &test->stream),
                     PS_OK);
    assert_int_equal(ps_stream_write(test->stream, "early", 5), PS_OK);
    while (!test->opened) {
        uv_run(&test->uv, UV_RUN_NOWAIT);
    }
    test->peer = accept4(test->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    turn(test, 3);
    char bytes[16] = "";
    assert_int_equal(read(test->peer, bytes, sizeof bytes), 5);
    assert_memory_equal(bytes, "early", 5);
    assert_int_equal(write(test->peer, "answer", 6), 6);
    while (test->got.len < 6) {
        uv_run(&test->uv, UV_RUN_NOWAIT);
    }
    assert_string_equal((const char *)test->got.data, "answer");
}

static void test_queue_is_bounded_and_drains(void **state) {
    Test *test = *state;
    static const uint8_t piece[100000];
    size_t written = 0;
    connect_pair(test);
    while (ps_stream_write(test->stream, piece, sizeof piece) == PS_OK) {
        written += sizeof piece;
        turn(test, 1);
        assert_true(ps_stream_pending_bytes(test->stream) <= PS_STREAM_MAX);
    }
    assert_true(ps_stream_pending_bytes(test->stream) > PS_STREAM_MAX - sizeof piece);
    assert_false(test->drained);
    size_t arrived = 0;
    while (arrived < written) {
        arrived += read_peer(test);
        turn(test, 1);
    }
    assert_int_equal(arrived, written);
    assert_true(test->drained);
    assert_int_equal(ps_stream_pending_bytes(test->stream), 0);
}

static void test_a_paused_stream_holds_the_peer_back(void **state) {
    Test *test = *state;
    static const uint8_t piece[4096];
    size_t written = 0;
    connect_pair(test);
    ps_stream_pause(test->stream);
    turn(test, 3);
    while (write(test->peer, piece, sizeof piece) > 0) {
        written += sizeof piece;
        turn(test, 1);
    }
    assert_int_equal(test->got.len, 0);
    ps_stream_resume(test->stream);
    while (test->got.len < written) {
        uv_run(&test->uv, UV_RUN_NOWAIT);
    }
    assert_true(write(test->peer, piece, sizeof piece) > 0);
}

static void test_a_limit_ends_it_unless_it_is_lifted(void **state) {
    Test *test = *state;
    connect_pair(test);
    ps_stream_set_limit(test->stream, 20);
    ps_stream_set_limit(test->stream, 0);
    uint64_t until = uv_now(&test->uv) + 60;
    while (uv_now(&test->uv) < until) {
        turn(test, 1);
    }
    assert_false(test->closed);
    ps_stream_set_limit(test->stream, 20);
    run_until_closed(test);
    assert_int_equal(test->end, PS_STREAM_TIMEOUT);
}

static void test_closing_sends_what_waits(void **state) {
    Test *test = *state;
    static const uint8_t piece[900000];
    connect_pair(test);
    assert_int_equal(ps_stream_write(test->stream, piece, sizeof piece), PS_OK);
    ps_stream_close(test->stream, true);
    assert_int_equal(ps_stream_write(test->stream, piece, 1), PS_ERR_CLOSED);
    size_t arrived = 0;
    while (arrived < sizeof piece) {
        turn(test, 1);
        arrived += read_peer(test);
    }
    assert_false(test->closed); // it waits a moment for the peer
    close(test->peer);
    test->peer = -1;
    run_until_closed(test);
    assert_int_equal(test->end, PS_STREAM_CLOSED_HERE);
}

static void test_the_peer_ends_it(void **state) {
    Test *test = *state;
    connect_pair(test);
    assert_int_equal(write(test->peer, "last", 4), 4);
    close(test->peer);
    test->peer = -1;
    run_until_closed(test);
    assert_int_equal(test->end, PS_STREAM_CLOSED_THERE);
    assert_int_equal(test->got.len, 4);
}

static void test_nobody_listens(void **state) {
    Test *test = *state;
    close(test->listener);
    test->listener = -1;
    assert_int_equal(ps_pipe_connect(&test->loop, test->path, 5000, &events, test, &test->stream),
                     PS_OK);
    run_until_closed(test);
    assert_int_equal(test->end, PS_STREAM_LOST);
    assert_false(test->opened);
}

// More connections than the other side's queue holds: those behind wait, and give up in time.
static void test_a_full_backlog_is_waited_for(void **state) {
    Test *test = *state;
    PsStream *streams[5];
    Test others[5] = {0};
    assert_int_equal(listen(test->listener, 0), 0);
    for (size_t i = 0; i < PS_COUNT(streams); i++) {
        assert_int_equal(
            ps_pipe_connect(&test->loop, test->path, 100, &events, &others[i], &streams[i]), PS_OK);
    }
    size_t opened = 0;
    while (test->loop.open_count > opened) {
        uv_run(&test->uv, UV_RUN_NOWAIT);
        opened = 0;
        for (size_t i = 0; i < PS_COUNT(streams); i++) {
            opened += others[i].opened ? 1 : 0;
        }
    }
    assert_true(opened >= 1 && opened < PS_COUNT(streams));
    for (size_t i = 0; i < PS_COUNT(streams); i++) {
        if (others[i].opened) {
            ps_stream_close(streams[i], false);
        } else {
            assert_int_equal(others[i].end, PS_STREAM_TIMEOUT);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bytes_both_ways, begin, end),
        cmocka_unit_test_setup_teardown(test_queue_is_bounded_and_drains, begin, end),
        cmocka_unit_test_setup_teardown(test_a_paused_stream_holds_the_peer_back, begin, end),
        cmocka_unit_test_setup_teardown(test_a_limit_ends_it_unless_it_is_lifted, begin, end),
        cmocka_unit_test_setup_teardown(test_closing_sends_what_waits, begin, end),
        cmocka_unit_test_setup_teardown(test_the_peer_ends_it, begin, end),
        cmocka_unit_test_setup_teardown(test_nobody_listens, begin, end),
        cmocka_unit_test_setup_teardown(test_a_full_backlog_is_waited_for, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
