//! One Modbus TCP connection through libmodbus, and what its errors mean.
//!
//! One thread at a time uses a connection (libmodbus keeps no thread promises); only `interrupt`
//! comes from elsewhere. After any failure but a refusal the connection is closed, so that what
//! arrives late belongs to a socket nobody reads any more.
#pragma once

#include "drivers/driver.h"
#include "drivers/modbus/adu.h"

#include <stdatomic.h>

#include <modbus/modbus.h>
#include <pthread.h>

typedef struct PsModbusConnection {
    char *host;
    int port;
    int wake_fd; ///< an eventfd that ends a connect in progress
    atomic_bool interrupted;
    pthread_mutex_t lock; ///< guards `socket` against `interrupt`
    int socket;           ///< -1 when closed; inside libmodbus otherwise
    modbus_t *modbus;
    bool closed_by_timeout; ///< the last close was our own after a silent device
    int exception;          ///< code of the last refusal (V1.1b3 section 7); 0 when not known
    PsDriverCounters *counters;
    uint16_t transaction; ///< of the last request; goes on over a reconnect
    uint8_t answer[MODBUS_TCP_MAX_ADU_LENGTH];
} PsModbusConnection;

/// Who is asked, and how long to wait.
typedef struct PsModbusUnit {
    int slave;
    int64_t timeout_ns;
} PsModbusUnit;

/// Takes a libmodbus context and an event descriptor. PS_ERR_IO. `host` is copied, `counters`
/// outlive it.
PsErr ps_modbus_connection_init(PsModbusConnection *connection, const char *host, int port,
                                PsDriverCounters *counters, PsDiag *diag);
void ps_modbus_connection_deinit(PsModbusConnection *connection);

/// Resolves and connects, at most `timeout_ns` for each address of the host. Errors as in
/// PsDriver.connect; `diag` names the step and the cure.
PsErr ps_modbus_connection_open(PsModbusConnection *connection, int64_t timeout_ns, PsDiag *diag);
void ps_modbus_connection_close(PsModbusConnection *connection);
bool ps_modbus_connection_is_open(const PsModbusConnection *connection);

/// Any thread: ends a blocked call, and makes every later one return PS_ERR_CANCELLED.
void ps_modbus_connection_interrupt(PsModbusConnection *connection);

/// Requests. PS_ERR_PROTOCOL is an answer that is not this request's in every field (adu.h), or
/// bytes that came before it was sent. PS_ERR_REFUSED leaves the connection open and sets
/// `exception`; PS_ERR_TIMEOUT is a silent device (also when a Modbus gateway says so: exceptions
/// 10 and 11, connection open). `diag` names the request and what came of it; its object is left to
/// the caller.
PsErr ps_modbus_read_bits(PsModbusConnection *connection, PsModbusUnit unit, PsModbusTable table,
                          uint16_t offset, uint16_t count, uint8_t *ret_bits, PsDiag *diag);
PsErr ps_modbus_read_registers(PsModbusConnection *connection, PsModbusUnit unit,
                               PsModbusTable table, uint16_t offset, uint16_t count,
                               uint16_t *ret_registers, PsDiag *diag);
/// Function 5.
PsErr ps_modbus_write_coil(PsModbusConnection *connection, PsModbusUnit unit, uint16_t offset,
                           bool on, PsDiag *diag);
/// Function 6 for one register, 16 for more.
PsErr ps_modbus_write_registers(PsModbusConnection *connection, PsModbusUnit unit, uint16_t offset,
                                uint16_t count, const uint16_t *registers, PsDiag *diag);
