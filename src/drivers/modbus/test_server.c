// One thread, a few connections; the mapping and the knobs under one lock.
#include "drivers/modbus/test_server.h"

#include "base/err.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <modbus/modbus.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 8
#define TRAIL_MAX 16
#define UNIT_AT 6 // of the MBAP header (Modbus Messaging on TCP/IP V1.0b, section 3.1.3)

struct TestServer {
    pthread_t thread;
    int listener;
    int stop_fd;
    int port;
    modbus_t *modbus;
    int clients[CLIENTS_MAX];
    int client_count;

    pthread_mutex_t lock;
    modbus_mapping_t *mapping;
    int silent_slave;
    int hole;
    int refuse;
    int delay_ms;
    bool drop_next;
    int forge_at;
    int forge_value;
    int trail;
    unsigned requests;
    unsigned connections;
};

static void listen_on(TestServer *server, int port) {
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    PS_ASSERT(server->listener >= 0);
    int on = 1;
    setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int bound = bind(server->listener, (struct sockaddr *)&address, sizeof address);
    PS_ASSERT(bound == 0 && listen(server->listener, CLIENTS_MAX) == 0);
    socklen_t len = sizeof address;
    getsockname(server->listener, (struct sockaddr *)&address, &len);
    server->port = ntohs(address.sin_port);
}

static bool touches_hole(const TestServer *server, const uint8_t *pdu) {
    int function = pdu[0];
    int offset = pdu[1] << 8 | pdu[2];
    int count = function == 6 ? 1 : pdu[3] << 8 | pdu[4];
    bool holding = function == 3 || function == 6 || function == 16;
    return holding && server->hole >= offset && server->hole < offset + count;
}

// libmodbus answers into a pair of sockets, so that the bytes can be changed on their way.
static void reply(TestServer *server, const uint8_t *request, int len, int exception) {
    int pair[2];
    int made = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
    PS_ASSERT(made == 0);
    int client = modbus_get_socket(server->modbus);
    modbus_set_socket(server->modbus, pair[0]);
    if (exception != 0) {
        modbus_reply_exception(server->modbus, request, (unsigned)exception);
    } else {
        modbus_reply(server->modbus, request, len, server->mapping);
    }
    modbus_set_socket(server->modbus, client);
    uint8_t bytes[MODBUS_TCP_MAX_ADU_LENGTH + TRAIL_MAX] = {0};
    ssize_t got = recv(pair[1], bytes, MODBUS_TCP_MAX_ADU_LENGTH, MSG_DONTWAIT);
    close(pair[0]);
    close(pair[1]);
    if (got > server->forge_at && server->forge_at >= 0) {
        bytes[server->forge_at] = (uint8_t)server->forge_value;
    }
    if (got > 0) {
        ssize_t put = send(client, bytes, (size_t)got + (size_t)server->trail, MSG_NOSIGNAL);
        (void)put; // a client that has gone is noticed at the next receive
    }
}

// False when the connection is to be closed.
static bool answer(TestServer *server, const uint8_t *request, int len) {
    int header = modbus_get_header_length(server->modbus);
    pthread_mutex_lock(&server->lock);
    server->requests++;
    bool keep = !server->drop_next;
    server->drop_next = false;
    int delay_ms = server->delay_ms;
    bool silent = request[UNIT_AT] == server->silent_slave;
    int exception = server->refuse;
    if (exception == 0 && touches_hole(server, request + header)) {
        exception = MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS;
    }
    pthread_mutex_unlock(&server->lock);
    if (!keep || silent) {
        return keep;
    }
    if (delay_ms > 0) {
        struct pollfd stop = {.fd = server->stop_fd, .events = POLLIN};
        poll(&stop, 1, delay_ms);
    }
    pthread_mutex_lock(&server->lock);
    reply(server, request, len, exception);
    pthread_mutex_unlock(&server->lock);
    return true;
}

static bool serve_client(TestServer *server, int fd) {
    uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
    modbus_set_socket(server->modbus, fd);
    int len = modbus_receive(server->modbus, request);
    return len > 0 && answer(server, request, len);
}

static void *run(void *arg) {
    TestServer *server = arg;
    for (;;) {
        struct pollfd fds[CLIENTS_MAX + 2] = {
            {.fd = server->stop_fd, .events = POLLIN},
            {.fd = server->listener, .events = POLLIN},
        };
        int count = server->client_count;
        for (int i = 0; i < count; i++) {
            fds[i + 2] = (struct pollfd){.fd = server->clients[i], .events = POLLIN};
        }
        poll(fds, (nfds_t)count + 2, -1);
        if (fds[0].revents != 0) {
            return NULL;
        }
        for (int i = count - 1; i >= 0; i--) {
            if (fds[i + 2].revents != 0 && !serve_client(server, server->clients[i])) {
                close(server->clients[i]);
                server->clients[i] = server->clients[--server->client_count];
            }
        }
        if (fds[1].revents != 0 && server->client_count < CLIENTS_MAX) {
            int fd = accept(server->listener, NULL, NULL);
            if (fd >= 0) {
                server->clients[server->client_count++] = fd;
                pthread_mutex_lock(&server->lock);
                server->connections++;
                pthread_mutex_unlock(&server->lock);
            }
        }
    }
}

TestServer *test_server_start(int port) {
    TestServer *server = ps_alloc(sizeof *server);
    listen_on(server, port);
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    server->modbus = modbus_new_tcp("127.0.0.1", server->port);
    server->mapping = modbus_mapping_new(TEST_SERVER_ITEMS, TEST_SERVER_ITEMS, TEST_SERVER_ITEMS,
                                         TEST_SERVER_ITEMS);
    PS_ASSERT(server->stop_fd >= 0 && server->modbus != NULL && server->mapping != NULL);
    server->silent_slave = -1;
    server->hole = -1;
    server->forge_at = -1;
    pthread_mutex_init(&server->lock, NULL);
    int number = pthread_create(&server->thread, NULL, run, server);
    PS_ASSERT(number == 0);
    return server;
}

void test_server_stop(TestServer *server) {
    uint64_t one = 1;
    ssize_t put = write(server->stop_fd, &one, sizeof one);
    PS_ASSERT(put == (ssize_t)sizeof one);
    pthread_join(server->thread, NULL);
    for (int i = 0; i < server->client_count; i++) {
        close(server->clients[i]);
    }
    close(server->listener);
    close(server->stop_fd);
    modbus_mapping_free(server->mapping);
    modbus_free(server->modbus);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

int test_server_port(const TestServer *server) {
    return server->port;
}

#define LOCKED(server, ...)                                                                        \
    do {                                                                                           \
        pthread_mutex_lock(&(server)->lock);                                                       \
        __VA_ARGS__;                                                                               \
        pthread_mutex_unlock(&(server)->lock);                                                     \
    } while (0)

void test_server_set_register(TestServer *server, int offset, uint16_t value) {
    LOCKED(server, server->mapping->tab_registers[offset] = value);
}

uint16_t test_server_register(TestServer *server, int offset) {
    uint16_t value;
    LOCKED(server, value = server->mapping->tab_registers[offset]);
    return value;
}

void test_server_set_input_register(TestServer *server, int offset, uint16_t value) {
    LOCKED(server, server->mapping->tab_input_registers[offset] = value);
}

void test_server_set_coil(TestServer *server, int offset, int on) {
    LOCKED(server, server->mapping->tab_bits[offset] = (uint8_t)on);
}

int test_server_coil(TestServer *server, int offset) {
    int on;
    LOCKED(server, on = server->mapping->tab_bits[offset]);
    return on;
}

void test_server_set_discrete(TestServer *server, int offset, int on) {
    LOCKED(server, server->mapping->tab_input_bits[offset] = (uint8_t)on);
}

void test_server_silence(TestServer *server, int slave) {
    LOCKED(server, server->silent_slave = slave);
}

void test_server_hole(TestServer *server, int offset) {
    LOCKED(server, server->hole = offset);
}

void test_server_refuse(TestServer *server, int exception) {
    LOCKED(server, server->refuse = exception);
}

void test_server_delay(TestServer *server, int ms) {
    LOCKED(server, server->delay_ms = ms);
}

void test_server_forge(TestServer *server, int at, int value) {
    LOCKED(server, server->forge_at = at; server->forge_value = value);
}

void test_server_trail(TestServer *server, int bytes) {
    PS_ASSERT(bytes <= TRAIL_MAX);
    LOCKED(server, server->trail = bytes);
}

void test_server_drop_next(TestServer *server) {
    LOCKED(server, server->drop_next = true);
}

unsigned test_server_connections(TestServer *server) {
    unsigned connections;
    LOCKED(server, connections = server->connections);
    return connections;
}

unsigned test_server_requests(TestServer *server) {
    unsigned requests;
    LOCKED(server, requests = server->requests);
    return requests;
}
