// The stream and its requests: sending, waiting for the answer that belongs to them, and what each
// failure means. How a connection is made is in handshake.c. Runs on the channel's thread and
// blocks, at most to the request's time limit.
#include "drivers/eip/connection.h"

#include "base/mem.h"
#include "base/random.h"
#include "drivers/eip/handshake.h"
#include "drivers/tcp_connect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

// Unconnected messages have about 500 bytes on every way (1756-PM020, "Maximum packet size"); what
// the way itself needs of them comes off.
#define UNCONNECTED_ROOM 500U
#define UNCONNECTED_WAY 14U

PsErr ps_eip_connection_init(PsEipConnection *connection, const PsEipTarget *target,
                             PsSession *session, PsDiag *diag) {
    *connection =
        (PsEipConnection){.target = *target, .counters = &session->counters, .note = session->note};
    ps_eip_wire_init(&connection->wire);
    connection->host = ps_strdup(target->host);
    connection->target.host = connection->host;
    connection->context = (uint64_t)ps_random_up_to(UINT32_MAX) << 16;
    connection->open.originator = (uint32_t)ps_random_up_to(UINT32_MAX);
    connection->wire.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (connection->wire.wake_fd < 0) {
        return ps_fail(PS_ERR_IO, diag, NULL, NULL, "cannot prepare a connection to %.100s: %s",
                       target->host, strerror(errno));
    }
    return PS_OK;
}

void ps_eip_connection_deinit(PsEipConnection *connection) {
    ps_eip_connection_close(connection);
    if (connection->wire.wake_fd >= 0) {
        close(connection->wire.wake_fd);
        connection->wire.wake_fd = -1;
    }
    ps_eip_wire_deinit(&connection->wire);
    ps_buf_deinit(&connection->message);
    free(connection->host);
}

bool ps_eip_connection_is_open(const PsEipConnection *connection) {
    return connection->wire.fd >= 0;
}

void ps_eip_connection_drop(PsEipConnection *connection) {
    if (connection->wire.fd >= 0) {
        close(connection->wire.fd);
    }
    connection->wire.fd = -1;
    connection->wire.have = 0;
    connection->wire.frame_len = 0;
    connection->session = 0;
    connection->has_connection = false;
}

void ps_eip_connection_interrupt(PsEipConnection *connection) {
    atomic_store(&connection->interrupted, true);
    uint64_t one = 1;
    ssize_t put = write(connection->wire.wake_fd, &one, sizeof one);
    (void)put; // can only fail when the counter is full, and then it is readable as well
}

uint32_t ps_eip_connection_room(const PsEipConnection *connection) {
    if (connection->has_connection) {
        return connection->open.size - 2U; // its sequence count
    }
    return UNCONNECTED_ROOM - UNCONNECTED_WAY - connection->target.route.len;
}

PsErr ps_eip_fail(PsEipConnection *connection, PsErr err, int64_t timeout_ns, PsDiag *diag) {
    int number = errno;
    ps_eip_connection_drop(connection);
    connection->closed_by_timeout = err == PS_ERR_TIMEOUT;
    if (atomic_load(&connection->interrupted)) {
        return ps_tcp_fail_cancelled(diag);
    }
    switch (err) {
    case PS_ERR_TIMEOUT:
        return ps_fail(err, diag, NULL, NULL,
                       "no answer within %g s; check that the controller is on, and slot and route",
                       (double)timeout_ns / 1e9);
    case PS_ERR_CLOSED:
        return ps_fail(err, diag, NULL, NULL, "the device closed the connection");
    case PS_ERR_PROTOCOL:
        return ps_fail(err, diag, NULL, NULL,
                       "what came back is no answer of EtherNet/IP; check ip and port");
    case PS_ERR_CANCELLED:
        return ps_tcp_fail_cancelled(diag);
    default:
        return ps_fail(PS_ERR_IO, diag, NULL, NULL, "the connection failed: %s", strerror(number));
    }
}

// Does the frame answer the request that was sent last?
static bool belongs(const PsEipConnection *connection, const PsEipHeader *header, uint16_t command,
                    const PsEipPayload *payload) {
    if (header->command != command) {
        return false;
    }
    if (command != PS_EIP_SEND_UNIT_DATA) {
        return header->context == connection->context;
    }
    return payload->connected && payload->connection == connection->open.to_us &&
           payload->sequence == connection->sequence;
}

// Waits for the answer among what comes. The payload is left empty for a registration.
PsErr ps_eip_await(PsEipConnection *connection, uint16_t command, PsMono deadline,
                   PsEipPayload *ret_payload, uint32_t *ret_status) {
    for (;;) {
        PsEipHeader header;
        PsEipPayload payload = {0};
        PsErr err = ps_eip_wire_receive(&connection->wire, deadline, &header);
        if (err != PS_OK) {
            return err;
        }
        bool carries =
            header.command == PS_EIP_SEND_RR_DATA || header.command == PS_EIP_SEND_UNIT_DATA;
        const uint8_t *body = connection->wire.in + PS_EIP_HEADER_LEN;
        bool well =
            !carries || header.status != 0 || ps_eip_payload_get(body, header.len, &payload);
        bool ours = well && belongs(connection, &header, command, &payload);
        // A refusal of the outer frame carries nothing that would name its message.
        if (ours ||
            (header.status != 0 && header.command == command && command == PS_EIP_SEND_UNIT_DATA)) {
            *ret_payload = payload;
            *ret_status = header.status;
            return PS_OK;
        }
        if (!well && header.context == connection->context) {
            return PS_ERR_PROTOCOL;
        }
        connection->counters->late++;
    }
}

// Puts the frame around the message; its length, 0 when it does not fit.
static size_t make_frame(PsEipConnection *connection, const uint8_t *request, size_t len,
                         int64_t timeout_ns) {
    connection->context++;
    if (connection->has_connection) {
        if (len > PS_EIP_MESSAGE_MAX || len + 2 > connection->open.size) {
            return 0;
        }
        connection->sequence++;
        ps_eip_connected_put(connection->out, connection->session, connection->context,
                             connection->to_device, connection->sequence, (uint16_t)len);
        memcpy(connection->out + PS_EIP_CONNECTED_PREFIX, request, len);
        return PS_EIP_CONNECTED_PREFIX + len;
    }
    uint8_t *message = connection->out + PS_EIP_UNCONNECTED_PREFIX;
    size_t total = len <= PS_EIP_MESSAGE_MAX ? len : 0;
    if (connection->target.route.len > 0) {
        total = ps_eip_unconnected_send_put(message, PS_EIP_MESSAGE_MAX, request, len,
                                            &connection->target.route, timeout_ns);
    } else if (total > 0) {
        memcpy(message, request, len);
    }
    if (total == 0) {
        return 0;
    }
    ps_eip_unconnected_put(connection->out, connection->session, connection->context,
                           (uint16_t)total);
    return PS_EIP_UNCONNECTED_PREFIX + total;
}

// Sends what stands in `out` and waits for what belongs to it.
static PsErr exchange(PsEipConnection *connection, uint16_t command, int64_t timeout_ns,
                      PsEipPayload *ret_payload, PsDiag *diag) {
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), timeout_ns);
    uint32_t status = 0;
    PsErr err =
        ps_eip_wire_send(&connection->wire, connection->out, connection->sent_len, deadline);
    err = err != PS_OK ? err : ps_eip_await(connection, command, deadline, ret_payload, &status);
    if (err != PS_OK) {
        return ps_eip_fail(connection, err, timeout_ns, diag);
    }
    if (status != 0) {
        ps_eip_connection_drop(connection);
        connection->closed_by_timeout = false;
        return ps_fail(PS_ERR_CLOSED, diag, NULL, NULL,
                       "the device refuses the request: %s (EtherNet/IP status 0x%02X)",
                       ps_eip_encap_words(status), (unsigned)status);
    }
    return PS_OK;
}

// A message outside of the CIP connection may be answered by someone on the way.
static bool answers(const PsEipConnection *connection, uint8_t service, const PsEipReply *reply) {
    bool on_the_way = !connection->has_connection && connection->target.route.len > 0 &&
                      reply->status != PS_EIP_OK &&
                      reply->service == (PS_EIP_UNCONNECTED_SEND | PS_EIP_ANSWER);
    return reply->service == (service | PS_EIP_ANSWER) || on_the_way;
}

static void note_answer(PsEipConnection *connection, const PsEipReply *reply, PsMono start) {
    PsDriverCounters *counters = connection->counters;
    int64_t took = ps_mono_diff_ns(ps_mono_now(), start);
    counters->round_trip_ns = counters->round_trip_ns == 0
                                  ? took
                                  : counters->round_trip_ns + (took - counters->round_trip_ns) / 8;
    counters->errors += reply->status != PS_EIP_OK && reply->status != PS_EIP_PARTIAL &&
                        reply->status != PS_EIP_EMBEDDED;
}

PsErr ps_eip_ask(PsEipConnection *connection, const uint8_t *request, size_t len,
                 int64_t timeout_ns, PsEipReply *ret_reply, PsDiag *diag) {
    uint8_t service = request[0];
    size_t total = make_frame(connection, request, len, timeout_ns);
    if (total == 0) {
        return ps_fail(PS_ERR_TOO_BIG, diag, NULL, NULL, "the request does not fit a message");
    }
    connection->sent_len = total;
    connection->counters->requests++;
    PsMono start = ps_mono_now();
    PsEipPayload payload = {0};
    uint16_t command = connection->has_connection ? PS_EIP_SEND_UNIT_DATA : PS_EIP_SEND_RR_DATA;
    PsErr err = exchange(connection, command, timeout_ns, &payload, diag);
    if (err == PS_OK && (!ps_eip_reply_get(payload.message, payload.len, ret_reply) ||
                         !answers(connection, service, ret_reply))) {
        err = ps_eip_fail(connection, PS_ERR_PROTOCOL, timeout_ns, diag);
    }
    if (err != PS_OK) {
        connection->counters->errors++;
        return err;
    }
    note_answer(connection, ret_reply, start);
    connection->last_used = start;
    return PS_OK;
}

PsErr ps_eip_transact(PsEipConnection *connection, const uint8_t *request, size_t len,
                      int64_t timeout_ns, PsEipReply *ret_reply, PsDiag *diag) {
    if (atomic_load(&connection->interrupted)) {
        return ps_tcp_fail_cancelled(diag);
    }
    if (connection->wire.fd < 0) {
        return ps_fail(PS_ERR_CLOSED, diag, NULL, NULL, "not connected");
    }
    PsErr err = ps_eip_refresh(connection, diag);
    return err != PS_OK ? err : ps_eip_ask(connection, request, len, timeout_ns, ret_reply, diag);
}
