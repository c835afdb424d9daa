// A connection of the cloud's own to its broker. Main thread; nothing blocks.
#include "localcloud/front/own.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define PACKET_MOST ((size_t)64 * 1024 * 1024) // the broker is ours
#define OPTION_NO_RETAINED 0x20                // Retain Handling 2
#define OPTION_QOS_1 0x01

struct PsOwn {
    PsOwnOrder order;
    char *client_id;
    PsBuf waiting; // until it is up
    PsPacketQueue in;
    uint16_t last_packet_id;
    bool up;
    bool closed; // by the owner, who is told nothing any more
};

static void on_open(void *ctx) {
    PsOwn *own = ctx;
    PS_AUTO_BUF PsBuf out = {0};
    PsConnectOrder order = {.version = own->order.version,
                            .client_id = ps_bytes(own->client_id, strlen(own->client_id)),
                            .clean = true};
    ps_packet_put_connect(&out, &order);
    (void)ps_stream_write(own->order.stream, out.data, out.len);
}

static void finish(PsOwn *own) {
    PS_AUTO_BUF PsBuf out = {0};
    ps_packet_put_disconnect(&out, own->order.version, PS_REASON_SUCCESS, ps_bytes(NULL, 0));
    (void)ps_stream_write(own->order.stream, out.data, out.len);
    ps_stream_close(own->order.stream, true);
}

static void on_connack(PsOwn *own, const PsPacket *packet) {
    if (own->up || packet->reason != 0) {
        ps_stream_close(own->order.stream, false);
        return;
    }
    own->up = true;
    if (own->waiting.len > 0) {
        (void)ps_stream_write(own->order.stream, own->waiting.data, own->waiting.len);
    }
    ps_buf_deinit(&own->waiting);
    if (own->closed) {
        finish(own);
    } else if (own->order.on_up != NULL) {
        own->order.on_up(own->order.ctx);
    }
}

static void on_publish(PsOwn *own, const PsPacket *packet) {
    if (packet->publish.qos > 0) {
        PS_AUTO_BUF PsBuf out = {0};
        ps_packet_put_puback(&out, own->order.version, packet->packet_id, 0, NULL);
        (void)ps_stream_write(own->order.stream, out.data, out.len);
    }
    if (!own->closed && own->order.on_message != NULL) {
        own->order.on_message(own->order.ctx, packet);
    }
}

static void on_bytes(void *ctx, const uint8_t *data, size_t len) {
    PsOwn *own = ctx;
    ps_packet_queue_put(&own->in, data, len);
    PsBytes raw;
    PsPacketFault fault;
    PsErr err = PS_OK;
    while ((err = ps_packet_queue_next(&own->in, PACKET_MOST, &raw, &fault)) == PS_OK) {
        PsPacket packet;
        err = ps_packet_parse(raw, own->order.version, &packet, &fault);
        if (err != PS_OK) {
            break;
        }
        if (packet.type == PS_PACKET_CONNACK) {
            on_connack(own, &packet);
        } else if (packet.type == PS_PACKET_PUBLISH) {
            on_publish(own, &packet);
        } // PUBACK and SUBACK: the broker is ours and takes everything
    }
    if (err != PS_ERR_BUSY) {
        ps_stream_close(own->order.stream, false);
    }
}

static void on_close(void *ctx, PsStreamEnd end, const char *why) {
    (void)end;
    (void)why;
    PsOwn *own = ctx;
    if (!own->closed && own->order.on_end != NULL) {
        own->order.on_end(own->order.ctx);
    }
    ps_packet_queue_deinit(&own->in);
    ps_buf_deinit(&own->waiting);
    free(own->client_id);
    free(own);
}

static const PsStreamEvents events = {
    .on_open = on_open, .on_bytes = on_bytes, .on_close = on_close};

PsOwn *ps_own_new(const PsOwnOrder *order) {
    PsOwn *own = ps_alloc(sizeof *own);
    own->order = *order;
    own->client_id = ps_strdup(order->client_id);
    order->stream->events = &events;
    order->stream->ctx = own;
    return own;
}

void ps_own_close(PsOwn *own) {
    if (own == NULL || own->closed) {
        return;
    }
    own->closed = true;
    if (own->up) {
        finish(own);
    } // else as soon as it is
}

static PsErr send(PsOwn *own, const PsBuf *packet) {
    if (own->up) {
        return ps_stream_write(own->order.stream, packet->data, packet->len);
    }
    if (own->waiting.len + packet->len > PS_STREAM_MAX) {
        return PS_ERR_FULL;
    }
    ps_buf_put(&own->waiting, packet->data, packet->len);
    return PS_OK;
}

static uint16_t next_packet_id(PsOwn *own) {
    own->last_packet_id = own->last_packet_id == UINT16_MAX ? 1 : own->last_packet_id + 1;
    return own->last_packet_id;
}

PsErr ps_own_publish(PsOwn *own, const PsPublishOrder *order) {
    PsPublishOrder numbered = *order;
    numbered.version = own->order.version;
    numbered.packet_id = order->qos > 0 ? next_packet_id(own) : 0;
    PS_AUTO_BUF PsBuf out = {0};
    ps_packet_put_publish(&out, &numbered);
    return send(own, &out);
}

void ps_own_subscribe(PsOwn *own, const char *const *filters, size_t count) {
    PS_AUTO_BUF PsBuf out = {0};
    PsFilterOrder order = {0};
    ps_filter_order_begin(&order, PS_PACKET_SUBSCRIBE, own->order.version, next_packet_id(own),
                          ps_bytes(NULL, 0));
    for (size_t i = 0; i < count; i++) {
        ps_filter_order_put(&order, ps_bytes(filters[i], strlen(filters[i])),
                            OPTION_NO_RETAINED | OPTION_QOS_1);
    }
    ps_filter_order_end(&order, &out);
    (void)send(own, &out);
}
