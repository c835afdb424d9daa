// Modbus over TCP: an exchange that takes no stray byte for an answer. The socket is connected by
// tcp_connect.c; frames are taken from the stream here, with poll, which knows every descriptor.
// Runs on the channel's thread and blocks: in the resolver and in poll. An interrupt shuts the
// socket down, which ends the wait.
#include "base/cleanup.h"
#include "base/descriptors.h"
#include "drivers/modbus/connection.h"
#include "drivers/modbus/rtu_line.h"
#include "drivers/tcp_connect.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEADER_LEN 6U // MBAP up to its length
#define FUNCTION_AT 7U
#define COUNT_AT 8U
#define SHORTEST 9U // header, unit, function and one byte more
#define WRITE_ANSWER 12U
#define EXCEPTION_BIT 0x80U

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
    fd = ps_descriptor_make_high(fd);
    ps_modbus_connection_adopt(connection, fd);
    fd = -1;
    return PS_OK;
}

// What is there right now goes behind what has come before: as recv.
static ssize_t take_bytes(PsModbusConnection *connection) {
    ssize_t got = recv(connection->socket, connection->received + connection->received_len,
                       sizeof connection->received - connection->received_len, MSG_DONTWAIT);
    connection->received_len += got > 0 ? (size_t)got : 0;
    return got;
}

static void drop_bytes(PsModbusConnection *connection, size_t len) {
    connection->received_len -= len;
    memmove(connection->received, connection->received + len, connection->received_len);
}

static unsigned get16(const uint8_t *at) {
    return (unsigned)at[0] << 8 | at[1];
}

// What stands at the beginning of what has come.
typedef enum Next {
    NEXT_NONE,   // nothing, or too little to tell
    NEXT_LATE,   // an answer to a request that was given up; it is gone and counted
    NEXT_ANOTHER // anything else
} Next;

// Only between requests that were given up on this connection and `adu` can a late answer belong.
static bool is_late(const PsModbusConnection *connection, const PsModbusAdu *adu) {
    const uint8_t *header = connection->received;
    uint16_t first = connection->first_given_up;
    uint16_t number = (uint16_t)get16(header);
    uint16_t now = (uint16_t)get16(adu->bytes);
    bool is_modbus = header[2] == 0 && header[3] == 0;
    return connection->gave_up && is_modbus && (uint16_t)(number - first) < (uint16_t)(now - first);
}

static Next take_late(PsModbusConnection *connection, const PsModbusAdu *adu) {
    size_t got = connection->received_len;
    if (got < HEADER_LEN) {
        return connection->shared || got == 0 ? NEXT_NONE : NEXT_ANOTHER;
    }
    size_t len = HEADER_LEN + get16(connection->received + 4);
    if (!is_late(connection, adu) || len > PS_MODBUS_ADU_MAX) {
        return NEXT_ANOTHER;
    }
    if (got < len) {
        return NEXT_NONE;
    }
    drop_bytes(connection, len);
    connection->counters->late++;
    return NEXT_LATE;
}

// Takes what came since the last answer: answers that come late, or what nobody has asked for.
static Next take_before(PsModbusConnection *connection, const PsModbusAdu *adu) {
    Next next = NEXT_NONE;
    ssize_t got;
    do {
        got = take_bytes(connection);
        while ((next = take_late(connection, adu)) == NEXT_LATE) {
        }
    } while (got > 0 && next == NEXT_NONE);
    return next;
}

// How long the answer is by its function and its own count.
static size_t inner_length(const PsModbusAdu *adu, const uint8_t *bytes) {
    uint8_t function = bytes[FUNCTION_AT];
    if ((function & EXCEPTION_BIT) != 0) {
        return SHORTEST;
    }
    return ps_modbus_adu_is_read(adu) ? SHORTEST + bytes[COUNT_AT] : WRITE_ANSWER;
}

// The length of the answer that has come; 0: there is more to come. One that contradicts itself is
// given as it is, so that nobody waits for the rest of it. -1 with errno.
static int answer_length(const PsModbusConnection *connection, const PsModbusAdu *adu) {
    const uint8_t *bytes = connection->received;
    size_t got = connection->received_len;
    if (got < HEADER_LEN) {
        return 0;
    }
    size_t len = HEADER_LEN + get16(bytes + 4);
    if (len > PS_MODBUS_ADU_MAX) {
        errno = EMBBADDATA;
        return -1;
    }
    if (got < SHORTEST) {
        return len < SHORTEST && got >= len ? (int)got : 0;
    }
    bool wrong = bytes[FUNCTION_AT] == adu->bytes[FUNCTION_AT] && inner_length(adu, bytes) != len;
    if (wrong) {
        return (int)(got < PS_MODBUS_ADU_MAX ? got : PS_MODBUS_ADU_MAX);
    }
    return got < len ? 0 : (int)len;
}

// The answer, without late ones before it: its length, or -1 with errno.
static int await_answer(PsModbusConnection *connection, const PsModbusAdu *adu, int64_t limit_ns,
                        uint8_t *ret_answer) {
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), limit_ns);
    for (int64_t left = limit_ns;; left = ps_mono_diff_ns(deadline, ps_mono_now())) {
        struct pollfd wait = {.fd = connection->socket, .events = POLLIN};
        struct timespec timeout = {left / PS_NS_PER_S, left % PS_NS_PER_S};
        int ready = left > 0 ? ppoll(&wait, 1, &timeout, NULL) : 0;
        if (ready == 0) {
            // Nothing of the answer is there: the stream is in order.
            connection->hold = take_late(connection, adu) == NEXT_NONE;
            errno = ETIMEDOUT;
            return -1;
        }
        ssize_t got = ready > 0 ? take_bytes(connection) : -1;
        if (got == 0) {
            errno = ECONNRESET;
        }
        if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) {
            return -1;
        }
        Next next;
        while ((next = take_late(connection, adu)) == NEXT_LATE) {
        }
        int len = next == NEXT_ANOTHER ? answer_length(connection, adu) : 0;
        if (len > 0) {
            memcpy(ret_answer, connection->received, (size_t)len);
            drop_bytes(connection, (size_t)len);
        }
        if (len != 0) {
            return len;
        }
    }
}

// Sends a request and waits for its answer: its length, or -1 with errno set. Bytes that came
// before answer nothing that is asked now. A device that has hung up is left to the exchange: what
// is sent to it then resets the connection, so that its port is free at once when its server comes
// back.
static int send_and_wait(PsModbusConnection *connection, int64_t limit_ns, const PsModbusAdu *adu,
                         uint8_t *ret_answer) {
    if (take_before(connection, adu) == NEXT_ANOTHER) {
        connection->counters->late++;
        errno = EBADMSG;
        return -1;
    }
    ssize_t sent = send(connection->socket, adu->bytes, adu->len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent != (ssize_t)adu->len) {
        errno = sent >= 0 ? EIO : errno == EAGAIN ? ETIMEDOUT : errno; // it takes nothing any more
        return -1;
    }
    return await_answer(connection, adu, limit_ns, ret_answer);
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
    PsModbusPatience *patience = ps_modbus_patience_of(connection, unit.slave);
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
