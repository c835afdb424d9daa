// One RTU exchange: silence, request, answer, all bounded in time. Channel thread; blocks in ppoll.
#include "drivers/modbus/rtu_line.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// A line that sends for so long without a request is no line for requests.
#define NEVER_QUIET_NS (500 * PS_NS_PER_MS)

// Silence after which what has come is all there is: USB adapters pass bytes on in portions up to
// 16 ms apart, networks in whatever they like.
#define SETTLED_NS (60 * PS_NS_PER_MS)
#define SETTLED_CHARS 20
#define SETTLED_TCP_NS (250 * PS_NS_PER_MS)

typedef struct Received {
    uint8_t bytes[2 * PS_MODBUS_RTU_MAX];
    size_t len;
} Received;

typedef struct Frame {
    uint8_t bytes[PS_MODBUS_RTU_MAX];
    size_t len;
} Frame;

static int64_t at_least(int64_t value, int64_t least) {
    return value > least ? value : least;
}

// Waits until the descriptor is ready for `events`: 1; 0 at the deadline, -1 with errno.
static int wait_for(const PsModbusConnection *connection, short events, PsMono deadline) {
    struct pollfd fds[] = {
        {.fd = connection->socket, .events = events},
        {.fd = connection->wake_fd, .events = POLLIN},
    };
    int64_t left = at_least(ps_mono_diff_ns(deadline, ps_mono_now()), 0);
    struct timespec timeout = {left / PS_NS_PER_S, left % PS_NS_PER_S};
    int ready = ppoll(fds, PS_COUNT(fds), &timeout, NULL);
    if (ready < 0) {
        return errno == EINTR ? 0 : -1;
    }
    if (fds[1].revents != 0) {
        errno = ECANCELED;
        return -1;
    }
    return ready > 0 ? 1 : 0;
}

// Appends what is there right now; -1 with errno when the other end is gone.
static int take_bytes(PsModbusConnection *connection, Received *received) {
    ssize_t got = read(connection->socket, received->bytes + received->len,
                       sizeof received->bytes - received->len);
    if (got > 0) {
        received->len += (size_t)got;
        connection->quiet_since = ps_mono_now();
        return 0;
    }
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        return 0;
    }
    // Ready, but nothing to read: the port was pulled out, or the converter has hung up.
    errno = connection->way == &ps_modbus_way_serial ? ENODEV : got < 0 ? errno : ECONNRESET;
    return -1;
}

// Throws away what nobody has asked for, until the line has been quiet for the gap.
static int wait_quiet(PsModbusConnection *connection, const PsModbusAdu *adu) {
    PsMono end = ps_mono_add_ns(ps_mono_now(), NEVER_QUIET_NS);
    Received stray = {0};
    for (;;) {
        PsMono quiet = ps_mono_add_ns(connection->quiet_since, connection->timing.gap_ns);
        int ready = wait_for(connection, POLLIN, quiet);
        if (ready < 0) {
            return -1;
        }
        if (ready == 0 && ps_mono_now().ns >= quiet.ns) {
            return 0;
        }
        if (ps_mono_now().ns > end.ns) {
            errno = EBUSY;
            return -1;
        }
        if (stray.len == sizeof stray.bytes) {
            stray.len = 0;
        }
        if (ready > 0 && take_bytes(connection, &stray) < 0) {
            return -1;
        }
        PsModbusRtuScan scan;
        ps_modbus_rtu_scan(adu, stray.bytes, stray.len, &scan);
        connection->counters->late += scan.late + (scan.found ? 1 : 0);
        stray.len -= scan.used;
        memmove(stray.bytes, stray.bytes + scan.used, stray.len);
    }
}

static int put_frame(PsModbusConnection *connection, const Frame *frame, int64_t limit_ns) {
    int64_t way_ns = (int64_t)frame->len * connection->timing.char_ns;
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), limit_ns + way_ns);
    for (size_t sent = 0; sent < frame->len;) {
        int ready = wait_for(connection, POLLOUT, deadline);
        if (ready <= 0) {
            errno = ready == 0 ? ETIMEDOUT : errno;
            return -1;
        }
        ssize_t put = write(connection->socket, frame->bytes + sent, frame->len - sent);
        if (put < 0 && errno != EINTR && errno != EAGAIN) {
            errno = errno == EIO ? ENODEV : errno;
            return -1;
        }
        sent += put > 0 ? (size_t)put : 0;
    }
    return 0;
}

// Takes the answer out of what has come: its length, 0 when it is not there yet.
static size_t find_answer(PsModbusConnection *connection, const PsModbusAdu *adu,
                          Received *received, uint8_t *ret_answer) {
    PsModbusRtuScan scan;
    ps_modbus_rtu_scan(adu, received->bytes, received->len, &scan);
    connection->counters->late += scan.late;
    received->len -= scan.used;
    memmove(received->bytes, received->bytes + scan.used, received->len);
    if (received->len > PS_MODBUS_RTU_MAX) {
        size_t surplus = received->len - PS_MODBUS_RTU_MAX; // no frame is longer
        received->len -= surplus;
        memmove(received->bytes, received->bytes + surplus, received->len);
    }
    if (scan.found) {
        memcpy(ret_answer, scan.answer, scan.answer_len);
    }
    return scan.found ? scan.answer_len : 0;
}

// Adapters that listen while they send give everything back. For a write that would look like its
// answer, so it is known from a read, whose answer never looks like the request.
static void drop_echo(PsModbusConnection *connection, const Frame *frame, Received *received,
                      bool is_read) {
    bool echo = received->len >= frame->len &&
                memcmp(received->bytes, frame->bytes, frame->len) == 0 &&
                (is_read || connection->echoes);
    if (echo) {
        connection->echoes = true;
        received->len -= frame->len;
        memmove(received->bytes, received->bytes + frame->len, received->len);
    }
}

static int await_answer(PsModbusConnection *connection, const PsModbusAdu *adu, const Frame *frame,
                        PsMono deadline, uint8_t *ret_answer) {
    Received received = {0};
    bool is_read = ps_modbus_adu_is_read(adu);
    bool echo_open = is_read || connection->echoes;
    bool network = connection->way != &ps_modbus_way_serial;
    int64_t settled_ns =
        at_least(SETTLED_CHARS * connection->timing.char_ns, network ? SETTLED_TCP_NS : SETTLED_NS);
    for (;;) {
        PsMono until = deadline;
        if (received.len > 0) {
            PsMono settled = ps_mono_add_ns(connection->quiet_since, settled_ns);
            until = settled.ns < deadline.ns ? settled : deadline;
        }
        int ready = wait_for(connection, POLLIN, until);
        if (ready < 0) {
            return -1;
        }
        if (ready == 0 && ps_mono_now().ns >= until.ns) {
            errno = received.len > 0 ? EILSEQ : ETIMEDOUT;
            return -1;
        }
        if (ready > 0 && take_bytes(connection, &received) < 0) {
            return -1;
        }
        if (echo_open && received.len >= frame->len) {
            echo_open = false;
            drop_echo(connection, frame, &received, is_read);
        } else if (echo_open && !is_read) {
            continue; // what comes first is the echo
        }
        size_t len = find_answer(connection, adu, &received, ret_answer);
        if (len > 0) {
            return (int)len;
        }
    }
}

static int ask(PsModbusConnection *connection, PsModbusPatience *patience, int64_t timeout_ns,
               const PsModbusAdu *adu, uint8_t *ret_answer) {
    int64_t limit_ns = ps_modbus_patience_limit(patience, timeout_ns);
    Frame frame;
    frame.len = ps_modbus_rtu_encode(adu, frame.bytes);
    if (wait_quiet(connection, adu) < 0) {
        return -1;
    }
    PsMono start = ps_mono_now();
    int answer = put_frame(connection, &frame, limit_ns);
    int64_t way_ns = (int64_t)frame.len * connection->timing.char_ns;
    connection->quiet_since = ps_mono_add_ns(ps_mono_now(), way_ns);
    if (answer == 0) {
        int64_t answer_ns = (int64_t)ps_modbus_rtu_answer_max(adu) * connection->timing.char_ns;
        PsMono deadline = ps_mono_add_ns(start, limit_ns + way_ns + answer_ns);
        answer = await_answer(connection, adu, &frame, deadline, ret_answer);
    }
    if (answer >= 0) {
        ps_modbus_patience_answered(patience, ps_mono_diff_ns(ps_mono_now(), start));
        return answer;
    }
    int number = errno;
    if (number != ECANCELED) {
        ps_modbus_patience_failed(patience, adu);
    }
    errno = number;
    return -1;
}

// Asks for what no late answer can be taken for; refused is answered as well.
static int synchronize(PsModbusConnection *connection, PsModbusPatience *patience,
                       int64_t timeout_ns, const PsModbusAdu *adu, uint8_t *answer) {
    PsModbusAdu probe = ps_modbus_patience_probe(patience, adu, ++connection->transaction);
    int len = ask(connection, patience, timeout_ns, &probe, answer);
    connection->counters->requests += len >= 0; // otherwise it is the request that failed
    return len;
}

int ps_modbus_rtu_exchange(PsModbusConnection *connection, PsModbusUnit unit,
                           const PsModbusAdu *adu, uint8_t *ret_answer) {
    PsModbusPatience *patience = ps_modbus_patience_of(connection, unit.slave);
    bool known = patience->owed == 0 && patience->slowest_ns > 0;
    if (patience->owed != 0 &&
        synchronize(connection, patience, unit.timeout_ns, adu, ret_answer) < 0) {
        return -1;
    }
    int len = ask(connection, patience, unit.timeout_ns, adu, ret_answer);
    bool again = len < 0 && known && (errno == ETIMEDOUT || errno == EILSEQ);
    if (!again) {
        return len;
    }
    int number = errno;
    connection->counters->errors++;
    if (synchronize(connection, patience, unit.timeout_ns, adu, ret_answer) < 0) {
        errno = errno == ETIMEDOUT ? number : errno;
        return -1;
    }
    connection->counters->requests++;
    return ask(connection, patience, unit.timeout_ns, adu, ret_answer);
}
