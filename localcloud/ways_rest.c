// What the HTTP side asks of the front: publish, retained messages, DeleteConnection, the console's
// subscriptions, limits. Main thread; blocks for the local database.
#include "localcloud/ways.h"

#include "base/mem.h"
#include "localcloud/front/packet.h"

#include <stdlib.h>
#include <string.h>

typedef struct Subscription {
    PsFrontTap *tap;
    PsRestDeliver deliver;
    void *ctx;
} Subscription;

static PsBytes text_bytes(const char *text) {
    return ps_bytes(text, strlen(text));
}

// ---- Messages

static void put_props(PsBuf *out, const PsRestMessage *message) {
    if (message->utf8) {
        ps_props_put_number(out, PS_PROPERTY_PAYLOAD_FORMAT, 1);
    }
    if (message->expiry_s > 0) {
        ps_props_put_number(out, PS_PROPERTY_MESSAGE_EXPIRY, (uint32_t)message->expiry_s);
    }
    if (message->content_type != NULL) {
        ps_props_put_text(out, PS_PROPERTY_CONTENT_TYPE, text_bytes(message->content_type));
    }
    if (message->response_topic != NULL) {
        ps_props_put_text(out, PS_PROPERTY_RESPONSE_TOPIC, text_bytes(message->response_topic));
    }
    if (message->correlation != NULL) {
        ps_props_put_text(out, PS_PROPERTY_CORRELATION_DATA,
                          ps_bytes(message->correlation, message->correlation_len));
    }
    for (size_t i = 0; i < message->user_property_count; i++) {
        ps_props_put_pair(out, text_bytes(message->user_properties[i].name),
                          text_bytes(message->user_properties[i].value));
    }
}

static PsApiCode code_of(PsErr err, const PsDiag *diag, PsApiFault *fault) {
    switch (err) {
    case PS_OK:
        return PS_API_OK;
    case PS_ERR_TOO_BIG:
        return ps_api_fail(PS_API_TOO_LARGE, fault, "The payload exceeds the maximum size allowed");
    case PS_ERR_INVALID:
        return ps_api_fail(PS_API_INVALID_REQUEST, fault, "%s: %s", diag->field, diag->text);
    default:
        return ps_api_fail(PS_API_UNAVAILABLE, fault, "%s", diag->text);
    }
}

// Reserved topics are for the services first, as with a client's PUBLISH.
static PsApiCode take_reserved(PsWays *ways, const PsRestMessage *message, bool *ret_routed,
                               PsApiFault *fault) {
    const char *why = "";
    PsServiceCall call = {.client_id = "https",
                          .topic = message->topic,
                          .payload = message->payload,
                          .len = message->len,
                          .qos = message->qos,
                          .now = ps_wall_now()};
    PsServiceTaken taken =
        message->topic[0] == '$' ? ps_ways_take(ways, &call, &why) : PS_SERVICE_ROUTE;
    *ret_routed = taken == PS_SERVICE_ROUTE;
    return taken == PS_SERVICE_REFUSED ? ps_api_fail(PS_API_INVALID_REQUEST, fault, "%s", why)
                                       : PS_API_OK;
}

static PsApiCode publish(void *ctx, const PsRestMessage *message, PsApiFault *fault) {
    PsWays *ways = ctx;
    bool routed = false;
    PsApiCode code = take_reserved(ways, message, &routed, fault);
    if (code != PS_API_OK || !routed) {
        return code;
    }
    PS_AUTO_BUF PsBuf props = {0};
    put_props(&props, message);
    PsDiag diag = {0};
    PsFrontMessage given = {.topic = text_bytes(message->topic),
                            .payload = ps_bytes(message->payload, message->len),
                            .props = ps_bytes(props.data, props.len),
                            .qos = (uint8_t)message->qos,
                            .retain = message->retain};
    PsErr err = ps_front_publish(ways->front, &given, &diag);
    return code_of(err, &diag, fault);
}

// The topic is terminated in `ways->topic`; properties of MQTT 5 are not shown.
static void show(PsWays *ways, const PsFrontMessage *message, PsRestMessage *ret_message) {
    ps_buf_clear(&ways->topic);
    ps_buf_put(&ways->topic, message->topic.data, message->topic.len);
    *ret_message = (PsRestMessage){.topic = (const char *)ways->topic.data,
                                   .payload = message->payload.data,
                                   .len = message->payload.len,
                                   .qos = message->qos,
                                   .retain = message->retain,
                                   .modified_ms = message->modified_ms};
}

static bool retained_next(void *ctx, const char *after, PsRestMessage *ret_message) {
    PsWays *ways = ctx;
    PsFrontMessage message;
    PsBytes topic = text_bytes(after != NULL ? after : "");
    bool found = ps_front_find_retained(ways->front, topic, true, &message);
    if (found) {
        show(ways, &message, ret_message);
    }
    return found;
}

static bool retained_find(void *ctx, const char *topic, PsRestMessage *ret_message) {
    PsWays *ways = ctx;
    PsFrontMessage message;
    bool found = ps_front_find_retained(ways->front, text_bytes(topic), false, &message);
    if (found) {
        show(ways, &message, ret_message);
    }
    return found;
}

static PsApiCode disconnect_client(void *ctx, const char *client_id, bool clean_session,
                                   bool prevent_will, PsApiFault *fault) {
    PsWays *ways = ctx;
    return ps_front_disconnect(ways->front, client_id, clean_session, prevent_will) == PS_OK
               ? PS_API_OK
               : ps_api_fail(PS_API_NOT_FOUND, fault, "No client '%s' is connected", client_id);
}

// ---- The console

static void on_tapped(void *ctx, const PsFrontMessage *message) {
    const Subscription *subscription = ctx;
    PS_AUTO_BUF PsBuf topic = {0};
    ps_buf_put(&topic, message->topic.data, message->topic.len);
    PsRestMessage shown = {.topic = (const char *)topic.data,
                           .payload = message->payload.data,
                           .len = message->payload.len,
                           .qos = message->qos,
                           .retain = message->retain,
                           .modified_ms = message->modified_ms};
    subscription->deliver(subscription->ctx, &shown);
}

static PsApiCode subscribe(void *ctx, const char *const *filters, size_t count,
                           PsRestDeliver deliver, void *deliver_ctx, void **ret_subscription,
                           PsApiFault *fault) {
    PsWays *ways = ctx;
    PsDiag diag = {0};
    Subscription *subscription = ps_alloc(sizeof *subscription);
    *subscription = (Subscription){.deliver = deliver, .ctx = deliver_ctx};
    PsErr err = ps_front_tap(ways->front, filters, count, on_tapped, subscription,
                             &subscription->tap, &diag);
    if (err != PS_OK) {
        free(subscription);
        return code_of(err, &diag, fault);
    }
    *ret_subscription = subscription;
    return PS_API_OK;
}

static void unsubscribe(void *ctx, void *subscription) {
    PsWays *ways = ctx;
    Subscription *own = subscription;
    ps_front_untap(ways->front, own->tap);
    free(own);
}

// ---- Status and limits

static void status(void *ctx, json_t *into) {
    PsWays *ways = ctx;
    PsFrontNumbers numbers = ps_front_numbers(ways->front);
    json_object_set_new(into, "connections", json_integer((json_int_t)numbers.connections));
    json_object_set_new(into, "connected", json_integer((json_int_t)numbers.connected));
    json_object_set_new(into, "keptSessions", json_integer((json_int_t)numbers.kept_sessions));
    json_object_set_new(into, "publishes", json_integer((json_int_t)numbers.publishes));
    json_object_set_new(into, "deliveries", json_integer((json_int_t)numbers.deliveries));
    json_object_set_new(into, "discarded", json_integer((json_int_t)numbers.discarded));
    json_object_set_new(into, "refused", json_integer((json_int_t)numbers.refused));
}

static json_t *about_limit(const PsLimitOption *option) {
    return json_pack("{s:I, s:s, s:I, s:I, s:s}", "default", (json_int_t)option->initial, "unit",
                     option->unit, "min", (json_int_t)option->min, "max", (json_int_t)option->max,
                     "help", option->help);
}

static json_t *about_reaction(const PsReactionOption *option) {
    json_t *values = json_array();
    for (size_t i = 0; i < option->value_count; i++) {
        json_array_append_new(values, json_string(ps_react_name(option->values[i])));
    }
    return json_pack("{s:s, s:o, s:s}", "default", ps_react_name(option->values[0]), "values",
                     values, "help", option->help);
}

// "limits" and "reactions" can be put again as they are; "about" says what each of them is.
static json_t *limits_take(void *ctx) {
    PsWays *ways = ctx;
    json_t *limits = json_object();
    json_t *about = json_object();
    size_t count = 0;
    const PsLimitOption *options = ps_limit_options(&count);
    for (size_t i = 0; i < count; i++) {
        uint32_t value = ps_limits_value(ps_front_limits(ways->front), &options[i]);
        json_object_set_new(limits, options[i].name, json_integer((json_int_t)value));
        json_object_set_new(about, options[i].name, about_limit(&options[i]));
    }
    json_t *reactions = json_object();
    for (size_t i = 0; i < PS_REACTION_COUNT; i++) {
        PsReact react = ps_front_reactions(ways->front)->of[i];
        const PsReactionOption *option = &ps_reaction_options()[i];
        json_object_set_new(reactions, option->name, json_string(ps_react_name(react)));
        json_object_set_new(about, option->name, about_reaction(option));
    }
    return json_pack("{s:o, s:o, s:o}", "limits", limits, "reactions", reactions, "about", about);
}

static PsErr put_limits(PsLimits *limits, json_t *json, PsDiag *diag) {
    const char *name = NULL;
    json_t *value = NULL;
    PsErr err = PS_OK;
    json_object_foreach(json, name, value) {
        if (!json_is_integer(value)) {
            return ps_fail(PS_ERR_INVALID, diag, "limit", name, "is not a whole number");
        }
        err = err == PS_OK ? ps_limits_set(limits, name, json_integer_value(value), diag) : err;
    }
    return err;
}

static PsErr put_reactions(PsReactions *reactions, json_t *json, PsDiag *diag) {
    const char *name = NULL;
    json_t *value = NULL;
    PsErr err = PS_OK;
    json_object_foreach(json, name, value) {
        if (!json_is_string(value)) {
            return ps_fail(PS_ERR_INVALID, diag, "reaction", name, "is not a text");
        }
        err =
            err == PS_OK ? ps_reactions_set(reactions, name, json_string_value(value), diag) : err;
    }
    return err;
}

// All or nothing: {"limits": {…}, "reactions": {…}}, either of them.
static PsApiCode limits_put(void *ctx, const json_t *json, PsApiFault *fault) {
    PsWays *ways = ctx;
    PsLimits limits = *ps_front_limits(ways->front);
    PsReactions reactions = *ps_front_reactions(ways->front);
    PsDiag diag = {0};
    PsErr err = put_limits(&limits, json_object_get(json, "limits"), &diag);
    err = err == PS_OK ? put_reactions(&reactions, json_object_get(json, "reactions"), &diag) : err;
    if (err != PS_OK) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault, "%s %s: %s", diag.object, diag.field,
                           diag.text);
    }
    *ps_front_limits(ways->front) = limits;
    *ps_front_reactions(ways->front) = reactions;
    ps_ways_tell_services(ways);
    return PS_API_OK;
}

static json_t *faults_take(void *ctx) {
    const PsWays *ways = ctx;
    return ps_faults_take(ways->faults);
}

static PsApiCode faults_put(void *ctx, const json_t *json, PsApiFault *fault) {
    PsWays *ways = ctx;
    PsDiag diag = {0};
    PsErr err = ps_faults_put(ways->faults, json, &diag);
    if (err == PS_OK) {
        return PS_API_OK;
    }
    return ps_api_fail(err == PS_ERR_NOT_FOUND ? PS_API_NOT_FOUND : PS_API_INVALID_REQUEST, fault,
                       "%s %s: %s", diag.object, diag.field, diag.text);
}

PsRestCloud ps_ways_rest(PsWays *ways) {
    return (PsRestCloud){.ctx = ways,
                         .publish = publish,
                         .retained_next = retained_next,
                         .retained_find = retained_find,
                         .disconnect_client = disconnect_client,
                         .subscribe = subscribe,
                         .unsubscribe = unsubscribe,
                         .status = status,
                         .limits_take = limits_take,
                         .limits_put = limits_put,
                         .faults_take = faults_take,
                         .faults_put = faults_put};
}
