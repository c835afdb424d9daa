// A look at one tag: what goes over the wire, what the controller says it is, and what a refusal
// means. Runs on the channel's thread and blocks.
#include "drivers/eip/session.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static void name_type(PsEipSession *session, const PsEipPlace *place, PsPeek *peek) {
    const PsEipData *data = &place->data;
    const PsEipType *type = ps_eip_type_find(data->type);
    if (data->type == PS_EIP_TYPE_STRUCTURE) {
        const PsEipShape *shape = ps_eip_shape_find(session, data->handle);
        bool text = shape != NULL && shape->text;
        snprintf(peek->type, sizeof peek->type, text ? "STRING" : "structure 0x%04X", data->handle);
    } else if (type == NULL) {
        snprintf(peek->type, sizeof peek->type, "0x%04X", data->type);
    } else if (place->bit != PS_EIP_NO_BIT) {
        snprintf(peek->type, sizeof peek->type, "bit %d of a %s", place->bit, type->name);
    } else {
        snprintf(peek->type, sizeof peek->type, "%s", type->name);
    }
}

static void name_request(const PsEipSession *session, const PsVariable *variable, PsPeek *peek) {
    const PsEipConnection *connection = &session->connection;
    ps_text_format(peek->request, sizeof peek->request, "Read Tag '%.80s', %s, route %.40s",
                   variable->symbol,
                   connection->has_connection ? "by a CIP connection" : "unconnected",
                   connection->target.route.text);
}

static void take_frames(const PsEipConnection *connection, PsPeek *peek) {
    size_t sent = connection->sent_len;
    size_t received = connection->wire.frame_len;
    peek->sent_len = (uint32_t)(sent < sizeof peek->sent ? sent : sizeof peek->sent);
    memcpy(peek->sent, connection->out, peek->sent_len);
    peek->received_len =
        (uint32_t)(received < sizeof peek->received ? received : sizeof peek->received);
    memcpy(peek->received, connection->wire.in, peek->received_len);
}

static void take_bytes(const PsEipData *data, PsPeek *peek) {
    peek->len = data->len < sizeof peek->bytes ? data->len : (uint32_t)sizeof peek->bytes;
    memcpy(peek->bytes, data->bytes, peek->len);
}

PsErr ps_eip_peek(PsEipSession *session, uint32_t index, PsPeek *peek, PsDiag *diag) {
    const PsVariable *variable = &session->endpoint->config->variables[index];
    PsEipPlace place;
    PsErr err = ps_eip_place_init(session, index, &place, diag);
    if (err != PS_OK) {
        return err;
    }
    name_request(session, variable, peek);
    peek->ordered = true;
    err = ps_eip_place_read(session, &place, diag);
    if (err != PS_OK) {
        return err;
    }
    take_frames(&session->connection, peek);
    if (place.reply.status != PS_EIP_OK && place.reply.status != PS_EIP_PARTIAL) {
        peek->code = place.reply.status;
        ps_eip_status_format(place.reply.status, place.reply.extended, peek->meaning,
                             sizeof peek->meaning);
        return ps_eip_fail_refused(variable, &place.reply, diag);
    }
    take_bytes(&place.data, peek);
    name_type(session, &place, peek);
    return PS_OK;
}
