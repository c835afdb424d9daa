// Bytes of the outer frame, written into the caller's buffer and read with checked getters. Pure.
#include "drivers/eip/encap.h"

#include "base/buf.h"

#include <string.h>

#define ITEM_NULL 0x0000U
#define ITEM_CONNECTED_ADDRESS 0x00A1U
#define ITEM_CONNECTED_DATA 0x00B1U
#define ITEM_UNCONNECTED_DATA 0x00B2U
#define ITEMS_MAX 8U // an answer may have socket addresses behind the two that matter

// Writes into a buffer whose size the caller knows.
static uint8_t *put(uint8_t *at, uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++, value >>= 8) {
        *at++ = (uint8_t)value;
    }
    return at;
}

void ps_eip_header_put(uint8_t *out, const PsEipHeader *header) {
    out = put(out, header->command, 2);
    out = put(out, header->len, 2);
    out = put(out, header->session, 4);
    out = put(out, header->status, 4);
    out = put(out, header->context, 8);
    (void)put(out, header->options, 4);
}

static bool is_command(uint16_t command) {
    switch (command) {
    case PS_EIP_NOP:
    case PS_EIP_LIST_SERVICES:
    case PS_EIP_LIST_IDENTITY:
    case PS_EIP_LIST_INTERFACES:
    case PS_EIP_REGISTER_SESSION:
    case PS_EIP_UNREGISTER_SESSION:
    case PS_EIP_SEND_RR_DATA:
    case PS_EIP_SEND_UNIT_DATA:
        return true;
    default:
        return false;
    }
}

bool ps_eip_header_get(const uint8_t *bytes, size_t len, PsEipHeader *ret_header) {
    PsReader reader = ps_reader(bytes, len < PS_EIP_HEADER_LEN ? len : PS_EIP_HEADER_LEN);
    PsEipHeader header = {0};
    header.command = ps_reader_u16(&reader);
    header.len = ps_reader_u16(&reader);
    header.session = ps_reader_u32(&reader);
    header.status = ps_reader_u32(&reader);
    header.context = ps_reader_u64(&reader);
    header.options = ps_reader_u32(&reader);
    if (!ps_reader_done(&reader) || !is_command(header.command)) {
        return false;
    }
    *ret_header = header;
    return true;
}

// CIP Volume 2, table 2-3.3.
const char *ps_eip_encap_words(uint32_t status) {
    switch (status) {
    case 0x0001:
        return "it does not know this command";
    case 0x0002:
        return "it has no memory left";
    case 0x0003:
        return "it calls the request badly formed";
    case 0x0064:
        return "it has forgotten the session";
    case 0x0065:
        return "it calls the length of the request wrong";
    case 0x0069:
        return "it speaks another version of the protocol";
    default:
        return "it gives a reason that EtherNet/IP does not define";
    }
}

size_t ps_eip_register_put(uint8_t *out, uint64_t context) {
    PsEipHeader header = {.command = PS_EIP_REGISTER_SESSION, .len = 4, .context = context};
    ps_eip_header_put(out, &header);
    uint8_t *at = put(out + PS_EIP_HEADER_LEN, 1, 2); // version
    (void)put(at, 0, 2);                              // options
    return PS_EIP_HEADER_LEN + 4;
}

size_t ps_eip_unregister_put(uint8_t *out, uint32_t session) {
    PsEipHeader header = {.command = PS_EIP_UNREGISTER_SESSION, .session = session};
    ps_eip_header_put(out, &header);
    return PS_EIP_HEADER_LEN;
}

void ps_eip_unconnected_put(uint8_t *out, uint32_t session, uint64_t context, uint16_t len) {
    PsEipHeader header = {.command = PS_EIP_SEND_RR_DATA,
                          .len = (uint16_t)(PS_EIP_UNCONNECTED_PREFIX - PS_EIP_HEADER_LEN + len),
                          .session = session,
                          .context = context};
    ps_eip_header_put(out, &header);
    uint8_t *at = put(out + PS_EIP_HEADER_LEN, 0, 4); // interface: CIP
    at = put(at, 0, 2);                               // the message has a time limit of its own
    at = put(at, 2, 2);
    at = put(at, ITEM_NULL, 2);
    at = put(at, 0, 2);
    at = put(at, ITEM_UNCONNECTED_DATA, 2);
    (void)put(at, len, 2);
}

void ps_eip_connected_put(uint8_t *out, uint32_t session, uint64_t context, uint32_t connection,
                          uint16_t sequence, uint16_t len) {
    PsEipHeader header = {.command = PS_EIP_SEND_UNIT_DATA,
                          .len = (uint16_t)(PS_EIP_CONNECTED_PREFIX - PS_EIP_HEADER_LEN + len),
                          .session = session,
                          .context = context};
    ps_eip_header_put(out, &header);
    uint8_t *at = put(out + PS_EIP_HEADER_LEN, 0, 4);
    at = put(at, 0, 2);
    at = put(at, 2, 2);
    at = put(at, ITEM_CONNECTED_ADDRESS, 2);
    at = put(at, 4, 2);
    at = put(at, connection, 4);
    at = put(at, ITEM_CONNECTED_DATA, 2);
    at = put(at, len + 2U, 2);
    (void)put(at, sequence, 2);
}

static bool take_item(PsReader *reader, PsEipPayload *payload) {
    uint16_t type = ps_reader_u16(reader);
    uint16_t len = ps_reader_u16(reader);
    const uint8_t *data = ps_reader_raw(reader, len);
    if (data == NULL) {
        return false;
    }
    PsReader item = ps_reader(data, len);
    switch (type) {
    case ITEM_CONNECTED_ADDRESS:
        payload->connection = ps_reader_u32(&item);
        return ps_reader_done(&item);
    case ITEM_CONNECTED_DATA:
        payload->connected = true;
        payload->sequence = ps_reader_u16(&item);
        payload->len = ps_reader_left(&item);
        payload->message = ps_reader_raw(&item, payload->len);
        return payload->message != NULL;
    case ITEM_UNCONNECTED_DATA:
        payload->message = data;
        payload->len = len;
        return true;
    default:
        return true; // the null address, and what others may add
    }
}

bool ps_eip_payload_get(const uint8_t *body, size_t len, PsEipPayload *ret_payload) {
    PsReader reader = ps_reader(body, len);
    PsEipPayload payload = {0};
    (void)ps_reader_u32(&reader); // interface
    (void)ps_reader_u16(&reader); // time limit
    uint16_t count = ps_reader_u16(&reader);
    if (reader.failed || count > ITEMS_MAX) {
        return false;
    }
    for (uint16_t i = 0; i < count; i++) {
        if (!take_item(&reader, &payload)) {
            return false;
        }
    }
    if (payload.message == NULL) {
        return false;
    }
    *ret_payload = payload;
    return true;
}
