// The steps from a host name to a connection that carries messages, and back: TCP, RegisterSession,
// who answers, Forward Open; Forward Close, UnRegisterSession. Runs on the channel's thread and
// blocks.
#include "drivers/eip/handshake.h"

#include "base/random.h"
#include "base/text.h"
#include "drivers/tcp_connect.h"

#include <stdio.h>
#include <string.h>

#define LARGE_SIZE 4002U // what Logix controllers take: 1756-PM020, "Maximum packet size"
#define SMALL_SIZE 504U
#define MULTIPLIER 3U // a connection lasts 32 intervals
#define INTERVALS 32
#define OPENS_MAX 5
#define GOODBYE_NS (PS_NS_PER_S / 10)
#define IDLE_MIN_NS (30 * PS_NS_PER_S)
#define IDLE_MAX_NS (PS_EIP_IDLE_MAX_S * PS_NS_PER_S)

static PsErr register_session(PsEipConnection *connection, PsDiag *diag) {
    connection->context++;
    connection->sent_len = ps_eip_register_put(connection->out, connection->context);
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), connection->step_ns);
    PsEipPayload payload;
    uint32_t status = 0;
    PsErr err =
        ps_eip_wire_send(&connection->wire, connection->out, connection->sent_len, deadline);
    err = err != PS_OK
              ? err
              : ps_eip_await(connection, PS_EIP_REGISTER_SESSION, deadline, &payload, &status);
    if (err != PS_OK) {
        return ps_eip_fail(connection, err, connection->step_ns, diag);
    }
    PsEipHeader header = {0};
    bool found = ps_eip_header_get(connection->wire.in, connection->wire.frame_len, &header);
    if (!found || status != 0 || header.session == 0) {
        ps_eip_connection_drop(connection);
        return ps_fail(PS_ERR_CLOSED, diag, NULL, NULL,
                       "register session: the device refuses: %s (EtherNet/IP status 0x%02X)",
                       ps_eip_encap_words(status), (unsigned)status);
    }
    connection->session = header.session;
    return PS_OK;
}

// Someone on the way says that it ends nowhere.
static bool is_route_error(const PsEipReply *reply) {
    static const uint16_t codes[] = {0x0204, 0x0205, 0x0311, 0x0312, 0x0315, 0x0318};
    for (size_t i = 0; i < PS_COUNT(codes); i++) {
        if (reply->status == PS_EIP_CONNECTION_FAILURE && reply->extended == codes[i]) {
            return true;
        }
    }
    return false;
}

static PsErr fail_route(PsEipConnection *connection, const PsEipReply *reply, PsDiag *diag) {
    char words[256];
    ps_eip_status_format(reply->status, reply->extended, words, sizeof words);
    ps_eip_connection_drop(connection);
    connection->closed_by_timeout = false;
    return ps_fail(PS_ERR_CLOSED, diag, NULL, "device", "route %s: %s",
                   connection->target.route.text, words);
}

// Who answers at the end of the route. A device that does not say is none the worse for it.
static PsErr identify(PsEipConnection *connection, PsDiag *diag) {
    PsBuf *message = &connection->message;
    ps_buf_clear(message);
    ps_eip_request_object(message, PS_EIP_GET_ATTRIBUTES_ALL, PS_EIP_CLASS_IDENTITY, 1);
    PsEipReply reply;
    PsErr err =
        ps_eip_ask(connection, message->data, message->len, connection->step_ns, &reply, diag);
    if (err != PS_OK) {
        return err;
    }
    if (is_route_error(&reply)) {
        return fail_route(connection, &reply, diag);
    }
    connection->identity = (PsEipIdentity){0};
    if (reply.status == PS_EIP_OK) {
        (void)ps_eip_identity_get(&reply, &connection->identity);
    }
    return PS_OK;
}

// The connection manager at the first hop takes what is in `message` along the route by itself:
// that is not wrapped.
static PsErr ask_manager(PsEipConnection *connection, PsEipReply *ret_reply, PsDiag *diag) {
    uint8_t route_len = connection->target.route.len;
    connection->target.route.len = 0;
    PsErr err = ps_eip_ask(connection, connection->message.data, connection->message.len,
                           connection->step_ns, ret_reply, diag);
    connection->target.route.len = route_len;
    return err;
}

static PsErr forward_open(PsEipConnection *connection, uint16_t size, PsEipReply *ret_reply,
                          PsDiag *diag) {
    PsEipForwardOpen *open = &connection->open;
    open->large = size > SMALL_SIZE;
    open->size = size;
    open->serial = (uint16_t)ps_random_up_to(UINT16_MAX);
    open->to_us = (uint32_t)ps_random_up_to(INT32_MAX) + 1;
    open->interval_us = (uint32_t)(connection->idle_ns / INTERVALS / 1000);
    open->multiplier = MULTIPLIER;
    open->route = &connection->target.route;
    open->timeout_ns = connection->step_ns;
    PsBuf *message = &connection->message;
    ps_buf_clear(message);
    ps_eip_forward_open_put(message, open);
    PsErr err = ask_manager(connection, ret_reply, diag);
    if (err != PS_OK || ret_reply->status != PS_EIP_OK) {
        return err;
    }
    if (!ps_eip_forward_open_get(ret_reply, open, &connection->to_device)) {
        return ps_eip_fail(connection, PS_ERR_PROTOCOL, connection->step_ns, diag);
    }
    connection->has_connection = true;
    connection->sequence = 0;
    connection->last_used = ps_mono_now();
    return PS_OK;
}

// Every connection is taken: a smaller one would be refused as well.
static bool has_none_to_spare(const PsEipReply *reply) {
    return reply->status == PS_EIP_CONNECTION_FAILURE &&
           (reply->extended == 0x0113 || reply->extended == 0x011A);
}

// The size to ask for after a refusal; 0: none.
static uint16_t next_size(uint16_t size, const PsEipReply *reply) {
    bool failure = reply->status == PS_EIP_CONNECTION_FAILURE;
    if (failure && reply->extended == PS_EIP_DUPLICATE) {
        return size; // the serial number was another's: there are only 65,536 of them
    }
    if (is_route_error(reply) || has_none_to_spare(reply) || size <= SMALL_SIZE) {
        return 0;
    }
    bool offered = failure && reply->extended == PS_EIP_WRONG_SIZE && reply->second > SMALL_SIZE &&
                   reply->second < size;
    return offered ? reply->second : SMALL_SIZE;
}

// PS_OK also when there is none: then `reply` says why.
static PsErr open_connection(PsEipConnection *connection, PsEipReply *reply, PsDiag *diag) {
    PsErr err = PS_OK;
    uint16_t size = LARGE_SIZE;
    for (int i = 0; err == PS_OK && size > 0 && i < OPENS_MAX; i++) {
        err = forward_open(connection, size, reply, diag);
        size = err != PS_OK || connection->has_connection ? 0 : next_size(size, reply);
    }
    if (err == PS_OK && is_route_error(reply)) {
        return fail_route(connection, reply, diag);
    }
    return err;
}

static void write_note(PsEipConnection *connection, const PsEipReply *refusal) {
    const PsEipIdentity *identity = &connection->identity;
    char who[96] = "";
    char why[160] = "as the configuration says";
    if (identity->product[0] != '\0') {
        snprintf(who, sizeof who, "%s, revision %u.%u; ", identity->product, identity->major,
                 identity->minor);
    }
    if (connection->has_connection) {
        ps_text_format(connection->note, PS_SESSION_NOTE_SIZE,
                       "%sa CIP connection with messages of %u bytes", who, connection->open.size);
        return;
    }
    if (connection->target.connected) {
        ps_eip_status_format(refusal->status, refusal->extended, why, sizeof why);
    }
    ps_text_format(connection->note, PS_SESSION_NOTE_SIZE, "%sno CIP connection: %s", who, why);
}

static PsErr shake_hands(PsEipConnection *connection, PsDiag *diag) {
    PsEipReply refusal = {0};
    PsErr err = register_session(connection, diag);
    err = err != PS_OK ? err : identify(connection, diag);
    if (err == PS_OK && connection->target.connected) {
        err = open_connection(connection, &refusal, diag);
    }
    if (err == PS_OK) {
        write_note(connection, &refusal);
    }
    return err;
}

PsErr ps_eip_connection_open(PsEipConnection *connection, int64_t timeout_ns, int64_t idle_ns,
                             PsDiag *diag) {
    PS_ASSERT(connection->wire.fd < 0);
    if (atomic_load(&connection->interrupted)) {
        return ps_tcp_fail_cancelled(diag);
    }
    int64_t wanted = idle_ns < IDLE_MIN_NS ? IDLE_MIN_NS : idle_ns;
    connection->idle_ns = wanted > IDLE_MAX_NS ? IDLE_MAX_NS : wanted;
    connection->step_ns = timeout_ns;
    PsTcpTarget target = {.host = connection->target.host,
                          .port = connection->target.port,
                          .server = "EtherNet/IP",
                          .wake_fd = connection->wire.wake_fd};
    PsErr err = ps_tcp_connect(&target, timeout_ns, &connection->wire.fd, diag);
    return err != PS_OK ? err : shake_hands(connection, diag);
}

PsErr ps_eip_refresh(PsEipConnection *connection, PsDiag *diag) {
    int64_t idle = ps_mono_diff_ns(ps_mono_now(), connection->last_used);
    if (!connection->has_connection || idle < connection->idle_ns / 4 * 3) {
        return PS_OK;
    }
    connection->has_connection = false;
    PsEipReply reply;
    ps_buf_clear(&connection->message);
    ps_eip_forward_close_put(&connection->message, &connection->open);
    PsErr err = ask_manager(connection, &reply, diag); // it may be unknown there by now
    err = err != PS_OK ? err : open_connection(connection, &reply, diag);
    if (err == PS_OK && !connection->has_connection) {
        char why[160];
        ps_eip_status_format(reply.status, reply.extended, why, sizeof why);
        ps_text_format(connection->note, PS_SESSION_NOTE_SIZE, "no CIP connection any more: %s",
                       why);
    }
    return err;
}

// Not through `transact`: this is done after an interrupt as well.
static void say_goodbye(PsEipConnection *connection) {
    PsEipWire *wire = &connection->wire;
    int wake_fd = wire->wake_fd;
    wire->wake_fd = -1; // nobody waits for long here
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), GOODBYE_NS);
    PsErr err = PS_OK;
    if (connection->has_connection) {
        PsBuf *message = &connection->message;
        ps_buf_clear(message);
        ps_eip_forward_close_put(message, &connection->open);
        connection->context++;
        ps_eip_unconnected_put(connection->out, connection->session, connection->context,
                               (uint16_t)message->len);
        memcpy(connection->out + PS_EIP_UNCONNECTED_PREFIX, message->data, message->len);
        PsEipPayload payload;
        uint32_t status = 0;
        err = ps_eip_wire_send(wire, connection->out, PS_EIP_UNCONNECTED_PREFIX + message->len,
                               deadline);
        err = err != PS_OK
                  ? err
                  : ps_eip_await(connection, PS_EIP_SEND_RR_DATA, deadline, &payload, &status);
    }
    if (err == PS_OK) {
        size_t len = ps_eip_unregister_put(connection->out, connection->session);
        err = ps_eip_wire_send(wire, connection->out, len, deadline);
    }
    (void)err; // it is closed in any case
    wire->wake_fd = wake_fd;
}

void ps_eip_connection_close(PsEipConnection *connection) {
    if (connection->wire.fd >= 0 && connection->session != 0) {
        say_goodbye(connection);
    }
    ps_eip_connection_drop(connection);
}
