// Where packets begin and end, and their names. Pure; any thread.
#include "localcloud/front/packet.h"

#include <string.h>

#define HEADER_LONGEST 5              // type, flags and the remaining length
#define KEPT_BYTES ((size_t)4 * 1024) // an empty queue gives larger memory back

static const char *const names[] = {
    [PS_PACKET_CONNECT] = "CONNECT",   [PS_PACKET_CONNACK] = "CONNACK",
    [PS_PACKET_PUBLISH] = "PUBLISH",   [PS_PACKET_PUBACK] = "PUBACK",
    [PS_PACKET_PUBREC] = "PUBREC",     [PS_PACKET_PUBREL] = "PUBREL",
    [PS_PACKET_PUBCOMP] = "PUBCOMP",   [PS_PACKET_SUBSCRIBE] = "SUBSCRIBE",
    [PS_PACKET_SUBACK] = "SUBACK",     [PS_PACKET_UNSUBSCRIBE] = "UNSUBSCRIBE",
    [PS_PACKET_UNSUBACK] = "UNSUBACK", [PS_PACKET_PINGREQ] = "PINGREQ",
    [PS_PACKET_PINGRESP] = "PINGRESP", [PS_PACKET_DISCONNECT] = "DISCONNECT",
    [PS_PACKET_AUTH] = "AUTH",
};

const char *ps_packet_name(PsPacketType type) {
    bool known = (size_t)type < PS_COUNT(names) && names[type] != NULL;
    return known ? names[type] : "packet of an unknown type";
}

PsErr ps_packet_frame(const uint8_t *data, size_t len, size_t most, size_t *ret_len,
                      PsPacketFault *ret_fault) {
    if (len == 0) {
        return PS_ERR_BUSY;
    }
    if (data[0] >> 4 == 0) {
        *ret_fault = (PsPacketFault){PS_REASON_MALFORMED, "packet type 0 does not exist"};
        return PS_ERR_PROTOCOL;
    }
    size_t rest = 0;
    for (size_t i = 1; i < HEADER_LONGEST; i++) {
        if (i >= len) {
            return PS_ERR_BUSY;
        }
        rest |= (size_t)(data[i] & 0x7F) << (7 * (i - 1));
        if ((data[i] & 0x80) != 0) {
            continue;
        }
        size_t whole = 1 + i + rest;
        if (whole > most) {
            *ret_fault = (PsPacketFault){PS_REASON_TOO_LARGE, "the packet is too large"};
            return PS_ERR_TOO_BIG;
        }
        *ret_len = whole;
        return whole <= len ? PS_OK : PS_ERR_BUSY;
    }
    *ret_fault = (PsPacketFault){PS_REASON_MALFORMED, "the remaining length has no end"};
    return PS_ERR_PROTOCOL;
}

void ps_packet_queue_deinit(PsPacketQueue *queue) {
    ps_buf_deinit(&queue->bytes);
    queue->at = 0;
}

size_t ps_packet_queue_len(const PsPacketQueue *queue) {
    return queue->bytes.len - queue->at;
}

// Moves what is left to the front, when that is less than what has been taken: so each byte moves
// once at most on average.
static void compact(PsPacketQueue *queue) {
    size_t left = ps_packet_queue_len(queue);
    if (left == 0 && queue->bytes.capacity > KEPT_BYTES) {
        ps_buf_deinit(&queue->bytes);
        queue->at = 0;
    } else if (queue->at > 0 && left <= queue->at) {
        memmove(queue->bytes.data, queue->bytes.data + queue->at, left);
        queue->bytes.len = left;
        queue->at = 0;
    }
}

void ps_packet_queue_put(PsPacketQueue *queue, const uint8_t *data, size_t len) {
    compact(queue);
    ps_buf_put(&queue->bytes, data, len);
}

PsErr ps_packet_queue_next(PsPacketQueue *queue, size_t most, PsBytes *ret_packet,
                           PsPacketFault *ret_fault) {
    size_t len = 0;
    const uint8_t *data = queue->bytes.data + queue->at;
    PsErr err = ps_packet_frame(data, ps_packet_queue_len(queue), most, &len, ret_fault);
    if (err == PS_OK) {
        *ret_packet = ps_bytes(data, len);
        queue->at += len;
    } else if (err == PS_ERR_BUSY && ps_packet_queue_len(queue) == 0) {
        compact(queue);
    }
    return err;
}
