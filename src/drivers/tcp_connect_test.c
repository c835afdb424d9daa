// Connecting: what each outcome is called, and that a wait for one can be ended.
#include "drivers/tcp_connect.h"

#include "base/time.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

// A socket on a free port of 127.0.0.1; it listens when `backlog` is not negative.
static int bound_socket(int backlog, int *ret_port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    if (backlog >= 0) {
        assert_int_equal(listen(fd, backlog), 0);
    }
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static PsErr connect_to(const char *host, int port, int wake_fd, int *ret_fd, PsDiag *diag) {
    PsTcpTarget target = {.host = host, .port = port, .server = "test server", .wake_fd = wake_fd};
    return ps_tcp_connect(&target, PS_NS_PER_S / 10, ret_fd, diag);
}

static void a_server_is_reached(void **state) {
    (void)state;
    int wake_fd = eventfd(0, EFD_CLOEXEC);
    int port;
    int fd = -1;
    int server = bound_socket(1, &port);
    assert_int_equal(connect_to("127.0.0.1", port, wake_fd, &fd, NULL), PS_OK);
    assert_true(fd >= 0);
    close(fd);
    close(server);
    close(wake_fd);
}

static void failures_are_told_apart(void **state) {
    (void)state;
    int wake_fd = eventfd(0, EFD_CLOEXEC);
    int port;
    int fd = -1;
    PsDiag diag = {0};
    int closed = bound_socket(-1, &port);
    assert_int_equal(connect_to("127.0.0.1", port, wake_fd, &fd, &diag), PS_ERR_CLOSED);
    assert_string_equal(diag.field, "port");
    assert_non_null(strstr(diag.text, "that the device's test server is on"));
    close(closed);
    assert_int_equal(connect_to("no.such.host.invalid", port, wake_fd, &fd, &diag),
                     PS_ERR_NOT_FOUND);
    assert_non_null(strstr(diag.text, "no.such.host.invalid"));
    assert_int_equal(fd, -1);
    close(wake_fd);
}

// A server that accepts nobody: its queue is full.
static void waiting_ends_at_the_limit_and_at_once_when_woken(void **state) {
    (void)state;
    int wake_fd = eventfd(0, EFD_CLOEXEC);
    int port;
    int waiting[8];
    int count = 0;
    PsDiag diag = {0};
    int server = bound_socket(0, &port);
    PsErr err = PS_OK;
    while (count < (int)PS_COUNT(waiting) && err == PS_OK) {
        err = connect_to("127.0.0.1", port, wake_fd, &waiting[count], &diag);
        count += err == PS_OK;
    }
    assert_int_equal(err, PS_ERR_TIMEOUT);
    uint64_t one = 1;
    assert_int_equal(write(wake_fd, &one, sizeof one), sizeof one);
    int fd = -1;
    assert_int_equal(connect_to("127.0.0.1", port, wake_fd, &fd, &diag), PS_ERR_CANCELLED);
    while (count > 0) {
        close(waiting[--count]);
    }
    close(server);
    close(wake_fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_is_reached),
        cmocka_unit_test(failures_are_told_apart),
        cmocka_unit_test(waiting_ends_at_the_limit_and_at_once_when_woken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
