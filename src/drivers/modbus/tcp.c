// Modbus over TCP: each step of connecting apart, and an exchange that takes no stray byte for an
// answer. The socket is connected by tcp_connect.c and handed to libmodbus, because its own connect
// can neither be interrupted nor tell which step failed. Runs on the channel's thread and blocks:
// in the resolver, in poll while connecting, in libmodbus's select while asking.
#include "base/cleanup.h"
#include "drivers/modbus/connection.h"
#include "drivers/modbus/rtu_line.h"
#include "drivers/tcp_connect.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER_LEN 6 // MBAP up to its length
#define PIECE_MS 2   // between looks for the rest of an answer

static PsErr tcp_open(PsModbusConnection *connection, int64_t timeout_ns, PsDiag *diag) {
    PsTcpTarget target = {.host = connection->host,
                          .port = connection->port,
                          .server = "Modbus server",
                          .wake_fd = connection->wake_fd};
    PS_AUTO_FD int fd = -1;
    PsErr err = ps_tcp_connect(&target, timeout_ns, &fd, diag);
    if (err != PS_OK) {
        return err;
    }
    if (fd >= FD_SETSIZE) { // libmodbus waits with select, which cannot name this descriptor
        return ps_fail(PS_ERR_IO, diag, NULL, "ip", "connect: %.100s port %d: %s", connection->host,
                       connection->port, strerror(EMFILE));
    }
    ps_modbus_connection_adopt(connection, fd);
    fd = -1;
    return PS_OK;
}

// The header of the answer that comes next; how many bytes of it are there.
static ssize_t peek(const PsModbusConnection *connection, void *bytes, size_t size) {
    return recv(connection->socket, bytes, size, MSG_PEEK | MSG_DONTWAIT);
}

// What stands at the beginning of what has come.
typedef enum Next {
    NEXT_NONE,   // nothing, or too little to tell
    NEXT_LATE,   // an answer to a request that was given up; it is gone and counted
    NEXT_ANOTHER // anything else
} Next;

// Only between requests that were given up on this connection and `adu` can a late answer belong.
static bool is_late(const PsModbusConnection *connection, const uint8_t *header,
                    const PsModbusAdu *adu) {
    uint16_t first = connection->first_given_up;
    uint16_t number = (uint16_t)(header[0] << 8 | header[1]);
    uint16_t now = (uint16_t)(adu->bytes[0] << 8 | adu->bytes[1]);
    bool is_modbus = header[2] == 0 && header[3] == 0;
    return connection->gave_up && is_modbus && (uint16_t)(number - first) < (uint16_t)(now - first);
}

static Next take_late(const PsModbusConnection *connection, const PsModbusAdu *adu) {
    uint8_t frame[PS_MODBUS_ADU_MAX];
    ssize_t got = peek(connection, frame, HEADER_LEN);
    if (got <= 0) {
        return got < 0 && errno == EAGAIN ? NEXT_NONE : NEXT_ANOTHER;
    }
    if (got < HEADER_LEN) {
        return connection->shared ? NEXT_NONE : NEXT_ANOTHER;
    }
    size_t len = HEADER_LEN + (size_t)(frame[4] << 8 | frame[5]);
    if (!is_late(connection, frame, adu) || len > sizeof frame) {
        return NEXT_ANOTHER;
    }
    if (peek(connection, frame, len) < (ssize_t)len) {
        return NEXT_NONE;
    }
    if (recv(connection->socket, frame, len, MSG_DONTWAIT) == (ssize_t)len) {
        connection->counters->late++;
    }
    return NEXT_LATE;
}

// Throws late answers away until something else begins: true. False at the deadline, with nothing
// of the answer taken. Where one device has the connection for itself, its silence ends it anyway.
static bool await_other(const PsModbusConnection *connection, const PsModbusAdu *adu,
                        PsMono deadline) {
    while (connection->shared) {
        struct pollfd fds[] = {
            {.fd = connection->socket, .events = POLLIN},
            {.fd = connection->wake_fd, .events = POLLIN},
        };
        int ready = poll(fds, PS_COUNT(fds), ps_mono_poll_ms(ps_mono_now(), deadline));
        if (ready > 0 && fds[1].revents == 0) {
            Next next = take_late(connection, adu);
            if (next == NEXT_ANOTHER) {
                return true;
            }
            if (next == NEXT_NONE) {
                (void)poll(&fds[1], 1, PIECE_MS); // the rest of it is on its way
            }
        }
        if (fds[1].revents != 0 || ps_mono_now().ns >= deadline.ns) {
            return false;
        }
    }
    return true;
}

// Sends a request and waits for its answer: its length, or -1 with errno set. Bytes that came
// before answer nothing that is asked now. A device that has hung up is left to the exchange: what
// is sent to it then resets the connection, so that its port is free at once when its server comes
// back.
static int send_and_wait(PsModbusConnection *connection, int64_t limit_ns, const PsModbusAdu *adu,
                         uint8_t *ret_answer) {
    uint8_t byte;
    Next next;
    while ((next = take_late(connection, adu)) == NEXT_LATE) {
    }
    if (next == NEXT_ANOTHER && peek(connection, &byte, sizeof byte) > 0) {
        connection->counters->late++;
        errno = EBADMSG;
        return -1;
    }
    ssize_t sent = send(connection->socket, adu->bytes, adu->len, MSG_NOSIGNAL);
    if (sent != (ssize_t)adu->len) {
        errno = sent < 0 ? errno : EIO;
        return -1;
    }
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), limit_ns);
    if (!await_other(connection, adu, deadline)) {
        connection->hold = true; // nothing of the answer was taken: the stream is in order
        errno = ETIMEDOUT;
        return -1;
    }
    int64_t left_ns = ps_mono_diff_ns(deadline, ps_mono_now());
    left_ns = left_ns > PS_NS_PER_MS ? left_ns : PS_NS_PER_MS;
    modbus_set_response_timeout(connection->modbus, (uint32_t)(left_ns / PS_NS_PER_S),
                                (uint32_t)(left_ns % PS_NS_PER_S / 1000));
    return modbus_receive_confirmation(connection->modbus, ret_answer);
}

// One of several slaves is silent: the others keep their connection, and its late answer is known
// by its number. Two silences in a row look like a connection that is dead.
static void give_up(PsModbusConnection *connection, const PsModbusAdu *adu) {
    connection->silences++;
    connection->hold = connection->hold && connection->shared && connection->silences < 2;
    if (!connection->gave_up) {
        connection->first_given_up = (uint16_t)(adu->bytes[0] << 8 | adu->bytes[1]);
    }
    connection->gave_up = connection->hold;
}

// A silent slave among others is tried with short limits, as the others wait meanwhile.
static int tcp_exchange(PsModbusConnection *connection, PsModbusUnit unit, const PsModbusAdu *adu,
                        uint8_t *ret_answer) {
    PsModbusPatience *patience = &connection->patience[unit.slave];
    int64_t limit_ns =
        connection->shared ? ps_modbus_patience_limit(patience, unit.timeout_ns) : unit.timeout_ns;
    PsMono start = ps_mono_now();
    connection->hold = false;
    int len = send_and_wait(connection, limit_ns, adu, ret_answer);
    if (len >= 0) {
        connection->silences = 0;
        ps_modbus_patience_answered(patience, ps_mono_diff_ns(ps_mono_now(), start));
    } else if (errno == ETIMEDOUT) {
        ps_modbus_patience_failed(patience, adu);
        give_up(connection, adu);
        errno = ETIMEDOUT;
    }
    return len;
}

const PsModbusWay ps_modbus_way_tcp = {
    .name = "Modbus TCP",
    .open = tcp_open,
    .exchange = tcp_exchange,
};

const PsModbusWay ps_modbus_way_rtu_tcp = {
    .name = "Modbus RTU over TCP",
    .keeps_open = true,
    .open = tcp_open,
    .exchange = ps_modbus_rtu_exchange,
};
