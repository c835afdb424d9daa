// The only caller of libmodbus. The socket is connected here and handed to libmodbus, because its
// own connect can neither be interrupted nor tell which step failed; requests are sent and answers
// checked here (adu.c), libmodbus puts an answer together within its time limit. Runs on the
// channel's thread and blocks: in the resolver, in poll while connecting, in libmodbus's select
// while asking.
#include "drivers/modbus/connection.h"

#include "base/cleanup.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>

PsErr ps_modbus_connection_init(PsModbusConnection *connection, const char *host, int port,
                                PsDriverCounters *counters, PsDiag *diag) {
    *connection = (PsModbusConnection){
        .host = ps_strdup(host), .port = port, .wake_fd = -1, .socket = -1, .counters = counters};
    pthread_mutex_init(&connection->lock, NULL);
    char service[16];
    snprintf(service, sizeof service, "%d", port);
    connection->modbus = modbus_new_tcp_pi(host, service);
    connection->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (connection->modbus == NULL || connection->wake_fd < 0) {
        return ps_fail(PS_ERR_IO, diag, NULL, "ip", "cannot prepare a connection to %.100s: %s",
                       host, modbus_strerror(errno));
    }
    // No limit per byte: the response timeout then covers the whole answer, so that a device that
    // drips one byte at a time cannot hold the thread.
    modbus_set_byte_timeout(connection->modbus, 0, 0);
    return PS_OK;
}

void ps_modbus_connection_deinit(PsModbusConnection *connection) {
    if (connection->modbus != NULL) {
        ps_modbus_connection_close(connection);
        modbus_free(connection->modbus);
        connection->modbus = NULL;
    }
    if (connection->wake_fd >= 0) {
        close(connection->wake_fd);
        connection->wake_fd = -1;
    }
    pthread_mutex_destroy(&connection->lock);
    free(connection->host);
}

bool ps_modbus_connection_is_open(const PsModbusConnection *connection) {
    return connection->socket >= 0;
}

void ps_modbus_connection_close(PsModbusConnection *connection) {
    pthread_mutex_lock(&connection->lock);
    if (connection->socket >= 0) {
        modbus_close(connection->modbus);
        connection->socket = -1;
    }
    pthread_mutex_unlock(&connection->lock);
}

void ps_modbus_connection_interrupt(PsModbusConnection *connection) {
    atomic_store(&connection->interrupted, true);
    uint64_t one = 1;
    ssize_t put = write(connection->wake_fd, &one, sizeof one);
    (void)put; // can only fail when the counter is full, and then it is readable as well
    pthread_mutex_lock(&connection->lock);
    if (connection->socket >= 0) {
        shutdown(connection->socket, SHUT_RDWR);
    }
    pthread_mutex_unlock(&connection->lock);
}

static PsErr fail_cancelled(PsDiag *diag) {
    return ps_fail(PS_ERR_CANCELLED, diag, NULL, NULL, "stopped by the gateway");
}

static void name_address(const struct addrinfo *address, char *out, size_t size) {
    char host[NI_MAXHOST];
    if (getnameinfo(address->ai_addr, address->ai_addrlen, host, sizeof host, NULL, 0,
                    NI_NUMERICHOST) != 0) {
        snprintf(host, sizeof host, "?");
    }
    snprintf(out, size, "%.100s", host);
}

static PsErr fail_connect(const PsModbusConnection *connection, const struct addrinfo *address,
                          int number, PsDiag *diag) {
    char name[104];
    name_address(address, name, sizeof name);
    switch (number) {
    case ECONNREFUSED:
        return ps_fail(PS_ERR_CLOSED, diag, NULL, "port",
                       "connect: %s refuses port %d; check ip and port, and that the device's "
                       "Modbus server is on",
                       name, connection->port);
    case ETIMEDOUT:
        return ps_fail(PS_ERR_TIMEOUT, diag, NULL, "ip",
                       "connect: no answer from %s port %d; check that the device is on, its "
                       "network and the firewall",
                       name, connection->port);
    default:
        return ps_fail(PS_ERR_IO, diag, NULL, "ip", "connect: %s port %d: %s", name,
                       connection->port, strerror(number));
    }
}

// Waits for the outcome of a connect in progress: 0 or an errno.
static int wait_connected(const PsModbusConnection *connection, int fd, PsMono deadline) {
    struct pollfd fds[] = {
        {.fd = fd, .events = POLLOUT},
        {.fd = connection->wake_fd, .events = POLLIN},
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

// A connected, blocking socket through `ret_socket`, or an errno.
static int connect_address(const PsModbusConnection *connection, const struct addrinfo *address,
                           int64_t timeout_ns, int *ret_socket) {
    PS_AUTO_FD int fd =
        socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
               address->ai_protocol);
    if (fd < 0) {
        return errno;
    }
    if (fd >= FD_SETSIZE) {
        return EMFILE; // libmodbus waits with select, which cannot name this descriptor
    }
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), timeout_ns);
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        int number = errno == EINPROGRESS ? wait_connected(connection, fd, deadline) : errno;
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
    *ret_socket = fd;
    fd = -1;
    return 0;
}

static PsErr resolve(const PsModbusConnection *connection, struct addrinfo **ret_list,
                     PsDiag *diag) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    char service[16];
    snprintf(service, sizeof service, "%d", connection->port);
    int result = getaddrinfo(connection->host, service, &hints, ret_list);
    if (result == 0) {
        return PS_OK;
    }
    return ps_fail(PS_ERR_NOT_FOUND, diag, NULL, "ip",
                   "name resolution: %.100s: %s; check the name and the DNS server, or give the "
                   "IP address",
                   connection->host, result == EAI_SYSTEM ? strerror(errno) : gai_strerror(result));
}

static void adopt(PsModbusConnection *connection, int fd) {
    pthread_mutex_lock(&connection->lock);
    connection->socket = fd;
    modbus_set_socket(connection->modbus, fd);
    pthread_mutex_unlock(&connection->lock);
}

PsErr ps_modbus_connection_open(PsModbusConnection *connection, int64_t timeout_ns, PsDiag *diag) {
    PS_ASSERT(connection->socket < 0);
    if (atomic_load(&connection->interrupted)) {
        return fail_cancelled(diag);
    }
    struct addrinfo *list = NULL;
    PsErr err = resolve(connection, &list, diag);
    for (const struct addrinfo *address = list; address != NULL; address = address->ai_next) {
        int fd = -1;
        int number = connect_address(connection, address, timeout_ns, &fd);
        if (number == 0) {
            adopt(connection, fd);
            err = PS_OK;
            break;
        }
        err = number == ECANCELED ? fail_cancelled(diag)
                                  : fail_connect(connection, address, number, diag);
        if (err == PS_ERR_CANCELLED) {
            break;
        }
    }
    if (list != NULL) {
        freeaddrinfo(list);
    }
    if (err == PS_OK && atomic_load(&connection->interrupted)) {
        // Came between the check above and the adoption: nothing has shut this socket down.
        ps_modbus_connection_close(connection);
        return fail_cancelled(diag);
    }
    return err;
}

// Words for exception codes: V1.1b3 section 7.
static const char *const exceptions[] = {
    [1] = "illegal function: the device does not offer this table",
    [2] = "illegal data address: the device does not have all of these",
    [3] = "illegal data value",
    [4] = "device failure",
    [5] = "acknowledged, still being processed",
    [6] = "device busy",
    [7] = "negative acknowledge",
    [8] = "memory parity error",
    [10] = "gateway path unavailable",
    [11] = "gateway: the target device does not answer",
};

static const char *exception_words(int code) {
    bool known = code > 0 && (size_t)code < PS_COUNT(exceptions) && exceptions[code] != NULL;
    return known ? exceptions[code] : "refused with a code that Modbus does not define";
}

#define EXCEPTION_GATEWAY_PATH 10
#define EXCEPTION_GATEWAY_TARGET 11

typedef struct Request {
    const char *verb; // "reading", "writing"
    PsModbusTable table;
    uint16_t offset;
    uint16_t count;
    PsModbusUnit unit;
} Request;

static void name_request(const Request *request, char *out, size_t size) {
    unsigned last = (unsigned)request->offset + request->count - 1;
    if (request->count == 1) {
        snprintf(out, size, "%s %s offset %u of slave %d", request->verb,
                 ps_modbus_table_name(request->table), last, request->unit.slave);
    } else {
        snprintf(out, size, "%s %s offsets %u to %u of slave %d", request->verb,
                 ps_modbus_table_name(request->table), request->offset, last, request->unit.slave);
    }
}

static PsErr fail_refused(PsModbusConnection *connection, const Request *request, int code,
                          PsDiag *diag) {
    char what[128];
    name_request(request, what, sizeof what);
    connection->exception = code;
    bool silent = code == EXCEPTION_GATEWAY_PATH || code == EXCEPTION_GATEWAY_TARGET;
    return ps_fail(silent ? PS_ERR_TIMEOUT : PS_ERR_REFUSED, diag, NULL, NULL,
                   "%s: %s (exception %d)", what, exception_words(code), code);
}

// `wrong` in words; the stream cannot be trusted any more.
static PsErr fail_protocol(PsModbusConnection *connection, const Request *request,
                           const char *wrong, PsDiag *diag) {
    char what[128];
    name_request(request, what, sizeof what);
    ps_modbus_connection_close(connection);
    connection->closed_by_timeout = false;
    return ps_fail(PS_ERR_PROTOCOL, diag, NULL, NULL,
                   "%s: the answer does not belong to the request: %s; check that the device "
                   "speaks Modbus TCP on this port, and its slave number",
                   what, wrong);
}

// What went wrong, from errno. Closes the connection.
static PsErr fail_transport(PsModbusConnection *connection, const Request *request, int number,
                            PsDiag *diag) {
    char what[128];
    name_request(request, what, sizeof what);
    ps_modbus_connection_close(connection);
    connection->closed_by_timeout = number == ETIMEDOUT;
    if (atomic_load(&connection->interrupted)) {
        return fail_cancelled(diag);
    }
    switch (number) {
    case ETIMEDOUT:
        return ps_fail(PS_ERR_TIMEOUT, diag, NULL, NULL,
                       "%s: no answer within %g s; check that the device is on and has this "
                       "slave number",
                       what, (double)request->unit.timeout_ns / 1e9);
    case ECONNRESET:
    case EPIPE:
        return ps_fail(PS_ERR_CLOSED, diag, NULL, NULL, "%s: the device closed the connection",
                       what);
    default:
        return ps_fail(PS_ERR_IO, diag, NULL, NULL, "%s: %s", what, modbus_strerror(number));
    }
}

static PsErr begin(PsModbusConnection *connection, PsDiag *diag) {
    connection->exception = 0;
    if (atomic_load(&connection->interrupted)) {
        return fail_cancelled(diag);
    }
    if (connection->socket < 0) {
        return ps_fail(PS_ERR_CLOSED, diag, NULL, NULL, "not connected");
    }
    return PS_OK;
}

// Bytes that came before the request went out answer nothing that is asked now. A device that has
// hung up is left to the exchange: what is sent to it then resets the connection, so that its port
// is free at once when its server comes back.
static bool has_stray(const PsModbusConnection *connection) {
    uint8_t byte;
    return recv(connection->socket, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) > 0;
}

// Sends a request and waits for its answer: its length, or -1 with errno set.
static int exchange(PsModbusConnection *connection, PsModbusUnit unit, const PsModbusAdu *adu,
                    uint8_t *ret_answer) {
    if (has_stray(connection)) {
        errno = EBADMSG;
        return -1;
    }
    if (send(connection->socket, adu->bytes, adu->len, MSG_NOSIGNAL) != (ssize_t)adu->len) {
        return -1;
    }
    modbus_set_response_timeout(connection->modbus, (uint32_t)(unit.timeout_ns / PS_NS_PER_S),
                                (uint32_t)(unit.timeout_ns % PS_NS_PER_S / 1000));
    return modbus_receive_confirmation(connection->modbus, ret_answer);
}

static void smooth_round_trip(PsDriverCounters *counters, PsMono start) {
    int64_t took = ps_mono_diff_ns(ps_mono_now(), start);
    counters->round_trip_ns = counters->round_trip_ns == 0
                                  ? took
                                  : counters->round_trip_ns + (took - counters->round_trip_ns) / 8;
}

// One request and its answer, which is then in connection->answer.
static PsErr transact(PsModbusConnection *connection, const Request *request,
                      const PsModbusAdu *adu, PsDiag *diag) {
    PsDriverCounters *counters = connection->counters;
    counters->requests++;
    PsMono start = ps_mono_now();
    errno = 0;
    int len = exchange(connection, request->unit, adu, connection->answer);
    int number = errno;
    int exception = 0;
    const char *wrong = NULL;
    if (len >= 0) {
        wrong = ps_modbus_adu_check(adu, connection->answer, (size_t)len, &exception);
    } else if (number == EMBBADDATA || number == EBADMSG) {
        wrong = number == EBADMSG ? "it came before the request" : "it is too long";
    }
    counters->errors += len < 0 || wrong != NULL || exception != 0;
    if (wrong != NULL) {
        return fail_protocol(connection, request, wrong, diag);
    }
    if (len < 0) {
        return fail_transport(connection, request, number, diag);
    }
    PsErr err = exception != 0 ? fail_refused(connection, request, exception, diag) : PS_OK;
    if (err != PS_ERR_TIMEOUT) {
        smooth_round_trip(counters, start);
    }
    return err;
}

static PsModbusAsk ask(PsModbusConnection *connection, PsModbusUnit unit, uint16_t offset) {
    return (PsModbusAsk){
        .transaction = ++connection->transaction, .slave = (uint8_t)unit.slave, .offset = offset};
}

static PsErr read_items(PsModbusConnection *connection, PsModbusUnit unit, PsModbusTable table,
                        uint16_t offset, uint16_t count, PsDiag *diag) {
    PsErr err = begin(connection, diag);
    if (err != PS_OK) {
        return err;
    }
    PsModbusAdu adu = ps_modbus_adu_read(ask(connection, unit, offset), table, count);
    return transact(connection, &(Request){"reading", table, offset, count, unit}, &adu, diag);
}

PsErr ps_modbus_read_bits(PsModbusConnection *connection, PsModbusUnit unit, PsModbusTable table,
                          uint16_t offset, uint16_t count, uint8_t *ret_bits, PsDiag *diag) {
    PsErr err = read_items(connection, unit, table, offset, count, diag);
    if (err == PS_OK) {
        ps_modbus_adu_bits(connection->answer, count, ret_bits);
    }
    return err;
}

PsErr ps_modbus_read_registers(PsModbusConnection *connection, PsModbusUnit unit,
                               PsModbusTable table, uint16_t offset, uint16_t count,
                               uint16_t *ret_registers, PsDiag *diag) {
    PsErr err = read_items(connection, unit, table, offset, count, diag);
    if (err == PS_OK) {
        ps_modbus_adu_registers(connection->answer, count, ret_registers);
    }
    return err;
}

PsErr ps_modbus_write_coil(PsModbusConnection *connection, PsModbusUnit unit, uint16_t offset,
                           bool on, PsDiag *diag) {
    PsErr err = begin(connection, diag);
    if (err != PS_OK) {
        return err;
    }
    PsModbusAdu adu = ps_modbus_adu_write_coil(ask(connection, unit, offset), on);
    return transact(connection, &(Request){"writing", PS_MODBUS_COILS, offset, 1, unit}, &adu,
                    diag);
}

PsErr ps_modbus_write_registers(PsModbusConnection *connection, PsModbusUnit unit, uint16_t offset,
                                uint16_t count, const uint16_t *registers, PsDiag *diag) {
    PsErr err = begin(connection, diag);
    if (err != PS_OK) {
        return err;
    }
    PsModbusAdu adu =
        ps_modbus_adu_write_registers(ask(connection, unit, offset), registers, count);
    Request request = {"writing", PS_MODBUS_HOLDING_REGISTERS, offset, count, unit};
    return transact(connection, &request, &adu, diag);
}
