// One tag asked for by itself: what writes, looks and questions about shapes are made of. Runs on
// the channel's thread and blocks.
#include "drivers/eip/session.h"

#include <string.h>

PsErr ps_eip_fail_refused(const PsVariable *variable, const PsEipReply *reply, PsDiag *diag) {
    char words[256];
    ps_eip_status_format(reply->status, reply->extended, words, sizeof words);
    return ps_fail(PS_ERR_REFUSED, diag, NULL, NULL, "tag '%.100s': %s", variable->symbol, words);
}

PsErr ps_eip_place_init(const PsEipSession *session, uint32_t variable, PsEipPlace *ret_place,
                        PsDiag *diag) {
    const PsVariable *wanted = &session->endpoint->config->variables[variable];
    *ret_place = (PsEipPlace){.timeout_ns = ps_eip_timeout(session, wanted->device)};
    return ps_eip_symbol_parse(wanted->symbol, &ret_place->symbol, diag);
}

static void make_path(PsEipPlace *place, uint32_t index) {
    memcpy(place->path, place->symbol.path, place->symbol.path_len);
    place->path_len = place->symbol.path_len;
    if (place->symbol.indexed) {
        place->path_len =
            (uint16_t)(place->path_len + ps_eip_element_put(place->path + place->path_len, index));
    }
}

static PsErr ask(PsEipSession *session, PsEipPlace *place, PsDiag *diag) {
    PsBuf *message = &session->message;
    ps_buf_clear(message);
    ps_eip_request_put(message, PS_EIP_READ_TAG, place->path, place->path_len);
    ps_buf_put_u16(message, 1);
    PsErr err = ps_eip_transact(&session->connection, message->data, message->len,
                                place->timeout_ns, &place->reply, diag);
    if (err == PS_OK && place->reply.status == PS_EIP_TOO_LARGE) {
        ps_buf_clear(message);
        ps_eip_request_put(message, PS_EIP_READ_FRAGMENT, place->path, place->path_len);
        ps_buf_put_u16(message, 1);
        ps_buf_put_u32(message, 0);
        err = ps_eip_transact(&session->connection, message->data, message->len, place->timeout_ns,
                              &place->reply, diag);
    }
    if (err != PS_OK) {
        return err;
    }
    bool given = place->reply.status == PS_EIP_OK || place->reply.status == PS_EIP_PARTIAL;
    if (given && !ps_eip_data_get(place->reply.data, place->reply.len, &place->data)) {
        return ps_fail(PS_ERR_REFUSED, diag, NULL, NULL, "the answer has no value in it");
    }
    return PS_OK;
}

PsErr ps_eip_place_read(PsEipSession *session, PsEipPlace *place, PsDiag *diag) {
    const PsEipSymbol *symbol = &place->symbol;
    bool settled = !symbol->indexed || symbol->bit != PS_EIP_NO_BIT;
    make_path(place, settled ? symbol->index : symbol->index / 32);
    place->bit = symbol->bit;
    PsErr err = ask(session, place, diag);
    bool given = place->reply.status == PS_EIP_OK || place->reply.status == PS_EIP_PARTIAL;
    if (err != PS_OK || !given || settled) {
        return err;
    }
    if (ps_eip_index_type(session, place->data.type) == PS_EIP_TYPE_DWORD) {
        place->bit = (int8_t)(symbol->index % 32);
        return PS_OK;
    }
    if (symbol->index / 32 == symbol->index) {
        return PS_OK;
    }
    make_path(place, symbol->index);
    return ask(session, place, diag);
}

// --- shapes

const PsEipShape *ps_eip_shape_find(const PsEipSession *session, uint16_t handle) {
    static const PsEipShape string = {PS_EIP_HANDLE_STRING, true, true};
    if (handle == PS_EIP_HANDLE_STRING) {
        return &string;
    }
    for (uint32_t i = 0; i < PS_EIP_SHAPES; i++) {
        if (session->shapes[i].known && session->shapes[i].handle == handle) {
            return &session->shapes[i];
        }
    }
    return NULL;
}

// Is the member of this type there?
static PsErr ask_member(PsEipSession *session, const uint8_t *path, uint16_t path_len,
                        const char *name, uint16_t type, int64_t timeout_ns, bool *ret_there,
                        PsDiag *diag) {
    PsEipPlace place = {.timeout_ns = timeout_ns};
    *ret_there = false;
    if (path_len + 16U > sizeof place.path) {
        return PS_OK;
    }
    memcpy(place.path, path, path_len);
    place.path_len =
        (uint16_t)(path_len + ps_eip_name_put(place.path + path_len, name, strlen(name)));
    if (type == PS_EIP_TYPE_SINT) {
        place.path_len =
            (uint16_t)(place.path_len + ps_eip_element_put(place.path + place.path_len, 0));
    }
    PsErr err = ask(session, &place, diag);
    if (err == PS_ERR_REFUSED) {
        return PS_OK;
    }
    *ret_there = err == PS_OK && place.reply.status == PS_EIP_OK && place.data.type == type;
    return err;
}

PsErr ps_eip_shape_learn(PsEipSession *session, uint16_t handle, const uint8_t *path,
                         uint16_t path_len, int64_t timeout_ns, PsDiag *diag) {
    if (ps_eip_shape_find(session, handle) != NULL) {
        return PS_OK;
    }
    bool length = false;
    bool data = false;
    PsErr err =
        ask_member(session, path, path_len, "LEN", PS_EIP_TYPE_DINT, timeout_ns, &length, diag);
    if (err == PS_OK && length) {
        err =
            ask_member(session, path, path_len, "DATA", PS_EIP_TYPE_SINT, timeout_ns, &data, diag);
    }
    if (err == PS_OK) {
        session->shapes[session->shape_next++ % PS_EIP_SHAPES] =
            (PsEipShape){.handle = handle, .known = true, .text = length && data};
    }
    return err;
}
