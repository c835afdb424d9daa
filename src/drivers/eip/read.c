// One cycle of a poll set: the packets of its plan, and within the same cycle what their answers
// make necessary. Runs on the channel's thread and blocks in each request.
#include "drivers/eip/session.h"

#include "drivers/learned.h"
#include "drivers/tcp_connect.h"

#include <stdio.h>

// Rounds one read may take: what does not fit is halved, what is an array's bit is asked for as
// such. The search goes on in the next cycle.
#define ROUNDS_MAX 8
#define ANSWER_MIN 128U
// Structures whose shape is asked about in one round.
#define SHAPES_PER_ROUND 4U

typedef struct Cycle {
    PsEipSession *session;
    PsEipPlan *plan;
    PsSampleBatch *batch;
    PsDiag *diag; // of the first refusal
    PsMono now;
    PsEipLimits limits;
    int64_t timeout_ns;
    bool again;                          // something is to be asked for anew
    bool shrunk;                         // in this round
    uint32_t shape_at[SHAPES_PER_ROUND]; // entries
    uint16_t shape_handle[SHAPES_PER_ROUND];
    uint32_t shape_count;
} Cycle;

PsEipLimits ps_eip_session_limits(const PsEipSession *session) {
    bool connected = session->connection.has_connection;
    uint32_t room = ps_eip_connection_room(&session->connection);
    uint32_t own = session->answer_max[connected];
    uint32_t learned = ps_learned_max(session->endpoint->learned, 0, connected, room);
    uint32_t answer = own > 0 && own < room ? own : room;
    return (PsEipLimits){
        .request = room,
        .answer = learned < answer ? learned : answer,
        .multiple = !session->no_multiple,
    };
}

void ps_eip_session_shrink(PsEipSession *session, uint32_t len) {
    bool connected = session->connection.has_connection;
    uint32_t half = len / 2 > ANSWER_MIN ? len / 2 : ANSWER_MIN;
    session->answer_max[connected] = half;
    ps_learned_set_max(session->endpoint->learned, 0, connected, half, ps_mono_now());
}

// What was learned long ago is put to the test again.
static void retry_limit(PsEipSession *session, PsMono now) {
    bool connected = session->connection.has_connection;
    if (ps_learned_max_is_due(session->endpoint->learned, 0, connected, now)) {
        ps_learned_forget_max(session->endpoint->learned, 0, connected);
        session->answer_max[connected] = 0;
        for (uint32_t i = 0; i < session->endpoint->set_count; i++) {
            session->plans[i].unpacked = true;
        }
    }
}

static const PsVariable *variable_of(const Cycle *cycle, const PsEipItem *item) {
    return &cycle->session->endpoint->config->variables[item->variable];
}

static void add(Cycle *cycle, PsEipItem *item, PsQuality quality, PsValue value) {
    ps_sample_batch_add(cycle->batch, item->variable, quality, value);
    item->cycle = cycle->plan->cycle;
}

static void keep_diag(const Cycle *cycle, const PsEipItem *item, const char *text) {
    if (cycle->diag->text[0] == '\0') {
        ps_diag_set(cycle->diag, NULL, NULL, "tag '%.100s': %s", variable_of(cycle, item)->symbol,
                    text);
    }
}

static void add_refused(Cycle *cycle, PsEipEntry *entry) {
    for (uint32_t i = entry->first_item; i < entry->first_item + entry->item_count; i++) {
        PsEipItem *item = &cycle->plan->items[i];
        if (ps_eip_item_done(cycle->plan, item)) {
            continue;
        }
        if (cycle->diag->text[0] == '\0') {
            char words[256];
            ps_eip_status_format(entry->status, entry->extended, words, sizeof words);
            keep_diag(cycle, item, words);
        }
        add(cycle, item, PS_QUALITY_REFUSED, ps_value_none());
    }
}

static void add_undecodable(Cycle *cycle, PsEipEntry *entry, const char *text) {
    for (uint32_t i = entry->first_item; i < entry->first_item + entry->item_count; i++) {
        PsEipItem *item = &cycle->plan->items[i];
        if (!ps_eip_item_done(cycle->plan, item)) {
            keep_diag(cycle, item, text);
            add(cycle, item, PS_QUALITY_UNDECODABLE, ps_value_none());
        }
    }
}

static void decode(Cycle *cycle, PsEipItem *item, const PsEipData *data, bool text_shape) {
    PsEipField field = ps_eip_item_field(item);
    PsValue value;
    PsDiag words = {0};
    bool wanted = cycle->diag->text[0] == '\0';
    PsQuality quality = ps_eip_decode(&field, data, text_shape, &value, wanted ? &words : NULL);
    if (quality != PS_QUALITY_GOOD) {
        keep_diag(cycle, item, words.text);
    }
    add(cycle, item, quality, value);
}

// What a structure is to us is asked after the round, when the present answer is done with.
static void note_shape(Cycle *cycle, PsEipEntry *entry, uint16_t handle) {
    cycle->again = true;
    for (uint32_t i = 0; i < cycle->shape_count; i++) {
        if (cycle->shape_handle[i] == handle) {
            return;
        }
    }
    if (cycle->shape_count < SHAPES_PER_ROUND) {
        cycle->shape_at[cycle->shape_count] = (uint32_t)(entry - cycle->plan->entries);
        cycle->shape_handle[cycle->shape_count++] = handle;
    }
}

// Gives the items of an entry the value in `data`.
static void give(Cycle *cycle, PsEipEntry *entry, const PsEipData *data) {
    bool text = false;
    if (data->type == PS_EIP_TYPE_STRUCTURE) {
        const PsEipShape *shape = ps_eip_shape_find(cycle->session, data->handle);
        if (shape == NULL) {
            note_shape(cycle, entry, data->handle);
            return;
        }
        text = shape->text;
        if (!text) {
            ps_eip_entry_no_value(cycle->plan, entry, data->handle, cycle->now);
        }
    }
    uint16_t type = ps_eip_index_type(cycle->session, data->type);
    for (uint32_t i = entry->first_item; i < entry->first_item + entry->item_count; i++) {
        PsEipItem *item = &cycle->plan->items[i];
        if (!ps_eip_item_done(cycle->plan, item) && ps_eip_item_settle(cycle->plan, item, type)) {
            decode(cycle, item, data, text);
        }
    }
}

static void take_value(Cycle *cycle, PsEipEntry *entry, const PsEipReply *reply) {
    PsEipData data;
    ps_eip_entry_answered(cycle->plan, entry, PS_EIP_REPLY_HEAD + reply->len);
    if (!ps_eip_data_get(reply->data, reply->len, &data)) {
        add_undecodable(cycle, entry, "the answer has no value in it");
        return;
    }
    const PsEipType *type = ps_eip_type_find(data.type);
    ps_eip_entry_sized(cycle->plan, entry, type != NULL ? type->size : 0);
    give(cycle, entry, &data);
}

static bool is_too_large(const PsEipReply *reply) {
    return reply->status == PS_EIP_TOO_LARGE || reply->status == PS_EIP_NO_RESOURCE ||
           reply->status == PS_EIP_REQUEST_ROUTE_LARGE ||
           reply->status == PS_EIP_ANSWER_ROUTE_LARGE ||
           (reply->status == PS_EIP_CONNECTION_FAILURE && reply->extended == PS_EIP_ROUTE_LARGE);
}

static void shrink(Cycle *cycle) {
    if (!cycle->shrunk && cycle->limits.answer > ANSWER_MIN) {
        ps_eip_session_shrink(cycle->session, cycle->limits.answer);
        cycle->shrunk = true;
    }
    cycle->again = true;
}

// `together`: how many were asked in the same packet.
static void take_answer(Cycle *cycle, PsEipEntry *entry, const PsEipReply *reply,
                        uint16_t together) {
    bool cut = reply->status == PS_EIP_PARTIAL;
    if (reply->status == PS_EIP_OK || (cut && together == 1)) {
        take_value(cycle, entry, reply);
        return;
    }
    if (together > 1 && (cut || is_too_large(reply))) {
        if (!ps_eip_entry_suppose(cycle->plan, entry, cycle->limits.answer)) {
            shrink(cycle);
        }
        cycle->again = true;
        return;
    }
    if (reply->status == PS_EIP_TOO_LARGE && !entry->fragments) {
        entry->fragments = true;
        cycle->again = true;
        return;
    }
    ps_eip_entry_refused(cycle->plan, entry, reply->status, reply->extended, cycle->now);
    add_refused(cycle, entry);
}

// Several elements of an array at once. When they are not what they were (a shorter array, another
// type), each is asked for by itself.
static void take_elements(Cycle *cycle, const PsEipSpan *span, const PsEipReply *reply) {
    PsEipPlan *plan = cycle->plan;
    PsEipEntry *first = &plan->entries[span->first];
    PsEipData all = {0};
    bool given = reply->status == PS_EIP_OK && ps_eip_data_get(reply->data, reply->len, &all);
    const PsEipType *type = given ? ps_eip_type_find(all.type) : NULL;
    bool same = type != NULL && type->size == first->size &&
                all.len >= (uint32_t)span->elements * type->size;
    uint32_t start = ps_eip_entry_index(plan, first);
    for (uint32_t i = span->first; i < span->first + span->entries; i++) {
        PsEipEntry *entry = &plan->entries[i];
        if (!same) {
            ps_eip_entry_apart(plan, entry);
            continue;
        }
        PsEipData one = all;
        one.len = type->size;
        one.bytes = all.bytes + (size_t)(ps_eip_entry_index(plan, entry) - start) * type->size;
        give(cycle, entry, &one);
    }
    cycle->again = cycle->again || !same;
}

static void take_span(Cycle *cycle, const PsEipSpan *span, const PsEipReply *reply,
                      uint16_t together) {
    if (span->entries == 1) {
        take_answer(cycle, &cycle->plan->entries[span->first], reply, together);
    } else if (together > 1 && (reply->status == PS_EIP_PARTIAL || is_too_large(reply))) {
        shrink(cycle);
    } else {
        take_elements(cycle, span, reply);
    }
}

static PsErr take_packet(Cycle *cycle, const PsEipPacket *packet, const PsEipReply *reply) {
    PsEipPlan *plan = cycle->plan;
    if (packet->count == 1) {
        take_span(cycle, &plan->spans[packet->first], reply, 1);
        return PS_OK;
    }
    if (reply->status != PS_EIP_OK && reply->status != PS_EIP_EMBEDDED) {
        // Nothing of it was done. A device that cannot do packets is asked one by one, others for
        // less at a time.
        cycle->again = true;
        if (reply->status == PS_EIP_NO_SERVICE || cycle->limits.answer <= ANSWER_MIN) {
            cycle->session->no_multiple = true;
        } else {
            shrink(cycle);
        }
        return PS_OK;
    }
    if (ps_eip_multiple_count(reply) != packet->count) {
        return PS_ERR_PROTOCOL;
    }
    for (uint16_t i = 0; i < packet->count; i++) {
        PsEipReply one;
        if (!ps_eip_multiple_get(reply, i, &one)) {
            return PS_ERR_PROTOCOL;
        }
        take_span(cycle, &plan->spans[packet->first + i], &one, packet->count);
    }
    return PS_OK;
}

static PsErr run_packets(Cycle *cycle, PsDiag *diag) {
    PsEipPlan *plan = cycle->plan;
    for (uint32_t i = 0; i < plan->packet_count; i++) {
        const PsEipPacket *packet = &plan->packets[i];
        PsEipReply reply;
        PsErr err = ps_eip_transact(&cycle->session->connection, plan->requests.data + packet->at,
                                    packet->len, cycle->timeout_ns, &reply, diag);
        if (err == PS_ERR_TOO_BIG) {
            cycle->again = true; // the way has changed under it: a smaller connection
            continue;
        }
        if (err == PS_OK && take_packet(cycle, packet, &reply) != PS_OK) {
            ps_eip_connection_close(&cycle->session->connection);
            err = ps_fail(PS_ERR_PROTOCOL, diag, NULL, NULL,
                          "the answer to a Multiple Service Packet does not fit it");
        }
        if (err != PS_OK) {
            return err;
        }
    }
    return PS_OK;
}

static PsErr learn_shapes(Cycle *cycle, PsDiag *diag) {
    PsErr err = PS_OK;
    for (uint32_t i = 0; err == PS_OK && i < cycle->shape_count; i++) {
        uint8_t path[PS_EIP_PLACE_PATH_MAX];
        uint16_t len =
            ps_eip_entry_path(cycle->plan, &cycle->plan->entries[cycle->shape_at[i]], path);
        err = ps_eip_shape_learn(cycle->session, cycle->shape_handle[i], path, len,
                                 cycle->timeout_ns, diag);
    }
    cycle->shape_count = 0;
    return err;
}

// What rests, and what no round has settled.
static void add_rest(Cycle *cycle) {
    PsEipPlan *plan = cycle->plan;
    for (uint32_t i = 0; i < plan->entry_count; i++) {
        PsEipEntry *entry = &plan->entries[i];
        if (entry->status != PS_EIP_OK) {
            add_refused(cycle, entry);
        } else {
            add_undecodable(cycle, entry,
                            entry->resting ? "it is a structure; name one of its members, for "
                                             "example Tag.Member (penstock browse shows them)"
                                           : "the controller has not said yet what it is");
        }
    }
}

static PsErr run_rounds(Cycle *cycle, PsDiag *diag) {
    PsEipPlan *plan = cycle->plan;
    ps_eip_plan_begin(plan, &cycle->limits, cycle->now);
    for (int round = 0; round < ROUNDS_MAX; round++) {
        cycle->again = false;
        cycle->shrunk = false;
        PsErr err = run_packets(cycle, diag);
        err = err != PS_OK ? err : learn_shapes(cycle, diag);
        if (err != PS_OK) {
            return err;
        }
        if (!cycle->again && !plan->unsorted) {
            return PS_OK;
        }
        cycle->limits = ps_eip_session_limits(cycle->session);
        if (!ps_eip_plan_again(plan, &cycle->limits, cycle->now)) {
            return PS_OK;
        }
    }
    return PS_OK;
}

PsErr ps_eip_read(PsEipSession *session, uint32_t set, PsSampleBatch *batch, PsDiag *diag) {
    PsEipPlan *plan = &session->plans[set];
    uint32_t samples_before = batch->sample_count;
    uint32_t text_before = batch->text_used;
    PsDiag failure = {0};
    diag->text[0] = '\0';
    if (atomic_load(&session->connection.interrupted)) {
        return ps_tcp_fail_cancelled(diag);
    }
    if (!ps_eip_connection_is_open(&session->connection)) {
        return ps_fail(PS_ERR_CLOSED, diag, NULL, NULL, "not connected");
    }
    PsMono now = ps_mono_now();
    retry_limit(session, now);
    Cycle cycle = {
        .session = session,
        .plan = plan,
        .batch = batch,
        .diag = diag,
        .now = now,
        .limits = ps_eip_session_limits(session),
        .timeout_ns = ps_eip_timeout(session, session->endpoint->sets[set].device),
    };
    PsErr err = run_rounds(&cycle, &failure);
    if (err != PS_OK) {
        batch->sample_count = samples_before;
        batch->text_used = text_before;
        *diag = failure;
        return err;
    }
    if (batch->sample_count - samples_before < plan->item_count) {
        add_rest(&cycle);
    }
    return PS_OK;
}
