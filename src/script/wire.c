// The frame codec: which types exist, who may send them and how long they may be; cutting a
// stream into frames. Pure; runs in penstockd's main thread, in penstock-script and its workers.
#include "script/wire.h"

#include <endian.h>
#include <string.h>

#define KIB ((size_t)1024)
#define MIB (KIB * 1024)
#define ROOM_MIN (4 * KIB)
#define ROOM_FIRST (16 * KIB)
// An idle peer's buffer is given back down to this once a large frame has passed.
#define ROOM_KEPT (256 * KIB)

typedef struct TypeRule {
    const char *name;
    uint8_t senders; // PsWireSender bits
    size_t body_max;
} TypeRule;

static const TypeRule rules[PS_WIRE_TYPE_COUNT] = {
    [PS_WIRE_NONE] = {"none", 0, 0},
    [PS_WIRE_FORK] = {"fork", PS_WIRE_FROM_HOST, 33},
    [PS_WIRE_KILL] = {"kill", PS_WIRE_FROM_HOST, 12},
    [PS_WIRE_READY] = {"ready", PS_WIRE_FROM_STARTER, 2},
    [PS_WIRE_FORKED] = {"forked", PS_WIRE_FROM_STARTER, 12},
    [PS_WIRE_FORK_FAILED] = {"fork-failed", PS_WIRE_FROM_STARTER, 12},
    [PS_WIRE_EXITED] = {"exited", PS_WIRE_FROM_STARTER, 12},
    [PS_WIRE_BUILD] = {"build", PS_WIRE_FROM_HOST, PS_WIRE_BODY_MAX},
    [PS_WIRE_SCHEMA] = {"schema", PS_WIRE_FROM_HOST, PS_WIRE_BODY_MAX},
    [PS_WIRE_DATA] = {"data", PS_WIRE_FROM_HOST, PS_WIRE_BODY_MAX},
    [PS_WIRE_MESSAGE] = {"message", PS_WIRE_FROM_HOST, PS_WIRE_BODY_MAX},
    [PS_WIRE_REPLY] = {"reply", PS_WIRE_FROM_HOST, PS_WIRE_BODY_MAX},
    [PS_WIRE_SENT] = {"sent", PS_WIRE_FROM_HOST, 1},
    [PS_WIRE_QUIT] = {"quit", PS_WIRE_FROM_HOST, 0},
    [PS_WIRE_BUILT] = {"built", PS_WIRE_FROM_WORKER, 8 * KIB},
    [PS_WIRE_LOG] = {"log", PS_WIRE_FROM_WORKER, 16 * KIB},
    [PS_WIRE_RETURN] = {"return", PS_WIRE_FROM_WORKER, MIB},
    [PS_WIRE_PUBLISH] = {"publish", PS_WIRE_FROM_WORKER, MIB + 72 * KIB},
    [PS_WIRE_PUBLISH_NOW] = {"publish-now", PS_WIRE_FROM_WORKER, MIB + 72 * KIB},
    [PS_WIRE_WRITE] = {"write", PS_WIRE_FROM_WORKER, 2 * MIB},
    [PS_WIRE_DONE] = {"done", PS_WIRE_FROM_WORKER, 8 * KIB},
    [PS_WIRE_SAVE] = {"save", PS_WIRE_FROM_WORKER, MIB + 72 * KIB},
    [PS_WIRE_SAVE_GROUP] = {"save-group", PS_WIRE_FROM_WORKER, MIB + 72 * KIB},
    [PS_WIRE_REQUEST] = {"request", PS_WIRE_FROM_WORKER, 13},
    [PS_WIRE_OVER_LIMIT] = {"over-limit", PS_WIRE_FROM_STARTER, 12},
    [PS_WIRE_ALARM_NAMES] = {"alarm-names", PS_WIRE_FROM_HOST, PS_WIRE_BODY_MAX},
    [PS_WIRE_ALARMS] = {"alarms", PS_WIRE_FROM_HOST, PS_WIRE_BODY_MAX},
    [PS_WIRE_SEQUENCE] = {"sequence", PS_WIRE_FROM_HOST, 8},
    [PS_WIRE_SETTINGS] = {"settings", PS_WIRE_FROM_HOST, PS_WIRE_BODY_MAX},
};

const char *ps_wire_type_name(PsWireType type) {
    size_t index = (size_t)type;
    return index < PS_COUNT(rules) ? rules[index].name : "unknown";
}

bool ps_wire_allowed(uint8_t type, PsWireSender sender, size_t *ret_body_max) {
    if (type >= PS_COUNT(rules) || (rules[type].senders & (unsigned)sender) == 0) {
        return false;
    }
    *ret_body_max = rules[type].body_max;
    return true;
}

void ps_wire_decoder_init(PsWireDecoder *decoder, PsWireSender sender) {
    *decoder = (PsWireDecoder){.sender = sender};
}

void ps_wire_decoder_deinit(PsWireDecoder *decoder) {
    ps_buf_deinit(&decoder->bytes);
    decoder->at = 0;
}

static uint32_t body_len_at(const uint8_t *head) {
    uint32_t len;
    memcpy(&len, head, sizeof len);
    return le32toh(len);
}

// Bytes the frame at hand still lacks, 0 when its head is not there yet or says something that
// the next call of ps_wire_decoder_next will refuse.
static size_t bytes_lacking(const PsWireDecoder *decoder) {
    size_t have = decoder->bytes.len - decoder->at;
    if (have < PS_WIRE_HEAD_BYTES) {
        return 0;
    }
    const uint8_t *head = decoder->bytes.data + decoder->at;
    size_t body_max = 0;
    size_t body = body_len_at(head);
    if (!ps_wire_allowed(head[4], decoder->sender, &body_max) || body > body_max) {
        return 0;
    }
    size_t whole = PS_WIRE_HEAD_BYTES + body;
    return whole > have ? whole - have : 0;
}

void *ps_wire_decoder_room(PsWireDecoder *decoder, size_t *ret_size) {
    PsBuf *bytes = &decoder->bytes;
    size_t have = bytes->len - decoder->at;
    if (have == 0 && bytes->capacity > ROOM_KEPT) {
        ps_buf_deinit(bytes);
    } else if (decoder->at > 0) {
        memmove(bytes->data, bytes->data + decoder->at, have);
        bytes->len = have;
    }
    decoder->at = 0;
    size_t lacking = bytes_lacking(decoder);
    size_t wanted = lacking > ROOM_MIN ? lacking : ROOM_MIN;
    ps_buf_reserve(bytes, bytes->capacity == 0 && wanted < ROOM_FIRST ? ROOM_FIRST : wanted);
    *ret_size = bytes->capacity - 1 - bytes->len;
    return bytes->data + bytes->len;
}

void ps_wire_decoder_added(PsWireDecoder *decoder, size_t len) {
    PS_ASSERT(len < decoder->bytes.capacity - decoder->bytes.len);
    decoder->bytes.len += len;
}

void ps_wire_decoder_rest(PsWireDecoder *decoder) {
    if (decoder->at == decoder->bytes.len) {
        ps_wire_decoder_deinit(decoder);
    }
}

PsErr ps_wire_decoder_next(PsWireDecoder *decoder, PsWireFrame *ret_frame) {
    size_t have = decoder->bytes.len - decoder->at;
    if (have < PS_WIRE_HEAD_BYTES) {
        return PS_ERR_BUSY;
    }
    const uint8_t *head = decoder->bytes.data + decoder->at;
    size_t body_max = 0;
    if (!ps_wire_allowed(head[4], decoder->sender, &body_max)) {
        return PS_ERR_PROTOCOL;
    }
    size_t len = body_len_at(head);
    if (len > body_max) {
        return PS_ERR_TOO_BIG;
    }
    if (have - PS_WIRE_HEAD_BYTES < len) {
        return PS_ERR_BUSY;
    }
    *ret_frame = (PsWireFrame){(PsWireType)head[4], head + PS_WIRE_HEAD_BYTES, len};
    decoder->at += PS_WIRE_HEAD_BYTES + len;
    return PS_OK;
}

size_t ps_wire_begin(PsBuf *out, PsWireType type) {
    size_t begin = out->len;
    ps_buf_put_u32(out, 0);
    ps_buf_put_u8(out, (uint8_t)type);
    return begin;
}

void ps_wire_end(PsBuf *out, size_t begin) {
    size_t len = out->len - begin - PS_WIRE_HEAD_BYTES;
    PS_ASSERT(len <= PS_WIRE_BODY_MAX);
    uint32_t stored = htole32((uint32_t)len);
    memcpy(out->data + begin, &stored, sizeof stored);
}

void ps_wire_put(PsBuf *out, PsWireType type, const void *body, size_t len) {
    size_t begin = ps_wire_begin(out, type);
    ps_buf_put(out, body, len);
    ps_wire_end(out, begin);
}

void ps_wire_put_value(PsBuf *out, PsValue value) {
    ps_buf_put_u8(out, value.kind);
    switch ((PsValueKind)value.kind) {
    case PS_VALUE_NONE:
        break;
    case PS_VALUE_BOOL:
        ps_buf_put_u8(out, value.boolean);
        break;
    case PS_VALUE_INT:
    case PS_VALUE_UINT:
        ps_buf_put_u64(out, value.unsigned_integer);
        break;
    case PS_VALUE_FLOAT:
        ps_buf_put_f64(out, value.number);
        break;
    case PS_VALUE_TEXT:
        PS_ASSERT(value.text_len <= PS_WIRE_TEXT_MAX);
        ps_buf_put_bytes(out, value.text, value.text_len);
        break;
    }
}

static PsValue get_text_value(PsReader *reader) {
    size_t len = 0;
    const uint8_t *text = ps_reader_bytes(reader, &len);
    if (len > PS_WIRE_TEXT_MAX) {
        reader->failed = true;
        return ps_value_none();
    }
    return ps_value_text((const char *)text, (uint32_t)len);
}

PsValue ps_wire_get_value(PsReader *reader) {
    uint8_t kind = ps_reader_u8(reader);
    switch (kind) {
    case PS_VALUE_NONE:
        return ps_value_none();
    case PS_VALUE_BOOL:
        return ps_value_bool(ps_reader_u8(reader) != 0);
    case PS_VALUE_INT:
        return ps_value_int((int64_t)ps_reader_u64(reader));
    case PS_VALUE_UINT:
        return ps_value_uint(ps_reader_u64(reader));
    case PS_VALUE_FLOAT:
        return ps_value_float(ps_reader_f64(reader));
    case PS_VALUE_TEXT:
        return get_text_value(reader);
    default:
        reader->failed = true;
        return ps_value_none();
    }
}
