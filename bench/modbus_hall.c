// A hall of simulated Modbus TCP devices for the benches: COUNT addresses from FIRST on, one port,
// one thread that polls all connections. Registers hold their own number plus a counter that rises
// with each answer, so that a stale value shows. Says "ready PORT" when it listens; SILENT of the
// addresses (the last ones) take connections and requests and never answer.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_LEN 12
#define REGISTERS_MAX 125
#define EVENTS 256

typedef struct Client {
    int fd;
    bool silent;
    unsigned answers;
    size_t len;
    uint8_t bytes[REQUEST_LEN];
} Client;

static void put16(uint8_t *at, unsigned value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static unsigned get16(const uint8_t *at) {
    return (unsigned)at[0] << 8 | at[1];
}

// Function 3 and 4 only. False: hang up.
static bool answer(Client *client) {
    const uint8_t *request = client->bytes;
    unsigned first = get16(request + 8);
    unsigned count = get16(request + 10);
    uint8_t out[9 + 2 * REGISTERS_MAX];
    client->len = 0;
    if (get16(request + 4) != 6 || count < 1 || count > REGISTERS_MAX) {
        return false;
    }
    if (client->silent) {
        return true;
    }
    memcpy(out, request, 8);
    put16(out + 4, 3 + 2 * count);
    out[8] = (uint8_t)(2 * count);
    client->answers++;
    for (unsigned i = 0; i < count; i++) {
        put16(out + 9 + (size_t)2 * i, first + i + client->answers);
    }
    size_t len = 9 + (size_t)2 * count;
    return send(client->fd, out, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool serve(Client *client) {
    ssize_t got = recv(client->fd, client->bytes + client->len, REQUEST_LEN - client->len, 0);
    if (got <= 0) {
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    }
    client->len += (size_t)got;
    return client->len < REQUEST_LEN || answer(client);
}

// Everything on 127.0.0.0/8 comes in here; the address says which device it is.
static void welcome(int listener, int polled, uint32_t first_silent) {
    struct sockaddr_in here = {0};
    socklen_t len = sizeof here;
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    Client *client = calloc(1, sizeof *client);
    int on = 1;
    if (client == NULL || getsockname(fd, (struct sockaddr *)&here, &len) != 0) {
        abort();
    }
    client->fd = fd;
    client->silent = ntohl(here.sin_addr.s_addr) >= first_silent;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(polled, EPOLL_CTL_ADD, fd, &event) != 0) {
        abort();
    }
}

static int listen_everywhere(void) {
    struct sockaddr_in any = {.sin_family = AF_INET};
    socklen_t len = sizeof any;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    any.sin_addr.s_addr = htonl(INADDR_ANY);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&any, len) != 0 || listen(fd, 4096) != 0 ||
        getsockname(fd, (struct sockaddr *)&any, &len) != 0) {
        perror("modbus_hall");
        exit(1);
    }
    printf("ready %d\n", ntohs(any.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: modbus_hall FIRST-SILENT-ADDRESS\n");
        return 2;
    }
    struct rlimit limit;
    struct in_addr first_silent;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (inet_aton(argv[1], &first_silent) == 0) {
        fprintf(stderr, "modbus_hall: '%s' is no address\n", argv[1]);
        return 2;
    }
    int listener = listen_everywhere();
    int polled = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (polled < 0 || epoll_ctl(polled, EPOLL_CTL_ADD, listener, &event) != 0) {
        return 1;
    }
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(polled, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            Client *client = events[i].data.ptr;
            if (client == NULL) {
                welcome(listener, polled, ntohl(first_silent.s_addr));
            } else if (!serve(client)) {
                close(client->fd);
                free(client);
            }
        }
    }
}
