//! What the cloud does where sources disagree on AWS IoT Core's reaction, or where the service has
//! two: the one named first is the default, the other a switch, so that a client can be tested
//! against both. `penstock-cloud run --reaction NAME=VALUE`, `PUT /_penstock/limits`.
#pragma once

#include "base/err.h"

#include <stddef.h>

typedef enum PsReaction {
    PS_REACTION_CONNECT_DENIED_3,
    PS_REACTION_PUBLISH_DENIED_3,
    PS_REACTION_PUBLISH_DENIED_5,
    PS_REACTION_PUBLISH_DENIED_QOS0_5,
    PS_REACTION_SUBSCRIBE_DENIED,
    PS_REACTION_RECEIVE_DENIED,
    PS_REACTION_QOS2,
    PS_REACTION_EARLY_PACKET,
    PS_REACTION_TOPIC_LIMIT_5,
    PS_REACTION_FILTER_LIMIT,
    PS_REACTION_RESERVED_TOPIC,
    PS_REACTION_TOO_MANY_FILTERS,
    PS_REACTION_TOO_MANY_SUBSCRIPTIONS,
    PS_REACTION_UNACKED_5,
    PS_REACTION_CONNECT_TOO_FAST,
    PS_REACTION_UNKNOWN_RULE,
    PS_REACTION_COUNT,
} PsReaction;

/// Values, shared by the rows that have them.
typedef enum PsReact {
    PS_REACT_CLOSE,   ///< end the connection (MQTT 5: DISCONNECT with a reason first)
    PS_REACT_ACK,     ///< answer this packet with a failure code
    PS_REACT_SILENCE, ///< neither answer nor pass it on
    PS_REACT_ACCEPT,  ///< take no notice
    PS_REACT_WAIT,    ///< read no further until there is room
} PsReact;

typedef struct PsReactions {
    PsReact of[PS_REACTION_COUNT];
} PsReactions;

#define PS_REACTION_VALUES 3

typedef struct PsReactionOption {
    const char *name;
    const char *help;
    size_t value_count;
    PsReact values[PS_REACTION_VALUES]; ///< the first is the default
} PsReactionOption;

/// One row per PsReaction.
const PsReactionOption *ps_reaction_options(void);
/// "close". Never NULL.
const char *ps_react_name(PsReact react);
void ps_reactions_init(PsReactions *reactions);
/// PS_ERR_NOT_FOUND, PS_ERR_INVALID (not a value of this row).
PsErr ps_reactions_set(PsReactions *reactions, const char *name, const char *value, PsDiag *diag);
/// "NAME=VALUE".
PsErr ps_reactions_set_text(PsReactions *reactions, const char *text, PsDiag *diag);
