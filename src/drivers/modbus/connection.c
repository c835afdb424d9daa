// Requests of a connection and what their errors mean, the same for every way the bytes go: frames
// are made and checked in adu.c, sent and received by the ways. Runs on the channel's thread and
// blocks in the ways.
#include "drivers/modbus/connection.h"

#include "base/descriptors.h"
#include "base/mem.h"
#include "drivers/modbus/exception.h"
#include "drivers/tcp_connect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

PsErr ps_modbus_connection_init(PsModbusConnection *connection, const PsModbusTarget *target,
                                PsSession *session, PsDiag *diag) {
    const char *host = target->serial != NULL ? target->serial->path : target->host;
    *connection = (PsModbusConnection){.way = target->way,
                                       .host = ps_strdup(host),
                                       .port = target->port,
                                       .wake_fd = -1,
                                       .socket = -1,
                                       .lock_fd = -1,
                                       .counters = &session->counters,
                                       .note = session->note};
    pthread_mutex_init(&connection->lock, NULL);
    connection->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (connection->wake_fd < 0) {
        return ps_fail(PS_ERR_IO, diag, NULL, NULL,
                       "cannot prepare a connection to %.100s: %s; raise the limit of open files "
                       "(LimitNOFILE= of the service)",
                       host, strerror(errno));
    }
    connection->wake_fd = ps_descriptor_make_high(connection->wake_fd);
    if (target->serial != NULL) {
        (void)ps_modbus_connection_set_serial(connection, target->serial);
    }
    return PS_OK;
}

void ps_modbus_connection_deinit(PsModbusConnection *connection) {
    ps_modbus_connection_close(connection);
    modbus_free(connection->modbus); // accepts NULL
    connection->modbus = NULL;
    if (connection->wake_fd >= 0) {
        close(connection->wake_fd);
        connection->wake_fd = -1;
    }
    pthread_mutex_destroy(&connection->lock);
    free(connection->host);
    free(connection->patience);
}

// Few slaves of 247 are there, mostly one.
typedef struct PsModbusOwed {
    int slave;
    PsModbusPatience patience;
} PsModbusOwed;

PsModbusPatience *ps_modbus_patience_of(PsModbusConnection *connection, int slave) {
    for (unsigned i = 0; i < connection->patience_count; i++) {
        if (connection->patience[i].slave == slave) {
            return &connection->patience[i].patience;
        }
    }
    unsigned count = connection->patience_count + 1;
    connection->patience = ps_grow_array(connection->patience, count, sizeof(PsModbusOwed));
    connection->patience[count - 1] = (PsModbusOwed){.slave = slave};
    connection->patience_count = count;
    return &connection->patience[count - 1].patience;
}

bool ps_modbus_connection_set_serial(PsModbusConnection *connection, const PsSerial *serial) {
    PsSerial *present = &connection->serial;
    bool same = present->mode == serial->mode && present->baud_rate == serial->baud_rate &&
                present->data_bits == serial->data_bits && present->parity == serial->parity &&
                present->stop_bits == serial->stop_bits && present->pause_ms == serial->pause_ms;
    if (same) {
        return false;
    }
    ps_modbus_connection_close(connection);
    *present = *serial;
    present->name = NULL;
    present->path = NULL;
    connection->timing = ps_modbus_timing(serial);
    return true;
}

bool ps_modbus_connection_is_open(const PsModbusConnection *connection) {
    return connection->socket >= 0;
}

void ps_modbus_connection_close(PsModbusConnection *connection) {
    pthread_mutex_lock(&connection->lock);
    if (connection->socket >= 0) {
        if (connection->lock_fd >= 0) {
            (void)tcflush(connection->socket, TCIOFLUSH); // or closing waits until all is sent
            (void)ioctl(connection->socket, TIOCNXCL);
            close(connection->lock_fd);
            connection->lock_fd = -1;
        }
        if (connection->modbus != NULL) {
            modbus_close(connection->modbus);
        } else {
            (void)shutdown(connection->socket, SHUT_RDWR);
            close(connection->socket);
        }
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

PsErr ps_modbus_fail_cancelled(PsDiag *diag) {
    return ps_tcp_fail_cancelled(diag);
}

void ps_modbus_connection_adopt(PsModbusConnection *connection, int fd) {
    pthread_mutex_lock(&connection->lock);
    connection->socket = fd;
    connection->gave_up = false;
    connection->silences = 0;
    connection->received_len = 0;
    pthread_mutex_unlock(&connection->lock);
}

PsErr ps_modbus_connection_open(PsModbusConnection *connection, int64_t timeout_ns, PsDiag *diag) {
    PS_ASSERT(connection->socket < 0);
    if (atomic_load(&connection->interrupted)) {
        return ps_modbus_fail_cancelled(diag);
    }
    PsErr err = connection->way->open(connection, timeout_ns, diag);
    if (err == PS_OK && atomic_load(&connection->interrupted)) {
        // Came between the check above and the adoption: nothing has shut this socket down.
        ps_modbus_connection_close(connection);
        return ps_modbus_fail_cancelled(diag);
    }
    return err;
}

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
    bool silent = code == PS_MODBUS_GATEWAY_PATH || code == PS_MODBUS_GATEWAY_TARGET;
    return ps_fail(silent ? PS_ERR_TIMEOUT : PS_ERR_REFUSED, diag, NULL, NULL,
                   "%s: %s (exception %d)", what, ps_modbus_exception_words(code), code);
}

// `wrong` in words; the stream cannot be trusted any more.
static PsErr fail_protocol(PsModbusConnection *connection, const Request *request,
                           const char *wrong, PsDiag *diag) {
    char what[128];
    name_request(request, what, sizeof what);
    ps_modbus_connection_close(connection);
    return ps_fail(PS_ERR_PROTOCOL, diag, NULL, NULL,
                   "%s: the answer does not belong to the request: %s; check that the device "
                   "speaks %s on this port, and its slave number",
                   what, wrong, connection->way->name);
}

// A device that says nothing, or nothing that could be understood.
static PsErr fail_silent(const Request *request, const char *what, int number, PsDiag *diag) {
    switch (number) {
    case EILSEQ:
        return ps_fail(PS_ERR_TIMEOUT, diag, NULL, NULL,
                       "%s: what came back is damaged; check baud rate, parity and stop bits of "
                       "both sides, the termination of the line, and that no slave number is there "
                       "twice",
                       what);
    case EBUSY:
        return ps_fail(PS_ERR_TIMEOUT, diag, NULL, NULL,
                       "%s: not asked, the line is never quiet; check the baud rate and that no "
                       "other master or broken device sends on it",
                       what);
    default:
        return ps_fail(PS_ERR_TIMEOUT, diag, NULL, NULL,
                       "%s: no answer within %g s; check that the device is on and has this "
                       "slave number",
                       what, (double)request->unit.timeout_ns / 1e9);
    }
}

// What went wrong, from errno. Closes the connection, unless the line is as good as before.
static PsErr fail_transport(PsModbusConnection *connection, const Request *request, int number,
                            PsDiag *diag) {
    char what[128];
    name_request(request, what, sizeof what);
    bool silent = number == ETIMEDOUT || number == EILSEQ || number == EBUSY;
    if (!silent || !(connection->way->keeps_open || connection->hold)) {
        ps_modbus_connection_close(connection);
    }
    if (atomic_load(&connection->interrupted)) {
        return ps_modbus_fail_cancelled(diag);
    }
    if (silent) {
        return fail_silent(request, what, number, diag);
    }
    switch (number) {
    case ECONNRESET:
    case EPIPE:
        return ps_fail(PS_ERR_CLOSED, diag, NULL, NULL, "%s: the device closed the connection",
                       what);
    case ENODEV:
        return ps_fail(PS_ERR_CLOSED, diag, NULL, NULL,
                       "%s: %.100s is gone; check that the adapter is plugged in", what,
                       connection->host);
    default:
        return ps_fail(PS_ERR_IO, diag, NULL, NULL, "%s: %s", what, modbus_strerror(number));
    }
}

static PsErr begin(PsModbusConnection *connection, PsDiag *diag) {
    connection->exception = 0;
    if (atomic_load(&connection->interrupted)) {
        return ps_modbus_fail_cancelled(diag);
    }
    if (connection->socket < 0) {
        return ps_fail(PS_ERR_CLOSED, diag, NULL, NULL, "not connected");
    }
    return PS_OK;
}

static void smooth_round_trip(PsDriverCounters *counters, PsMono start) {
    int64_t took = ps_mono_diff_ns(ps_mono_now(), start);
    counters->round_trip_ns = counters->round_trip_ns == 0
                                  ? took
                                  : counters->round_trip_ns + (took - counters->round_trip_ns) / 8;
}

// What is on a line of RTU frames for an ADU: its checksum was computed or found right.
static uint32_t as_on_the_wire(const PsModbusConnection *connection, const uint8_t *adu, size_t len,
                               uint8_t *out) {
    PsModbusAdu frame = {.len = len};
    memcpy(frame.bytes, adu, len);
    if (connection->way->keeps_open) {
        return (uint32_t)ps_modbus_rtu_encode(&frame, out);
    }
    memcpy(out, adu, len);
    return (uint32_t)len;
}

// For whoever looks: what went over the wire last. What was not whole has no bytes.
static void show(const PsModbusConnection *connection, const PsModbusAdu *adu, int len) {
    PsPeek *peek = connection->peek;
    if (peek == NULL) {
        return;
    }
    peek->sent_len = as_on_the_wire(connection, adu->bytes, adu->len, peek->sent);
    peek->received_len = 0;
    if (len > (int)PS_MODBUS_ADU_HEADER) {
        peek->received_len =
            as_on_the_wire(connection, connection->answer, (size_t)len, peek->received);
    }
}

// One request and its answer, which is then in connection->answer.
static PsErr transact(PsModbusConnection *connection, const Request *request,
                      const PsModbusAdu *adu, PsDiag *diag) {
    PsDriverCounters *counters = connection->counters;
    counters->requests++;
    PsMono start = ps_mono_now();
    errno = 0;
    int len = connection->way->exchange(connection, request->unit, adu, connection->answer);
    int number = errno;
    show(connection, adu, len);
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

void ps_modbus_tell_refusal(PsModbusUnit unit, PsModbusTable table, uint16_t offset, uint16_t count,
                            int exception, PsDiag *diag) {
    char what[128];
    name_request(&(Request){"reading", table, offset, count, unit}, what, sizeof what);
    ps_diag_set(diag, NULL, NULL, "%s: %s (exception %d); asked again from time to time", what,
                ps_modbus_exception_words(exception), exception);
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
