// Packets put together. Pure; any thread.
#include "localcloud/front/packet.h"

#include <string.h>

static const PsBytes no_bytes = {0};

static void put_header(PsBuf *out, PsPacketType type, uint8_t flags, size_t rest) {
    ps_buf_reserve(out, rest + 5);
    ps_buf_put_u8(out, (uint8_t)((unsigned)type << 4 | flags));
    ps_mqtt_put_varint(out, (uint32_t)rest);
}

static size_t props_len(uint8_t version, PsBytes props) {
    return version == PS_MQTT_5 ? ps_mqtt_varint_len((uint32_t)props.len) + props.len : 0;
}

static void put_props(PsBuf *out, uint8_t version, PsBytes props) {
    if (version == PS_MQTT_5) {
        ps_mqtt_put_varint(out, (uint32_t)props.len);
        ps_buf_put(out, props.data, props.len);
    }
}

void ps_packet_put_connect(PsBuf *out, const PsConnectOrder *order) {
    const PsPacketWill *will = order->will;
    size_t rest =
        2 + 4 + 1 + 1 + 2 + props_len(order->version, order->props) + 2 + order->client_id.len;
    unsigned flags = order->clean ? 0x02 : 0;
    if (will != NULL) {
        rest += props_len(order->version, order->will_props) + 2 + will->topic.len + 2 +
                will->payload.len;
        flags |= 0x04U | (unsigned)will->qos << 3 | (will->retain ? 0x20U : 0);
    }
    put_header(out, PS_PACKET_CONNECT, 0, rest);
    ps_mqtt_put_bytes(out, ps_bytes("MQTT", 4));
    ps_buf_put_u8(out, order->version);
    ps_buf_put_u8(out, (uint8_t)flags);
    ps_mqtt_put_u16(out, order->keep_alive);
    put_props(out, order->version, order->props);
    ps_mqtt_put_bytes(out, order->client_id);
    if (will != NULL) {
        put_props(out, order->version, order->will_props);
        ps_mqtt_put_bytes(out, will->topic);
        ps_mqtt_put_bytes(out, will->payload);
    }
}

void ps_packet_put_connack(PsBuf *out, uint8_t version, bool session_present, uint8_t code,
                           PsBytes props) {
    put_header(out, PS_PACKET_CONNACK, 0, 2 + props_len(version, props));
    ps_buf_put_u8(out, session_present ? 1 : 0);
    ps_buf_put_u8(out, code);
    put_props(out, version, props);
}

void ps_packet_put_publish(PsBuf *out, const PsPublishOrder *order) {
    size_t rest = 2 + order->topic.len + (order->qos > 0 ? 2 : 0) +
                  props_len(order->version, order->props) + order->payload.len;
    put_header(out, PS_PACKET_PUBLISH, (uint8_t)(order->qos << 1 | (order->retain ? 1 : 0)), rest);
    ps_mqtt_put_bytes(out, order->topic);
    if (order->qos > 0) {
        ps_mqtt_put_u16(out, order->packet_id);
    }
    put_props(out, order->version, order->props);
    ps_buf_put(out, order->payload.data, order->payload.len);
}

void ps_packet_put_puback(PsBuf *out, uint8_t version, uint16_t packet_id, uint8_t reason,
                          const char *text) {
    if (version != PS_MQTT_5 || (reason == PS_REASON_SUCCESS && text == NULL)) {
        put_header(out, PS_PACKET_PUBACK, 0, 2);
        ps_mqtt_put_u16(out, packet_id);
        return;
    }
    PsBytes words = text != NULL ? ps_bytes(text, strlen(text)) : no_bytes;
    size_t props = text != NULL ? 1 + 2 + words.len : 0;
    put_header(out, PS_PACKET_PUBACK, 0, 2 + 1 + ps_mqtt_varint_len((uint32_t)props) + props);
    ps_mqtt_put_u16(out, packet_id);
    ps_buf_put_u8(out, reason);
    ps_mqtt_put_varint(out, (uint32_t)props);
    if (text != NULL) {
        ps_props_put_text(out, PS_PROPERTY_REASON_STRING, words);
    }
}

void ps_packet_put_codes(PsBuf *out, PsPacketType type, uint8_t version, uint16_t packet_id,
                         const uint8_t *codes, size_t count) {
    put_header(out, type, 0, 2 + props_len(version, no_bytes) + count);
    ps_mqtt_put_u16(out, packet_id);
    put_props(out, version, no_bytes);
    ps_buf_put(out, codes, count);
}

void ps_packet_put_empty(PsBuf *out, PsPacketType type) {
    put_header(out, type, 0, 0);
}

void ps_packet_put_disconnect(PsBuf *out, uint8_t version, uint8_t reason, PsBytes props) {
    if (version != PS_MQTT_5) {
        put_header(out, PS_PACKET_DISCONNECT, 0, 0);
        return;
    }
    put_header(out, PS_PACKET_DISCONNECT, 0, 1 + props_len(version, props));
    ps_buf_put_u8(out, reason);
    put_props(out, version, props);
}

void ps_filter_order_begin(PsFilterOrder *order, PsPacketType type, uint8_t version,
                           uint16_t packet_id, PsBytes props) {
    order->type = type;
    order->version = version;
    ps_buf_clear(&order->body);
    ps_mqtt_put_u16(&order->body, packet_id);
    put_props(&order->body, version, props);
}

void ps_filter_order_put(PsFilterOrder *order, PsBytes filter, uint8_t options) {
    ps_mqtt_put_bytes(&order->body, filter);
    if (order->type == PS_PACKET_SUBSCRIBE) {
        ps_buf_put_u8(&order->body, options);
    }
}

void ps_filter_order_end(PsFilterOrder *order, PsBuf *out) {
    put_header(out, order->type, 2, order->body.len);
    ps_buf_put(out, order->body.data, order->body.len);
    ps_buf_deinit(&order->body);
}
