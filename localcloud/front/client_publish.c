// PUBLISH of a client: judged by AWS's limits and by policy, given to the services behind reserved
// topics or to the broker; and the broker's PUBACK back. Main thread; nothing blocks but the
// local database, for retained messages and services.
#include "localcloud/front/client_parts.h"

#include "base/mem.h"
#include "localcloud/front/filter.h"

#include <string.h>

#define ALIAS_BIT (UINT64_C(1) << PS_PROPERTY_TOPIC_ALIAS)
#define EXPIRY_BIT (UINT64_C(1) << PS_PROPERTY_MESSAGE_EXPIRY)
#define MS_PER_S 1000

const char *ps_client_judge_topic(const PsClient *client, PsBytes topic) {
    const PsLimits *limits = ps_client_limits(client);
    if (!ps_topic_is_valid(topic)) {
        return "the topic is empty or has a wildcard";
    }
    PsBytes counted = ps_topic_counted(topic);
    if (counted.len > limits->topic_bytes) {
        return "the topic is too long";
    }
    return ps_topic_slashes(counted) > limits->topic_slashes ? "the topic has too many levels"
                                                             : NULL;
}

// Spec 4.3: 1 to 604,800 s.
static uint32_t clamped_expiry(const PsClient *client, const PsProps *props) {
    uint32_t most = ps_client_limits(client)->message_expiry_s;
    uint32_t asked = ps_props_number(props, PS_PROPERTY_MESSAGE_EXPIRY, 0);
    return asked == 0 ? 1 : (asked > most ? most : asked);
}

static bool has_other_expiry(const PsClient *client, const PsProps *props) {
    return ps_props_have(props, PS_PROPERTY_MESSAGE_EXPIRY) &&
           ps_props_number(props, PS_PROPERTY_MESSAGE_EXPIRY, 0) != clamped_expiry(client, props);
}

void ps_client_put_message_props(PsBuf *out, const PsClient *client, const PsProps *props) {
    ps_props_copy(out, props, ALIAS_BIT | EXPIRY_BIT);
    if (ps_props_have(props, PS_PROPERTY_MESSAGE_EXPIRY)) {
        ps_props_put_number(out, PS_PROPERTY_MESSAGE_EXPIRY, clamped_expiry(client, props));
    }
}

void ps_client_keep_retained(const PsClient *client, PsBytes topic, PsBytes payload, uint8_t qos,
                             const PsProps *props) {
    if (client->front->store == NULL) {
        return;
    }
    PS_AUTO_BUF PsBuf kept = {0};
    ps_props_copy(&kept, props, ALIAS_BIT | EXPIRY_BIT);
    int64_t now_ms = ps_front_wall(client->front).ns / PS_NS_PER_MS;
    int64_t life_s = ps_props_have(props, PS_PROPERTY_MESSAGE_EXPIRY)
                         ? (int64_t)clamped_expiry(client, props)
                         : 0;
    PsRetained retained = {.topic = topic,
                           .payload = payload,
                           .props = ps_bytes(kept.data, kept.len),
                           .qos = qos,
                           .modified_ms = now_ms,
                           .expires_ms = life_s > 0 ? now_ms + life_s * MS_PER_S : 0};
    ps_store_put_retained(client->front->store, &retained);
}

// ---- Answers of the front's own

static void acknowledge(PsClient *client, const PsPacket *packet, PsReason code, const char *text) {
    if (packet->publish.qos == 1) {
        size_t start = client->to_peer.len;
        ps_packet_put_puback(&client->to_peer, client->version, packet->packet_id, (uint8_t)code,
                             client->no_problem_texts ? NULL : text);
        bool sent = ps_client_answered(client, PS_PACKET_PUBACK, packet->packet_id, start);
        client->unacked_in += sent ? 0 : 1;
    }
}

// What `react` says about a PUBLISH that is not passed on.
static void refuse(PsClient *client, const PsPacket *packet, PsReact react,
                   PsDisconnectReason reason, PsReason code, const char *why) {
    ps_client_note(client, why, packet->publish.topic);
    if (react == PS_REACT_CLOSE) {
        ps_client_end(client, reason, code, why);
    } else if (react == PS_REACT_ACK) {
        acknowledge(client, packet, code, why);
    }
}

static void deny(PsClient *client, const PsPacket *packet, const char *why) {
    client->front->numbers.refused++;
    PsReaction row = client->version != PS_MQTT_5 ? PS_REACTION_PUBLISH_DENIED_3
                     : packet->publish.qos == 0   ? PS_REACTION_PUBLISH_DENIED_QOS0_5
                                                  : PS_REACTION_PUBLISH_DENIED_5;
    refuse(client, packet, ps_client_react(client, row), PS_DISCONNECT_FORBIDDEN_ACCESS,
           PS_REASON_NOT_AUTHORIZED, why);
}

// A QoS 0 message has no PUBACK to carry the code.
static void refuse_topic(PsClient *client, const PsPacket *packet, PsReaction row,
                         const char *why) {
    PsReact react = ps_client_react(client, row);
    bool close = react == PS_REACT_ACK && packet->publish.qos == 0;
    refuse(client, packet, close ? PS_REACT_CLOSE : react, PS_DISCONNECT_CLIENT_ERROR,
           PS_REASON_TOPIC, why);
}

// ---- The checks, in their order; false when the PUBLISH goes no further

static bool check_qos(PsClient *client, PsPacket *packet) {
    if (packet->publish.qos < 2) {
        return true;
    }
    refuse(client, packet, ps_client_react(client, PS_REACTION_QOS2), PS_DISCONNECT_CLIENT_ERROR,
           PS_REASON_QOS, "PUBLISH with QoS 2");
    return false;
}

static bool bad_alias(PsClient *client, PsReason code, const char *why) {
    ps_client_end(client, PS_DISCONNECT_CLIENT_ERROR, code, why);
    return false;
}

// Puts the topic in place of its alias, or remembers it under one.
static bool check_alias(PsClient *client, PsPacket *packet) {
    PsPacketPublish *publish = &packet->publish;
    if (!ps_props_have(&packet->props, PS_PROPERTY_TOPIC_ALIAS)) {
        return publish->topic.len > 0 ||
               bad_alias(client, PS_REASON_PROTOCOL, "PUBLISH without a topic");
    }
    if (client->aliases == NULL) {
        client->alias_count = ps_client_limits(client)->topic_aliases;
        client->aliases = ps_alloc_array(client->alias_count + 1, sizeof *client->aliases);
    }
    uint32_t alias = ps_props_number(&packet->props, PS_PROPERTY_TOPIC_ALIAS, 0);
    if (alias == 0 || alias > client->alias_count) {
        return bad_alias(client, PS_REASON_TOPIC_ALIAS, "a topic alias outside 1 to the maximum");
    }
    PsBuf *known = &client->aliases[alias - 1];
    if (publish->topic.len > 0) {
        ps_buf_clear(known);
        ps_buf_put(known, publish->topic.data, publish->topic.len);
    } else if (known->len == 0) {
        return bad_alias(client, PS_REASON_TOPIC_ALIAS, "a topic alias without a topic");
    }
    publish->topic = ps_bytes(known->data, known->len);
    return true;
}

static bool check_topic(PsClient *client, PsPacket *packet) {
    const char *wrong = ps_client_judge_topic(client, packet->publish.topic);
    if (wrong == NULL) {
        return true;
    }
    if (client->version == PS_MQTT_5) {
        refuse_topic(client, packet, PS_REACTION_TOPIC_LIMIT_5, wrong);
    } else {
        ps_client_end(client, PS_DISCONNECT_CLIENT_ERROR, PS_REASON_TOPIC, wrong);
    }
    return false;
}

static bool check_size(PsClient *client, PsPacket *packet) {
    if (packet->publish.payload.len <= ps_client_limits(client)->payload_bytes) {
        return true;
    }
    ps_client_end(client, PS_DISCONNECT_CLIENT_ERROR, PS_REASON_QUOTA, "the payload is too large");
    return false;
}

static bool check_rate(PsClient *client, PsPacket *packet) {
    (void)packet;
    uint32_t rate = ps_client_limits(client)->publishes_per_s;
    if (ps_bucket_take(&client->publishes, rate, 1, ps_front_now(client->front))) {
        return true;
    }
    client->front->numbers.discarded++;
    return false;
}

static bool check_unacked(PsClient *client, PsPacket *packet) {
    if (packet->publish.qos == 0 || client->unacked_in < ps_client_limits(client)->unacked_in) {
        return true;
    }
    ps_client_end(client, PS_DISCONNECT_CLIENT_ERROR, PS_REASON_RECEIVE_MAX,
                  "more QoS 1 messages without PUBACK than Receive Maximum");
    return false;
}

static bool check_policy(PsClient *client, PsPacket *packet) {
    const PsPacketPublish *publish = &packet->publish;
    if (!ps_client_allows(client, PS_POLICY_PUBLISH, publish->topic)) {
        deny(client, packet, "iot:Publish is not allowed");
        return false;
    }
    if (publish->retain && !ps_client_allows(client, PS_POLICY_RETAIN_PUBLISH, publish->topic)) {
        deny(client, packet, "iot:RetainPublish is not allowed");
        return false;
    }
    return true;
}

// A rule may refuse what AWS would take.
static bool check_fault(PsClient *client, PsPacket *packet) {
    const PsPacketPublish *publish = &packet->publish;
    uint8_t code = 0;
    PsFaultStep step =
        ps_client_fault(client, PS_FAULT_ON_PUBLISH, publish->topic,
                        publish->qos > 0 ? PS_PACKET_PUBACK : 0, packet->packet_id, &code);
    if (step == PS_FAULT_STEP_REFUSE) {
        bool has_code = client->version == PS_MQTT_5 && publish->qos > 0;
        refuse(client, packet, has_code ? PS_REACT_ACK : PS_REACT_CLOSE, PS_DISCONNECT_SERVER_ERROR,
               (PsReason)code, "a fault on command");
    }
    return step == PS_FAULT_STEP_GO_ON;
}

// Topics that begin with `$` are for the services, which may let subscribers have them too.
static bool check_reserved(PsClient *client, PsPacket *packet) {
    const PsPacketPublish *publish = &packet->publish;
    if (publish->topic.data[0] != '$') {
        return true;
    }
    if (publish->retain) {
        refuse_topic(client, packet, PS_REACTION_RESERVED_TOPIC,
                     "no retained message is allowed on a reserved topic");
        return false;
    }
    const PsFrontWorld *world = client->front->world;
    PsServiceCall call = {.client_id = client->client_id,
                          .certificate_id = client->certificate_id,
                          .thing = world->thing(world->ctx, client->principal, false),
                          .topic = ps_front_text(client->front, publish->topic),
                          .payload = publish->payload.data,
                          .len = publish->payload.len,
                          .qos = publish->qos,
                          .now = ps_front_wall(client->front)};
    const char *why = "not a topic to publish to";
    PsServiceTaken taken = world->take(world->ctx, &call, &why);
    if (taken == PS_SERVICE_CONSUMED) {
        client->front->numbers.publishes++;
        acknowledge(client, packet, PS_REASON_SUCCESS, NULL);
    } else if (taken == PS_SERVICE_REFUSED) {
        refuse_topic(client, packet, PS_REACTION_RESERVED_TOPIC, why);
    }
    return taken == PS_SERVICE_ROUTE && !ps_client_has_ended(client);
}

typedef bool Check(PsClient *client, PsPacket *packet);

static Check *const checks[] = {check_qos,  check_alias,  check_topic, check_size,    check_unacked,
                                check_rate, check_policy, check_fault, check_reserved};

// ---- On to the broker

static void forward(PsClient *client, const PsPacket *packet) {
    const PsPacketPublish *publish = &packet->publish;
    bool as_it_is = !ps_props_have(&packet->props, PS_PROPERTY_TOPIC_ALIAS) &&
                    !has_other_expiry(client, &packet->props);
    if (as_it_is) {
        ps_buf_put(&client->to_broker, packet->raw.data, packet->raw.len);
        return;
    }
    PS_AUTO_BUF PsBuf props = {0};
    ps_client_put_message_props(&props, client, &packet->props);
    PsPublishOrder order = {.version = client->version,
                            .qos = publish->qos,
                            .retain = publish->retain,
                            .packet_id = packet->packet_id,
                            .topic = publish->topic,
                            .props = ps_bytes(props.data, props.len),
                            .payload = publish->payload};
    ps_packet_put_publish(&client->to_broker, &order);
}

void ps_client_on_publish(PsClient *client, const PsPacket *packet) {
    PsPacket resolved = *packet; // with the topic of its alias
    for (size_t i = 0; i < PS_COUNT(checks); i++) {
        if (!checks[i](client, &resolved)) {
            return;
        }
    }
    client->front->numbers.publishes++;
    if (resolved.publish.retain) {
        ps_client_keep_retained(client, resolved.publish.topic, resolved.publish.payload,
                                resolved.publish.qos, &resolved.props);
    }
    client->unacked_in += resolved.publish.qos == 1 ? 1 : 0;
    forward(client, &resolved);
}

void ps_client_on_puback_from_broker(PsClient *client, const PsPacket *packet) {
    // AWS does not say that nobody was subscribed.
    uint8_t code = packet->reason == PS_REASON_NO_SUBSCRIBERS ? PS_REASON_SUCCESS : packet->reason;
    size_t start = client->to_peer.len;
    ps_packet_put_puback(&client->to_peer, client->version, packet->packet_id, code, NULL);
    // What is withheld is not acknowledged, and counts on.
    bool sent = ps_client_answered(client, PS_PACKET_PUBACK, packet->packet_id, start);
    client->unacked_in -= sent && client->unacked_in > 0 ? 1 : 0;
}
