// Encapsulation commands of EtherNet/IP. The side's lock is held.
#include "sim/eip_session.h"

#include <string.h>

#define HEADER 24
#define STATUS_AT 8
#define PROTOCOL_VERSION 1
#define CONTEXT_BYTES 8
#define SERVICE_CIP_OVER_TCP 0x0020

// Encapsulation status (CIP Volume 2, table 2-3.3).
#define BAD_COMMAND 0x0001
#define BAD_DATA 0x0003
#define BAD_SESSION 0x0064
#define BAD_LENGTH 0x0065
#define BAD_VERSION 0x0069

// Items of the common packet format (table 2-6.3).
#define ITEM_NULL 0x0000
#define ITEM_IDENTITY 0x000C
#define ITEM_CONNECTED_ADDRESS 0x00A1
#define ITEM_CONNECTED_DATA 0x00B1
#define ITEM_UNCONNECTED_DATA 0x00B2
#define ITEM_SERVICES 0x0100

typedef struct Frame {
    uint16_t command;
    uint32_t session;
    const uint8_t *context;
    PsReader data;
} Frame;

typedef struct Command {
    uint16_t code;
    bool needs_session;
    // The status of the answer; its data are appended to `out`.
    uint16_t (*run)(PsSimEip *eip, PsSimEipSession *session, Frame *frame, PsBuf *out);
} Command;

static uint16_t list_services(PsSimEip *eip, PsSimEipSession *session, Frame *frame, PsBuf *out) {
    static const char name[16] = "Communications";
    (void)eip;
    (void)session;
    (void)frame;
    ps_buf_put_u16(out, 1);
    ps_buf_put_u16(out, ITEM_SERVICES);
    ps_buf_put_u16(out, 4 + sizeof name);
    ps_buf_put_u16(out, PROTOCOL_VERSION);
    ps_buf_put_u16(out, SERVICE_CIP_OVER_TCP);
    ps_buf_put(out, name, sizeof name);
    return 0;
}

static uint16_t list_identity(PsSimEip *eip, PsSimEipSession *session, Frame *frame, PsBuf *out) {
    // The socket address is big endian: family, port, 127.0.0.1, zeros.
    const uint8_t address[16] = {0, 2, (uint8_t)(eip->port >> 8), (uint8_t)eip->port, 127, 0, 0, 1};
    PS_AUTO_BUF PsBuf identity = {0};
    (void)session;
    (void)frame;
    ps_sim_cip_put_identity(&identity);
    ps_buf_put_u16(out, 1);
    ps_buf_put_u16(out, ITEM_IDENTITY);
    ps_buf_put_u16(out, (uint16_t)(2 + sizeof address + identity.len + 1));
    ps_buf_put_u16(out, PROTOCOL_VERSION);
    ps_buf_put(out, address, sizeof address);
    ps_buf_put(out, identity.data, identity.len);
    ps_buf_put_u8(out, 3); // operational
    return 0;
}

static uint16_t list_interfaces(PsSimEip *eip, PsSimEipSession *session, Frame *frame, PsBuf *out) {
    (void)eip;
    (void)session;
    (void)frame;
    ps_buf_put_u16(out, 0);
    return 0;
}

static uint16_t register_session(PsSimEip *eip, PsSimEipSession *session, Frame *frame,
                                 PsBuf *out) {
    uint16_t version = ps_reader_u16(&frame->data);
    uint16_t options = ps_reader_u16(&frame->data);
    if (!ps_reader_done(&frame->data)) {
        return BAD_LENGTH;
    }
    ps_buf_put_u16(out, PROTOCOL_VERSION);
    ps_buf_put_u16(out, 0);
    if (version != PROTOCOL_VERSION || options != 0) {
        return BAD_VERSION;
    }
    if (session->handle != 0) {
        return BAD_COMMAND; // one session a connection
    }
    session->handle = ++eip->last_handle;
    frame->session = session->handle;
    return 0;
}

// The two items of a request: an address, and the data.
static bool take_items(PsReader *reader, uint16_t address_type, uint16_t data_type,
                       uint32_t *ret_address, const uint8_t **ret_data, size_t *ret_len) {
    uint32_t interface = ps_reader_u32(reader);
    ps_reader_u16(reader); // time-out of the answer; ours comes at once
    uint16_t count = ps_reader_u16(reader);
    uint16_t first = ps_reader_u16(reader);
    uint16_t first_len = ps_reader_u16(reader);
    *ret_address = first_len == 4 ? ps_reader_u32(reader) : 0;
    bool sound_address = first == address_type && first_len == (address_type == 0 ? 0 : 4);
    uint16_t second = ps_reader_u16(reader);
    *ret_len = ps_reader_u16(reader);
    *ret_data = ps_reader_raw(reader, *ret_len);
    return !reader->failed && interface == 0 && count == 2 && sound_address &&
           second == data_type && *ret_data != NULL;
}

static void put_head(PsBuf *out, uint16_t address_type, const uint32_t *address) {
    ps_buf_put_u32(out, 0);
    ps_buf_put_u16(out, 0);
    ps_buf_put_u16(out, 2);
    ps_buf_put_u16(out, address_type);
    ps_buf_put_u16(out, address != NULL ? 4 : 0);
    if (address != NULL) {
        ps_buf_put_u32(out, *address);
    }
}

static void put_u16_at(PsBuf *out, size_t at, size_t value) {
    out->data[at] = (uint8_t)value;
    out->data[at + 1] = (uint8_t)(value >> 8);
}

static uint16_t send_rr_data(PsSimEip *eip, PsSimEipSession *session, Frame *frame, PsBuf *out) {
    const uint8_t *data = NULL;
    size_t len = 0;
    uint32_t none = 0;
    (void)session;
    if (!take_items(&frame->data, ITEM_NULL, ITEM_UNCONNECTED_DATA, &none, &data, &len)) {
        return BAD_DATA;
    }
    put_head(out, ITEM_NULL, NULL);
    ps_buf_put_u16(out, ITEM_UNCONNECTED_DATA);
    ps_buf_put_u16(out, 0);
    size_t start = out->len;
    ps_sim_cip_ask(eip->cip, data, len, PS_SIM_CIP_UNCONNECTED, out);
    put_u16_at(out, start - 2, out->len - start);
    return 0;
}

#define NO_ANSWER UINT16_MAX // of the functions below; the client waits in vain

static uint16_t send_unit_data(PsSimEip *eip, PsSimEipSession *session, Frame *frame, PsBuf *out) {
    const uint8_t *data = NULL;
    size_t len = 0;
    uint32_t id = 0;
    (void)session;
    if (!take_items(&frame->data, ITEM_CONNECTED_ADDRESS, ITEM_CONNECTED_DATA, &id, &data, &len)) {
        return NO_ANSWER; // this command has no answer of its own that could carry a status
    }
    PsSimCipConnection *connection = ps_sim_cip_connection_find(eip->cip, id);
    if (connection == NULL || len < 2 || len > connection->room_in) {
        return NO_ANSWER;
    }
    put_head(out, ITEM_CONNECTED_ADDRESS, &connection->to_client);
    ps_buf_put_u16(out, ITEM_CONNECTED_DATA);
    ps_buf_put_u16(out, 0);
    size_t start = out->len;
    ps_buf_put(out, data, 2); // the sequence count comes back
    ps_sim_cip_ask(eip->cip, data + 2, len - 2, connection->room_out - 2, out);
    put_u16_at(out, start - 2, out->len - start);
    return 0;
}

static const Command commands[] = {
    {0x0004, false, list_services},   {0x0063, false, list_identity},
    {0x0064, false, list_interfaces}, {0x0065, false, register_session},
    {0x006F, true, send_rr_data},     {0x0070, true, send_unit_data},
};

#define COMMAND_NOP 0x0000
#define COMMAND_UNREGISTER 0x0066

static uint16_t run(PsSimEip *eip, PsSimEipSession *session, Frame *frame, PsBuf *out) {
    for (size_t i = 0; i < PS_COUNT(commands); i++) {
        if (commands[i].code != frame->command) {
            continue;
        }
        bool known = session->handle != 0 && frame->session == session->handle;
        return commands[i].needs_session && !known ? BAD_SESSION
                                                   : commands[i].run(eip, session, frame, out);
    }
    return BAD_COMMAND;
}

bool ps_sim_eip_take(PsSimEip *eip, PsSimEipSession *session, const uint8_t *bytes, size_t len,
                     PsMono now, PsBuf *out) {
    PsReader reader = ps_reader(bytes, len);
    Frame frame = {.command = ps_reader_u16(&reader)};
    uint16_t data_len = ps_reader_u16(&reader);
    frame.session = ps_reader_u32(&reader);
    uint32_t status = ps_reader_u32(&reader);
    frame.context = ps_reader_raw(&reader, CONTEXT_BYTES);
    uint32_t options = ps_reader_u32(&reader);
    const uint8_t *data = ps_reader_raw(&reader, data_len);
    if (reader.failed || frame.command == COMMAND_NOP || status != 0 || options != 0) {
        return true; // to be thrown away without an answer
    }
    if (frame.command == COMMAND_UNREGISTER) {
        return false;
    }
    frame.data = ps_reader(data, data_len);
    eip->cip->now = now;
    eip->cip->client = session;
    size_t start = out->len;
    ps_buf_put_u16(out, frame.command);
    ps_buf_put_u16(out, 0);
    ps_buf_put_u32(out, frame.session);
    ps_buf_put_u32(out, 0);
    ps_buf_put(out, frame.context, CONTEXT_BYTES);
    ps_buf_put_u32(out, 0);
    size_t body = out->len;
    uint16_t error = run(eip, session, &frame, out);
    if (error == NO_ANSWER) {
        out->len = start;
        return true;
    }
    if (error != 0 && error != BAD_VERSION) {
        out->len = body;
    }
    put_u16_at(out, start + 2, out->len - body);
    put_u16_at(out, start + STATUS_AT, error);
    put_u16_at(out, start + 4, frame.session);
    put_u16_at(out, start + 6, frame.session >> 16);
    return true;
}
