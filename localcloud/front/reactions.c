// The table of reactions. Pure; any thread.
#include "localcloud/front/reactions.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define NAME_SIZE 64

static const PsReactionOption options[PS_REACTION_COUNT] = {
    [PS_REACTION_CONNECT_DENIED_3] = {"connect_denied_3",
                                      "3.1.1: CONNECT refused; ack is CONNACK 5",
                                      2,
                                      {PS_REACT_CLOSE, PS_REACT_ACK}},
    [PS_REACTION_PUBLISH_DENIED_3] = {"publish_denied_3",
                                      "3.1.1: PUBLISH refused by policy; ack acknowledges and "
                                      "drops it",
                                      3,
                                      {PS_REACT_CLOSE, PS_REACT_ACK, PS_REACT_SILENCE}},
    [PS_REACTION_PUBLISH_DENIED_5] = {"publish_denied_5",
                                      "MQTT 5: QoS 1 PUBLISH refused by policy; ack is PUBACK "
                                      "0x87, close is DISCONNECT 0x87",
                                      2,
                                      {PS_REACT_ACK, PS_REACT_CLOSE}},
    [PS_REACTION_PUBLISH_DENIED_QOS0_5] = {"publish_denied_qos0_5",
                                           "MQTT 5: QoS 0 PUBLISH refused by policy",
                                           2,
                                           {PS_REACT_CLOSE, PS_REACT_SILENCE}},
    [PS_REACTION_SUBSCRIBE_DENIED] = {"subscribe_denied",
                                      "filter refused by policy; ack is SUBACK 0x80 (3.1.1) or "
                                      "0x87",
                                      2,
                                      {PS_REACT_ACK, PS_REACT_CLOSE}},
    [PS_REACTION_RECEIVE_DENIED] = {"receive_denied",
                                    "delivery refused by iot:Receive",
                                    2,
                                    {PS_REACT_SILENCE, PS_REACT_CLOSE}},
    [PS_REACTION_QOS2] = {"qos2",
                          "PUBLISH or SUBSCRIBE with QoS 2; close is DISCONNECT 0x9B",
                          2,
                          {PS_REACT_SILENCE, PS_REACT_CLOSE}},
    [PS_REACTION_EARLY_PACKET] = {"early_packet",
                                  "a packet before the CONNACK; wait reads it afterwards",
                                  2,
                                  {PS_REACT_CLOSE, PS_REACT_WAIT}},
    [PS_REACTION_TOPIC_LIMIT_5] = {"topic_limit_5",
                                   "MQTT 5: topic too long or with too many slashes; close is "
                                   "DISCONNECT 0x90, ack PUBACK 0x90",
                                   2,
                                   {PS_REACT_CLOSE, PS_REACT_ACK}},
    [PS_REACTION_FILTER_LIMIT] = {"filter_limit",
                                  "filter too long, with too many slashes or not well-formed; ack "
                                  "is SUBACK 0x80 (3.1.1) or 0x8F",
                                  2,
                                  {PS_REACT_CLOSE, PS_REACT_ACK}},
    [PS_REACTION_RESERVED_TOPIC] = {"reserved_topic",
                                    "unsupported topic or filter that begins with $; ack is PUBACK "
                                    "or SUBACK with 0x90, 0x8F or 0x80",
                                    3,
                                    {PS_REACT_CLOSE, PS_REACT_ACK, PS_REACT_SILENCE}},
    [PS_REACTION_TOO_MANY_FILTERS] = {"too_many_filters",
                                      "more filters in a SUBSCRIBE than allowed",
                                      2,
                                      {PS_REACT_CLOSE, PS_REACT_ACK}},
    [PS_REACTION_TOO_MANY_SUBSCRIPTIONS] = {"too_many_subscriptions",
                                            "more subscriptions of a connection than allowed; ack "
                                            "is SUBACK 0x80 (3.1.1) or 0x97",
                                            2,
                                            {PS_REACT_ACK, PS_REACT_CLOSE}},
    [PS_REACTION_UNACKED_5] = {"unacked_5",
                               "MQTT 5: more QoS 1 without PUBACK than Receive Maximum; close is "
                               "DISCONNECT 0x93",
                               2,
                               {PS_REACT_CLOSE, PS_REACT_WAIT}},
    [PS_REACTION_CONNECT_TOO_FAST] = {"connect_too_fast",
                                      "CONNECT sooner than allowed; close is CONNACK 0x97 for MQTT "
                                      "5, wait answers when it is time",
                                      3,
                                      {PS_REACT_CLOSE, PS_REACT_WAIT, PS_REACT_ACCEPT}},
    [PS_REACTION_UNKNOWN_RULE] = {"unknown_rule",
                                  "Basic Ingest to a rule that does not exist; ack acknowledges, "
                                  "logs and drops it, accept makes the rule",
                                  2,
                                  {PS_REACT_ACK, PS_REACT_ACCEPT}},
};

static const char *const names[] = {
    [PS_REACT_CLOSE] = "close",   [PS_REACT_ACK] = "ack",   [PS_REACT_SILENCE] = "silence",
    [PS_REACT_ACCEPT] = "accept", [PS_REACT_WAIT] = "wait",
};

const PsReactionOption *ps_reaction_options(void) {
    return options;
}

const char *ps_react_name(PsReact react) {
    return names[react];
}

void ps_reactions_init(PsReactions *reactions) {
    for (size_t i = 0; i < PS_REACTION_COUNT; i++) {
        reactions->of[i] = options[i].values[0];
    }
}

static PsErr set_one(PsReactions *reactions, size_t row, const char *value, PsDiag *diag) {
    char allowed[64] = "";
    size_t at = 0;
    for (size_t i = 0; i < options[row].value_count; i++) {
        PsReact react = options[row].values[i];
        if (strcmp(names[react], value) == 0) {
            reactions->of[row] = react;
            return PS_OK;
        }
        int len =
            snprintf(allowed + at, sizeof allowed - at, "%s%s", i > 0 ? ", " : "", names[react]);
        at += len > 0 ? (size_t)len : 0;
        PS_ASSERT(at < sizeof allowed);
    }
    return ps_fail(PS_ERR_INVALID, diag, "reaction", options[row].name, "'%s' is none of: %s",
                   value, allowed);
}

PsErr ps_reactions_set(PsReactions *reactions, const char *name, const char *value, PsDiag *diag) {
    const char *all[PS_REACTION_COUNT];
    for (size_t i = 0; i < PS_REACTION_COUNT; i++) {
        all[i] = options[i].name;
        if (strcmp(options[i].name, name) == 0) {
            return set_one(reactions, i, value, diag);
        }
    }
    const char *nearest = ps_text_nearest(name, all, PS_REACTION_COUNT);
    return ps_fail(PS_ERR_NOT_FOUND, diag, "reaction", name, "there is no such reaction%s%s%s",
                   nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "'?" : "");
}

PsErr ps_reactions_set_text(PsReactions *reactions, const char *text, PsDiag *diag) {
    const char *equals = strchr(text, '=');
    char name[NAME_SIZE];
    if (equals == NULL || (size_t)(equals - text) >= sizeof name) {
        return ps_fail(PS_ERR_INVALID, diag, "reaction", text,
                       "a reaction is set as NAME=VALUE, for example qos2=close");
    }
    snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
    return ps_reactions_set(reactions, name, equals + 1, diag);
}
