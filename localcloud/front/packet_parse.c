// One packet taken apart. Pure; any thread.
#include "localcloud/front/packet.h"

#include <string.h>

typedef struct Parse {
    PsReader reader; // after the fixed header
    uint8_t flags;   // low half of the first byte
    PsPacket *packet;
    PsPacketFault *fault;
} Parse;

// Each is false after filling the fault.
typedef bool Parser(Parse *parse);

static bool malformed(Parse *parse, const char *text) {
    *parse->fault = (PsPacketFault){PS_REASON_MALFORMED, text};
    return false;
}

static bool wrong(Parse *parse, const char *text) {
    *parse->fault = (PsPacketFault){PS_REASON_PROTOCOL, text};
    return false;
}

static bool read_props(Parse *parse, unsigned place, PsProps *props) {
    if (parse->packet->version != PS_MQTT_5) {
        return true;
    }
    bool is_malformed = false;
    const char *text = ps_props_read(&parse->reader, place, props, &is_malformed);
    if (text == NULL) {
        return true;
    }
    return is_malformed ? malformed(parse, text) : wrong(parse, text);
}

static bool read_end(Parse *parse) {
    if (parse->reader.failed) {
        return malformed(parse, "the packet is cut off");
    }
    return ps_reader_done(&parse->reader) ||
           malformed(parse, "there are bytes after the end of the packet");
}

static bool read_packet_id(Parse *parse) {
    parse->packet->packet_id = ps_mqtt_get_u16(&parse->reader);
    if (parse->reader.failed) {
        return malformed(parse, "the packet identifier is cut off");
    }
    return parse->packet->packet_id != 0 || wrong(parse, "the packet identifier is 0");
}

static bool read_will(Parse *parse, uint8_t flags) {
    PsPacketWill *will = &parse->packet->connect.will;
    will->qos = flags >> 3 & 3;
    will->retain = (flags & 0x20) != 0;
    if (!parse->packet->connect.has_will) {
        return (will->qos == 0 && !will->retain) ||
               malformed(parse, "there is no will, but flags for one");
    }
    if (will->qos == 3) {
        return malformed(parse, "the will's QoS is 3");
    }
    if (!read_props(parse, PS_PROPERTY_IN_WILL, &will->props)) {
        return false;
    }
    will->topic = ps_mqtt_get_bytes(&parse->reader);
    will->payload = ps_mqtt_get_bytes(&parse->reader);
    if (parse->reader.failed) {
        return malformed(parse, "the will is cut off");
    }
    return ps_mqtt_is_text(will->topic) || malformed(parse, "the will topic is not UTF-8 text");
}

static bool read_login(Parse *parse) {
    PsPacketConnect *connect = &parse->packet->connect;
    if (connect->has_user_name && !ps_mqtt_is_text(ps_mqtt_get_bytes(&parse->reader))) {
        return malformed(parse, "the user name is not UTF-8 text");
    }
    if (connect->has_password) {
        (void)ps_mqtt_get_bytes(&parse->reader);
        if (!connect->has_user_name && parse->packet->version != PS_MQTT_5) {
            return malformed(parse, "a password without a user name"); // 3.1.1: MQTT-3.1.2-22
        }
    }
    return read_end(parse);
}

static bool parse_connect(Parse *parse) {
    PsPacket *packet = parse->packet;
    PsBytes protocol = ps_mqtt_get_bytes(&parse->reader);
    uint8_t level = ps_reader_u8(&parse->reader);
    if (parse->reader.failed) {
        return malformed(parse, "the protocol is cut off");
    }
    if (!ps_bytes_are(protocol, "MQTT") || (level != PS_MQTT_3 && level != PS_MQTT_5)) {
        *parse->fault = (PsPacketFault){PS_REASON_VERSION, "neither MQTT 3.1.1 nor MQTT 5"};
        return false;
    }
    packet->version = level;
    uint8_t flags = ps_reader_u8(&parse->reader);
    PsPacketConnect *connect = &packet->connect;
    connect->keep_alive = ps_mqtt_get_u16(&parse->reader);
    connect->clean = (flags & 0x02) != 0;
    connect->has_will = (flags & 0x04) != 0;
    connect->has_password = (flags & 0x40) != 0;
    connect->has_user_name = (flags & 0x80) != 0;
    if ((flags & 0x01) != 0) {
        return malformed(parse, "the reserved bit of the CONNECT flags is set");
    }
    if (!read_props(parse, PS_PACKET_CONNECT, &packet->props)) {
        return false;
    }
    connect->client_id = ps_mqtt_get_bytes(&parse->reader);
    if (parse->reader.failed) {
        return malformed(parse, "the client id is cut off");
    }
    if (!ps_mqtt_is_text(connect->client_id)) {
        return malformed(parse, "the client id is not UTF-8 text");
    }
    return read_will(parse, flags) && read_login(parse);
}

static bool parse_connack(Parse *parse) {
    uint8_t flags = ps_reader_u8(&parse->reader);
    parse->packet->session_present = (flags & 0x01) != 0;
    parse->packet->reason = ps_reader_u8(&parse->reader);
    if (flags > 1) {
        return malformed(parse, "reserved bits of CONNACK are set");
    }
    return read_props(parse, PS_PACKET_CONNACK, &parse->packet->props) && read_end(parse);
}

static bool parse_publish(Parse *parse) {
    PsPacketPublish *publish = &parse->packet->publish;
    publish->retain = (parse->flags & 1) != 0;
    publish->qos = parse->flags >> 1 & 3;
    publish->dup = (parse->flags & 8) != 0;
    if (publish->qos == 3) {
        return malformed(parse, "QoS 3 does not exist");
    }
    if (publish->qos == 0 && publish->dup) {
        return malformed(parse, "DUP with QoS 0");
    }
    publish->topic = ps_mqtt_get_bytes(&parse->reader);
    if (parse->reader.failed) {
        return malformed(parse, "the topic is cut off");
    }
    if (!ps_mqtt_is_text(publish->topic)) {
        return malformed(parse, "the topic is not UTF-8 text");
    }
    if (publish->qos > 0 && !read_packet_id(parse)) {
        return false;
    }
    if (!read_props(parse, PS_PACKET_PUBLISH, &parse->packet->props)) {
        return false;
    }
    size_t left = ps_reader_left(&parse->reader);
    publish->payload = ps_bytes(ps_reader_raw(&parse->reader, left), left);
    return true;
}

// PUBACK, PUBREC, PUBREL, PUBCOMP: MQTT 5 may leave out reason and properties.
static bool parse_ack(Parse *parse) {
    if (!read_packet_id(parse)) {
        return false;
    }
    if (parse->packet->version == PS_MQTT_5 && ps_reader_left(&parse->reader) > 0) {
        parse->packet->reason = ps_reader_u8(&parse->reader);
        if (ps_reader_left(&parse->reader) > 0 &&
            !read_props(parse, parse->packet->type, &parse->packet->props)) {
            return false;
        }
    }
    return read_end(parse);
}

// MQTT 5, 3.8.3.1; in 3.1.1 the upper six bits are reserved.
static bool judge_options(Parse *parse, uint8_t options) {
    if ((options & PS_SUBSCRIBE_QOS) == 3) {
        return malformed(parse, "a filter asks for QoS 3");
    }
    uint8_t reserved = parse->packet->version == PS_MQTT_5 ? 0xC0 : 0xFC;
    if ((options & reserved) != 0) {
        return malformed(parse, "reserved bits of a filter's options are set");
    }
    return (options >> 4 & 3) != 3 || wrong(parse, "Retain Handling 3 does not exist");
}

static bool parse_filters(Parse *parse) {
    PsPacket *packet = parse->packet;
    if (!read_packet_id(parse) || !read_props(parse, packet->type, &packet->props)) {
        return false;
    }
    size_t start = parse->reader.at;
    while (ps_reader_left(&parse->reader) > 0) {
        PsBytes filter = ps_mqtt_get_bytes(&parse->reader);
        uint8_t options = packet->type == PS_PACKET_SUBSCRIBE ? ps_reader_u8(&parse->reader) : 0;
        if (parse->reader.failed) {
            return malformed(parse, "a filter is cut off");
        }
        if (filter.len == 0 || !ps_mqtt_is_text(filter)) {
            return malformed(parse, "a filter is empty or not UTF-8 text");
        }
        if (!judge_options(parse, options)) {
            return false;
        }
        packet->count++;
    }
    packet->list = ps_bytes(parse->reader.data + start, parse->reader.at - start);
    return packet->count > 0 || wrong(parse, "there is no filter");
}

static bool parse_codes(Parse *parse) {
    PsPacket *packet = parse->packet;
    if (!read_packet_id(parse) || !read_props(parse, packet->type, &packet->props)) {
        return false;
    }
    packet->count = ps_reader_left(&parse->reader);
    packet->list = ps_bytes(ps_reader_raw(&parse->reader, packet->count), packet->count);
    return true;
}

static bool parse_empty(Parse *parse) {
    return read_end(parse);
}

// DISCONNECT and AUTH.
static bool parse_end(Parse *parse) {
    PsPacket *packet = parse->packet;
    if (packet->version != PS_MQTT_5) {
        return packet->type == PS_PACKET_DISCONNECT
                   ? read_end(parse)
                   : wrong(parse, "AUTH is not a packet of MQTT 3.1.1");
    }
    if (ps_reader_left(&parse->reader) > 0) {
        packet->reason = ps_reader_u8(&parse->reader);
    }
    if (ps_reader_left(&parse->reader) > 0 && !read_props(parse, packet->type, &packet->props)) {
        return false;
    }
    return read_end(parse);
}

static Parser *const parsers[] = {
    [PS_PACKET_CONNECT] = parse_connect, [PS_PACKET_CONNACK] = parse_connack,
    [PS_PACKET_PUBLISH] = parse_publish, [PS_PACKET_PUBACK] = parse_ack,
    [PS_PACKET_PUBREC] = parse_ack,      [PS_PACKET_PUBREL] = parse_ack,
    [PS_PACKET_PUBCOMP] = parse_ack,     [PS_PACKET_SUBSCRIBE] = parse_filters,
    [PS_PACKET_SUBACK] = parse_codes,    [PS_PACKET_UNSUBSCRIBE] = parse_filters,
    [PS_PACKET_UNSUBACK] = parse_codes,  [PS_PACKET_PINGREQ] = parse_empty,
    [PS_PACKET_PINGRESP] = parse_empty,  [PS_PACKET_DISCONNECT] = parse_end,
    [PS_PACKET_AUTH] = parse_end,
};

// PUBREL, SUBSCRIBE and UNSUBSCRIBE have the reserved flags 2 (MQTT 5, table 2-2).
static bool judge_flags(Parse *parse) {
    PsPacketType type = parse->packet->type;
    bool two =
        type == PS_PACKET_PUBREL || type == PS_PACKET_SUBSCRIBE || type == PS_PACKET_UNSUBSCRIBE;
    return type == PS_PACKET_PUBLISH || parse->flags == (two ? 2 : 0) ||
           malformed(parse, "the flags of the packet's first byte are wrong");
}

PsErr ps_packet_parse(PsBytes raw, uint8_t version, PsPacket *ret_packet,
                      PsPacketFault *ret_fault) {
    PsPacket packet = {.type = (PsPacketType)(raw.data[0] >> 4), .version = version, .raw = raw};
    PsReader reader = ps_reader(raw.data, raw.len);
    uint8_t flags = ps_reader_u8(&reader) & 0x0F;
    (void)ps_mqtt_get_varint(&reader);
    Parse parse = {.reader = reader, .flags = flags, .packet = &packet, .fault = ret_fault};
    PS_ASSERT(!reader.failed && parsers[packet.type] != NULL); // ps_packet_frame saw to that
    if (!judge_flags(&parse) || !parsers[packet.type](&parse)) {
        return ret_fault->reason == PS_REASON_VERSION ? PS_ERR_UNSUPPORTED : PS_ERR_PROTOCOL;
    }
    *ret_packet = packet;
    return PS_OK;
}

PsFilterCursor ps_filter_cursor(const PsPacket *packet) {
    return (PsFilterCursor){.reader = ps_reader(packet->list.data, packet->list.len),
                            .with_options = packet->type == PS_PACKET_SUBSCRIBE};
}

bool ps_filter_cursor_next(PsFilterCursor *cursor, PsBytes *ret_filter, uint8_t *ret_options) {
    if (ps_reader_left(&cursor->reader) == 0) {
        return false;
    }
    *ret_filter = ps_mqtt_get_bytes(&cursor->reader);
    *ret_options = cursor->with_options ? ps_reader_u8(&cursor->reader) : 0;
    return true;
}
