// Properties of MQTT 5 packets, and the primitives all packets are made of. Pure; any thread.
#include "localcloud/front/property.h"

#include "base/text.h"
#include "localcloud/front/packet.h"

#include <string.h>

#define VARINT_LONGEST 4

typedef enum Kind {
    KIND_NONE,
    KIND_U8,
    KIND_U16,
    KIND_U32,
    KIND_VARINT,
    KIND_TEXT,
    KIND_BYTES,
    KIND_PAIR
} Kind;

typedef struct Rule {
    Kind kind;
    uint32_t places; // bit per packet type
    uint32_t least;
    uint32_t most; // of a number
    bool repeats;
} Rule;

#define IN(type) (UINT32_C(1) << PS_PACKET_##type)
#define IN_WILL (UINT32_C(1) << PS_PROPERTY_IN_WILL)
#define IN_ACKS (IN(PUBACK) | IN(PUBREC) | IN(PUBREL) | IN(PUBCOMP) | IN(SUBACK) | IN(UNSUBACK))
#define ANY_U16 0, UINT16_MAX
#define ANY_U32 0, UINT32_MAX
#define FLAG 0, 1

// MQTT 5, table 2-4.
static const Rule rules[PS_PROPERTY_COUNT] = {
    [PS_PROPERTY_PAYLOAD_FORMAT] = {KIND_U8, IN(PUBLISH) | IN_WILL, FLAG, false},
    [PS_PROPERTY_MESSAGE_EXPIRY] = {KIND_U32, IN(PUBLISH) | IN_WILL, ANY_U32, false},
    [PS_PROPERTY_CONTENT_TYPE] = {KIND_TEXT, IN(PUBLISH) | IN_WILL, 0, 0, false},
    [PS_PROPERTY_RESPONSE_TOPIC] = {KIND_TEXT, IN(PUBLISH) | IN_WILL, 0, 0, false},
    [PS_PROPERTY_CORRELATION_DATA] = {KIND_BYTES, IN(PUBLISH) | IN_WILL, 0, 0, false},
    [PS_PROPERTY_SUBSCRIPTION_ID] = {KIND_VARINT, IN(PUBLISH) | IN(SUBSCRIBE), 1, 268435455, true},
    [PS_PROPERTY_SESSION_EXPIRY] = {KIND_U32, IN(CONNECT) | IN(CONNACK) | IN(DISCONNECT), ANY_U32,
                                    false},
    [PS_PROPERTY_ASSIGNED_ID] = {KIND_TEXT, IN(CONNACK), 0, 0, false},
    [PS_PROPERTY_SERVER_KEEP_ALIVE] = {KIND_U16, IN(CONNACK), ANY_U16, false},
    [PS_PROPERTY_AUTH_METHOD] = {KIND_TEXT, IN(CONNECT) | IN(CONNACK) | IN(AUTH), 0, 0, false},
    [PS_PROPERTY_AUTH_DATA] = {KIND_BYTES, IN(CONNECT) | IN(CONNACK) | IN(AUTH), 0, 0, false},
    [PS_PROPERTY_REQUEST_PROBLEM] = {KIND_U8, IN(CONNECT), FLAG, false},
    [PS_PROPERTY_WILL_DELAY] = {KIND_U32, IN_WILL, ANY_U32, false},
    [PS_PROPERTY_REQUEST_RESPONSE] = {KIND_U8, IN(CONNECT), FLAG, false},
    [PS_PROPERTY_RESPONSE_INFORMATION] = {KIND_TEXT, IN(CONNACK), 0, 0, false},
    [PS_PROPERTY_SERVER_REFERENCE] = {KIND_TEXT, IN(CONNACK) | IN(DISCONNECT), 0, 0, false},
    [PS_PROPERTY_REASON_STRING] = {KIND_TEXT, IN(CONNACK) | IN_ACKS | IN(DISCONNECT) | IN(AUTH), 0,
                                   0, false},
    [PS_PROPERTY_RECEIVE_MAXIMUM] = {KIND_U16, IN(CONNECT) | IN(CONNACK), 1, UINT16_MAX, false},
    [PS_PROPERTY_TOPIC_ALIAS_MAXIMUM] = {KIND_U16, IN(CONNECT) | IN(CONNACK), ANY_U16, false},
    [PS_PROPERTY_TOPIC_ALIAS] = {KIND_U16, IN(PUBLISH), ANY_U16, false}, // 0 has a code of its own
    [PS_PROPERTY_MAXIMUM_QOS] = {KIND_U8, IN(CONNACK), FLAG, false},
    [PS_PROPERTY_RETAIN_AVAILABLE] = {KIND_U8, IN(CONNACK), FLAG, false},
    [PS_PROPERTY_USER] = {KIND_PAIR,
                          IN(CONNECT) | IN(CONNACK) | IN(PUBLISH) | IN_WILL | IN_ACKS |
                              IN(SUBSCRIBE) | IN(UNSUBSCRIBE) | IN(DISCONNECT) | IN(AUTH),
                          0, 0, true},
    [PS_PROPERTY_MAXIMUM_PACKET] = {KIND_U32, IN(CONNECT) | IN(CONNACK), 1, UINT32_MAX, false},
    [PS_PROPERTY_WILDCARD_AVAILABLE] = {KIND_U8, IN(CONNACK), FLAG, false},
    [PS_PROPERTY_SUBSCRIPTION_IDS_AVAILABLE] = {KIND_U8, IN(CONNACK), FLAG, false},
    [PS_PROPERTY_SHARED_AVAILABLE] = {KIND_U8, IN(CONNACK), FLAG, false},
};

bool ps_bytes_are(PsBytes bytes, const char *text) {
    size_t len = strlen(text);
    return bytes.len == len && (len == 0 || memcmp(bytes.data, text, len) == 0);
}

bool ps_bytes_begin(PsBytes bytes, const char *text) {
    size_t len = strlen(text);
    return bytes.len >= len && (len == 0 || memcmp(bytes.data, text, len) == 0);
}

uint16_t ps_mqtt_get_u16(PsReader *reader) {
    const uint8_t *bytes = ps_reader_raw(reader, 2);
    return bytes != NULL ? (uint16_t)(bytes[0] << 8 | bytes[1]) : 0;
}

static uint32_t get_u32(PsReader *reader) {
    uint32_t high = ps_mqtt_get_u16(reader);
    return high << 16 | ps_mqtt_get_u16(reader);
}

uint32_t ps_mqtt_get_varint(PsReader *reader) {
    uint32_t value = 0;
    for (unsigned i = 0; i < VARINT_LONGEST; i++) {
        uint8_t byte = ps_reader_u8(reader);
        value |= (uint32_t)(byte & 0x7F) << (7 * i);
        if ((byte & 0x80) == 0) {
            return reader->failed ? 0 : value;
        }
    }
    reader->failed = true;
    return 0;
}

PsBytes ps_mqtt_get_bytes(PsReader *reader) {
    size_t len = ps_mqtt_get_u16(reader);
    const uint8_t *data = reader->failed ? NULL : ps_reader_raw(reader, len);
    return ps_bytes(data, data != NULL ? len : 0);
}

void ps_mqtt_put_u16(PsBuf *out, uint16_t value) {
    uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};
    ps_buf_put(out, bytes, sizeof bytes);
}

size_t ps_mqtt_varint_len(uint32_t value) {
    size_t len = 1;
    for (; value > 0x7F; value >>= 7) {
        len++;
    }
    return len;
}

void ps_mqtt_put_varint(PsBuf *out, uint32_t value) {
    PS_ASSERT(ps_mqtt_varint_len(value) <= VARINT_LONGEST);
    do {
        uint8_t more = value > 0x7F ? 0x80 : 0;
        ps_buf_put_u8(out, (uint8_t)(value & 0x7F) | more);
        value >>= 7;
    } while (value > 0);
}

void ps_mqtt_put_bytes(PsBuf *out, PsBytes bytes) {
    PS_ASSERT(bytes.len <= UINT16_MAX);
    ps_mqtt_put_u16(out, (uint16_t)bytes.len);
    ps_buf_put(out, bytes.data, bytes.len);
}

bool ps_mqtt_is_text(PsBytes bytes) {
    return ps_text_is_utf8(bytes.data, bytes.len);
}

typedef struct Value {
    uint32_t number;
    PsBytes text;
    PsBytes second; // of a pair
} Value;

static Value get_value(PsReader *reader, Kind kind) {
    Value value = {0};
    switch (kind) {
    case KIND_U8:
        value.number = ps_reader_u8(reader);
        break;
    case KIND_U16:
        value.number = ps_mqtt_get_u16(reader);
        break;
    case KIND_U32:
        value.number = get_u32(reader);
        break;
    case KIND_VARINT:
        value.number = ps_mqtt_get_varint(reader);
        break;
    case KIND_PAIR:
        value.text = ps_mqtt_get_bytes(reader);
        value.second = ps_mqtt_get_bytes(reader);
        break;
    default:
        value.text = ps_mqtt_get_bytes(reader);
        break;
    }
    return value;
}

static bool is_number(Kind kind) {
    return kind == KIND_U8 || kind == KIND_U16 || kind == KIND_U32 || kind == KIND_VARINT;
}

// NULL when `value` is what the standard wants of the property.
static const char *judge_value(const Rule *rule, const Value *value, bool *ret_malformed) {
    *ret_malformed = true;
    if (rule->kind == KIND_TEXT && !ps_mqtt_is_text(value->text)) {
        return "a property is not UTF-8 text";
    }
    if (rule->kind == KIND_PAIR &&
        !(ps_mqtt_is_text(value->text) && ps_mqtt_is_text(value->second))) {
        return "a user property is not UTF-8 text";
    }
    *ret_malformed = false;
    if (is_number(rule->kind) && (value->number < rule->least || value->number > rule->most)) {
        return "a property's value is outside its range";
    }
    return NULL;
}

static const char *read_one(PsReader *reader, unsigned place, PsProps *props, bool *ret_malformed) {
    uint32_t id = ps_mqtt_get_varint(reader);
    *ret_malformed = true;
    if (reader->failed || id >= PS_PROPERTY_COUNT || rules[id].kind == KIND_NONE) {
        return "unknown property";
    }
    const Rule *rule = &rules[id];
    if ((rule->places >> place & 1) == 0) {
        return "a property that this packet may not have";
    }
    Value value = get_value(reader, rule->kind);
    if (reader->failed) {
        return "a property is cut off";
    }
    if ((props->present >> id & 1) != 0 && !rule->repeats) {
        *ret_malformed = false;
        return "a property is there twice";
    }
    props->present |= UINT64_C(1) << id;
    return judge_value(rule, &value, ret_malformed);
}

const char *ps_props_read(PsReader *reader, unsigned place, PsProps *ret_props,
                          bool *ret_malformed) {
    size_t len = ps_mqtt_get_varint(reader);
    const uint8_t *data = reader->failed ? NULL : ps_reader_raw(reader, len);
    if (data == NULL) {
        *ret_malformed = true;
        return "the properties are cut off";
    }
    PsProps props = {.raw = ps_bytes(data, len)};
    PsReader inner = ps_reader(data, len);
    while (ps_reader_left(&inner) > 0) {
        const char *wrong = read_one(&inner, place, &props, ret_malformed);
        if (wrong != NULL) {
            return wrong;
        }
    }
    *ret_props = props;
    return NULL;
}

// The first value of a property that is known to be there.
static Value find(const PsProps *props, PsProperty property) {
    PsReader reader = ps_reader(props->raw.data, props->raw.len);
    while (ps_reader_left(&reader) > 0) {
        uint32_t id = ps_mqtt_get_varint(&reader);
        Value value = get_value(&reader, rules[id].kind);
        if (id == (uint32_t)property) {
            return value;
        }
    }
    return (Value){0};
}

uint32_t ps_props_number(const PsProps *props, PsProperty property, uint32_t otherwise) {
    return ps_props_have(props, property) ? find(props, property).number : otherwise;
}

PsBytes ps_props_text(const PsProps *props, PsProperty property) {
    return ps_props_have(props, property) ? find(props, property).text : ps_bytes(NULL, 0);
}

void ps_props_copy(PsBuf *out, const PsProps *props, uint64_t without) {
    if ((props->present & without) == 0) {
        ps_buf_put(out, props->raw.data, props->raw.len);
        return;
    }
    PsReader reader = ps_reader(props->raw.data, props->raw.len);
    while (ps_reader_left(&reader) > 0) {
        size_t start = reader.at;
        uint32_t id = ps_mqtt_get_varint(&reader);
        (void)get_value(&reader, rules[id].kind);
        if ((without >> id & 1) == 0) {
            ps_buf_put(out, props->raw.data + start, reader.at - start);
        }
    }
}

void ps_props_put_number(PsBuf *out, PsProperty property, uint32_t value) {
    ps_mqtt_put_varint(out, property);
    switch (rules[property].kind) {
    case KIND_U8:
        ps_buf_put_u8(out, (uint8_t)value);
        break;
    case KIND_U16:
        ps_mqtt_put_u16(out, (uint16_t)value);
        break;
    case KIND_VARINT:
        ps_mqtt_put_varint(out, value);
        break;
    default:
        PS_ASSERT(rules[property].kind == KIND_U32);
        ps_mqtt_put_u16(out, (uint16_t)(value >> 16));
        ps_mqtt_put_u16(out, (uint16_t)value);
        break;
    }
}

void ps_props_put_text(PsBuf *out, PsProperty property, PsBytes text) {
    PS_ASSERT(rules[property].kind == KIND_TEXT || rules[property].kind == KIND_BYTES);
    ps_mqtt_put_varint(out, property);
    ps_mqtt_put_bytes(out, text);
}

void ps_props_put_pair(PsBuf *out, PsBytes name, PsBytes value) {
    ps_mqtt_put_varint(out, PS_PROPERTY_USER);
    ps_mqtt_put_bytes(out, name);
    ps_mqtt_put_bytes(out, value);
}
