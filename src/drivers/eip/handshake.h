//! Between connection.c and handshake.c only: the steps of making a connection.
#pragma once

#include "drivers/eip/connection.h"

/// Closes without a word.
void ps_eip_connection_drop(PsEipConnection *connection);

/// `err` of the wire in words; the connection is dropped.
PsErr ps_eip_fail(PsEipConnection *connection, PsErr err, int64_t timeout_ns, PsDiag *diag);

/// Waits for the answer to the frame that was sent last; others are counted as late. Errors of
/// wire.h. `ret_status` is that of the outer frame.
PsErr ps_eip_await(PsEipConnection *connection, uint16_t command, PsMono deadline,
                   PsEipPayload *ret_payload, uint32_t *ret_status);

/// As ps_eip_transact, on a stream that is known to be open, by the present way.
PsErr ps_eip_ask(PsEipConnection *connection, const uint8_t *request, size_t len,
                 int64_t timeout_ns, PsEipReply *ret_reply, PsDiag *diag);

/// Opens the CIP connection anew when it has been idle for so long that the controller may have
/// dropped it.
PsErr ps_eip_refresh(PsEipConnection *connection, PsDiag *diag);
