// Messages of the cloud's own: from services and HTTPS to the broker, and from it to the console.
// Main thread; nothing blocks but the local database.
#include "localcloud/front/front.h"

#include "base/mem.h"
#include "localcloud/front/filter.h"
#include "localcloud/front/front_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HUB_CLIENT_ID "$penstock/front"
#define TAP_CLIENT_ID "$penstock/console-%p"
#define MS_PER_S 1000

struct PsFrontTap {
    PsFrontTap *next;
    PsOwn *own; // NULL: the broker has ended it
    PsFrontDeliver *deliver;
    void *ctx;
};

static void on_hub_end(void *ctx) {
    PsFront *front = ctx;
    front->hub = NULL; // the next message opens it again
}

static PsOwn *hub_of(PsFront *front) {
    if (front->hub != NULL || front->stopping) {
        return front->hub;
    }
    PsStream *stream = front->world->open_broker(front->world->ctx);
    if (stream != NULL) {
        PsOwnOrder order = {.stream = stream,
                            .client_id = HUB_CLIENT_ID,
                            .version = PS_MQTT_5,
                            .on_end = on_hub_end,
                            .ctx = front};
        front->hub = ps_own_new(&order);
    }
    return front->hub;
}

// The same rules as for a client, but those of rates and policies.
static PsErr judge(const PsFront *front, const PsFrontMessage *message, PsDiag *diag) {
    if (!ps_topic_is_valid(message->topic)) {
        return ps_fail(PS_ERR_INVALID, diag, "message", "topic", "is empty or has a wildcard");
    }
    PsBytes counted = ps_topic_counted(message->topic);
    if (counted.len > front->limits.topic_bytes ||
        ps_topic_slashes(counted) > front->limits.topic_slashes) {
        return ps_fail(PS_ERR_INVALID, diag, "message", "topic",
                       "is longer than %u bytes or has more than %u slashes",
                       front->limits.topic_bytes, front->limits.topic_slashes);
    }
    if (message->retain && message->topic.data[0] == '$') {
        return ps_fail(PS_ERR_INVALID, diag, "message", "topic",
                       "no retained message is allowed on a reserved topic");
    }
    if (message->payload.len > front->limits.payload_bytes) {
        return ps_fail(PS_ERR_TOO_BIG, diag, "message", "payload", "is longer than %u bytes",
                       front->limits.payload_bytes);
    }
    return PS_OK;
}

static int64_t life_ms(PsBytes props) {
    PS_AUTO_BUF PsBuf with_length = {0};
    ps_mqtt_put_varint(&with_length, (uint32_t)props.len);
    ps_buf_put(&with_length, props.data, props.len);
    PsReader reader = ps_reader(with_length.data, with_length.len);
    PsProps read = {0};
    bool malformed = false;
    if (ps_props_read(&reader, PS_PACKET_PUBLISH, &read, &malformed) != NULL) {
        return 0;
    }
    return (int64_t)ps_props_number(&read, PS_PROPERTY_MESSAGE_EXPIRY, 0) * MS_PER_S;
}

PsErr ps_front_publish(PsFront *front, const PsFrontMessage *message, PsDiag *diag) {
    PsErr err = judge(front, message, diag);
    if (err != PS_OK) {
        return err;
    }
    PsOwn *hub = hub_of(front);
    PsPublishOrder order = {.qos = message->qos,
                            .retain = message->retain,
                            .topic = message->topic,
                            .props = message->props,
                            .payload = message->payload};
    err = hub == NULL ? PS_ERR_FULL : ps_own_publish(hub, &order);
    if (err != PS_OK) {
        return ps_fail(PS_ERR_FULL, diag, "message", NULL, "the broker does not take it now");
    }
    if (message->retain && front->store != NULL) {
        int64_t now_ms = ps_front_wall(front).ns / PS_NS_PER_MS;
        int64_t life = life_ms(message->props);
        PsRetained retained = {.topic = message->topic,
                               .payload = message->payload,
                               .props = message->props,
                               .qos = message->qos,
                               .modified_ms = now_ms,
                               .expires_ms = life > 0 ? now_ms + life : 0};
        ps_store_put_retained(front->store, &retained);
    }
    return PS_OK;
}

// ---- The console

static void on_tap_end(void *ctx) {
    PsFrontTap *tap = ctx;
    tap->own = NULL;
}

static void on_tap_message(void *ctx, const PsPacket *packet) {
    PsFrontTap *tap = ctx;
    PsFrontMessage message = {.topic = packet->publish.topic,
                              .payload = packet->publish.payload,
                              .props = packet->props.raw,
                              .qos = packet->publish.qos,
                              .retain = packet->publish.retain};
    tap->deliver(tap->ctx, &message);
}

static void deliver_retained(PsFront *front, PsFrontTap *tap, PsBytes filter) {
    PsFrontMessage message;
    if (!ps_filter_has_wildcard(filter) && ps_front_find_retained(front, filter, false, &message)) {
        tap->deliver(tap->ctx, &message);
    }
}

PsErr ps_front_tap(PsFront *front, const char *const *filters, size_t count,
                   PsFrontDeliver *deliver, void *ctx, PsFrontTap **ret_tap, PsDiag *diag) {
    for (size_t i = 0; i < count; i++) {
        if (!ps_filter_is_valid(ps_bytes(filters[i], strlen(filters[i])),
                                front->limits.share_name_bytes)) {
            return ps_fail(PS_ERR_INVALID, diag, "filter", filters[i], "is not a topic filter");
        }
    }
    PsStream *stream = front->world->open_broker(front->world->ctx);
    if (stream == NULL) {
        return ps_fail(PS_ERR_IO, diag, "broker", NULL, "cannot be reached");
    }
    PsFrontTap *tap = ps_alloc(sizeof *tap);
    char client_id[64];
    snprintf(client_id, sizeof client_id, TAP_CLIENT_ID, (void *)tap);
    *tap = (PsFrontTap){.next = front->taps, .deliver = deliver, .ctx = ctx};
    PsOwnOrder order = {.stream = stream,
                        .client_id = client_id,
                        .version = PS_MQTT_5,
                        .on_message = on_tap_message,
                        .on_end = on_tap_end,
                        .ctx = tap};
    tap->own = ps_own_new(&order);
    front->taps = tap;
    ps_own_subscribe(tap->own, filters, count);
    *ret_tap = tap;
    for (size_t i = 0; i < count; i++) {
        deliver_retained(front, tap, ps_bytes(filters[i], strlen(filters[i])));
    }
    return PS_OK;
}

void ps_front_untap(PsFront *front, PsFrontTap *tap) {
    if (tap == NULL) {
        return;
    }
    PsFrontTap **slot = &front->taps;
    while (*slot != tap) {
        PS_ASSERT(*slot != NULL);
        slot = &(*slot)->next;
    }
    *slot = tap->next;
    ps_own_close(tap->own);
    free(tap);
}
