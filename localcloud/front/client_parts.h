//! What the files client*.c share. For nobody else. Every function is told the client whose turn it
//! is; none may be called for one that has ended unless it says so.
#pragma once

#include "localcloud/front/client.h"
#include "localcloud/front/front_parts.h"

#define PS_CLIENT_SUBSCRIBES 16 ///< SUBSCRIBEs the broker has not answered

typedef enum PsClientState {
    PS_CLIENT_NEW,        ///< no CONNECT yet
    PS_CLIENT_WAITING,    ///< CONNECT came too early after another: it waits
    PS_CLIENT_WIPING,     ///< an old session of the id is being ended at the broker
    PS_CLIENT_CONNECTING, ///< the broker has not answered CONNECT
    PS_CLIENT_UP,
    PS_CLIENT_ENDING,
} PsClientState;

/// A SUBSCRIBE that the broker has to answer: some of its filters were refused here.
typedef struct PsPendingSubscribe {
    uint16_t packet_id;
    size_t count;
    uint8_t *codes;   ///< PS_CODE_ASKED where the broker decides
    PsBytes *filters; ///< of those, borrowed from `bytes`
    uint8_t *options;
    uint8_t *bytes;
} PsPendingSubscribe;

#define PS_CODE_ASKED 0xFF

/// An answer, or a message to the client, to which something is to go wrong.
typedef struct PsFaultedAnswer {
    PsPacketType answer;
    uint16_t packet_id; ///< 0: the answer has none
    PsFault fault;
    PsBuf bytes; ///< empty until it is there
    PsMono due;
} PsFaultedAnswer;

/// A QoS 1 message that is with the client.
typedef struct PsUnacked {
    uint16_t packet_id;
    PsMono first;  ///< when it was sent
    PsMono last;   ///< and again
    PsBuf message; ///< the packet; empty: it is not sent again
} PsUnacked;

/// What becomes of a packet after the rules were asked.
typedef enum PsFaultStep {
    PS_FAULT_STEP_GO_ON,
    PS_FAULT_STEP_STOP, ///< it goes no further; the client may have ended
    PS_FAULT_STEP_REFUSE,
} PsFaultStep;

struct PsClient {
    PsFront *front;
    PsClient *next;
    PsClient *previous;
    PsStream *peer;   ///< NULL: has ended
    PsStream *broker; ///< NULL: not yet opened, or has ended
    PsClientState state;
    bool in_turn; ///< inside a callback of one of its streams
    bool peer_paused;
    bool broker_paused;

    // Who it is.
    char certificate_id[PS_CERTIFICATE_ID_LEN + 1];
    char address[64];
    char *domain_name;
    void *user;
    void *principal;
    PsSession *session; ///< from the moment CONNECT is allowed
    char *client_id;
    PsServiceSession presence;
    bool announced; ///< its `connected` event was sent

    // What CONNECT asked for and what it got.
    PsBuf connect; ///< the packet, as long as it is needed
    uint8_t version;
    bool clean;
    bool assigned_id;
    bool has_will;
    bool will_retained;
    bool no_problem_texts;
    uint16_t keep_alive_s;
    uint32_t expiry_s; ///< UINT32_MAX is not used: AWS lowers everything
    uint16_t receive_max;

    PsMono opened;
    PsMono heard;         ///< last packet that counts for keep-alive
    PsMono partial_since; ///< 0: no packet is incomplete
    PsMono connect_at;    ///< when a waiting CONNECT may go on

    PsPacketQueue in;
    PsPacketQueue from_broker;
    PsBuf to_peer; ///< of this turn
    PsBuf to_broker;

    // From the client to the broker.
    PsBucket publishes;
    PsBucket bytes_in;
    PsMono in_at; ///< input is not read before
    size_t unacked_in;
    PsBuf *aliases; ///< topic of each alias; made when the first is used
    uint32_t alias_count;
    PsPendingSubscribe pending[PS_CLIENT_SUBSCRIBES];
    size_t pending_count;

    // From the broker to the client.
    PsBucket deliveries;
    PsBucket bytes_out;
    PsMono out_at;
    PsMono replay_at;       ///< next stored message
    PsPacketQueue stored;   ///< of the time it was away, paced
    PsPacketQueue held;     ///< beyond the unacknowledged ones
    PsUnacked *unacked_out; ///< in the order they were sent
    size_t unacked_out_count;
    size_t unacked_out_capacity;
    PsFaultCounts fault_counts;
    PsFaultedAnswer *faulted;
    size_t faulted_count;
    size_t late_bytes; ///< of delayed messages to the client
    bool cut_due;      ///< after this turn
    bool lose_session;
    bool gated;          ///< the CONNACK is held back, and all that follows it
    uint32_t stopped_by; ///< nothing is read while this rule is there; 0: none

    bool replaying; ///< the broker's PINGRESP will end the stored ones
};

// client.c
extern const PsStreamEvents ps_client_broker_events;
bool ps_client_has_ended(const PsClient *client);
/// Reads on where that is possible now, and sends what the turn has made.
void ps_client_work(PsClient *client);
/// Gives the streams what has been put together for them.
void ps_client_flush(PsClient *client);
static inline const PsLimits *ps_client_limits(const PsClient *client) {
    return &client->front->limits;
}
static inline PsReact ps_client_react(const PsClient *client, PsReaction reaction) {
    return client->front->reactions.of[reaction];
}
bool ps_client_allows(const PsClient *client, PsPolicyAction action, PsBytes name);
/// One line for the log, at the level of a client's mistake.
void ps_client_note(const PsClient *client, const char *what, PsBytes name);

// client_connect.c
void ps_client_on_connect(PsClient *client, PsBytes raw);
/// A waiting CONNECT may go on.
void ps_client_connect_again(PsClient *client);
void ps_client_on_broker_open(PsClient *client);
void ps_client_on_connack(PsClient *client, const PsPacket *packet);
/// A CONNECT that is refused before or at the broker; ends the client.
void ps_client_refuse(PsClient *client, PsReason code, const char *why);

// client_publish.c
void ps_client_on_publish(PsClient *client, const PsPacket *packet);
void ps_client_on_puback_from_broker(PsClient *client, const PsPacket *packet);
/// The topic of a will or PUBLISH against AWS's limits; NULL, or what is wrong.
const char *ps_client_judge_topic(const PsClient *client, PsBytes topic);
/// Encoded properties of a message as it may go to the broker.
void ps_client_put_message_props(PsBuf *out, const PsClient *client, const PsProps *props);
void ps_client_keep_retained(const PsClient *client, PsBytes topic, PsBytes payload, uint8_t qos,
                             const PsProps *props);

// client_subscribe.c
void ps_client_on_subscribe(PsClient *client, const PsPacket *packet);
void ps_client_on_unsubscribe(PsClient *client, const PsPacket *packet);
void ps_client_on_suback(PsClient *client, const PsPacket *packet);
void ps_client_on_unsuback(PsClient *client, const PsPacket *packet);
void ps_client_free_pending(PsClient *client);

// client_fault.c
/// Asks for an event, once. `answer` 0: this packet gets none. `*ret_code` for
/// PS_FAULT_STEP_REFUSE.
PsFaultStep ps_client_fault(PsClient *client, PsFaultEvent event, PsBytes topic,
                            PsPacketType answer, uint16_t packet_id, uint8_t *ret_code);
/// The answer, or with PS_PACKET_PUBLISH the message, stands in `to_peer` from `start` on; false
/// when it was taken out again.
bool ps_client_answered(PsClient *client, PsPacketType answer, uint16_t packet_id, size_t start);
/// Puts answers into `to_peer` whose time has come; returns when the next one has.
PsMono ps_client_release_faulted(PsClient *client, PsMono now);
/// A rule still holds this message back.
bool ps_client_is_late(const PsClient *client, uint16_t packet_id);
bool ps_client_is_stopped(const PsClient *client);
/// True when the client has ended.
bool ps_client_cut_if_due(PsClient *client);
void ps_client_free_faulted(PsClient *client);

// client_deliver.c
void ps_client_on_delivery(PsClient *client, const PsPacket *packet);
void ps_client_on_puback(PsClient *client, const PsPacket *packet);
void ps_client_on_pingresp(PsClient *client);
void ps_client_free_unacked(PsClient *client);
/// Sends of stored, held and unacknowledged messages what may go now; returns when more may, by the
/// clock.
PsMono ps_client_release(PsClient *client, PsMono now);
