//! One connection to a Modbus endpoint, TCP or a serial line, and what its errors mean.
//!
//! One thread at a time uses a connection (libmodbus keeps no thread promises); only `interrupt`
//! comes from elsewhere. Over TCP any failure but a refusal closes the connection, so that what
//! arrives late belongs to a socket nobody reads any more; only where several devices share it, the
//! silence of one leaves it open, and a late answer is known by its transaction number. On a line
//! of RTU frames, which has no second connection to offer, a silent slave closes nothing: what it
//! still owes is remembered, and it is asked something unmistakable before it is believed again
//! (rtu_line.h).
#pragma once

#include "drivers/driver.h"
#include "drivers/modbus/adu.h"
#include "drivers/modbus/patience.h"
#include "drivers/modbus/rtu.h"

#include <stdatomic.h>

#include <modbus/modbus.h>
#include <pthread.h>

typedef struct PsModbusConnection PsModbusConnection;

/// Who is asked, and how long to wait.
typedef struct PsModbusUnit {
    int slave;
    int64_t timeout_ns;
} PsModbusUnit;

/// How bytes go to the endpoint and come back.
typedef struct PsModbusWay {
    const char *name; ///< for people who look for a mistake: "Modbus TCP"
    bool keeps_open;  ///< a device that is silent or answers wrongly does not cost the connection
    /// As ps_modbus_connection_open; on success the descriptor is adopted.
    PsErr (*open)(PsModbusConnection *connection, int64_t timeout_ns, PsDiag *diag);
    /// Sends a request and waits for its answer, an ADU of at most PS_MODBUS_ADU_MAX bytes: its
    /// length, or -1 with errno set. EBADMSG: bytes came before the request. EILSEQ: what came is
    /// damaged. EBUSY: the line is never quiet.
    int (*exchange)(PsModbusConnection *connection, PsModbusUnit unit, const PsModbusAdu *adu,
                    uint8_t *ret_answer);
} PsModbusWay;

extern const PsModbusWay ps_modbus_way_tcp;
extern const PsModbusWay ps_modbus_way_rtu_tcp; ///< RTU frames to a converter on the network
extern const PsModbusWay ps_modbus_way_serial;

/// Where the endpoint is: a host and port, or a serial port.
typedef struct PsModbusTarget {
    const PsModbusWay *way;
    const char *host;
    int port;
    const PsSerial *serial; ///< of ps_modbus_way_serial
} PsModbusTarget;

struct PsModbusConnection {
    const PsModbusWay *way;
    char *host; ///< or the path of the serial port
    int port;
    PsSerial serial; ///< its texts are not kept
    int wake_fd;     ///< an eventfd that ends a wait in progress
    atomic_bool interrupted;
    pthread_mutex_t lock;    ///< guards `socket` against `interrupt`
    int lock_fd;             ///< of a serial port while it is open: its lock
    int socket;              ///< -1 when closed; of a serial port inside libmodbus otherwise
    modbus_t *modbus;        ///< of a serial port while it is open
    bool shared;             ///< several devices are behind it
    bool hold;               ///< of TCP: the silence of this exchange leaves the stream in order
    bool gave_up;            ///< of TCP: requests on this connection were not answered in time
    uint16_t first_given_up; ///< transaction of the first of them
    unsigned silences;       ///< of TCP: in a row
    int exception;           ///< code of the last refusal (V1.1b3 section 7); 0 when not known
    PsPeek *peek;            ///< gets each request and its answer while somebody looks; or NULL
    PsDriverCounters *counters;
    char *note;                    ///< PsSession.note
    uint16_t transaction;          ///< of the last request; goes on over a reconnect
    struct PsModbusOwed *patience; ///< of the slaves that were asked so far
    unsigned patience_count;
    PsModbusTiming timing; ///< of RTU
    PsMono quiet_since;    ///< of RTU: the last byte came or went
    bool echoes;           ///< of RTU: the adapter gives back what is sent
    uint8_t answer[PS_MODBUS_ADU_MAX];
    uint8_t received[2 * PS_MODBUS_ADU_MAX]; ///< of TCP: what has come and is not taken yet
    size_t received_len;
};

/// Takes an event descriptor. PS_ERR_IO. `target`
/// is copied, `session` outlives it.
PsErr ps_modbus_connection_init(PsModbusConnection *connection, const PsModbusTarget *target,
                                PsSession *session, PsDiag *diag);
void ps_modbus_connection_deinit(PsModbusConnection *connection);

/// The serial port has other settings: closes when they differ. True when they do.
bool ps_modbus_connection_set_serial(PsModbusConnection *connection, const PsSerial *serial);

/// Resolves and connects, at most `timeout_ns` for each address of the host; or opens the serial
/// port. Errors as in PsDriver.connect; `diag` names the step and the cure.
PsErr ps_modbus_connection_open(PsModbusConnection *connection, int64_t timeout_ns, PsDiag *diag);
void ps_modbus_connection_close(PsModbusConnection *connection);
bool ps_modbus_connection_is_open(const PsModbusConnection *connection);
/// For ways: the connection owns the descriptor, which `modbus` has where there is one.
void ps_modbus_connection_adopt(PsModbusConnection *connection, int fd);
/// For ways: what is known of the slave. Borrowed until it is called for another one.
PsModbusPatience *ps_modbus_patience_of(PsModbusConnection *connection, int slave);
/// For ways: PS_ERR_CANCELLED in words.
PsErr ps_modbus_fail_cancelled(PsDiag *diag);

/// Any thread: ends a blocked call, and makes every later one return PS_ERR_CANCELLED.
void ps_modbus_connection_interrupt(PsModbusConnection *connection);

/// Requests. PS_ERR_PROTOCOL is an answer that is not this request's in every field (adu.h), or
/// bytes that came before it was sent. PS_ERR_REFUSED leaves the connection open and sets
/// `exception`; PS_ERR_TIMEOUT is a silent device (also when a Modbus gateway says so: exceptions
/// 10 and 11, connection open; on a line of RTU frames also one whose answers are damaged). `diag`
/// names the request and what came of it; its object is left to the caller.
PsErr ps_modbus_read_bits(PsModbusConnection *connection, PsModbusUnit unit, PsModbusTable table,
                          uint16_t offset, uint16_t count, uint8_t *ret_bits, PsDiag *diag);
PsErr ps_modbus_read_registers(PsModbusConnection *connection, PsModbusUnit unit,
                               PsModbusTable table, uint16_t offset, uint16_t count,
                               uint16_t *ret_registers, PsDiag *diag);
/// The words of a refusal that was known before and was not asked for again.
void ps_modbus_tell_refusal(PsModbusUnit unit, PsModbusTable table, uint16_t offset, uint16_t count,
                            int exception, PsDiag *diag);
/// Function 5.
PsErr ps_modbus_write_coil(PsModbusConnection *connection, PsModbusUnit unit, uint16_t offset,
                           bool on, PsDiag *diag);
/// Function 6 for one register, 16 for more.
PsErr ps_modbus_write_registers(PsModbusConnection *connection, PsModbusUnit unit, uint16_t offset,
                                uint16_t count, const uint16_t *registers, PsDiag *diag);
