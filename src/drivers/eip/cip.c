// Building and taking apart messages. Requests grow in a buffer of the caller, which keeps its
// memory; answers are read with checked getters. Pure.
#include "drivers/eip/cip.h"

#include "base/text.h"
#include "base/time.h"

#include <string.h>

#define TICK_MAX 15U

bool ps_eip_reply_get(const uint8_t *bytes, size_t len, PsEipReply *ret_reply) {
    PsReader reader = ps_reader(bytes, len);
    PsEipReply reply = {0};
    reply.service = ps_reader_u8(&reader);
    (void)ps_reader_u8(&reader); // reserved
    reply.status = ps_reader_u8(&reader);
    uint8_t words = ps_reader_u8(&reader);
    const uint8_t *extended = ps_reader_raw(&reader, 2 * (size_t)words);
    if (reader.failed || (reply.service & PS_EIP_ANSWER) == 0) {
        return false;
    }
    if (words > 0) {
        reply.extended = (uint16_t)(extended[0] | extended[1] << 8);
    }
    if (words > 1) {
        reply.second = (uint16_t)(extended[2] | extended[3] << 8);
    }
    reply.len = ps_reader_left(&reader);
    reply.data = ps_reader_raw(&reader, reply.len);
    *ret_reply = reply;
    return true;
}

void ps_eip_request_put(PsBuf *out, uint8_t service, const uint8_t *path, uint16_t path_len) {
    PS_ASSERT(path_len % 2 == 0 && path_len / 2 <= UINT8_MAX);
    ps_buf_put_u8(out, service);
    ps_buf_put_u8(out, (uint8_t)(path_len / 2));
    ps_buf_put(out, path, path_len);
}

void ps_eip_request_object(PsBuf *out, uint8_t service, uint8_t class_id, uint32_t instance) {
    uint8_t path[PS_EIP_OBJECT_MAX];
    ps_eip_request_put(out, service, path, ps_eip_object_put(path, class_id, instance));
}

// --- many in one

void ps_eip_multiple_begin(PsBuf *out, uint16_t count) {
    ps_eip_request_object(out, PS_EIP_MULTIPLE, PS_EIP_CLASS_ROUTER, 1);
    ps_buf_put_u16(out, count);
    for (uint16_t i = 0; i < count; i++) {
        ps_buf_put_u16(out, 0);
    }
}

// Offsets count from the number of services on.
void ps_eip_multiple_next(PsBuf *out, size_t start, uint16_t number) {
    size_t offset = out->len - start - (PS_EIP_MULTIPLE_HEAD - 2);
    PS_ASSERT(offset <= UINT16_MAX);
    uint8_t *at = out->data + start + PS_EIP_MULTIPLE_HEAD + 2 * (size_t)number;
    at[0] = (uint8_t)offset;
    at[1] = (uint8_t)(offset >> 8);
}

uint16_t ps_eip_multiple_count(const PsEipReply *packet) {
    PsReader reader = ps_reader(packet->data, packet->len);
    uint16_t count = ps_reader_u16(&reader);
    bool fits = !reader.failed && ps_reader_left(&reader) >= 2 * (size_t)count;
    return fits ? count : 0;
}

static uint16_t offset_at(const PsEipReply *packet, uint16_t number) {
    PsReader reader = ps_reader(packet->data, packet->len);
    (void)ps_reader_raw(&reader, 2 + 2 * (size_t)number);
    return ps_reader_u16(&reader);
}

bool ps_eip_multiple_get(const PsEipReply *packet, uint16_t number, PsEipReply *ret_reply) {
    uint16_t count = ps_eip_multiple_count(packet);
    if (number >= count) {
        return false;
    }
    size_t begin = offset_at(packet, number);
    size_t end = number + 1 < count ? offset_at(packet, (uint16_t)(number + 1)) : packet->len;
    if (begin < 2 + 2 * (size_t)count || end < begin || end > packet->len) {
        return false;
    }
    return ps_eip_reply_get(packet->data + begin, end - begin, ret_reply);
}

// --- ways to the controller

// A time limit as CIP has it: 2^tick milliseconds, so many times (Volume 1, 3-5.5.1.3).
static void split_time(int64_t timeout_ns, uint8_t *ret_tick, uint8_t *ret_count) {
    int64_t ms = timeout_ns / PS_NS_PER_MS;
    uint8_t tick = 0;
    while (tick < TICK_MAX && (ms >> tick) > UINT8_MAX) {
        tick++;
    }
    int64_t count = ms >> tick;
    *ret_tick = tick;
    *ret_count = count < 1 ? 1 : count > UINT8_MAX ? UINT8_MAX : (uint8_t)count;
}

size_t ps_eip_unconnected_send_put(uint8_t *out, size_t room, const uint8_t *message, size_t len,
                                   const PsEipRoute *route, int64_t timeout_ns) {
    size_t total = 6 + 4 + len + len % 2 + 2 + route->len;
    if (total > room || len > UINT16_MAX) {
        return 0;
    }
    out[0] = PS_EIP_UNCONNECTED_SEND;
    out[1] = 2;
    (void)ps_eip_object_put(out + 2, PS_EIP_CLASS_CONNECTIONS, 1);
    split_time(timeout_ns, &out[6], &out[7]);
    out[8] = (uint8_t)len;
    out[9] = (uint8_t)(len >> 8);
    memcpy(out + 10, message, len);
    uint8_t *at = out + 10 + len;
    if (len % 2 != 0) {
        *at++ = 0;
    }
    *at++ = route->len / 2;
    *at++ = 0;
    memcpy(at, route->bytes, route->len);
    return total;
}

static void put_connection_path(PsBuf *out, const PsEipRoute *route, bool closing) {
    uint8_t router[PS_EIP_OBJECT_MAX];
    uint16_t len = ps_eip_object_put(router, PS_EIP_CLASS_ROUTER, 1);
    ps_buf_put_u8(out, (uint8_t)((route->len + len) / 2));
    if (closing) {
        ps_buf_put_u8(out, 0);
    }
    ps_buf_put(out, route->bytes, route->len);
    ps_buf_put(out, router, len);
}

static void put_time(PsBuf *out, int64_t timeout_ns) {
    uint8_t tick;
    uint8_t count;
    split_time(timeout_ns, &tick, &count);
    ps_buf_put_u8(out, tick);
    ps_buf_put_u8(out, count);
}

// Parameters of one direction: point to point, low priority, variable size (Volume 1, 3-5.5.1.1).
static void put_direction(PsBuf *out, const PsEipForwardOpen *open) {
    ps_buf_put_u32(out, open->interval_us);
    if (open->large) {
        ps_buf_put_u32(out, 0x42000000U | open->size);
    } else {
        ps_buf_put_u16(out, (uint16_t)(0x4200U | open->size));
    }
}

void ps_eip_forward_open_put(PsBuf *out, const PsEipForwardOpen *open) {
    ps_eip_request_object(out, open->large ? PS_EIP_LARGE_FORWARD_OPEN : PS_EIP_FORWARD_OPEN,
                          PS_EIP_CLASS_CONNECTIONS, 1);
    put_time(out, open->timeout_ns);
    ps_buf_put_u32(out, 0); // the id to send with is the device's to choose
    ps_buf_put_u32(out, open->to_us);
    ps_buf_put_u16(out, open->serial);
    ps_buf_put_u16(out, PS_EIP_VENDOR);
    ps_buf_put_u32(out, open->originator);
    ps_buf_put_u8(out, open->multiplier);
    ps_buf_put(out, "\0\0", 3);
    put_direction(out, open);
    put_direction(out, open);
    ps_buf_put_u8(out, 0xA3); // class 3, triggered by the application, the device is the server
    put_connection_path(out, open->route, false);
}

bool ps_eip_forward_open_get(const PsEipReply *reply, const PsEipForwardOpen *open,
                             uint32_t *ret_to_device) {
    PsReader reader = ps_reader(reply->data, reply->len);
    uint32_t to_device = ps_reader_u32(&reader);
    uint32_t to_us = ps_reader_u32(&reader);
    uint16_t serial = ps_reader_u16(&reader);
    uint16_t vendor = ps_reader_u16(&reader);
    uint32_t originator = ps_reader_u32(&reader);
    (void)ps_reader_raw(&reader, 8); // the intervals it really takes
    if (reader.failed || to_us != open->to_us || serial != open->serial ||
        vendor != PS_EIP_VENDOR || originator != open->originator) {
        return false;
    }
    *ret_to_device = to_device;
    return true;
}

void ps_eip_forward_close_put(PsBuf *out, const PsEipForwardOpen *open) {
    ps_eip_request_object(out, PS_EIP_FORWARD_CLOSE, PS_EIP_CLASS_CONNECTIONS, 1);
    put_time(out, open->timeout_ns);
    ps_buf_put_u16(out, open->serial);
    ps_buf_put_u16(out, PS_EIP_VENDOR);
    ps_buf_put_u32(out, open->originator);
    put_connection_path(out, open->route, true);
}

bool ps_eip_identity_get(const PsEipReply *reply, PsEipIdentity *ret_identity) {
    PsReader reader = ps_reader(reply->data, reply->len);
    PsEipIdentity identity = {0};
    identity.vendor = ps_reader_u16(&reader);
    identity.device_type = ps_reader_u16(&reader);
    (void)ps_reader_u16(&reader); // product code
    identity.major = ps_reader_u8(&reader);
    identity.minor = ps_reader_u8(&reader);
    (void)ps_reader_u16(&reader); // status
    (void)ps_reader_u32(&reader); // serial number
    uint8_t len = ps_reader_u8(&reader);
    const uint8_t *name = ps_reader_raw(&reader, len);
    if (name == NULL) {
        return false;
    }
    ps_text_format(identity.product, sizeof identity.product, "%.*s", (int)len, (const char *)name);
    *ret_identity = identity;
    return true;
}
