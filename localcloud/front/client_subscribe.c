// SUBSCRIBE and UNSUBSCRIBE: each filter is judged, the broker gets those that are left, and the
// SUBACK is put together from its answers and ours. Main thread; a kept session's filters go into
// the local database.
#include "localcloud/front/client_parts.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "localcloud/front/filter.h"

#include <stdlib.h>
#include <string.h>

#define CODE_3_FAILURE 0x80
#define OPTIONS_QOS1_MOST 0x02 // bit of QoS 2

static void end(PsClient *client, PsReason code, const char *why) {
    ps_client_end(client, PS_DISCONNECT_CLIENT_ERROR, code, why);
}

static uint8_t failure(const PsClient *client, PsReason code) {
    return client->version == PS_MQTT_5 ? (uint8_t)code : CODE_3_FAILURE;
}

static const char *judge_form(const PsClient *client, PsBytes filter) {
    const PsLimits *limits = ps_client_limits(client);
    if (!ps_filter_is_valid(filter, limits->share_name_bytes)) {
        return "the filter is not well-formed";
    }
    PsBytes counted = ps_topic_counted(ps_filter_without_share(filter));
    if (counted.len > limits->topic_bytes) {
        return "the filter is too long";
    }
    return ps_topic_slashes(counted) > limits->topic_slashes ? "the filter has too many levels"
                                                             : NULL;
}

// PS_CODE_ASKED: the broker decides; else the code, possibly after ending the client.
static uint8_t react(PsClient *client, PsReaction row, PsReason code, PsDisconnectReason reason,
                     const char *why, PsBytes filter) {
    ps_client_note(client, why, filter);
    if (ps_client_react(client, row) == PS_REACT_CLOSE) {
        ps_client_end(client, reason, code, why);
    }
    return failure(client, code);
}

static uint8_t judge(PsClient *client, PsBytes filter) {
    const char *wrong = judge_form(client, filter);
    if (wrong != NULL) {
        return react(client, PS_REACTION_FILTER_LIMIT, PS_REASON_FILTER, PS_DISCONNECT_CLIENT_ERROR,
                     wrong, filter);
    }
    const PsFrontWorld *world = client->front->world;
    if (world->reserved_subscribe(world->ctx, ps_front_text(client->front, filter)) ==
        PS_RESERVED_UNSUPPORTED) {
        return react(client, PS_REACTION_RESERVED_TOPIC, PS_REASON_FILTER,
                     PS_DISCONNECT_CLIENT_ERROR, "not a filter to subscribe to", filter);
    }
    if (!ps_client_allows(client, PS_POLICY_SUBSCRIBE, filter)) {
        client->front->numbers.refused++;
        return react(client, PS_REACTION_SUBSCRIBE_DENIED, PS_REASON_NOT_AUTHORIZED,
                     PS_DISCONNECT_FORBIDDEN_ACCESS, "iot:Subscribe is not allowed", filter);
    }
    const PsSubscriptions *known = &client->session->subscriptions;
    if (ps_subscriptions_find(known, filter) == known->count &&
        known->count >= ps_client_limits(client)->subscriptions) {
        return react(client, PS_REACTION_TOO_MANY_SUBSCRIPTIONS, PS_REASON_QUOTA,
                     PS_DISCONNECT_CLIENT_ERROR, "too many subscriptions", filter);
    }
    return PS_CODE_ASKED;
}

// AWS answers no SUBSCRIBE that asks for QoS 2.
static bool asks_for_qos2(const PsPacket *packet) {
    PsFilterCursor cursor = ps_filter_cursor(packet);
    PsBytes filter;
    uint8_t options = 0;
    while (ps_filter_cursor_next(&cursor, &filter, &options)) {
        if ((options & OPTIONS_QOS1_MOST) != 0) {
            return true;
        }
    }
    return false;
}

static void answer_all(PsClient *client, const PsPacket *packet, uint8_t code) {
    PS_AUTO_FREE uint8_t *codes = ps_alloc(packet->count);
    memset(codes, code, packet->count);
    ps_packet_put_codes(&client->to_peer, PS_PACKET_SUBACK, client->version, packet->packet_id,
                        codes, packet->count);
}

// What is wrong with the packet as a whole; true when it goes no further.
static bool is_refused_whole(PsClient *client, const PsPacket *packet) {
    if (ps_props_have(&packet->props, PS_PROPERTY_SUBSCRIPTION_ID)) {
        end(client, PS_REASON_SUBSCRIPTION_IDS, "subscription identifiers are not supported");
        return true;
    }
    if (asks_for_qos2(packet)) {
        if (ps_client_react(client, PS_REACTION_QOS2) == PS_REACT_CLOSE) {
            end(client, PS_REASON_QOS, "SUBSCRIBE with QoS 2");
        }
        return true;
    }
    if (packet->count <= ps_client_limits(client)->filters_per_subscribe) {
        return false;
    }
    if (ps_client_react(client, PS_REACTION_TOO_MANY_FILTERS) == PS_REACT_CLOSE) {
        end(client, PS_REASON_QUOTA, "too many filters in one SUBSCRIBE");
        return true;
    }
    answer_all(client, packet, failure(client, PS_REASON_QUOTA));
    return true;
}

static void free_one(PsPendingSubscribe *pending) {
    free(pending->codes);
    free(pending->filters);
    free(pending->options);
    free(pending->bytes);
    *pending = (PsPendingSubscribe){0};
}

void ps_client_free_pending(PsClient *client) {
    while (client->pending_count > 0) {
        free_one(&client->pending[--client->pending_count]);
    }
}

// A copy of the filters that outlives the packet.
static PsPendingSubscribe *remember(PsClient *client, const PsPacket *packet) {
    PsPendingSubscribe *pending = &client->pending[client->pending_count++];
    *pending = (PsPendingSubscribe){.packet_id = packet->packet_id,
                                    .codes = ps_alloc(packet->count),
                                    .filters = ps_alloc_array(packet->count, sizeof(PsBytes)),
                                    .options = ps_alloc(packet->count),
                                    .bytes = ps_alloc(packet->list.len)};
    memcpy(pending->bytes, packet->list.data, packet->list.len);
    PsPacket copy = *packet;
    copy.list.data = pending->bytes;
    PsFilterCursor cursor = ps_filter_cursor(&copy);
    PsBytes filter;
    uint8_t options = 0;
    for (; ps_filter_cursor_next(&cursor, &filter, &options); pending->count++) {
        pending->filters[pending->count] = filter;
        pending->options[pending->count] = options;
    }
    return pending;
}

static PsPendingSubscribe *find_pending(PsClient *client, uint16_t packet_id) {
    for (size_t i = 0; i < client->pending_count; i++) {
        if (client->pending[i].packet_id == packet_id) {
            return &client->pending[i];
        }
    }
    return NULL;
}

static void drop_filter(PsClient *client, PsBytes filter) {
    PsSession *session = client->session;
    if (ps_subscriptions_drop(&session->subscriptions, filter) && session->kept &&
        client->front->store != NULL) {
        ps_store_drop_filter(client->front->store, client->client_id, filter);
    }
}

// SUBSCRIBED and UNSUBSCRIBED.
static void announce(PsClient *client, PsPresenceKind kind, const PsBytes *filters, size_t count) {
    if (count == 0) {
        return;
    }
    PS_AUTO_FREE const char **topics = ps_alloc_array(count, sizeof(char *));
    PS_AUTO_BUF PsBuf texts = {0};
    for (size_t i = 0; i < count; i++) {
        ps_buf_put(&texts, filters[i].data, filters[i].len);
        ps_buf_put_u8(&texts, '\0');
    }
    const char *at = (const char *)texts.data;
    for (size_t i = 0; i < count; i++) {
        topics[i] = at;
        at += filters[i].len + 1;
    }
    const PsFrontWorld *world = client->front->world;
    PsPresence event = {.kind = kind,
                        .client_id = client->client_id,
                        .certificate_id = client->certificate_id,
                        .thing = world->thing(world->ctx, client->principal, true),
                        .ip_address = client->address,
                        .topics = topics,
                        .topic_count = count,
                        .now = ps_front_wall(client->front)};
    world->presence(world->ctx, &event, &client->presence);
}

// What the broker has to say is there; the rest was said here.
static void answer(PsClient *client, PsPendingSubscribe *pending) {
    PS_AUTO_FREE PsBytes *granted = ps_alloc_array(pending->count, sizeof(PsBytes));
    size_t granted_count = 0;
    for (size_t i = 0; i < pending->count; i++) {
        if (pending->codes[i] < CODE_3_FAILURE) {
            granted[granted_count++] = pending->filters[i];
        }
    }
    size_t start = client->to_peer.len;
    ps_packet_put_codes(&client->to_peer, PS_PACKET_SUBACK, client->version, pending->packet_id,
                        pending->codes, pending->count);
    (void)ps_client_answered(client, PS_PACKET_SUBACK, pending->packet_id, start);
    announce(client, PS_PRESENCE_SUBSCRIBED, granted, granted_count);
    free_one(pending);
    *pending = client->pending[--client->pending_count];
    client->pending[client->pending_count] = (PsPendingSubscribe){0};
}

// The filters that are left, to the broker. Retained messages keep their flag only when they come
// at subscribe time, so no subscription may have Retain As Published.
static void ask_broker(PsClient *client, const PsPendingSubscribe *pending, const PsProps *props) {
    PsFilterOrder order = {0};
    ps_filter_order_begin(&order, PS_PACKET_SUBSCRIBE, client->version, pending->packet_id,
                          props->raw);
    for (size_t i = 0; i < pending->count; i++) {
        if (pending->codes[i] == PS_CODE_ASKED) {
            ps_filter_order_put(&order, pending->filters[i],
                                pending->options[i] & (uint8_t)~PS_SUBSCRIBE_RETAIN_AS_PUBLISHED);
        }
    }
    ps_filter_order_end(&order, &client->to_broker);
}

static bool check_fault(PsClient *client, const PsPacket *packet) {
    PsFilterCursor cursor = ps_filter_cursor(packet);
    PsBytes first = {0};
    uint8_t options = 0;
    uint8_t code = 0;
    (void)ps_filter_cursor_next(&cursor, &first, &options);
    PsFaultStep step = ps_client_fault(client, PS_FAULT_ON_SUBSCRIBE, first, PS_PACKET_SUBACK,
                                       packet->packet_id, &code);
    if (step == PS_FAULT_STEP_REFUSE) {
        answer_all(client, packet, failure(client, (PsReason)code));
    }
    return step == PS_FAULT_STEP_GO_ON;
}

void ps_client_on_subscribe(PsClient *client, const PsPacket *packet) {
    if (is_refused_whole(client, packet)) {
        return;
    }
    if (find_pending(client, packet->packet_id) != NULL) {
        end(client, PS_REASON_PROTOCOL, "a packet identifier that is in use");
        return;
    }
    if (!check_fault(client, packet)) {
        return;
    }
    PsPendingSubscribe *pending = remember(client, packet);
    bool ask = false;
    for (size_t i = 0; i < pending->count; i++) {
        pending->codes[i] = judge(client, pending->filters[i]);
        if (ps_client_has_ended(client)) {
            return;
        }
        if (pending->codes[i] == PS_CODE_ASKED) {
            ps_subscriptions_put(&client->session->subscriptions, pending->filters[i],
                                 pending->options[i]);
            ask = true;
        }
    }
    if (ask) {
        ask_broker(client, pending, &packet->props);
    } else {
        answer(client, pending);
    }
}

static void take_grant(PsClient *client, PsBytes filter, uint8_t options) {
    PsSession *session = client->session;
    if (!ps_filter_has_wildcard(filter) && !ps_filter_is_shared(filter)) {
        ps_subscriptions_retained_due(&session->subscriptions, filter);
    }
    if (session->kept && client->front->store != NULL) {
        ps_store_put_filter(client->front->store, client->client_id, filter, options);
    }
}

void ps_client_on_suback(PsClient *client, const PsPacket *packet) {
    PsPendingSubscribe *pending = find_pending(client, packet->packet_id);
    if (pending == NULL) {
        return;
    }
    ps_subscriptions_retained_none(&client->session->subscriptions);
    size_t at = 0;
    for (size_t i = 0; i < pending->count; i++) {
        if (pending->codes[i] != PS_CODE_ASKED) {
            continue;
        }
        uint8_t code = at < packet->list.len ? packet->list.data[at] : CODE_3_FAILURE;
        at++;
        pending->codes[i] = code;
        if (code < CODE_3_FAILURE) {
            take_grant(client, pending->filters[i], pending->options[i]);
        } else {
            drop_filter(client, pending->filters[i]);
        }
    }
    answer(client, pending);
}

void ps_client_on_unsubscribe(PsClient *client, const PsPacket *packet) {
    uint8_t refused = 0;
    PsFaultStep step = ps_client_fault(client, PS_FAULT_ON_UNSUBSCRIBE, ps_bytes(NULL, 0),
                                       PS_PACKET_UNSUBACK, packet->packet_id, &refused);
    if (step != PS_FAULT_STEP_GO_ON) {
        return;
    }
    PS_AUTO_FREE PsBytes *gone = ps_alloc_array(packet->count, sizeof(PsBytes));
    size_t count = 0;
    PsFilterCursor cursor = ps_filter_cursor(packet);
    PsBytes filter;
    uint8_t options = 0;
    while (ps_filter_cursor_next(&cursor, &filter, &options)) {
        const PsSubscriptions *known = &client->session->subscriptions;
        if (ps_subscriptions_find(known, filter) < known->count) {
            gone[count++] = filter;
            drop_filter(client, filter);
        }
    }
    ps_buf_put(&client->to_broker, packet->raw.data, packet->raw.len);
    announce(client, PS_PRESENCE_UNSUBSCRIBED, gone, count);
}

void ps_client_on_unsuback(PsClient *client, const PsPacket *packet) {
    PS_AUTO_FREE uint8_t *codes = ps_alloc(packet->count + 1);
    for (size_t i = 0; i < packet->count; i++) {
        uint8_t code = packet->list.data[i];
        codes[i] = code == PS_REASON_NO_SUBSCRIPTION ? PS_REASON_SUCCESS : code;
    }
    size_t start = client->to_peer.len;
    ps_packet_put_codes(&client->to_peer, PS_PACKET_UNSUBACK, client->version, packet->packet_id,
                        codes, client->version == PS_MQTT_5 ? packet->count : 0);
    (void)ps_client_answered(client, PS_PACKET_UNSUBACK, packet->packet_id, start);
}
