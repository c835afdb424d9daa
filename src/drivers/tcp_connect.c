// Resolving a name and connecting, one address after the other, each step with its words. Runs on
// the channel's thread and blocks: in the resolver, and in poll while connecting.
#include "drivers/tcp_connect.h"

#include "base/cleanup.h"
#include "base/time.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void name_address(const struct addrinfo *address, char *out, size_t size) {
    char host[NI_MAXHOST];
    if (getnameinfo(address->ai_addr, address->ai_addrlen, host, sizeof host, NULL, 0,
                    NI_NUMERICHOST) != 0) {
        snprintf(host, sizeof host, "?");
    }
    snprintf(out, size, "%.100s", host);
}

static PsErr fail_connect(const PsTcpTarget *target, const struct addrinfo *address, int number,
                          PsDiag *diag) {
    char name[104];
    name_address(address, name, sizeof name);
    switch (number) {
    case ECONNREFUSED:
        return ps_fail(PS_ERR_CLOSED, diag, NULL, "port",
                       "connect: %s refuses port %d; check ip and port, and that the device's %s "
                       "is on",
                       name, target->port, target->server);
    case ETIMEDOUT:
        return ps_fail(PS_ERR_TIMEOUT, diag, NULL, "ip",
                       "connect: no answer from %s port %d; check that the device is on, its "
                       "network and the firewall",
                       name, target->port);
    default:
        return ps_fail(PS_ERR_IO, diag, NULL, "ip", "connect: %s port %d: %s", name, target->port,
                       strerror(number));
    }
}

PsErr ps_tcp_fail_cancelled(PsDiag *diag) {
    return ps_fail(PS_ERR_CANCELLED, diag, NULL, NULL, "stopped by the gateway");
}

// Waits for the outcome of a connect in progress: 0 or an errno.
static int wait_connected(const PsTcpTarget *target, int fd, PsMono deadline) {
    struct pollfd fds[] = {
        {.fd = fd, .events = POLLOUT},
        {.fd = target->wake_fd, .events = POLLIN},
    };
    int ready;
    do {
        ready = poll(fds, PS_COUNT(fds), ps_mono_poll_ms(ps_mono_now(), deadline));
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0) {
        return ready == 0 ? ETIMEDOUT : errno;
    }
    if (fds[1].revents != 0) {
        return ECANCELED;
    }
    int number = 0;
    socklen_t len = sizeof number;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &len) == 0 ? number : errno;
}

// A connected, blocking socket through `ret_fd`, or an errno.
static int connect_address(const PsTcpTarget *target, const struct addrinfo *address,
                           int64_t timeout_ns, int *ret_fd) {
    PS_AUTO_FD int fd =
        socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
               address->ai_protocol);
    if (fd < 0) {
        return errno;
    }
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), timeout_ns);
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        int number = errno == EINPROGRESS ? wait_connected(target, fd, deadline) : errno;
        if (number != 0) {
            return number;
        }
    }
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // only a delay when refused
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on); // noticed later when refused
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0) {
        return errno;
    }
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static PsErr resolve(const PsTcpTarget *target, struct addrinfo **ret_list, PsDiag *diag) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    char service[16];
    snprintf(service, sizeof service, "%d", target->port);
    int result = getaddrinfo(target->host, service, &hints, ret_list);
    if (result == 0) {
        return PS_OK;
    }
    return ps_fail(PS_ERR_NOT_FOUND, diag, NULL, "ip",
                   "name resolution: %.100s: %s; check the name and the DNS server, or give the "
                   "IP address",
                   target->host, result == EAI_SYSTEM ? strerror(errno) : gai_strerror(result));
}

// An address in digits needs no resolver, which takes files, locks and a deep stack.
typedef struct Digits {
    struct addrinfo info;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
} Digits;

static bool take_digits(const PsTcpTarget *target, Digits *digits) {
    *digits = (Digits){.info = {.ai_socktype = SOCK_STREAM, .ai_addr = &digits->address.any}};
    uint16_t port = htons((uint16_t)target->port);
    if (inet_pton(AF_INET, target->host, &digits->address.v4.sin_addr) == 1) {
        digits->info.ai_family = digits->address.v4.sin_family = AF_INET;
        digits->address.v4.sin_port = port;
        digits->info.ai_addrlen = sizeof digits->address.v4;
        return true;
    }
    if (inet_pton(AF_INET6, target->host, &digits->address.v6.sin6_addr) == 1) {
        digits->info.ai_family = digits->address.v6.sin6_family = AF_INET6;
        digits->address.v6.sin6_port = port;
        digits->info.ai_addrlen = sizeof digits->address.v6;
        return true;
    }
    return false;
}

PsErr ps_tcp_connect(const PsTcpTarget *target, int64_t timeout_ns, int *ret_fd, PsDiag *diag) {
    struct addrinfo *list = NULL;
    Digits digits;
    bool is_digits = take_digits(target, &digits);
    PsErr err = is_digits ? PS_OK : resolve(target, &list, diag);
    for (const struct addrinfo *address = is_digits ? &digits.info : list; address != NULL;
         address = address->ai_next) {
        int number = connect_address(target, address, timeout_ns, ret_fd);
        if (number == 0) {
            err = PS_OK;
            break;
        }
        err = number == ECANCELED ? ps_tcp_fail_cancelled(diag)
                                  : fail_connect(target, address, number, diag);
        if (err == PS_ERR_CANCELLED) {
            break;
        }
    }
    if (list != NULL) {
        freeaddrinfo(list);
    }
    return err;
}
