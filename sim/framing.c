// Cuts streams into frames and spoils identities, one small table a protocol. Pure; any thread.
#include "sim/framing.h"

#include "base/buf.h"
#include "sim/frame.h"

#include <string.h>

#define NO_FRAME SIZE_MAX
#define SPOIL 0x5A // what identities are combined with; no client counts that far ahead

static uint16_t big_u16(PsReader *reader) {
    uint8_t high = ps_reader_u8(reader);
    uint8_t low = ps_reader_u8(reader);
    return (uint16_t)(high << 8 | low);
}

static void spoil(uint8_t *frame, size_t len, size_t at, size_t count) {
    for (size_t i = at; i < at + count && at + count <= len; i++) {
        frame[i] ^= SPOIL;
    }
}

// ---- TPKT and S7

#define TPKT_BYTES 4
#define TPKT_VERSION 3
#define TPKT_SHORTEST 7 // RFC 1006: its own header and the shortest TPDU
#define COTP_DATA 0xF0
#define S7_PROTOCOL 0x32
#define S7_REFERENCE 4 // of the S7 header

static size_t tpkt_length(const uint8_t *bytes, size_t have) {
    PsReader reader = ps_reader(bytes, have);
    uint8_t version = ps_reader_u8(&reader);
    ps_reader_u8(&reader);
    uint16_t length = big_u16(&reader);
    if (have > 0 && version != TPKT_VERSION) {
        return NO_FRAME;
    }
    if (reader.failed) {
        return 0;
    }
    return length < TPKT_SHORTEST ? NO_FRAME : length;
}

static void tpkt_spoil(uint8_t *frame, size_t len) {
    PsReader reader = ps_reader(frame, len);
    ps_reader_raw(&reader, TPKT_BYTES);
    uint8_t cotp_rest = ps_reader_u8(&reader);
    uint8_t type = ps_reader_u8(&reader);
    size_t s7 = TPKT_BYTES + 1 + (size_t)cotp_rest;
    if (!reader.failed && type == COTP_DATA && s7 < len && frame[s7] == S7_PROTOCOL) {
        spoil(frame, len, s7 + S7_REFERENCE, 2);
    }
}

const PsSimFraming ps_sim_framing_tpkt = {tpkt_length, UINT16_MAX, tpkt_spoil};

// ---- OPC UA

#define UA_HEADER 8
#define UA_REQUEST_ID 20 // after channel, token and sequence number
#define UA_MOST ((size_t)1 << 20)

static bool is_ua_type(const uint8_t *type) {
    static const char *const types[] = {"HEL", "ACK", "ERR", "RHE", "OPN", "CLO", "MSG"};
    for (size_t i = 0; i < PS_COUNT(types); i++) {
        if (memcmp(type, types[i], 3) == 0) {
            return true;
        }
    }
    return false;
}

static size_t opcua_length(const uint8_t *bytes, size_t have) {
    PsReader reader = ps_reader(bytes, have);
    const uint8_t *type = ps_reader_raw(&reader, 3);
    ps_reader_u8(&reader); // final, intermediate or aborted
    uint32_t length = ps_reader_u32(&reader);
    if (type != NULL && !is_ua_type(type)) {
        return NO_FRAME;
    }
    if (reader.failed) {
        return 0;
    }
    return length < UA_HEADER ? NO_FRAME : length;
}

static void opcua_spoil(uint8_t *frame, size_t len) {
    if (len >= UA_HEADER && memcmp(frame, "MSG", 3) == 0) {
        spoil(frame, len, UA_REQUEST_ID, 4);
    }
}

const PsSimFraming ps_sim_framing_opcua = {opcua_length, UA_MOST, opcua_spoil};

// ---- EtherNet/IP

#define EIP_HEADER 24
#define EIP_CONTEXT 12
#define EIP_SEND_UNIT_DATA 0x70
#define EIP_SEQUENCE 44 // interface, time-out, count, connection item, type and length of the data

static size_t eip_length(const uint8_t *bytes, size_t have) {
    PsReader reader = ps_reader(bytes, have);
    ps_reader_u16(&reader); // command
    uint16_t data = ps_reader_u16(&reader);
    return reader.failed ? 0 : EIP_HEADER + (size_t)data;
}

static void eip_spoil(uint8_t *frame, size_t len) {
    if (len >= EIP_HEADER && frame[0] == EIP_SEND_UNIT_DATA) {
        spoil(frame, len, EIP_SEQUENCE, 2);
    } else {
        spoil(frame, len, EIP_CONTEXT, 8);
    }
}

const PsSimFraming ps_sim_framing_eip = {eip_length, EIP_HEADER + UINT16_MAX, eip_spoil};

// ---- Modbus TCP

static size_t modbus_length(const uint8_t *bytes, size_t have) {
    if (have < PS_SIM_MBAP_BYTES) {
        return 0;
    }
    size_t length = ps_sim_frame_length(bytes);
    return length == 0 ? NO_FRAME : length;
}

static void modbus_spoil(uint8_t *frame, size_t len) {
    spoil(frame, len, 0, 2);
}

const PsSimFraming ps_sim_framing_modbus = {modbus_length, PS_SIM_FRAME_BYTES, modbus_spoil};
