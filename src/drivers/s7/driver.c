// S7 behind the driver contract: one plan per poll set, one connection for all of them. Runs on the
// channel's thread; read, write, peek and connect block there.
#include "drivers/s7/driver.h"

#include "base/mem.h"
#include "drivers/endpoint.h"
#include "drivers/peek.h"
#include "drivers/s7/address.h"
#include "drivers/s7/describe.h"
#include "drivers/s7/session.h"
#include "drivers/s7/words.h"
#include "model/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEEK_BYTES 8U // the widest number

static PsS7Session *s7_session(PsSession *session) {
    PS_ASSERT(session->driver == &ps_s7_driver);
    return (PsS7Session *)session;
}

// Two CPUs in one rack are two endpoints, so the way behind the address belongs to the key.
static void endpoint_key(const PsConfig *config, const PsDevice *device, char *out, size_t size) {
    (void)config;
    bool is_ipv6 = strchr(device->ip, ':') != NULL;
    int len = snprintf(out, size, "%s%.80s%s:%d ", is_ipv6 ? "[" : "", device->ip,
                       is_ipv6 ? "]" : "", device->port);
    if (len < 0 || (size_t)len >= size) {
        return;
    }
    if (device->s7_mode == PS_S7_TSAP) {
        snprintf(out + len, size - (size_t)len, "TSAP %.5s-%.5s", device->client_tsap,
                 device->server_tsap);
    } else {
        snprintf(out + len, size - (size_t)len, "rack %d slot %d", device->rack, device->slot);
    }
}

static void free_plans(PsS7Plan *plans, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        ps_s7_plan_deinit(&plans[i]);
    }
    free(plans);
}

static void session_free(PsSession *base) {
    if (base == NULL) {
        return;
    }
    PsS7Session *session = s7_session(base);
    ps_s7_connection_deinit(&session->connection);
    free_plans(session->plans, session->endpoint->set_count);
    free(session);
}

static void take_endpoint(PsS7Session *session, const PsEndpoint *endpoint) {
    session->endpoint = endpoint;
    session->plans = ps_alloc_array(endpoint->set_count, sizeof *session->plans);
    session->connect_timeout_ns = ps_endpoint_timeout_ns(endpoint);
    for (uint32_t i = 0; i < endpoint->set_count; i++) {
        ps_s7_plan_init(&session->plans[i], endpoint->config, &endpoint->sets[i]);
    }
}

static PsErr session_new(const PsEndpoint *endpoint, PsSession **ret_session, PsDiag *diag) {
    PS_ASSERT(endpoint->device_count > 0);
    PsErr err = ps_endpoint_check(endpoint, ps_s7_check_variable, diag);
    if (err != PS_OK) {
        return err;
    }
    PsS7Session *session = ps_alloc(sizeof *session);
    session->base.driver = &ps_s7_driver;
    err = ps_s7_connection_init(&session->connection,
                                &endpoint->config->devices[endpoint->devices[0]], &session->base,
                                diag);
    take_endpoint(session, endpoint);
    if (err != PS_OK) {
        session_free(&session->base);
        return err;
    }
    *ret_session = &session->base;
    return PS_OK;
}

static bool session_replan(PsSession *base, const PsEndpoint *endpoint) {
    PsS7Session *session = s7_session(base);
    const PsEndpoint *before = session->endpoint;
    PsS7Plan *plans_before = session->plans;
    take_endpoint(session, endpoint);
    for (uint32_t i = 0; i < endpoint->set_count; i++) {
        bool found = false;
        for (uint32_t j = 0; !found && j < before->set_count; j++) {
            found = ps_s7_plan_follow(&session->plans[i], &plans_before[j]);
        }
        if (!found && session->connection.pdu > 0) {
            ps_s7_plan_merge(&session->plans[i], session->connection.pdu, endpoint->learned,
                             ps_mono_now());
        }
    }
    free_plans(plans_before, before->set_count);
    return true;
}

// A device that takes no questions about itself may end the connection over one, or stay silent: it
// is then asked for a connection once more, without them.
static PsErr open_and_ask(PsS7Session *session, PsDiag *diag) {
    PsS7Connection *connection = &session->connection;
    PsErr err = ps_s7_connection_open(connection, session->connect_timeout_ns, diag);
    if (err != PS_OK || !connection->by_slot || session->cpu.mute) {
        return err;
    }
    PsDiag ignored = {0};
    err = ps_s7_cpu_ask(&session->cpu, connection, session->connect_timeout_ns, &ignored);
    if (err == PS_ERR_CANCELLED) {
        *diag = ignored;
        return err;
    }
    return err == PS_OK ? PS_OK
                        : ps_s7_connection_open(connection, session->connect_timeout_ns, diag);
}

static PsErr session_connect(PsSession *base, PsDiag *diag) {
    PsS7Session *session = s7_session(base);
    PsS7Connection *connection = &session->connection;
    bool own_close = connection->closed_by_timeout;
    uint16_t pdu_before = connection->pdu;
    PsErr err = open_and_ask(session, diag);
    if (err != PS_OK) {
        ps_s7_connection_close(connection);
        return err;
    }
    // A controller that was away may have got another program: what it refused then, it may have
    // now. After a mere silence it has not.
    bool anew = session->was_connected && !own_close;
    PsMono now = ps_mono_now();
    if (anew) {
        ps_learned_retry(session->endpoint->learned, 0, now);
    }
    for (uint32_t i = 0; i < session->endpoint->set_count; i++) {
        if (anew || connection->pdu != pdu_before) {
            ps_s7_plan_merge(&session->plans[i], connection->pdu, session->endpoint->learned, now);
        }
    }
    session->was_connected = true;
    connection->closed_by_timeout = false;
    ps_s7_cpu_note(&session->cpu, connection, base->note, sizeof base->note);
    return PS_OK;
}

static bool session_connected(const PsSession *base) {
    return ((const PsS7Session *)base)->connection.socket >= 0;
}

static void session_disconnect(PsSession *base) {
    ps_s7_connection_close(&s7_session(base)->connection);
}

static void session_interrupt(PsSession *base) {
    ps_s7_connection_interrupt(&s7_session(base)->connection);
}

static PsErr session_read(PsSession *base, uint32_t set, PsSampleBatch *batch, PsDiag *diag) {
    PsS7Session *session = s7_session(base);
    PS_ASSERT(set < session->endpoint->set_count);
    if (session->connection.socket >= 0 && session->connection.by_slot) {
        bool stopped = session->cpu.stopped;
        PsErr err = ps_s7_cpu_refresh(
            &session->cpu, &session->connection,
            ps_s7_timeout_ns(session, session->endpoint->sets[set].device), ps_mono_now(), diag);
        if (err != PS_OK) {
            return err;
        }
        if (stopped != session->cpu.stopped) {
            ps_s7_cpu_note(&session->cpu, &session->connection, base->note, sizeof base->note);
        }
    }
    return ps_s7_read_set(session, set, batch, diag);
}

static PsErr session_write(PsSession *base, uint32_t variable, PsValue value,
                           PsValue *ret_read_back, PsDiag *diag) {
    return ps_s7_write_variable(s7_session(base), variable, value, ret_read_back, diag);
}

// --- looking at one variable -------------------------------------------------------------------

static void keep_frames(const PsS7Connection *connection, PsPeek *peek) {
    uint32_t sent = connection->request.len;
    uint32_t received = (uint32_t)connection->answer_len;
    peek->sent_len = sent < sizeof peek->sent ? sent : (uint32_t)sizeof peek->sent;
    peek->received_len =
        received < sizeof peek->received ? received : (uint32_t)sizeof peek->received;
    memcpy(peek->sent, connection->request.bytes, peek->sent_len);
    memcpy(peek->received, connection->answer, peek->received_len);
}

static PsErr look(PsS7Session *session, int64_t timeout_ns, const PsS7Ask *ask, PsPeek *peek,
                  PsDiag *diag) {
    char name[PS_S7_NAME_SIZE];
    ps_s7_name_bytes(ask->area, ask->db, ask->first, ask->len, name, sizeof name);
    snprintf(peek->request, sizeof peek->request, "read variables (function 4): %s", name);
    PsErr err = ps_s7_read_place(session, timeout_ns, ask, session->value, diag);
    keep_frames(&session->connection, peek);
    peek->code = err == PS_ERR_REFUSED ? session->connection.error : 0;
    peek->meaning[0] = '\0';
    if (err == PS_ERR_REFUSED) {
        ps_s7_meaning(session->connection.error, peek->meaning, sizeof peek->meaning);
    }
    return err;
}

// A CPU in STOP answers as ever, but who looks why something is wrong wants to know.
static void add_state(PsS7Session *session, int64_t timeout_ns, PsPeek *peek) {
    PsDiag ignored = {0};
    session->cpu.asked = (PsMono){INT64_MIN / 2};
    PsErr err =
        ps_s7_cpu_refresh(&session->cpu, &session->connection, timeout_ns, ps_mono_now(), &ignored);
    size_t len = strlen(peek->meaning);
    if (err == PS_OK && session->cpu.stopped) {
        snprintf(peek->meaning + len, sizeof peek->meaning - len, "; the CPU is in STOP");
    }
}

static void name_byte(uint32_t area, uint32_t byte, char *out, size_t size) {
    PsVariable place = {.data_type = PS_TYPE_BYTE,
                        .register_type = (int8_t)(area >> 16),
                        .dbnumber = (uint16_t)area,
                        .register_addr = (int)byte,
                        .register_bit = PS_UNSET};
    ps_variable_address(PS_PROTOCOL_ISO_ON_TCP, &place, out, size);
}

static void add_learned(const PsS7Session *session, const PsS7Ask *ask, uint32_t len,
                        PsPeek *peek) {
    PsLearnedHole place = {
        .area = ps_s7_learned_area(ask->area, ask->db), .first = ask->first, .count = len};
    ps_peek_learned(peek, session->endpoint->learned, &place, name_byte);
}

static PsErr session_peek(PsSession *base, uint32_t index, PsPeek *peek, PsDiag *diag) {
    PsS7Session *session = s7_session(base);
    const PsConfig *config = session->endpoint->config;
    const PsVariable *variable = &config->variables[index];
    PsErr err = ps_s7_check_variable(&config->devices[variable->device], variable, diag);
    if (err != PS_OK) {
        return err;
    }
    int64_t timeout_ns = ps_s7_timeout_ns(session, variable->device);
    PsS7Field field = ps_s7_field(variable);
    PsS7Ask ask = {.area = (uint8_t)variable->register_type,
                   .db = variable->register_type == PS_S7_DB ? variable->dbnumber : 0,
                   .len = field.len,
                   .first = (uint32_t)variable->register_addr};
    bool is_bit = field.type == PS_TYPE_BOOL || field.type == PS_TYPE_BIT;
    uint32_t least = field.len < PS_PEEK_BYTES ? field.len : PS_PEEK_BYTES;
    uint32_t left = PS_S7_AREA_BYTES - ask.first;
    uint32_t most = is_bit || least > PEEK_BYTES ? least : PEEK_BYTES;
    most = most < left ? most : left;
    ask.len = (uint16_t)most;
    err = look(session, timeout_ns, &ask, peek, diag);
    if (err == PS_ERR_REFUSED && least < most) {
        // What follows may be behind the end of the block.
        ask.len = (uint16_t)least;
        err = look(session, timeout_ns, &ask, peek, diag);
    }
    add_learned(session, &ask, field.len, peek);
    if (err == PS_ERR_REFUSED && session->connection.by_slot) {
        add_state(session, timeout_ns, peek);
    }
    if (err == PS_OK) {
        peek->len = ask.len;
        memcpy(peek->bytes, session->value, ask.len);
    }
    return err;
}

const PsDriver ps_s7_driver = {
    .protocol = PS_PROTOCOL_ISO_ON_TCP,
    .check_variable = ps_s7_check_variable,
    .endpoint_key = endpoint_key,
    .describe = ps_s7_describe,
    .session_new = session_new,
    .replan = session_replan,
    .connect = session_connect,
    .connected = session_connected,
    .disconnect = session_disconnect,
    .read = session_read,
    .write = session_write,
    .peek = session_peek,
    .interrupt = session_interrupt,
    .free = session_free,
};
