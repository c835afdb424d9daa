//! One connection to an S7 controller, and what its errors mean.
//!
//! One thread at a time uses a connection; only `interrupt` comes from elsewhere. Any failure but a
//! refusal closes it, so that what arrives late belongs to a socket nobody reads any more; besides,
//! an answer counts only when it bears its request's reference. Waiting is in poll, so that the
//! number of descriptors does not matter and an interrupt ends it at once.
#pragma once

#include "drivers/driver.h"
#include "drivers/s7/pdu.h"

#include <stdatomic.h>

typedef struct PsS7Connection {
    char *host;
    int port;
    uint16_t local_tsap;
    uint16_t remote_tsap;
    bool by_slot; ///< rack and slot, not TSAPs, are in the configuration
    int rack;
    int slot;
    int wake_fd; ///< an eventfd that ends a wait in progress
    atomic_bool interrupted;
    int socket;             ///< -1 when closed
    bool closed_by_timeout; ///< the last close was our own after a silent device
    uint16_t pdu;           ///< length of telegrams agreed on; 0 before the first connection
    uint16_t reference;     ///< of the last request; goes on over a reconnect
    uint16_t error;         ///< of the last refused job: class and code, or an item's code
    PsDriverCounters *counters;
    PsS7Frame request;
    uint8_t answer[PS_S7_FRAME_MAX];
    size_t answer_len;
} PsS7Connection;

/// Takes an event descriptor. `device` is one of those behind the endpoint, `session` outlives the
/// connection. PS_ERR_IO, PS_ERR_INVALID (a TSAP is none).
PsErr ps_s7_connection_init(PsS7Connection *connection, const PsDevice *device, PsSession *session,
                            PsDiag *diag);
void ps_s7_connection_deinit(PsS7Connection *connection);

/// Resolves, connects, asks for the TSAP, agrees on the telegrams' length; at most `timeout_ns` for
/// each step. Errors as in PsDriver.connect; `diag` names the step and the cure.
PsErr ps_s7_connection_open(PsS7Connection *connection, int64_t timeout_ns, PsDiag *diag);
void ps_s7_connection_close(PsS7Connection *connection);

/// Any thread: ends a blocked call, and makes every later one return PS_ERR_CANCELLED.
void ps_s7_connection_interrupt(PsS7Connection *connection);

/// Requests; `diag` names the places that were asked for. PS_ERR_REFUSED: the CPU refuses the whole
/// job (of a write: also the item); `error` says with what. PS_ERR_PROTOCOL is an answer that is
/// not this request's in every field (pdu.h), or bytes that came before it was sent. What `got`
/// points to lives until the next request.
PsErr ps_s7_read(PsS7Connection *connection, int64_t timeout_ns, const PsS7Ask *asks,
                 uint32_t count, PsS7Got *ret_got, PsDiag *diag);
PsErr ps_s7_write(PsS7Connection *connection, int64_t timeout_ns, const PsS7Ask *ask,
                  const uint8_t *bytes, PsDiag *diag);
/// PS_ERR_REFUSED in words: what became of one item, in the words of its code.
PsErr ps_s7_fail_item(const PsS7Ask *ask, const char *verb, uint8_t code, PsDiag *diag);
/// Records of a list of the CPU's state. They live until the next request.
PsErr ps_s7_list(PsS7Connection *connection, int64_t timeout_ns, uint16_t id,
                 const uint8_t **ret_records, uint32_t *ret_size, uint32_t *ret_count,
                 PsDiag *diag);
