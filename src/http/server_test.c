// Requests and answers as they should be: now and later, over TCP, a Unix socket and TLS; what is
// said when a server cannot start.
#include "http/test_rig.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static void test_a_request_is_answered(void **state) {
    Rig rig;
    PsBuf got = {0};
    rig_init(&rig);
    rig.header[0] = "X-Own";
    rig.header[1] = "yes";
    rig_start(&rig);
    rig_ask(&rig, "GET /a%20b?c=d HTTP/1.1\r\nHost: h\r\nCookie: a=b; sid=s3cret\r\n\r\n", &got);
    assert_true(rig_has(&got, "HTTP/1.1 200 OK\r\n"));
    assert_true(rig_has(&got, "X-Own: yes\r\n"));
    assert_true(rig_has(&got, "\r\n\r\nGET /a%20b?c=d 0\n"));
    assert_string_equal(rig.cookie, "s3cret");
    assert_string_equal(rig.peer.address, "127.0.0.1");
    assert_true(rig.peer.loopback && !rig.peer.local && !rig.peer.tls);
    rig_ask(&rig, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", &got);
    assert_true(rig_has(&got, "PUT / 5\nhello"));
    rig_ask(&rig,
            "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
            &got);
    assert_true(rig_has(&got, "PUT / 5\nhello"));
    assert_int_equal(rig.heads, 3);
    assert_int_equal(rig.requests, 3);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

static void test_head_has_no_body(void **state) {
    Rig rig;
    PsBuf got = {0};
    rig_init(&rig);
    rig_start(&rig);
    rig_ask(&rig, "HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", &got);
    assert_true(rig_has(&got, "Content-Length: 9\r\n"));
    assert_true(got.len > 4 && memcmp(got.data + got.len - 4, "\r\n\r\n", 4) == 0);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

static void test_one_connection_many_requests(void **state) {
    Rig rig;
    PsBuf got = {0};
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig);
    rig_send(&rig, fd,
             "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPUT /2 HTTP/1.1\r\nHost: h\r\n"
             "Content-Length: 2\r\n\r\nabGET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
    rig_expect(&rig, fd, &got, "GET /3 0\n");
    assert_true(rig_has(&got, "GET /1 0\n") && rig_has(&got, "PUT /2 2\nab"));
    rig_send(&rig, fd, "GET /4 HTTP/1.1\r\nHost: h\r\n\r\n");
    rig_expect(&rig, fd, &got, "GET /4 0\n");
    assert_int_equal(ps_http_connections(rig.server), 1);
    rig_close(&rig, fd);
    RIG_UNTIL(&rig, ps_http_connections(rig.server) == 0);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

static void test_an_answer_may_come_later(void **state) {
    Rig rig;
    PsBuf got = {0};
    rig_init(&rig);
    rig.late = true;
    rig_start(&rig);
    int fd = rig_connect(&rig);
    for (int round = 0; round < 3; round++) {
        rig_send(&rig, fd, "PUT /late HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx");
        RIG_UNTIL(&rig, rig.kept != NULL);
        rig_take(&rig, fd, &got);
        assert_int_equal(got.len, 0);
        rig_answer(&rig, rig.kept);
        rig.kept = NULL;
        rig_expect(&rig, fd, &got, "PUT /late 1\nx");
        ps_buf_clear(&got);
    }
    assert_int_equal(rig.gone, 0);
    rig_close(&rig, fd);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

// Times that the server keeps do not run while it is the server that is late.
static void test_a_late_answer_outlasts_the_limits(void **state) {
    Rig rig;
    PsBuf got = {0};
    rig_init(&rig);
    rig.late = true;
    rig.setup.silence_s = 1;
    rig.setup.request_s = 1;
    rig_start(&rig);
    int fd = rig_connect(&rig);
    rig_send(&rig, fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    RIG_UNTIL(&rig, rig.kept != NULL);
    uint64_t until = uv_now(&rig.loop) + 2500;
    RIG_UNTIL(&rig, uv_now(&rig.loop) > until);
    rig_answer(&rig, rig.kept);
    rig_expect(&rig, fd, &got, "GET / 0\n");
    rig_close(&rig, fd);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

static void test_a_client_that_goes_is_noticed(void **state) {
    Rig rig;
    rig_init(&rig);
    rig.late = true;
    rig_start(&rig);
    int fd = rig_connect(&rig);
    rig_send(&rig, fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    RIG_UNTIL(&rig, rig.kept != NULL);
    assert_int_equal(rig.gone, 0);
    rig_close(&rig, fd);
    RIG_UNTIL(&rig, rig.gone == 1);
    rig_turn(&rig);
    rig_answer(&rig, rig.kept);
    RIG_UNTIL(&rig, ps_http_connections(rig.server) == 0);
    assert_int_equal(rig.gone, 1);
    rig_end(&rig);
}

static void test_a_stop_tells_and_is_answered_afterwards(void **state) {
    Rig rig;
    rig_init(&rig);
    rig.late = true;
    rig_start(&rig);
    int fd = rig_connect(&rig);
    rig_send(&rig, fd, "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx");
    RIG_UNTIL(&rig, rig.kept != NULL);
    rig_end(&rig);
    assert_int_equal(rig.gone, 1);
    assert_string_equal(ps_http_method(rig.kept), "PUT");
    assert_string_equal(ps_http_target(rig.kept), "/x");
    assert_null(ps_http_header(rig.kept, "Host"));
    rig_answer(&rig, rig.kept);
    rig_close(&rig, fd);
}

static void answer_and_forget(void *ctx) {
    Rig *rig = ctx;
    rig->gone++;
    rig_answer(rig, rig->kept);
}

static void keep_answered_when_gone(Rig *rig, PsHttpRequest *request) {
    rig->kept = request;
    ps_http_on_gone(request, answer_and_forget, rig);
}

static void test_a_stop_may_be_answered_at_once(void **state) {
    Rig rig;
    rig_init(&rig);
    rig.on_request = keep_answered_when_gone;
    rig_start(&rig);
    int fd = rig_connect(&rig);
    rig_send(&rig, fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    RIG_UNTIL(&rig, rig.kept != NULL);
    rig_end(&rig);
    assert_int_equal(rig.gone, 1);
    rig_close(&rig, fd);
}

static void stop_inside(Rig *rig, PsHttpRequest *request) {
    rig_answer(rig, request);
    ps_http_stop(rig->server, NULL, NULL);
    rig->server = NULL;
}

static void test_a_handler_may_stop_the_server(void **state) {
    Rig rig;
    PsBuf got = {0};
    rig_init(&rig);
    rig.on_request = stop_inside;
    rig_start(&rig);
    int fd = rig_connect(&rig);
    rig_send(&rig, fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    rig_expect_end(&rig, fd, &got);
    rig_close(&rig, fd);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

static void test_a_unix_socket_knows_its_users(void **state) {
    Rig rig;
    PsBuf got = {0};
    char path[64];
    snprintf(path, sizeof path, "/tmp/penstock-http-%d.sock", (int)getpid());
    rig_init(&rig);
    rig.setup.address = NULL;
    rig.setup.socket = path;
    rig_start(&rig);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0660);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    rig_send(&rig, fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    rig_expect(&rig, fd, &got, "GET / 0\n");
    assert_true(rig.peer.local && rig.peer.loopback);
    assert_int_equal(rig.peer.uid, getuid());
    rig_close(&rig, fd);

    // Living: refused. A file that is none: refused. Nobody behind it: taken over.
    Rig other;
    PsDiag diag = {0};
    rig_init(&other);
    other.setup.address = NULL;
    other.setup.socket = path;
    assert_int_equal(ps_http_start(&other.loop, &other.setup, &other.server, &diag), PS_ERR_BUSY);
    assert_string_equal(diag.object, path);
    rig_end(&rig);
    assert_int_equal(access(path, F_OK), -1);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(ps_http_start(&other.loop, &other.setup, &other.server, &diag), PS_ERR_EXISTS);
    unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    rig_close(&rig, fd);
    rig_start(&other);
    rig_end(&other);
    ps_buf_deinit(&got);
}

static void test_what_cannot_be_listened_on(void **state) {
    Rig rig;
    PsDiag diag = {0};
    rig_init(&rig);
    rig_start(&rig);
    PsHttpServer *other = NULL;
    PsHttpSetup setup = rig.setup;
    setup.port = ps_http_port(rig.server);
    assert_int_equal(ps_http_start(&rig.loop, &setup, &other, &diag), PS_ERR_BUSY);
    assert_string_equal(diag.field, "port");
    setup.address = "localhost";
    assert_int_equal(ps_http_start(&rig.loop, &setup, &other, &diag), PS_ERR_INVALID);
    setup.address = "192.0.2.1"; // for documentation only (RFC 5737)
    assert_int_equal(ps_http_start(&rig.loop, &setup, &other, &diag), PS_ERR_IO);
    assert_string_equal(diag.field, "address");
    char *certs[2];
    char *keys[2];
    rig_make_cert(&certs[0], &keys[0]);
    rig_make_cert(&certs[1], &keys[1]);
    setup = rig.setup;
    setup.cert = certs[0];
    setup.key = keys[1];
    assert_int_equal(ps_http_start(&rig.loop, &setup, &other, &diag), PS_ERR_INVALID);
    assert_string_equal(diag.field, "key");
    setup.key = certs[0];
    assert_int_equal(ps_http_start(&rig.loop, &setup, &other, &diag), PS_ERR_INVALID);
    setup.cert = "nothing";
    assert_int_equal(ps_http_start(&rig.loop, &setup, &other, &diag), PS_ERR_INVALID);
    assert_string_equal(diag.field, "cert");
    for (int i = 0; i < 2; i++) {
        free(certs[i]);
        free(keys[i]);
    }
    rig_end(&rig);
}

// ---- TLS

// A whole exchange with `version` at most; false when the server will not.
static bool talk(Rig *rig, int version, PsBuf *got) {
    rig->tls_most = version;
    int fd = rig_connect(rig);
    if (fd >= 0) {
        assert_int_equal(SSL_version(rig->clients[fd]), version);
        ps_buf_clear(got);
        assert_true(rig_send(rig, fd, "GET /tls HTTP/1.1\r\nHost: h\r\n\r\n"));
        rig_expect(rig, fd, got, "GET /tls 0\n");
        rig_close(rig, fd);
    }
    RIG_UNTIL(rig, ps_http_connections(rig->server) == 0);
    return fd >= 0;
}

static void test_tls(void **state) {
    Rig rig;
    PsBuf got = {0};
    rig_init(&rig);
    rig_use_tls(&rig);
    rig_start(&rig);
    assert_true(talk(&rig, TLS1_3_VERSION, &got));
    assert_true(rig.peer.tls && rig.peer.loopback);
    assert_string_equal(rig.peer.address, "127.0.0.1");
    assert_true(talk(&rig, TLS1_2_VERSION, &got));
    assert_false(talk(&rig, TLS1_1_VERSION, &got));
    assert_false(talk(&rig, TLS1_VERSION, &got));
    assert_int_equal(rig.requests, 2);
    rig_end(&rig);
    ps_buf_deinit(&got);
}

// Larger than every buffer on the way, in both directions, and late.
static void test_much_through_tls(void **state) {
    Rig rig;
    PsBuf got = {0};
    size_t size = (size_t)4 * 1024 * 1024;
    char *body = ps_alloc(size + 1);
    memset(body, 'x', size);
    rig_init(&rig);
    rig_use_tls(&rig);
    rig.verdict.body_max = size;
    rig_start(&rig);
    int fd = rig_connect(&rig);
    rig_send(
        &rig, fd,
        "PUT /much HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 4194304\r\n\r\n");
    for (size_t at = 0; at < size;) {
        int sent = SSL_write(rig.clients[fd], body + at, (int)(size - at));
        at += sent > 0 ? (size_t)sent : 0;
        rig_turn(&rig);
    }
    rig_expect_end(&rig, fd, &got);
    assert_true(got.len > size);
    assert_int_equal(rig_count(&got, "PUT /much 4194304\n"), 1);
    rig_close(&rig, fd);
    rig_end(&rig);
    free(body);
    ps_buf_deinit(&got);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_is_answered),
        cmocka_unit_test(test_head_has_no_body),
        cmocka_unit_test(test_one_connection_many_requests),
        cmocka_unit_test(test_an_answer_may_come_later),
        cmocka_unit_test(test_a_late_answer_outlasts_the_limits),
        cmocka_unit_test(test_a_client_that_goes_is_noticed),
        cmocka_unit_test(test_a_stop_tells_and_is_answered_afterwards),
        cmocka_unit_test(test_a_stop_may_be_answered_at_once),
        cmocka_unit_test(test_a_handler_may_stop_the_server),
        cmocka_unit_test(test_a_unix_socket_knows_its_users),
        cmocka_unit_test(test_what_cannot_be_listened_on),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_much_through_tls),
    };
    return cmocka_run_group_tests_name("http server", tests, NULL, NULL);
}
